"""Texts that name addresses in, networks out, and which of them are the Internet."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_network

from policies.engine.values import UnknownValue

Network = IPv4Network | IPv6Network

IPV4_MAPPED = IPv6Network("::ffff:0:0/96")
INTERNET_SIZED = {4: 8, 6: 16}
"""The longest prefix of a block that is no longer one organisation's, by IP version."""


def network(text: str) -> Network:
    """
    Return the block that *text* names; an IPv4 block mapped into IPv6 is that block.

    Raises:
        UnknownValue: It names no block.
    """
    try:
        block = ip_network(text, strict=False)
    except ValueError as error:
        raise UnknownValue(f"{text!r} is no CIDR block") from error
    if isinstance(block, IPv6Network) and block.subnet_of(IPV4_MAPPED):
        mapped = block.network_address.ipv4_mapped
        return IPv4Network((int(mapped or 0), block.prefixlen - IPV4_MAPPED.prefixlen))
    return block


def is_internet(block: Network) -> bool:
    """Whether *block* is so large, and so public, that anybody may stand in it."""
    return block.prefixlen <= INTERNET_SIZED[block.version] and not block.is_private

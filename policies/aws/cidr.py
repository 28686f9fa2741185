"""Texts that name addresses in, networks out, and which of them are the Internet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_network

from policies.engine.values import UnknownValue

Network = IPv4Network | IPv6Network

IPV4_MAPPED = IPv6Network("::ffff:0:0/96")
NOT_PUBLIC = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
            "172.16.0.0/12", "192.168.0.0/16", "224.0.0.0/3",
        ),
    )
)  # fmt: skip
"""IPv4 addresses at which nobody on the Internet stands."""

PUBLIC_IPV6 = IPv6Network("2000::/3")
ONE_ORGANISATION = {4: 1 << 24, 6: 1 << 112}
"""So many public addresses, by IP version, are no longer one organisation's: a /8, a /16."""


@lru_cache(maxsize=1 << 16)
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


def is_internet(*blocks: Network) -> bool:
    """Whether *blocks* together hold so many public addresses that anybody may stand in them."""
    return any(
        public_addresses(*(block for block in blocks if block.version == version)) >= most
        for version, most in ONE_ORGANISATION.items()
    )


def public_addresses(*blocks: Network) -> int:
    """Return how many public addresses are in *blocks*, of one IP version, each counted once."""
    count = 0
    for first, last in _merged(blocks):
        if blocks[0].version == 4:  # noqa: PLR2004
            count += last - first + 1 - sum(_shared(first, last, other) for other in NOT_PUBLIC)
        else:
            count += _shared(first, last, PUBLIC_IPV6)
    return count


def _merged(blocks: Iterable[Network]) -> Iterator[tuple[int, int]]:
    """Yield the intervals of addresses that *blocks* cover, disjoint and in order."""
    ends = sorted((int(b.network_address), int(b.broadcast_address)) for b in blocks)
    first, last = -1, -2
    for start, end in ends:
        if start > last + 1:
            if last >= first:
                yield first, last
            first, last = start, end
        else:
            last = max(last, end)
    if last >= first:
        yield first, last


def _shared(first: int, last: int, block: Network) -> int:
    """Return how many addresses of *block* are from *first* to *last*."""
    start = max(first, int(block.network_address))
    return max(0, min(last, int(block.broadcast_address)) - start + 1)

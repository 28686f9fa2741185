"""A VPC's block in, the blocks of its subnets out: disjoint, inside it, and stable."""

from __future__ import annotations

from ipaddress import IPv4Network

TIERS = ("public", "private", "database")
FEWEST_ZONES = 2
ZONES_PER_TIER = 10
"""Room that each tier keeps, so that a zone added later moves no subnet."""

PRIVATE = tuple(map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")))
"""RFC 1918."""

SUBNET_BITS = 8
SMALLEST_SUBNET = 28
LARGEST_VPC = 16
SMALLEST_VPC = SMALLEST_SUBNET - SUBNET_BITS


class AddressingError(ValueError):
    """A block or a number of zones that the plan has no room for."""


def vpc_network(block: str) -> IPv4Network:
    """
    Read *block*, such as ``10.0.0.0/16``, as the block of a VPC.

    Raises:
        AddressingError: It is no private IPv4 block from /16 to /20.
    """
    try:
        network = IPv4Network(block)
    except ValueError as error:
        raise AddressingError(f"VPC block {block!r}: {error}") from error
    if not any(network.subnet_of(private) for private in PRIVATE):
        raise AddressingError(f"VPC block {network}: use private addresses (RFC 1918)")
    if network.prefixlen < LARGEST_VPC:
        raise AddressingError(
            f"VPC block {network}: AWS allows no block larger than /{LARGEST_VPC}"
        )
    if network.prefixlen > SMALLEST_VPC:
        raise AddressingError(
            f"VPC block {network}: too small, its subnets would be "
            f"/{network.prefixlen + SUBNET_BITS} and AWS allows none smaller than "
            f"/{SMALLEST_SUBNET}; use /{SMALLEST_VPC} or larger"
        )
    return network


def subnets(vpc: IPv4Network, zones: int) -> dict[str, tuple[IPv4Network, ...]]:
    """
    Return the subnets of each tier, one a zone, in the order of the zones.

    Of 10.0.0.0/16, the public subnets are 10.0.0.0/24 and following, the
    private ones 10.0.10.0/24, those of the database 10.0.20.0/24.

    Raises:
        AddressingError: Fewer than two zones, or more than the plan has room for.
    """
    if not FEWEST_ZONES <= zones <= ZONES_PER_TIER:
        raise AddressingError(
            f"{zones} zones: the plan has room for {FEWEST_ZONES} to {ZONES_PER_TIER}"
        )
    step = 1 << (vpc.max_prefixlen - vpc.prefixlen - SUBNET_BITS)
    first = int(vpc.network_address)

    def subnet(index: int) -> IPv4Network:
        return IPv4Network((first + index * step, vpc.prefixlen + SUBNET_BITS))

    return {
        tier: tuple(subnet(row * ZONES_PER_TIER + zone) for zone in range(zones))
        for row, tier in enumerate(TIERS)
    }

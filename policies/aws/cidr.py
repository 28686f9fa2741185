"""Texts that name addresses in, sets of addresses out, and which of them are the Internet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_network

from policies.engine.values import UnknownValue

Network = IPv4Network | IPv6Network
Range = tuple[int, int, int]
"""An IP version, and the first and the last address."""

IPV4_MAPPED = IPv6Network("::ffff:0:0/96")
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


@dataclass(frozen=True)
class Addresses:
    """A set of IP addresses: union, intersection and difference are exact."""

    ranges: tuple[Range, ...] = ()
    """Disjoint, not adjacent, and in order."""

    @classmethod
    def of(cls, *blocks: Network) -> Addresses:
        """Return the addresses in *blocks*."""
        return cls._merged(
            (block.version, int(block.network_address), int(block.broadcast_address))
            for block in blocks
        )

    @classmethod
    def _merged(cls, ranges: Iterable[Range]) -> Addresses:
        result: list[Range] = []
        for version, first, last in sorted(ranges):
            if result and result[-1][0] == version and first <= result[-1][2] + 1:
                result[-1] = (version, result[-1][1], max(last, result[-1][2]))
            else:
                result.append((version, first, last))
        return cls(tuple(result))

    def __or__(self, other: Addresses) -> Addresses:
        return self._merged((*self.ranges, *other.ranges))

    def __and__(self, other: Addresses) -> Addresses:
        return Addresses(tuple(self._shared(other)))

    def __sub__(self, other: Addresses) -> Addresses:
        return Addresses(tuple(left for each in self.ranges for left in _less(each, other.ranges)))

    def __ge__(self, other: Addresses) -> bool:
        return not other - self

    def __bool__(self) -> bool:
        return bool(self.ranges)

    def count(self, version: int) -> int:
        """Return how many addresses of IP *version* there are."""
        return sum(last - first + 1 for v, first, last in self.ranges if v == version)

    def _shared(self, other: Addresses) -> Iterator[Range]:
        """Yield the ranges in both, going through the two side by side."""
        mine, theirs = 0, 0
        while mine < len(self.ranges) and theirs < len(other.ranges):
            (version, first, last), (v, start, end) = self.ranges[mine], other.ranges[theirs]
            if version == v and max(first, start) <= min(last, end):
                yield version, max(first, start), min(last, end)
            if (version, last) <= (v, end):
                mine += 1
            else:
                theirs += 1


def _less(whole: Range, holes: Iterable[Range]) -> Iterator[Range]:
    version, first, last = whole
    for v, start, end in holes:
        if v == version and start <= last and end >= first:
            if start > first:
                yield version, first, start - 1
            first = end + 1
    if first <= last:
        yield version, first, last


PUBLIC = Addresses.of(network("0.0.0.0/0"), network("2000::/3")) - Addresses.of(
    *map(
        network,
        (
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
            "172.16.0.0/12", "192.168.0.0/16", "224.0.0.0/3",
        ),
    )
)  # fmt: skip
"""The addresses at which anybody on the Internet may stand."""


def is_internet(addresses: Addresses) -> bool:
    """Whether so many of *addresses* are public that anybody may stand there."""
    public = addresses & PUBLIC
    return any(public.count(version) >= most for version, most in ONE_ORGANISATION.items())


def names_internet(*blocks: str) -> bool:
    """
    Whether *blocks* together hold so many public addresses that anybody may stand there.

    Raises:
        UnknownValue: One of them is no block.
    """
    return is_internet(Addresses.of(*map(network, blocks)))

"""An attribute with CIDR blocks in, the blocks out, also those that a VPC of the document has."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from policies.aws import cidr
from policies.engine.graph import Resource, ResourceGraph
from policies.engine.values import Items, Unknown, UnknownValue

ATTRIBUTES = ("cidr_block", "ipv6_cidr_block")
INSIDE = frozenset({"aws_default_subnet", "aws_default_vpc", "aws_subnet", "aws_vpc"})
ONE_ADDRESS = ("/32", "/128")


@dataclass(frozen=True)
class Blocks:
    """What stands at some attributes."""

    known: tuple[cidr.Network, ...]
    inside: str
    """Why one is not known that is a VPC's, a subnet's, or one address: never the Internet."""

    unknown: str
    """Why any other one is not known."""

    def __iter__(self) -> Iterator[cidr.Network]:
        """
        Yield the blocks that are known.

        Raises:
            UnknownValue: After the others, where one is not.
        """
        yield from self.known
        if self.unknown or self.inside:
            raise UnknownValue(self.unknown or self.inside)


def at(resource: Resource, paths: tuple[str, ...], graph: ResourceGraph) -> Blocks:
    """Return the blocks at *paths* of *resource*."""
    known: list[cidr.Network] = []
    inside = unknown = ""
    for path in paths:
        value = resource.peek(path)
        for item in value.peek() if isinstance(value, Items) else [value]:
            if item is None:
                continue
            try:
                known.extend(_followed(item, graph) if isinstance(item, Unknown) else [_read(item)])
            except _InsideError as reason:
                inside = f"{path} is not known: {reason}"
            except UnknownValue as reason:
                unknown = f"{path} is not known: {reason}"
    return Blocks(tuple(known), inside, unknown)


class _InsideError(Exception):
    """A block that is not seen here, and that is too small to be the Internet."""


def _read(item: object) -> cidr.Network:
    return cidr.network(str(item))


def _followed(item: Unknown, graph: ResourceGraph) -> list[cidr.Network]:
    """Return the blocks of the VPC or subnet whose attribute *item* is."""
    resource, _, attribute = (item.targets or ("",))[0].rpartition(".")
    if attribute in ATTRIBUTES and len(item.targets or ()) == 1:
        found = [each.peek(attribute) for each in graph.named(resource)]
        if found and all(isinstance(each, str) for each in found):
            return list(map(_read, found))
        if resource.rpartition(".")[0] in INSIDE:
            raise _InsideError(item.expression)
    if item.is_partly_written and item.expression.endswith(ONE_ADDRESS):
        raise _InsideError(item.expression)
    raise UnknownValue(item.expression)

"""Security group rules in any of Terraform's forms in, one form out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from policies.aws import blocks, cidr
from policies.aws.blocks import Blocks
from policies.engine.graph import Resource, ResourceGraph
from policies.engine.values import UnknownValue, drained

GROUP = "aws_security_group"
DEFAULT_GROUP = "aws_default_security_group"
CLASSIC_RULE = "aws_security_group_rule"
INGRESS_RULE = "aws_vpc_security_group_ingress_rule"
EGRESS_RULE = "aws_vpc_security_group_egress_rule"
CARRIERS = (GROUP, DEFAULT_GROUP, CLASSIC_RULE, INGRESS_RULE, EGRESS_RULE)
"""The types that hold rules."""

ENDPOINT = "aws_vpc_endpoint"
PREFIX_LIST = "aws_ec2_managed_prefix_list"
PREFIX_LIST_ENTRY = "aws_ec2_managed_prefix_list_entry"
LISTS_OF_AWS = ("data.aws_prefix_list.", f"{ENDPOINT}.")
"""What names a prefix list of an AWS service, which is never the Internet."""

SOURCE_GROUPS = ("referenced_security_group_id", "source_security_group_id", "security_groups")

WITHOUT_PORTS = frozenset({"1", "58", "icmp", "icmpv6"})
"""The protocols for which a rule has types and codes in the place of ports."""

EVERY_PROTOCOL = frozenset({"-1", "all"})
PORTS = range(65536)


@dataclass(frozen=True)
class Rule:
    """One rule: the block or resource that holds it, and what it lets through."""

    carrier: Resource
    at: Resource
    """The block in the carrier, or the carrier itself."""

    ingress: bool
    graph: ResourceGraph

    @property
    def protocol(self) -> str:
        """The protocol, ``-1`` for every one."""
        return self.graph.once(("protocol", *self._place), self._protocol)

    def _protocol(self) -> str:
        value = self.at.get("ip_protocol" if self._is_current else "protocol")
        if value is None:
            raise UnknownValue("protocol is not given")
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        return str(value).lower()

    @property
    def every_protocol(self) -> bool:
        """Whether it lets every protocol through."""
        return self.protocol in EVERY_PROTOCOL

    @property
    def ports(self) -> range:
        """The ports it opens: all where its protocol has none, or none are given."""
        return self.graph.once(("ports", *self._place), self._ports)

    def _ports(self) -> range:
        if self.every_protocol:
            return PORTS
        if self.protocol in WITHOUT_PORTS:
            return range(0)
        first, last = self.at.number("from_port"), self.at.number("to_port")
        if first is None or last is None or first == -1:
            return PORTS
        return range(int(first), int(last) + 1)

    @property
    def blocks(self) -> Blocks:
        """The CIDR blocks on the other side."""
        return self.graph.once(("blocks", *self._place), self._blocks)

    @property
    def _place(self) -> tuple[str, str]:
        return self.carrier.address, self.at.within

    def _blocks(self) -> Blocks:
        current = self._is_current
        paths = ("cidr_ipv4", "cidr_ipv6") if current else ("cidr_blocks", "ipv6_cidr_blocks")
        found = blocks.at(self.at, paths, self.graph)
        listed, unknown = drained(self._listed("prefix_list_id" if current else "prefix_list_ids"))
        return Blocks(found.known + listed, found.inside, found.unknown or unknown)

    def _listed(self, attribute: str) -> Iterator[cidr.Network]:
        """Yield the blocks of prefix lists; those of AWS are its own services."""
        missing = ""
        for name in self.at.reference(attribute):
            lists = [each for each in self.graph.named(name) if each.type == PREFIX_LIST]
            for each in lists:
                separate = self.graph.attached_to(each, PREFIX_LIST_ENTRY, by="prefix_list_id")
                for entry in (*each.blocks("entry"), *separate):
                    yield cidr.network(str(entry.get("cidr")))
            is_of_aws = name.startswith(LISTS_OF_AWS) or self._is_of_an_endpoint(name)
            if not lists and not is_of_aws:
                missing = name
        if missing:
            raise UnknownValue(f"{attribute} names {missing}, whose blocks are not seen here")

    def _is_of_an_endpoint(self, id: str) -> bool:
        """Whether the prefix list *id* is that of an endpoint in the same document."""
        return any(
            endpoint.is_known("prefix_list_id") and endpoint.get("prefix_list_id") == id
            for endpoint in self.graph.of_type(ENDPOINT)
        )

    def _open(self) -> bool:
        mine, unknown = self.blocks.known, self.blocks.unknown
        if unknown:
            if not cidr.is_internet(cidr.Addresses.of(*mine)):
                raise UnknownValue(unknown)
            return True
        large = [block for block in mine if _is_large(block)]
        return bool(large) and cidr.is_internet(cidr.Addresses.of(*large, *self._beside()))

    def is_open(self) -> bool:
        """
        Whether anybody on the Internet may stand on the other side.

        That may also be because of many large blocks, in many rules of one group.

        Raises:
            UnknownValue: It cannot be told.
        """
        return self.graph.once(("open", *self._place), self._open)

    def _beside(self) -> Iterator[cidr.Network]:
        """Yield the large blocks that other rules of the same group open on the same ports."""
        direction = self.ingress
        index = self.graph.index(
            ("rules by group", direction), lambda: _by_group(self.graph, ingress=direction)
        )
        for name in self.owner():
            for ports, block in index.get(name, ()):
                mine = self.ports
                if mine and max(ports[0], mine[0]) <= min(ports[-1], mine[-1]):
                    yield block

    def sources(self) -> Iterator[str]:
        """Yield what names the security groups on the other side."""
        for attribute in SOURCE_GROUPS:
            yield from self.at.reference(attribute)

    def owner(self) -> frozenset[str]:
        """Return what names the group that the rule belongs to."""
        if self.carrier.type in {GROUP, DEFAULT_GROUP}:
            return self.carrier.identities
        return frozenset(self.at.reference("security_group_id"))

    @property
    def _is_current(self) -> bool:
        """Whether it is a resource of its own, in the newer form, with names of its own."""
        return self.at.type in {INGRESS_RULE, EGRESS_RULE}


LARGE = {4: 18, 6: 48}
"""The longest prefix of a block of which a thousand, all that a group can hold, matter."""


def _is_large(block: cidr.Network) -> bool:
    return block.prefixlen <= LARGE[block.version]


def _by_group(
    graph: ResourceGraph, *, ingress: bool
) -> dict[str, list[tuple[range, cidr.Network]]]:
    """Return, by what names a group, its large blocks and the ports that they are let through."""
    index: dict[str, list[tuple[range, cidr.Network]]] = {}
    for carrier in graph.of_type(*CARRIERS):
        try:
            for rule in rules(carrier, graph):
                if rule.ingress != ingress:
                    continue
                large = [block for block in rule.blocks.known if _is_large(block)]
                for name in rule.owner() if large and rule.ports else ():
                    index.setdefault(name, []).extend((rule.ports, block) for block in large)
        except UnknownValue:
            continue
    return index


def rules(carrier: Resource, graph: ResourceGraph) -> Iterator[Rule]:
    """Yield the rules that *carrier*, a resource of one of CARRIERS, holds."""
    return graph.each(("rules", carrier.address), lambda: _rules(carrier, graph))


def _rules(carrier: Resource, graph: ResourceGraph) -> Iterator[Rule]:
    if carrier.type in {GROUP, DEFAULT_GROUP}:
        for direction in ("ingress", "egress"):
            for block in carrier.blocks(direction):
                yield Rule(carrier, block, direction == "ingress", graph)
    elif carrier.type == CLASSIC_RULE:
        yield Rule(carrier, carrier, carrier.get("type") == "ingress", graph)
    else:
        yield Rule(carrier, carrier, carrier.type == INGRESS_RULE, graph)


def ingress(carrier: Resource, graph: ResourceGraph) -> Iterator[Rule]:
    """Yield the rules of *carrier* that let something in."""
    return (rule for rule in rules(carrier, graph) if rule.ingress)


def egress(carrier: Resource, graph: ResourceGraph) -> Iterator[Rule]:
    """Yield the rules of *carrier* that let something out."""
    return (rule for rule in rules(carrier, graph) if not rule.ingress)


@dataclass(frozen=True)
class Members:
    """What names the groups that some resources use."""

    known: frozenset[str]
    unknown: str
    """Why that of one resource cannot be told, or nothing."""

    def require_all(self) -> None:
        """
        Say that the groups of one resource are not known, where that matters.

        Raises:
            UnknownValue: They are not.
        """
        if self.unknown:
            raise UnknownValue(self.unknown)


@cache
def users() -> tuple[tuple[str, str], ...]:
    """
    Return the types of what stands behind security groups, and the attribute that names them.

    group_users.txt is made from ``terraform providers schema -json`` of hashicorp/aws 5.100.0.
    """
    lines = files(__package__).joinpath("group_users.txt").read_text().splitlines()
    return tuple((type, path) for type, path in map(str.split, lines))


def used_groups(graph: ResourceGraph) -> Members:
    """Return the security groups that anything in *graph* stands behind."""
    return groups_of(graph, *users())


def groups_of(graph: ResourceGraph, *users: tuple[str, str]) -> Members:
    """Return the security groups of resources, given as pairs of type and attribute."""
    return graph.index(("groups of", users), lambda: _groups_of(graph, users))


def _groups_of(graph: ResourceGraph, users: tuple[tuple[str, str], ...]) -> Members:
    found: set[str] = set()
    unknown = ""
    for type, by in users:
        for user in graph.of_type(type):
            try:
                for name in user.references(by):
                    found.update({name}, *(group.identities for group in graph.named(name)))
            except UnknownValue as reason:
                unknown = f"{user.address}: {reason}"
    return Members(frozenset(found), unknown)

"""
Two parties and a port in, the paths between them out, hop by hop.

A hop that is closed for certain closes the path, whatever else is not known; otherwise
one that cannot be told leaves the answer unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial

from policies.aws import cidr, firewall, network_acl, routing
from policies.aws.cidr import Addresses
from policies.engine.graph import Resource, ResourceGraph
from policies.engine.values import UnknownValue, drained

TCP = frozenset({"tcp", "6"})
EPHEMERAL = range(1024, 65536)
"""The ports at which a client waits for its answer."""


@dataclass(frozen=True)
class Hop:
    """One place on a path, and what it does there."""

    at: Resource
    does: str

    def __str__(self) -> str:
        return f"{self.at.address} {self.does}"


Path = tuple[Hop, ...]


def told(path: Path) -> str:
    """Return *path* in one line."""
    return " → ".join(map(str, path))


@dataclass(frozen=True)
class Place:
    """Where a type says in which subnets, and behind which security groups, it stands."""

    groups: str
    subnets: str = "subnet_ids"
    via: str = ""
    """The attribute that names a subnet group or a launch template, which says it instead."""


PLACES = {
    "aws_alb": Place("security_groups", "subnets"),
    "aws_db_instance": Place("vpc_security_group_ids", via="db_subnet_group_name"),
    "aws_docdb_cluster": Place("vpc_security_group_ids", via="db_subnet_group_name"),
    "aws_ecs_service": Place(
        "network_configuration.security_groups", "network_configuration.subnets"
    ),
    "aws_elasticache_cluster": Place("security_group_ids", via="subnet_group_name"),
    "aws_elasticache_replication_group": Place("security_group_ids", via="subnet_group_name"),
    "aws_elb": Place("security_groups", "subnets"),
    "aws_instance": Place("vpc_security_group_ids", "subnet_id"),
    "aws_lambda_function": Place("vpc_config.security_group_ids", "vpc_config.subnet_ids"),
    "aws_lb": Place("security_groups", "subnets"),
    "aws_neptune_cluster": Place("vpc_security_group_ids", via="neptune_subnet_group_name"),
    "aws_rds_cluster": Place("vpc_security_group_ids", via="db_subnet_group_name"),
    "aws_redshift_cluster": Place("vpc_security_group_ids", via="cluster_subnet_group_name"),
    "aws_vpc_endpoint": Place("security_group_ids"),
}
JOINS = ("aws_vpc_peering_connection", "aws_ec2_transit_gateway_vpc_attachment")
"""What makes one network of two VPCs."""

ELASTIC_ADDRESSES = {"aws_eip": "instance", "aws_eip_association": "instance_id"}
"""What leads an Elastic IP to an instance, and the attribute that names that."""

PUBLIC_BY_DEFAULT = frozenset({"aws_redshift_cluster"})

SCALING = "aws_autoscaling_group"


@dataclass(frozen=True)
class Party:
    """Something that stands in subnets, behind security groups."""

    resource: Resource
    graph: ResourceGraph

    def subnets(self) -> Iterator[Resource]:
        """Yield the subnets that it stands in."""
        if self.resource.type == SCALING:
            yield from self.graph.follow(self.resource, "vpc_zone_identifier")
            return
        place = PLACES[self.resource.type]
        holders = self.graph.follow(self.resource, place.via) if place.via else [self.resource]
        for holder in holders:
            yield from self.graph.follow(holder, place.subnets)
            for mapping in holder.blocks("subnet_mapping"):
                yield from self.graph.follow(mapping, "subnet_id")

    def groups(self) -> Iterator[str]:
        """Yield what names the security groups that it stands behind."""
        if self.resource.type != SCALING:
            yield from self.resource.reference(PLACES[self.resource.type].groups)
            return
        for launch in self.resource.blocks("launch_template"):
            for template in self.graph.follow(launch, "id" if launch.is_set("id") else "name"):
                yield from template.reference("vpc_security_group_ids")
                for interface in template.blocks("network_interfaces"):
                    yield from interface.reference("security_groups")

    def names(self) -> frozenset[str]:
        """Return everything that names its security groups."""
        found = frozenset(self.groups())
        return found.union(*(r.identities for name in found for r in self.graph.named(name)))

    def has_public_address(self) -> bool:
        """Whether somebody outside can address it."""
        type, resource = self.resource.type, self.resource
        if type in {"aws_lb", "aws_alb", "aws_elb"}:
            return resource.get("internal", False) is not True
        if type == "aws_ecs_service":
            path = "network_configuration.assign_public_ip"
            return resource.get(path, False) is not False
        if type in {"aws_instance", SCALING}:
            return self._is_given_an_address()
        if type == "aws_rds_cluster":
            instances = self.graph.attached_to(
                resource, "aws_rds_cluster_instance", by="cluster_identifier"
            )
            return any(each.get("publicly_accessible", False) is not False for each in instances)
        return resource.get("publicly_accessible", type in PUBLIC_BY_DEFAULT) is not False

    def _is_given_an_address(self) -> bool:
        """Whether a server is given a public address: its own, its template's, its subnet's."""
        stated = "associate_public_ip_address"
        if self._has_an_address_of_its_own():
            return True
        for holder in self._interfaces():
            if holder.is_set(stated):
                return holder.get(stated) is not False
        return any(
            subnet.get("map_public_ip_on_launch", False) is not False for subnet in self.subnets()
        )

    def _interfaces(self) -> Iterator[Resource]:
        """Yield what says whether a server is given an address."""
        if self.resource.type != SCALING:
            yield self.resource
            return
        for launch in self.resource.blocks("launch_template"):
            for template in self.graph.follow(launch, "id" if launch.is_set("id") else "name"):
                yield from template.blocks("network_interfaces")

    def _has_an_address_of_its_own(self) -> bool:
        """Whether an Elastic IP is led to it."""
        return any(
            True
            for type, by in ELASTIC_ADDRESSES.items()
            for _ in self.graph.attached_to(self.resource, type, by=by)
        )

    def is_private(self) -> bool:
        """Whether nobody outside can address it, for certain."""
        try:
            return not self.has_public_address()
        except UnknownValue:
            return False

    def networks(self) -> frozenset[str]:
        """
        Return what names the VPCs that it stands in.

        Raises:
            UnknownValue: One is not in this document.
        """
        found = frozenset(name for subnet in self.subnets() for name in subnet.reference("vpc_id"))
        if not found or not all(map(self.graph.named, found)):
            raise UnknownValue(f"in which VPC {self.resource.address} stands is not seen here")
        return found


def near(party: Party, *types: str) -> tuple[Resource, ...]:
    """Return the resources of *types* that may stand in one network with *party*."""
    graph = party.graph
    everyone = graph.of_type(*types)
    by_network = graph.index(("by network", types), lambda: _by_network(everyone, graph))
    try:
        networks = party.networks()
    except UnknownValue:
        return everyone
    if graph.of_type(*JOINS):
        return everyone
    names = [*sorted(networks), ANYWHERE]
    return tuple({r.address: r for name in names for r in by_network.get(name, ())}.values())


ANYWHERE = ""
"""The network, in an index, of what stands we cannot tell where."""


def _by_network(resources: Iterable[Resource], graph: ResourceGraph) -> dict[str, list[Resource]]:
    index: dict[str, list[Resource]] = {}
    for resource in resources:
        try:
            names = Party(resource, graph).networks()
        except UnknownValue:
            names = frozenset({ANYWHERE})
        for name in names:
            index.setdefault(name, []).append(resource)
    return index


def from_internet(party: Party, port: int) -> Iterator[Path]:
    """
    Yield the paths by which anybody on the Internet reaches *party* on *port* (TCP).

    Raises:
        UnknownValue: After the others, where a path cannot be excluded.
    """
    yield from _each_subnet(party, partial(_from_outside, party, port))


def _from_outside(party: Party, port: int, subnet: Resource) -> Path | None:
    return _open(
        partial(_gateway, subnet, party.graph),
        partial(_address, party),
        partial(_admits_anybody, party, subnet, port),
    )


def between(source: Party, target: Party, port: int) -> Iterator[Path]:
    """
    Yield the paths by which *source* reaches *target* on *port* (TCP) inside their VPC.

    Where a security group and a network ACL each let a part of a subnet through, they are
    taken to mean the same part.

    Raises:
        UnknownValue: After the others, where a path cannot be excluded.
    """
    yield from _each_subnet(source, partial(_to, source, target, port))


def _to(source: Party, target: Party, port: int, near: Resource) -> Path | None:
    return next(_each_subnet(target, partial(_inside, source, target, near, port)), None)


def _inside(source: Party, target: Party, near: Resource, port: int, far: Resource) -> Path | None:
    return _open(
        partial(_sends, source, target, far, port),
        partial(_crosses, near, far, port, target.graph),
        partial(_receives, target, source, near, port),
    )


def _each_subnet(party: Party, path: Callable[[Resource], Path | None]) -> Iterator[Path]:
    """
    Yield what *path* finds for each subnet of *party*.

    Raises:
        UnknownValue: After the others, where one cannot be told, or none is stated.
    """
    subnets, unknown = drained(party.subnets())
    for subnet in subnets:
        try:
            found = path(subnet)
        except UnknownValue as reason:
            unknown = str(reason)
        else:
            if found:
                yield found
    if not subnets and not unknown:
        unknown = f"in which subnets {party.resource.address} stands is not stated"
    if unknown:
        raise UnknownValue(unknown)


def _open(*hops: Callable[[], Iterator[Hop]]) -> Path | None:
    """Return the first hop of each, or None where one of them has none for certain."""
    path, unknown = [], None
    for find in hops:
        try:
            hop = next(find(), None)
        except UnknownValue as reason:
            unknown = unknown or reason
            continue
        if hop is None:
            return None
        path.append(hop)
    if unknown:
        raise unknown
    return tuple(path)


def _gateway(subnet: Resource, graph: ResourceGraph) -> Iterator[Hop]:
    for route, gateway in routing.to_internet(subnet, graph):
        yield Hop(route, f"routes {subnet.address} to {gateway}")


def _address(party: Party) -> Iterator[Hop]:
    if party.has_public_address():
        yield Hop(party.resource, "has a public address")


def _admits_anybody(party: Party, subnet: Resource, port: int) -> Iterator[Hop]:
    """Say which rule lets the Internet in, of those packets that the network ACL lets through."""
    admitted, widest, unknown = Addresses(), None, None
    for rule in _rules(party, port, ingress=True):
        try:
            blocks = Addresses.of(*rule.blocks) & cidr.PUBLIC
        except UnknownValue as reason:
            unknown = reason
            continue
        if blocks and not admitted >= blocks:
            admitted, widest = admitted | blocks, rule
    if widest and cidr.is_internet(admitted):
        for answer in network_acl.telling(EPHEMERAL, party.graph, subnet):
            passed = network_acl.passed(subnet, admitted, port, answer, party.graph)
            if cidr.is_internet(passed):
                yield Hop(widest.at, f"lets the Internet in on {port}")
    if unknown:
        raise unknown


def _sends(source: Party, target: Party, far: Resource, port: int) -> Iterator[Hop]:
    for rule in _rules(source, port, ingress=False):
        if _is_about(rule, target, far):
            yield Hop(rule.at, f"lets {source.resource.address} send to {port}")


def _receives(target: Party, source: Party, near: Resource, port: int) -> Iterator[Hop]:
    for rule in _rules(target, port, ingress=True):
        if _is_about(rule, source, near):
            yield Hop(rule.at, f"lets it into {target.resource.address} on {port}")


def _is_about(rule: firewall.Rule, party: Party, subnet: Resource) -> bool:
    """Whether *party*, in *subnet*, can stand on the other side of *rule*."""
    names = party.names()
    if names & frozenset(rule.sources()):
        return True
    if rule.at.get("self", False) is True and rule.owner() & names:
        return True
    block = Addresses.of(cidr.network(subnet.get("cidr_block")))
    return bool(Addresses.of(*rule.blocks) & block)


def _crosses(near: Resource, far: Resource, port: int, graph: ResourceGraph) -> Iterator[Hop]:
    """Say where two subnets of one VPC meet, and whether their network ACLs let both through."""
    if not _in_one_network(near, far, graph):
        return
    blocks = [Addresses.of(cidr.network(subnet.get("cidr_block"))) for subnet in (near, far)]
    for answer in network_acl.telling(EPHEMERAL, graph, near, far):
        there = network_acl.passed(near, blocks[1], answer, port, graph)
        back = network_acl.passed(far, blocks[0], port, answer, graph)
        if near.address == far.address or (there and back):
            yield Hop(near, f"and {far.address} are one network")


def _in_one_network(near: Resource, far: Resource, graph: ResourceGraph) -> bool:
    """
    Whether two subnets are in one VPC.

    Raises:
        UnknownValue: A VPC is not in this document, or its networks are joined to others.
    """
    mine, theirs = (frozenset(subnet.reference("vpc_id")) for subnet in (near, far))
    if mine & theirs:
        return True
    if graph.of_type(*JOINS) or not all(map(graph.named, mine | theirs)):
        raise UnknownValue(f"whether {near.address} and {far.address} are joined is not seen here")
    return False


def _rules(party: Party, port: int, *, ingress: bool) -> Iterator[firewall.Rule]:
    """Yield the rules of the party's groups that are about *port*, known ones first."""
    unknown = None
    for rule in rules(party, ingress=ingress):
        try:
            if (rule.every_protocol or rule.protocol in TCP) and port in rule.ports:
                yield rule
        except UnknownValue as reason:
            unknown = reason
    if unknown:
        raise unknown


def rules(party: Party, *, ingress: bool) -> Iterator[firewall.Rule]:
    """
    Yield the rules of the party's security groups, known ones first.

    Raises:
        UnknownValue: After the others, where a group, or whose a rule is, is not seen here.
    """
    index, unknown = party.graph.index(
        ("rules of groups", ingress), lambda: _indexed(party.graph, ingress=ingress)
    )
    found = {id(rule): rule for name in party.names() for rule in index.get(name, ())}
    yield from found.values()
    if not party.names():
        raise UnknownValue(f"which security groups {party.resource.address} uses is not stated")
    for name in party.groups():
        if not party.graph.named(name):
            raise UnknownValue(f"the group {name} is not in this document")
    if unknown:
        raise UnknownValue(unknown)


def _indexed(graph: ResourceGraph, *, ingress: bool) -> tuple[dict[str, list[firewall.Rule]], str]:
    index: dict[str, list[firewall.Rule]] = {}
    unread = ""
    for carrier in graph.of_type(*firewall.CARRIERS):
        try:
            for rule in firewall.rules(carrier, graph):
                for name in rule.owner() if rule.ingress == ingress else ():
                    index.setdefault(name, []).append(rule)
        except UnknownValue as reason:
            unread = f"{carrier.address}: {reason}"
    return index, unread

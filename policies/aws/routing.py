"""A subnet in, the routes by which it reaches the Internet out."""

from __future__ import annotations

from collections.abc import Iterator

from policies.aws import cidr
from policies.engine.graph import Resource, ResourceGraph
from policies.engine.values import UnknownValue

VPC = "aws_vpc"
ROUTE = "aws_route"
ROUTE_TABLE = "aws_route_table"
DEFAULT_TABLE = "aws_default_route_table"
ASSOCIATION = "aws_route_table_association"
MAIN_ASSOCIATION = "aws_main_route_table_association"
MAIN = ("main_route_table_id", "default_route_table_id")
"""The attributes of a VPC that name the table of the subnets that name none."""

INTERNET_GATEWAY = ("aws_internet_gateway.", "data.aws_internet_gateway.", "igw-")
DESTINATIONS = ("destination_cidr_block", "destination_ipv6_cidr_block", "cidr_block",
                "ipv6_cidr_block")  # fmt: skip


def to_internet(subnet: Resource, graph: ResourceGraph) -> Iterator[tuple[Resource, str]]:
    """
    Yield each route of *subnet* to an Internet gateway, and what names that gateway.

    Raises:
        UnknownValue: After the others, where its table, or a route's target, is not known.
    """
    for route in of_subnet(subnet, graph):
        for gateway in route.reference("gateway_id"):
            if gateway.startswith(INTERNET_GATEWAY) and _leads_out(route):
                yield route, gateway


def _leads_out(route: Resource) -> bool:
    texts = [route.get(attribute) for attribute in DESTINATIONS]
    blocks = [cidr.network(text) for text in texts if text is not None]
    if not blocks:
        raise UnknownValue("a route names no block of addresses")
    return cidr.is_internet(cidr.Addresses.of(*blocks))


def of_subnet(subnet: Resource, graph: ResourceGraph) -> Iterator[Resource]:
    """
    Yield the routes of *subnet*: of its own table, or of its VPC's main one.

    Raises:
        UnknownValue: After the others, where its table is not in this document.
    """
    is_associated = False
    for association in graph.attached_to(subnet, ASSOCIATION, by="subnet_id"):
        is_associated = True
        for table in graph.follow(association, "route_table_id"):
            yield from of_table(table, graph)
    if not is_associated:
        for vpc in graph.follow(subnet, "vpc_id"):
            yield from _of_main_table(vpc, graph)


def of_table(table: Resource, graph: ResourceGraph) -> Iterator[Resource]:
    """Yield the routes of *table*, written in it or apart."""
    yield from table.blocks("route")
    yield from graph.attached_to(table, ROUTE, by="route_table_id")


def _of_main_table(vpc: Resource, graph: ResourceGraph) -> Iterator[Resource]:
    for association in graph.attached_to(vpc, MAIN_ASSOCIATION, by="vpc_id"):
        for table in graph.follow(association, "route_table_id"):
            yield from of_table(table, graph)
    names = {f"{vpc.base}.{attribute}" for attribute in MAIN}
    literals = {vpc.values.get(attribute) for attribute in MAIN}
    for type, by in ((DEFAULT_TABLE, "default_route_table_id"), (ROUTE, "route_table_id")):
        for holder in graph.of_type(type):
            if {*holder.reference(by)} & {*names, *literals}:
                yield from of_table(holder, graph) if type == DEFAULT_TABLE else [holder]

"""The VPC: separate tiers, no accidental way in, no address given out by itself."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from policies.aws import blocks, cidr, companions, firewall, iam, network_acl, routing
from policies.engine.graph import Resource, ResourceGraph
from policies.engine.model import Policy, Violation, part_of, supports
from policies.engine.mutate import Patch, add, attached, described, remove, replace
from policies.engine.settings import states
from policies.engine.values import UnknownValue, in_each

VPC = "aws_vpc"
VPCS = (VPC, "aws_default_vpc")
SUBNET = "aws_subnet"
DEFAULT_SUBNET = "aws_default_subnet"
SUBNET_GROUP = "aws_db_subnet_group"
ENDPOINT = "aws_vpc_endpoint"


SEPARATE_RULES = (firewall.CLASSIC_RULE, firewall.INGRESS_RULE, firewall.EGRESS_RULE)


def empties_default_group(subject: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Every VPC empties its default security group.

    AWS puts an instance that names no group into the default one, which lets its
    members reach each other and everything outside.
    """
    groups = 0
    for group in companions.of(subject, firewall.DEFAULT_GROUP, graph, by="vpc_id"):
        groups += 1
        for rule in firewall.rules(group, graph):
            yield Violation("the default security group has a rule", at=rule.at)
        for carrier in SEPARATE_RULES:
            for separate in graph.attached_to(group, carrier, by="security_group_id"):
                yield Violation("the default security group has a rule", at=separate)
    if not groups:
        yield Violation(f"has no {firewall.DEFAULT_GROUP}", at=subject)


def _rule_of_the_default_group(vpc: Resource, graph: ResourceGraph) -> ResourceGraph:
    group = next(graph.attached_to(vpc, firewall.DEFAULT_GROUP, by="vpc_id"))
    return add(firewall.INGRESS_RULE, security_group_id="${{subject}.id}")(group, graph)


DEFAULT_SECURITY_GROUP = Policy(
    checks=empties_default_group,
    applies_to=(*VPCS, firewall.DEFAULT_GROUP),
    unless=companions.judged_with(*VPCS, by="vpc_id"),
    claims=(part_of("1.3.1"),),
    example={
        "aws_vpc": {"cde": {}},
        "aws_default_security_group": {"cde": {"vpc_id": "${aws_vpc.cde.id}"}},
    },
    violated_by=(
        attached(firewall.DEFAULT_GROUP, by="vpc_id"),
        attached(
            firewall.DEFAULT_GROUP,
            replace("ingress", [{"protocol": "-1", "self": True}]),
            by="vpc_id",
        ),
        attached(
            firewall.DEFAULT_GROUP,
            replace("egress", [{"protocol": "-1", "cidr_blocks": ["0.0.0.0/0"]}]),
            by="vpc_id",
        ),
        described("add a rule of the default security group", _rule_of_the_default_group),
    ),
)


def gives_no_public_address(subnet: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Subnets give no public address to what starts in them.

    What must face the Internet gets its address by name, not by where it stands.
    """
    if subnet.get("map_public_ip_on_launch", subnet.type == DEFAULT_SUBNET) is not False:
        yield Violation("map_public_ip_on_launch is not false", subnet, "map_public_ip_on_launch")


PUBLIC_ADDRESSES = Policy(
    checks=gives_no_public_address,
    applies_to=(SUBNET, DEFAULT_SUBNET),
    claims=(part_of("1.4.4"),),
    example={"aws_subnet": {"cde": {"map_public_ip_on_launch": False}}},
    violated_by=(replace("map_public_ip_on_launch", True),),
)


def shares_no_address(subnet: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Subnets of a VPC share no address.

    Rules and diagrams that speak of a block must speak of one tier.
    """
    block = cidr.network(subnet.get("cidr_block"))
    unknown = None
    for other in _in_the_same_vpc(subnet, graph):
        if other.address == subnet.address:
            continue
        try:
            if block.overlaps(cidr.network(other.get("cidr_block"))):
                yield Violation(
                    f"cidr_block {block} overlaps that of {other.address}", subnet, "cidr_block"
                )
        except UnknownValue as reason:
            unknown = reason
    if unknown:
        raise unknown


def _in_the_same_vpc(subnet: Resource, graph: ResourceGraph) -> tuple[Resource, ...]:
    """Return the subnets of the subnet's VPC, grouped once for the whole document."""

    def group() -> dict[frozenset[str], tuple[Resource, ...]]:
        found: dict[frozenset[str], list[Resource]] = {}
        for each in graph.of_type(SUBNET):
            found.setdefault(frozenset(each.reference("vpc_id")), []).append(each)
        return {vpc: tuple(subnets) for vpc, subnets in found.items()}

    return graph.once("subnets by VPC", group)[frozenset(subnet.reference("vpc_id"))]


def _twin_of_a_subnet(subnet: Resource, graph: ResourceGraph) -> ResourceGraph:
    return add(SUBNET, vpc_id=subnet.values.get("vpc_id"), cidr_block=subnet.values["cidr_block"])(
        subnet, graph
    )


DISJOINT_SUBNETS = Policy(
    checks=shares_no_address,
    applies_to=SUBNET,
    when=lambda subnet: subnet.get("ipv6_native", False) is not True,
    example={
        "aws_subnet": {
            "app": {"cidr_block": "10.0.10.0/24"},
        },
    },
    violated_by=(described("add a subnet with the same cidr_block", _twin_of_a_subnet),),
)


def has_no_way_out(group: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Subnets of databases route to no Internet or NAT gateway.

    A database without a way out cannot send account data away, whatever runs on it.
    """
    subnets = 0
    for subnet in graph.follow(group, "subnet_ids"):
        subnets += 1
        associated = False
        for association in graph.attached_to(subnet, routing.ASSOCIATION, by="subnet_id"):
            associated = True
            for table in graph.follow(association, "route_table_id"):
                yield from _ways_out(table, subnet, graph)
        if not associated:
            yield Violation("uses the main route table, for want of one of its own", subnet)
    if not subnets:
        yield Violation("subnet_ids names no subnet", group, "subnet_ids")


GATEWAYS = {
    "gateway_id": ("aws_internet_gateway.", "igw-"),
    "nat_gateway_id": ("aws_nat_gateway.", "nat-"),
    "egress_only_gateway_id": ("aws_egress_only_internet_gateway.", "eigw-"),
}
"""Where a route can leave the VPC for the Internet, and how such a gateway is named."""


def _ways_out(table: Resource, subnet: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    for route in routing.of_table(table, graph):
        for attribute, names in GATEWAYS.items():
            for name in route.reference(attribute):
                if name.startswith(names):
                    yield Violation(f"{subnet.address} routes to {name}", route, attribute)


def _without_association(group: Resource, graph: ResourceGraph) -> ResourceGraph:
    subnet = next(graph.follow(group, "subnet_ids"))
    return attached(routing.ASSOCIATION, by="subnet_id")(subnet, graph)


def _with_route(gateway: str, group: Resource, graph: ResourceGraph) -> ResourceGraph:
    subnet = next(graph.follow(group, "subnet_ids"))
    return routed(subnet, graph, **{gateway: f"{GATEWAYS[gateway][1]}0123456789abcdef0"})


def routed(subnet: Resource, graph: ResourceGraph, **gateway: str) -> ResourceGraph:
    """Return *graph* with a route from *subnet*, by its own route table, to everywhere."""
    association = next(graph.attached_to(subnet, routing.ASSOCIATION, by="subnet_id"))
    table = next(graph.follow(association, "route_table_id"))
    return add(
        routing.ROUTE,
        route_table_id="${{subject}.id}",
        destination_cidr_block="0.0.0.0/0",
        **gateway,
    )(table, graph)


ISOLATED_DATABASES = Policy(
    checks=has_no_way_out,
    applies_to=SUBNET_GROUP,
    claims=(part_of("1.4.4"), part_of("1.3.2")),
    example={
        "aws_db_subnet_group": {"cde": {"subnet_ids": ["${aws_subnet.db.id}"]}},
        "aws_subnet": {"db": {}},
        "aws_route_table": {"db": {}},
        "aws_route_table_association": {
            "db": {
                "subnet_id": "${aws_subnet.db.id}",
                "route_table_id": "${aws_route_table.db.id}",
            }
        },
    },
    violated_by=(
        described("remove the associations of a database subnet", _without_association),
        *(
            described(
                f"add a route of a database subnet with {gateway}", partial(_with_route, gateway)
            )
            for gateway in GATEWAYS
        ),
    ),
)


ENDPOINT_POLICY = "aws_vpc_endpoint_policy"
SOMEBODYS = ("arn:aws:s3:::somebodys-bucket", "arn:aws:s3:::somebodys-bucket/object")
"""What no endpoint has to reach: a resource that covers one of them covers anything."""


def says_what_passes(endpoint: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Endpoints say what passes through them.

    One that lets everything pass is a way out of the network for stolen data: to a
    bucket, or with credentials, of somebody else.
    """
    written = endpoint.is_set("policy")
    if not written and endpoint.type == ENDPOINT:
        written = any(
            True for _ in graph.attached_to(endpoint, ENDPOINT_POLICY, by="vpc_endpoint_id")
        )
    if not written:
        yield Violation("policy is not set, and so everything passes", endpoint, "policy")
        return
    for statement in iam.statements(endpoint, "policy"):
        if not statement.allows or statement.is_bound_to_an_account():
            continue
        anybody = statement.has("NotPrincipal") or any(
            principal == "*" for _, principal in statement.principals()
        )
        anything = statement.has("NotResource") or any(
            iam.matches(resource, sample)
            for resource in statement.resources()
            for sample in SOMEBODYS
        )
        if anybody and anything:
            yield Violation(
                f"policy: {statement.name} lets anybody reach anything", endpoint, "policy"
            )


def _passing(**statement: object) -> Patch:
    return replace("policy", {"Statement": [{"Effect": "Allow", "Action": "s3:*", **statement}]})


ENDPOINT_POLICIES = Policy(
    checks=says_what_passes,
    applies_to=(ENDPOINT, ENDPOINT_POLICY),
    when=lambda endpoint: endpoint.get("vpc_endpoint_type", "Gateway") != "GatewayLoadBalancer",
    claims=(supports("1.3.2"), supports("1.4.2")),
    example={
        ENDPOINT: {
            "s3": {
                "policy": {
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Principal": "*",
                            "Action": "s3:GetObject",
                            "Resource": "arn:aws:s3:::packages/*",
                        }
                    ]
                }
            },
            "inspection": {"vpc_endpoint_type": "GatewayLoadBalancer"},
        }
    },
    violated_by=(
        remove("policy"),
        _passing(Principal="*", Resource="*"),
        _passing(Principal={"AWS": "*"}, Resource=["*"]),
        _passing(Principal="*", Resource="arn:aws:s3:::*"),
        _passing(Principal="*", Resource="*:*"),
        _passing(NotPrincipal={"AWS": "arn:aws:iam::111122223333:root"}, Resource="*"),
        _passing(Principal="*", NotResource="arn:aws:s3:::vault"),
    ),
)


def keeps_administration_out(carrier: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    No network ACL lets the Internet in on a port of remote administration.

    It is the second fence: a security group that was opened by mistake stands behind it.
    """

    def in_one(rule: Resource) -> Iterator[Violation]:
        found = blocks.at(rule, blocks.ATTRIBUTES, graph)
        if not network_acl.allows(rule):
            return
        if cidr.is_internet(cidr.Addresses.of(*found.known)):
            for port, service in ADMINISTRATION.items():
                if port in network_acl.tcp_ports(rule):
                    yield Violation(f"lets the Internet in on {service} ({port})", rule)
        elif found.unknown:
            raise UnknownValue(found.unknown)

    return in_each(network_acl.rules(carrier, egress=False), in_one)


ADMINISTRATION = {22: "SSH", 3389: "RDP"}
HTTPS = {
    "rule_action": "allow",
    "protocol": "tcp",
    "from_port": 443,
    "to_port": 443,
    "cidr_block": "0.0.0.0/0",
}

ACL_ADMINISTRATION = Policy(
    checks=keeps_administration_out,
    applies_to=network_acl.CARRIERS,
    claims=(part_of("1.3.1"),),
    example={network_acl.RULE: {"https": HTTPS}},
    violated_by=(replace("from_port", 0), replace("to_port", 3389), replace("protocol", "-1")),
)

TUNNEL_LOGS = tuple(f"tunnel{number}_log_options.cloudwatch_log_options" for number in (1, 2))


def logs_its_tunnels(connection: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    VPN connections log their tunnels.

    Who came in by the back door has to be looked up as well.
    """
    for options in TUNNEL_LOGS:
        if connection.get(f"{options}.log_enabled", False) is not True:
            yield Violation(f"{options}.log_enabled is not true", connection)


VPN_LOGS = Policy(
    checks=logs_its_tunnels,
    applies_to="aws_vpn_connection",
    claims=(part_of("10.2.1"),),
    example={
        "aws_vpn_connection": {
            "office": {
                f"tunnel{number}_log_options": {"cloudwatch_log_options": {"log_enabled": True}}
                for number in (1, 2)
            }
        }
    },
    violated_by=(
        remove("tunnel1_log_options"),
        replace(f"{TUNNEL_LOGS[1]}.log_enabled", False),
    ),
)
CLIENT_VPN_LOGS = states(
    "aws_ec2_client_vpn_endpoint",
    "connection_log_options.enabled",
    True,
    title="Client VPNs log who connects.",
    why="Who came in by the back door has to be looked up as well.",
    claims=(part_of("10.2.1"),),
)
TRANSIT_ATTACHMENTS = states(
    "aws_ec2_transit_gateway",
    "auto_accept_shared_attachments",
    "disable",
    otherwise="disable",
    refused=("enable",),
    title="Transit gateways ask before they let another network in.",
    why="A network of another account would otherwise be part of ours by its own will.",
    claims=(part_of("1.4.2"),),
)


def guards_a_subnet(acl: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Every network ACL guards a subnet.

    One that guards none is reviewed for nothing, or was meant for one that stands open.
    """
    if not any(True for _ in acl.reference("subnet_ids")) and not any(
        True for _ in graph.attached_to(acl, "aws_network_acl_association", by="network_acl_id")
    ):
        yield Violation("guards no subnet", acl, "subnet_ids")


ACL_IN_USE = Policy(
    checks=guards_a_subnet,
    applies_to=network_acl.ACL,
    claims=(supports("1.2.7"),),
    example={network_acl.ACL: {"db": {"subnet_ids": ["${aws_subnet.db.id}"]}}},
    violated_by=(remove("subnet_ids"), replace("subnet_ids", [])),
)
ENDPOINT_SERVICES = states(
    "aws_vpc_endpoint_service",
    "acceptance_required",
    True,
    title="Services that we offer to other networks are joined with our consent.",
    why="Otherwise whoever may connect decides that he does.",
    claims=(part_of("1.4.1"),),
)
DEFAULT_NETWORK = Policy(
    prohibits=("aws_default_vpc", "aws_default_subnet"),
    title="Nothing stands in the network that AWS made.",
    found="it is a part of the default network",
    why="Each of its subnets gives every machine a public address.",
    claims=(part_of("1.3.1"), part_of("1.4.4")),
)

"""Paths through small networks, against packets that are sent one by one."""

from dataclasses import replace
from ipaddress import IPv4Network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.aws import reachability
from policies.aws.reachability import Party
from policies.engine.graph import Resource, ResourceGraph
from policies.engine.values import Unknown, UnknownValue

NEAR, FAR = "10.0.0.0/30", "10.0.0.4/30"
BLOCKS = ("10.0.0.0/29", NEAR, FAR, "10.0.0.0/31", "10.0.0.6/31", "10.0.0.5/32", "0.0.0.0/0")
WHOLE = ("10.0.0.0/29", NEAR, FAR, "0.0.0.0/0")
"""What groups let through: whole subnets, as it is not compared which hosts of one it is."""

PORT = 3306
ANSWERS = (1024, 2000, 2001, 3306, 40000, 65535)
"""So many ports of clients that each rule below, and each gap, meets one."""

ranges = st.sampled_from([(0, 65535), (3306, 3306), (1024, 65535), (1024, 2000), (2001, 65535)])


@st.composite
def acl_rules(draw):
    numbers = draw(st.lists(st.integers(1, 9), unique=True, max_size=4))
    return [
        {
            "rule_no": number,
            "action": draw(st.sampled_from(["allow", "deny"])),
            "protocol": draw(st.sampled_from(["tcp", "6", "-1", "udp"])),
            "from_port": first,
            "to_port": last,
            "cidr_block": draw(st.sampled_from(BLOCKS)),
        }
        for number in numbers
        for first, last in [draw(ranges)]
    ]


@st.composite
def group_rules(draw):
    rules = []
    for _ in range(draw(st.integers(0, 2))):
        first, last = draw(ranges)
        rules.append(
            {
                "protocol": draw(st.sampled_from(["tcp", "-1", "udp"])),
                "from_port": first,
                "to_port": last,
                **draw(
                    st.sampled_from(
                        [
                            {"security_groups": ["${aws_security_group.near.id}"]},
                            {"security_groups": ["${aws_security_group.far.id}"]},
                            {"self": True},
                            *({"cidr_blocks": [block]} for block in WHOLE),
                        ]
                    )
                ),
            }
        )
    return rules


@st.composite
def networks(draw):
    """Return a subnet's network ACL, and a group's rules, on both sides."""
    return {
        side: {
            "acl": {"ingress": draw(acl_rules()), "egress": draw(acl_rules())}
            if draw(st.booleans())
            else None,
            "group": {"ingress": draw(group_rules()), "egress": draw(group_rules())},
        }
        for side in ("near", "far")
    }


def graph_of(network):
    resources = [Resource("aws_vpc.v", "aws_vpc", {})]
    for side, block in (("near", NEAR), ("far", FAR)):
        add = {
            "aws_subnet": {"vpc_id": "${aws_vpc.v.id}", "cidr_block": block},
            "aws_security_group": network[side]["group"],
            "aws_vpc_endpoint": {
                "subnet_ids": [f"${{aws_subnet.{side}.id}}"],
                "security_group_ids": [f"${{aws_security_group.{side}.id}}"],
            },
        }
        if network[side]["acl"]:
            add["aws_network_acl"] = {
                "subnet_ids": [f"${{aws_subnet.{side}.id}}"],
                **network[side]["acl"],
            }
        resources += [Resource(f"{type}.{side}", type, body) for type, body in add.items()]
    return ResourceGraph(tuple(resources))


def is_about(rule, port):
    if rule["protocol"] == "-1":
        return True
    return rule["protocol"] in {"tcp", "6"} and rule["from_port"] <= port <= rule["to_port"]


def acl_lets(acl, direction, other, port):
    """The first rule that is about a packet decides; none of them refuses it."""
    if acl is None:
        return True
    for rule in sorted(acl[direction], key=lambda rule: rule["rule_no"]):
        if is_about(rule, port) and other in IPv4Network(rule["cidr_block"]):
            return rule["action"] == "allow"
    return False


def group_lets(network, side, direction, address, port):
    other = "far" if side == "near" else "near"
    for rule in network[side]["group"][direction]:
        if not is_about(rule, port):
            continue
        if f"${{aws_security_group.{other}.id}}" in rule.get("security_groups", ()):
            return True
        if any(address in IPv4Network(block) for block in rule.get("cidr_blocks", ())):
            return True
    return False


def is_sent(network, client, server, answer):
    """Whether a packet of TCP to PORT, and its answer, get through."""
    near, far = network["near"]["acl"], network["far"]["acl"]
    return (
        group_lets(network, "near", "egress", server, PORT)
        and acl_lets(near, "egress", server, PORT)
        and acl_lets(far, "ingress", client, PORT)
        and group_lets(network, "far", "ingress", client, PORT)
        and acl_lets(far, "egress", client, answer)
        and acl_lets(near, "ingress", server, answer)
    )


@given(networks())
@settings(max_examples=400)
def test_there_is_a_path_where_a_packet_gets_through(network):
    """Hosts have any address of their subnet, so that one that gets through is enough."""
    graph = graph_of(network)
    near, far = (Party(each, graph) for each in graph.of_type("aws_vpc_endpoint"))
    gets_through = any(
        is_sent(network, client, server, answer)
        for client in IPv4Network(NEAR)
        for server in IPv4Network(FAR)
        for answer in ANSWERS
    )

    assert gets_through is bool(list(reachability.between(near, far, PORT)))


def topology(**changed):
    """Return a host at the edge: an address, a route, a network ACL and a group, all open."""
    every = {"from_port": 0, "to_port": 0, "protocol": "-1"}
    bodies = {
        "aws_vpc": {},
        "aws_subnet": {
            "vpc_id": "${aws_vpc.x.id}",
            "cidr_block": "10.0.0.0/24",
            "map_public_ip_on_launch": True,
        },
        "aws_route_table": {
            "route": [{"cidr_block": "0.0.0.0/0", "gateway_id": "${aws_internet_gateway.x.id}"}]
        },
        "aws_route_table_association": {
            "subnet_id": "${aws_subnet.x.id}",
            "route_table_id": "${aws_route_table.x.id}",
        },
        "aws_security_group": {"ingress": [{**every, "cidr_blocks": ["0.0.0.0/0"]}]},
        "aws_instance": {
            "subnet_id": "${aws_subnet.x.id}",
            "vpc_security_group_ids": ["${aws_security_group.x.id}"],
        },
    }
    bodies = {**bodies, **changed}
    graph = ResourceGraph(
        tuple(Resource(f"{t}.x", t, body) for t, body in bodies.items() if body is not None)
    )
    return Party(graph.of_type("aws_instance")[0], graph)


ACL = {
    "subnet_ids": ["${aws_subnet.x.id}"],
    "egress": [
        {"rule_no": 1, "action": "allow", "protocol": "-1", "cidr_block": "0.0.0.0/0",
         "from_port": 0, "to_port": 0}
    ],
}  # fmt: skip


def acl(*rules):
    return {
        **ACL,
        "ingress": [
            {"rule_no": number, "action": action, "protocol": "tcp", "cidr_block": block,
             "from_port": first, "to_port": last}
            for number, (action, block, first, last) in enumerate(rules, start=1)
        ],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "reached"),
    [
        ({}, True),
        ({"aws_subnet": {"vpc_id": "${aws_vpc.x.id}", "cidr_block": "10.0.0.0/24"}}, False),
        ({"aws_route_table": {}}, False),
        ({"aws_route_table": {"route": [{"cidr_block": "10.9.0.0/16", "gateway_id": "igw-1"}]}},
         False),
        ({"aws_route_table_association": None}, False),
        ({"aws_route_table_association": None,
          "aws_main_route_table_association": {
              "vpc_id": "${aws_vpc.x.id}", "route_table_id": "${aws_route_table.x.id}"}}, True),
        ({"aws_route_table_association": None,
          "aws_route": {
              "route_table_id": "${aws_vpc.x.main_route_table_id}", "gateway_id": "igw-1",
              "destination_cidr_block": "0.0.0.0/0"}}, True),
        ({"aws_route_table_association": None,
          "aws_default_route_table": {
              "default_route_table_id": "${aws_vpc.x.default_route_table_id}",
              "route": [{"cidr_block": "0.0.0.0/0", "gateway_id": "igw-1"}]}}, True),
        ({"aws_security_group": {}}, False),
        ({"aws_network_acl": acl(("allow", "0.0.0.0/0", 0, 65535))}, True),
        ({"aws_network_acl": acl()}, False),
        ({"aws_network_acl": acl(("deny", "0.0.0.0/0", 22, 22), ("allow", "0.0.0.0/0", 0, 65535))},
         False),
        ({"aws_network_acl": acl(("allow", "0.0.0.0/0", 0, 65535), ("deny", "0.0.0.0/0", 22, 22))},
         True),
        ({"aws_network_acl": acl(("deny", "0.0.0.0/1", 0, 65535), ("deny", "128.0.0.0/1", 0, 65535),
                                 ("allow", "0.0.0.0/0", 0, 65535))}, False),
        ({"aws_network_acl": {**acl(("allow", "0.0.0.0/0", 0, 65535)), "egress": []}}, False),
        ({"aws_default_network_acl": {
            "default_network_acl_id": "${aws_vpc.x.default_network_acl_id}"}}, False),
    ],
)  # fmt: skip
def test_the_internet_reaches_a_host_where_every_hop_is_open(changed, reached):
    assert reached is bool(list(reachability.from_internet(topology(**changed), 22)))


def test_a_path_is_told_hop_by_hop():
    [path] = reachability.from_internet(topology(), 22)

    assert reachability.told(path) == (
        "aws_route_table.x routes aws_subnet.x to aws_internet_gateway.x → "
        "aws_instance.x has a public address → "
        "aws_security_group.x lets the Internet in on 22"
    )


def test_the_rule_that_let_the_internet_in_is_the_one_that_is_told():
    inside = {
        "security_group_id": "${aws_security_group.x.id}",
        "type": "ingress",
        "protocol": "-1",
        "from_port": 0,
        "to_port": 0,
        "cidr_blocks": ["10.0.0.0/8"],
    }
    [path] = reachability.from_internet(topology(aws_security_group_rule=inside), 22)

    assert reachability.told(path).endswith("aws_security_group.x lets the Internet in on 22")


def apart(**changed):
    """Return two hosts whose groups let them in, each in a network of its own."""
    anybody = {"from_port": 0, "to_port": 0, "protocol": "-1", "cidr_blocks": ["10.0.0.0/8"]}
    bodies = {"aws_security_group.g": {"ingress": [anybody], "egress": [anybody]}}
    for name in ("a", "b"):
        bodies |= {
            f"aws_vpc.{name}": {},
            f"aws_subnet.{name}": {
                "vpc_id": f"${{aws_vpc.{name}.id}}",
                "cidr_block": "10.0.0.0/24",
            },
            f"aws_instance.{name}": {
                "subnet_id": f"${{aws_subnet.{name}.id}}",
                "vpc_security_group_ids": ["${aws_security_group.g.id}"],
            },
        }
    bodies |= changed
    graph = ResourceGraph(
        tuple(Resource(at, at.partition(".")[0], body) for at, body in bodies.items())
    )
    return [Party(host, graph) for host in graph.of_type("aws_instance")]


def test_two_networks_are_apart():
    assert [] == list(reachability.between(*apart(), 22))


def test_whether_two_networks_that_are_joined_are_apart_is_not_known():
    with pytest.raises(UnknownValue, match="joined is not seen"):
        list(reachability.between(*apart(**{"aws_vpc_peering_connection.p": {}}), 22))


def test_a_network_acl_that_is_associated_by_itself_counts():
    closed = topology(aws_network_acl={"egress": [], "ingress": []})
    association = Resource(
        "aws_network_acl_association.x",
        "aws_network_acl_association",
        {"subnet_id": "${aws_subnet.x.id}", "network_acl_id": "${aws_network_acl.x.id}"},
    )
    associated = replace(closed.graph, resources=(*closed.graph.resources, association))

    assert list(reachability.from_internet(closed, 22))
    assert [] == list(reachability.from_internet(replace(closed, graph=associated), 22))


@pytest.mark.parametrize(
    ("type", "body", "is_public"),
    [
        ("aws_lb", {}, True),
        ("aws_alb", {"internal": True}, False),
        ("aws_elb", {}, True),
        ("aws_elb", {"internal": True}, False),
        ("aws_ecs_service", {}, False),
        ("aws_ecs_service", {"network_configuration": {"assign_public_ip": True}}, True),
        ("aws_ecs_service", {"network_configuration": {"assign_public_ip": False}}, False),
        ("aws_db_instance", {}, False),
        ("aws_db_instance", {"publicly_accessible": True}, True),
        ("aws_redshift_cluster", {"publicly_accessible": False}, False),
    ],
)
def test_what_can_be_addressed_from_outside_says_so(type, body, is_public):
    resource = Resource(f"{type}.x", type, body)

    assert is_public is Party(resource, ResourceGraph((resource,))).has_public_address()


@pytest.mark.parametrize(
    ("stated", "is_public"),
    [({}, False), ({"publicly_accessible": True}, True), ({"publicly_accessible": False}, False)],
)
def test_a_cluster_can_be_addressed_where_an_instance_of_it_can(stated, is_public):
    cluster = Resource("aws_rds_cluster.x", "aws_rds_cluster", {})
    instance = Resource(
        "aws_rds_cluster_instance.x",
        "aws_rds_cluster_instance",
        {"cluster_identifier": "${aws_rds_cluster.x.id}", **stated},
    )

    assert is_public is Party(cluster, ResourceGraph((cluster, instance))).has_public_address()


UNKNOWN = {"aws_route_table": {"route": Unknown("var.routes")}}


def test_a_hop_that_is_not_known_leaves_the_answer_unknown():
    with pytest.raises(UnknownValue):
        list(reachability.from_internet(topology(**UNKNOWN), 22))


def test_what_is_closed_for_certain_is_closed_whatever_else_is_not_known():
    party = topology(**UNKNOWN, aws_security_group={})

    assert [] == list(reachability.from_internet(party, 22))

"""Paths through the network: what must not be reached, and what must be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace as replaced
from functools import partial
from typing import Any

from policies.aws import firewall, reachability, routing
from policies.aws.reachability import Party
from policies.engine.graph import Resource, ResourceGraph
from policies.engine.model import Policy, Violation, direct, part_of, supports
from policies.engine.mutate import Patch, add, described, remove, replace, without
from policies.engine.values import UnknownValue
from policies.network import routed
from policies.security_groups import BALANCERS

DATABASES = ("aws_rds_cluster", "aws_db_instance")
STORES = (*DATABASES, "aws_docdb_cluster", "aws_neptune_cluster",
          "aws_redshift_cluster", "aws_elasticache_replication_group")  # fmt: skip
ENTRIES = (
    "aws_lb",
    "aws_alb",
    "aws_elb",
    "aws_ecs_service",
    "aws_instance",
    reachability.SCALING,
)
WORKLOADS = (reachability.SCALING, "aws_lambda_function")
PORTS = {
    "aws_docdb_cluster": 27017,
    "aws_elasticache_replication_group": 6379,
    "aws_neptune_cluster": 8182,
    "aws_redshift_cluster": 5439,
}
PORTS_OF_ENGINES = {"mysql": 3306, "mariadb": 3306, "postgres": 5432, "oracle": 1521,
                    "sqlserver": 1433, "db2": 50000}  # fmt: skip
ROTATION = "aws_secretsmanager_secret_rotation"


def port_of(store: Resource) -> int:
    """
    Return the port that *store* listens on.

    Raises:
        UnknownValue: It is not stated, and its engine is not known here.
    """
    port = store.number("port")
    if port:
        return int(port)
    if store.type in PORTS:
        return PORTS[store.type]
    engine = str(store.get("engine", "aurora-mysql" if store.type == "aws_rds_cluster" else ""))
    for name, usual in PORTS_OF_ENGINES.items():
        if name in engine:
            return usual
    raise UnknownValue(f"port is not stated, and {engine or 'the engine'} has none known here")


def is_out_of_reach(store: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    No path leads from the Internet to a store of data.

    A path is a route, a network ACL, a security group and an address that together let
    a packet through, whatever each alone looks like.
    """
    party = Party(store, graph)
    if party.is_private():
        return
    port = port_of(store)
    for path in reachability.from_internet(party, port):
        yield Violation(f"the Internet reaches port {port}: {reachability.told(path)}", path[-1].at)


VPC = "vpc-0123456789abcdef0"
BLOCK = "10.99.0.0/24"
ADDED = {type: [f"${{{type}.added.id}}"] for type in ("aws_subnet", firewall.GROUP)}


def _moved(store: Resource, graph: ResourceGraph, **rules: Any) -> ResourceGraph:
    """Move *store* into a subnet that routes to the Internet, behind a group with *rules*."""
    way_out = {"cidr_block": "0.0.0.0/0", "gateway_id": "igw-0123456789abcdef0"}
    for type, values in (
        ("aws_subnet", {"vpc_id": VPC, "cidr_block": BLOCK}),
        (routing.ROUTE_TABLE, {"route": [way_out]}),
        (
            routing.ASSOCIATION,
            {
                "subnet_id": "${aws_subnet.added.id}",
                "route_table_id": "${aws_route_table.added.id}",
            },
        ),
        ("aws_db_subnet_group", {"subnet_ids": ADDED["aws_subnet"]}),
        (firewall.GROUP, rules),
    ):
        graph = add(type, **values)(store, graph)
    values = {
        **store.values,
        "db_subnet_group_name": "${aws_db_subnet_group.added.name}",
        "vpc_security_group_ids": ADDED[firewall.GROUP],
        "port": 3306,
    }
    return graph.having(replaced(store, values=values))


def _classic(block: str) -> dict[str, Any]:
    return {"from_port": 3306, "to_port": 3306, "protocol": "tcp", "cidr_blocks": [block]}


def _opened(store: Resource, graph: ResourceGraph) -> ResourceGraph:
    graph = _moved(store, graph, ingress=[_classic("0.0.0.0/1"), _classic("128.0.0.0/1")])
    for instance in graph.of_type("aws_rds_cluster_instance"):
        graph = replace("publicly_accessible", True)(instance, graph)
    return graph


def _flow(source: str, destination: str, port: int) -> dict[str, Any]:
    """Rules, by type, that let one group talk to another."""
    ports = {"ip_protocol": "tcp", "from_port": port, "to_port": port}
    ids = {name: f"${{aws_security_group.{name}.id}}" for name in (source, destination)}
    return {
        firewall.EGRESS_RULE: {
            f"{source}_{destination}": {
                "security_group_id": ids[source],
                "referenced_security_group_id": ids[destination],
                **ports,
            }
        },
        firewall.INGRESS_RULE: {
            f"{source}_{destination}": {
                "security_group_id": ids[destination],
                "referenced_security_group_id": ids[source],
                **ports,
            }
        },
    }


INTERNET_TO_STORES = Policy(
    checks=is_out_of_reach,
    applies_to=STORES,
    claims=(direct("1.4.4"), supports("11.4.5")),
    example={
        "aws_rds_cluster": {"cde": {}},
        "aws_rds_cluster_instance": {
            "cde": {
                "cluster_identifier": "${aws_rds_cluster.cde.id}",
                "publicly_accessible": False,
            }
        },
    },
    violated_by=(described("give it an address, a route and an open group", _opened),),
)


def has_no_shortcut(store: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Nothing that faces the Internet reaches a store of data itself.

    Between the edge and the data stands the application: whoever takes the edge has not
    reached the data yet.
    """
    target = Party(store, graph)
    unknown = None
    for entry in reachability.near(target, *ENTRIES):
        if Party(entry, graph).is_private():
            continue
        try:
            port = port_of(store)
            path = next(reachability.between(Party(entry, graph), target, port), None)
        except UnknownValue as reason:
            unknown = reason
            continue
        if path:
            yield Violation(
                f"{entry.address} faces the Internet and reaches port {port}: "
                f"{reachability.told(path)}",
                path[-1].at,
            )
    if unknown:
        raise unknown


def _shortcut(store: Resource, graph: ResourceGraph) -> ResourceGraph:
    """Put a public load balancer beside *store*, with leave to talk to it."""
    graph = _moved(store, graph, ingress=[_classic(BLOCK)], egress=[_classic(BLOCK)])
    return add("aws_lb", security_groups=ADDED[firewall.GROUP], subnets=ADDED["aws_subnet"])(
        store, graph
    )


ENTRIES_TO_STORES = Policy(
    checks=has_no_shortcut,
    applies_to=STORES,
    claims=(part_of("1.4.4"), part_of("1.4.1"), supports("11.4.5")),
    example={"aws_rds_cluster": {"cde": {}}, "aws_lb": {"inside": {"internal": True}}},
    violated_by=(described("a public load balancer that sends to it", _shortcut),),
)


def accepts_its_balancer_only(group: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    What stands behind a load balancer accepts connections from it, and from nobody else.

    The firewall of the application stands on the load balancer; a second way in goes
    around it.
    """
    balancers = firewall.groups_of(graph, *BALANCERS)
    for rule in reachability.rules(Party(group, graph), ingress=True):
        for block in rule.blocks:
            yield Violation(f"accepts {block}, and not its load balancer only", rule.at)
        for source in rule.sources():
            if source not in balancers.known:
                balancers.require_all()
                yield Violation(f"accepts {source}, which is no load balancer's", rule.at)


def is_balanced(group: Resource) -> bool:
    """Whether *group* stands behind a load balancer."""
    return any(True for _ in group.reference("target_group_arns"))


def _second_way(group: Resource, graph: ResourceGraph, **rule: Any) -> ResourceGraph:
    name = next(iter(Party(group, graph).groups()))
    return add(
        firewall.INGRESS_RULE, security_group_id=f"${{{name}.id}}", ip_protocol="-1", **rule
    )(group, graph)


APPLICATION_INGRESS = Policy(
    checks=accepts_its_balancer_only,
    applies_to=reachability.SCALING,
    when=is_balanced,
    claims=(part_of("1.3.1"), part_of("1.4.2")),
    example={
        reachability.SCALING: {
            "app": {
                "target_group_arns": ["${aws_lb_target_group.app.arn}"],
                "launch_template": {"id": "${aws_launch_template.app.id}"},
            },
            "batch": {},
        },
        "aws_launch_template": {
            "app": {"vpc_security_group_ids": ["${aws_security_group.app.id}"]}
        },
        "aws_security_group": {"alb": {}, "app": {}},
        "aws_lb": {"entry": {"security_groups": ["${aws_security_group.alb.id}"]}},
        firewall.INGRESS_RULE: {
            "alb_app": {
                "security_group_id": "${aws_security_group.app.id}",
                "referenced_security_group_id": "${aws_security_group.alb.id}",
            }
        },
    },
    violated_by=(
        described("accept a block", partial(_second_way, cidr_ipv4="10.0.0.0/16")),
        described(
            "accept another group",
            partial(_second_way, referenced_security_group_id="sg-0123456789abcdef0"),
        ),
    ),
)


def stands_inside(workload: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    What computes stands in subnets that no Internet gateway leads to.

    Only what is meant to be public stands at the edge.
    """
    for subnet in Party(workload, graph).subnets():
        for route, gateway in routing.to_internet(subnet, graph):
            yield Violation(f"stands in {subnet.address}, which routes to {gateway}", route)


def stands_in_subnets(workload: Resource) -> bool:
    """Whether *workload* says where it stands."""
    path = "vpc_zone_identifier" if workload.type == reachability.SCALING else "vpc_config"
    return workload.is_set(path)


def _at_the_edge(workload: Resource, graph: ResourceGraph) -> ResourceGraph:
    """Route the first subnet of *workload* to an Internet gateway."""
    subnet = next(Party(workload, graph).subnets())
    return routed(subnet, graph, gateway_id="igw-0123456789abcdef0")


INSIDE = Policy(
    checks=stands_inside,
    applies_to=WORKLOADS,
    when=stands_in_subnets,
    claims=(part_of("1.4.1"), part_of("1.4.4")),
    example={
        reachability.SCALING: {
            "app": {"vpc_zone_identifier": ["${aws_subnet.app.id}"]},
            "nowhere": {},
        },
        "aws_subnet": {"app": {}},
        routing.ROUTE_TABLE: {"app": {}},
        routing.ASSOCIATION: {
            "app": {
                "subnet_id": "${aws_subnet.app.id}",
                "route_table_id": "${aws_route_table.app.id}",
            }
        },
    },
    violated_by=(described("route its subnet to an Internet gateway", _at_the_edge),),
)


def reaches_its_database(rotation: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    The function that rotates a password reaches the database.

    A rotation that cannot connect fails every time, and the old password stays.
    """
    for function in graph.follow(rotation, "rotation_lambda_arn"):
        stores = reachability.near(Party(function, graph), *DATABASES)
        if not function.is_set("vpc_config"):
            yield Violation("stands in no VPC, and so reaches no database", function, "vpc_config")
        elif not any(_connects(function, store, graph) for store in stores):
            yield Violation("reaches no database", function, "vpc_config")


def _connects(function: Resource, store: Resource, graph: ResourceGraph) -> bool:
    paths = reachability.between(Party(function, graph), Party(store, graph), port_of(store))
    return next(paths, None) is not None


def has_no_database(rotation: Resource, graph: ResourceGraph) -> bool:
    """Whether this document has no database whose password could be meant."""
    return not graph.of_type(*DATABASES)


def _of_its_function(patch: Patch, rotation: Resource, graph: ResourceGraph) -> ResourceGraph:
    return patch(next(graph.follow(rotation, "rotation_lambda_arn")), graph)


ROTATION_TO_DATABASE = Policy(
    checks=reaches_its_database,
    applies_to=ROTATION,
    unless=has_no_database,
    claims=(part_of("8.6.3"),),
    example={
        ROTATION: {"database": {"rotation_lambda_arn": "${aws_lambda_function.rotation.arn}"}},
        "aws_lambda_function": {
            "rotation": {
                "vpc_config": {
                    "subnet_ids": ["${aws_subnet.db.id}"],
                    "security_group_ids": ["${aws_security_group.rotation.id}"],
                }
            }
        },
        "aws_rds_cluster": {
            "cde": {
                "db_subnet_group_name": "${aws_db_subnet_group.db.name}",
                "vpc_security_group_ids": ["${aws_security_group.db.id}"],
                "port": 3306,
            }
        },
        "aws_db_subnet_group": {"db": {"subnet_ids": ["${aws_subnet.db.id}"]}},
        "aws_subnet": {"db": {"vpc_id": "${aws_vpc.cde.id}", "cidr_block": "10.0.20.0/24"}},
        "aws_security_group": {"rotation": {}, "db": {}},
        **_flow("rotation", "db", 3306),
    },
    violated_by=(
        described("no subnets", partial(_of_its_function, remove("vpc_config"))),
        without(firewall.EGRESS_RULE),
        without(firewall.INGRESS_RULE),
    ),
)

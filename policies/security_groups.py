"""Security groups, in every form that Terraform has for their rules."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from policies.aws import firewall
from policies.engine.document import MODULE, OUTPUT
from policies.engine.graph import Resource, ResourceGraph
from policies.engine.model import Policy, Violation, direct, part_of, supports
from policies.engine.mutate import Described, add, described, replace
from policies.engine.values import UnknownValue, drained

BALANCERS = tuple((type, "security_groups") for type in ("aws_lb", "aws_alb", "aws_elb"))
DATABASES = (
    ("aws_rds_cluster", "vpc_security_group_ids"),
    ("aws_db_instance", "vpc_security_group_ids"),
    ("aws_docdb_cluster", "vpc_security_group_ids"),
    ("aws_elasticache_cluster", "security_group_ids"),
    ("aws_elasticache_replication_group", "security_group_ids"),
    ("aws_memorydb_cluster", "security_group_ids"),
    ("aws_neptune_cluster", "vpc_security_group_ids"),
    ("aws_redshift_cluster", "vpc_security_group_ids"),
)
WITH_INGRESS = (
    firewall.GROUP,
    firewall.DEFAULT_GROUP,
    firewall.CLASSIC_RULE,
    firewall.INGRESS_RULE,
)
WITH_EGRESS = (firewall.GROUP, firewall.DEFAULT_GROUP, firewall.CLASSIC_RULE, firewall.EGRESS_RULE)

INTERNET = "0.0.0.0/0"
PUBLIC_PORTS = frozenset({80, 443})
ADMINISTRATION = {22: "SSH", 3389: "RDP"}
CLEAR_TEXT = {
    20: "FTP", 21: "FTP", 23: "Telnet", 25: "SMTP", 69: "TFTP", 110: "POP3", 137: "NetBIOS",
    138: "NetBIOS", 139: "NetBIOS", 143: "IMAP", 161: "SNMP", 389: "LDAP", 445: "SMB",
    512: "rexec", 513: "rlogin", 514: "rsh",
}  # fmt: skip
DEFAULT_DESCRIPTION = "Managed by Terraform"


@dataclass(frozen=True)
class Opening:
    """A mutation: the subject, whatever its form, lets *block* through on *port*."""

    direction: str
    port: int = 8443
    block: str = INTERNET
    protocol: str = "tcp"

    def __call__(self, subject: Resource, graph: ResourceGraph) -> ResourceGraph:
        """Return *graph* with the subject opened."""
        for path, value in self._values(subject):
            graph = replace(path, value)(subject, graph)
        return graph

    def _values(self, subject: Resource) -> Iterator[tuple[str, Any]]:
        ports = {"from_port": self.port, "to_port": self.port}
        classic = {"protocol": self.protocol, "cidr_blocks": [self.block], **ports}
        if subject.type in {firewall.GROUP, firewall.DEFAULT_GROUP}:
            yield self.direction, [classic]
        elif subject.type == firewall.CLASSIC_RULE:
            yield from {"type": self.direction, **classic}.items()
        else:
            yield from {"cidr_ipv4": self.block, "ip_protocol": self.protocol, **ports}.items()

    def __str__(self) -> str:
        return f"{self.direction} on {self.protocol} {self.port} with {self.block}"


def opened(port: int = 8443, block: str = INTERNET, protocol: str = "tcp") -> Opening:
    """Let *block* in on *port*."""
    return Opening("ingress", port, block, protocol)


def leaking(port: int = 8443, block: str = INTERNET, protocol: str = "tcp") -> Opening:
    """Let traffic out to *block* on *port*."""
    return Opening("egress", port, block, protocol)


def lets_in(carrier: Resource) -> bool:
    """Whether *carrier* can hold a rule for what comes in."""
    return carrier.type != firewall.CLASSIC_RULE or carrier.get("type") == "ingress"


def lets_out(carrier: Resource) -> bool:
    """Whether *carrier* can hold a rule for what goes out."""
    return carrier.type != firewall.CLASSIC_RULE or carrier.get("type") == "egress"


def _ports(rule: firewall.Rule) -> str:
    if not rule.ports:
        return rule.protocol
    first, last = rule.ports[0], rule.ports[-1]
    return f"port {first}" if first == last else f"ports {first} to {last}"


def _rule(**attributes: Any) -> dict[str, Any]:
    """An example: one rule for what comes in, with what the policy reads of it."""
    return {firewall.INGRESS_RULE: {"chained": attributes}}


def is_an_entry(carrier: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    From the Internet, only load balancers can be reached, and only on 80 and 443.

    A block as large as the Internet counts as the Internet: halves of it, and IPv6, too.
    """
    entries = firewall.groups_of(graph, *BALANCERS)
    for rule in firewall.ingress(carrier, graph):
        if not rule.is_open():
            continue
        if not rule.owner() & entries.known:
            if entries.unknown:
                raise UnknownValue(entries.unknown)
            yield Violation("open to the Internet, and no load balancer's group", rule.at)
        elif not set(rule.ports) <= PUBLIC_PORTS:
            yield Violation(f"open to the Internet on {_ports(rule)}", rule.at, "from_port")


INTERNET_INGRESS = Policy(
    checks=is_an_entry,
    applies_to=WITH_INGRESS,
    when=lets_in,
    claims=(direct("1.3.1"), part_of("1.4.2")),
    example={
        firewall.INGRESS_RULE: {
            "https": {
                "security_group_id": "${aws_security_group.alb.id}",
                "cidr_ipv4": INTERNET,
                "ip_protocol": "tcp",
                "from_port": 443,
                "to_port": 443,
            }
        },
        "aws_lb": {"entry": {"security_groups": ["${aws_security_group.alb.id}"]}},
    },
    violated_by=(opened(8443), opened(3306, "0.0.0.0/1"), opened(22, protocol="-1")),
)


def closes_administration(carrier: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    From the Internet, no port of remote administration can be reached.

    Administrators come through Session Manager, which authenticates and records them.
    """
    for rule in firewall.ingress(carrier, graph):
        if rule.is_open() and rule.protocol != "udp":
            for port, service in ADMINISTRATION.items():
                if port in rule.ports:
                    yield Violation(
                        f"{service} ({port}) open to the Internet", rule.at, "from_port"
                    )


REMOTE_ADMINISTRATION = Policy(
    checks=closes_administration,
    applies_to=WITH_INGRESS,
    when=lets_in,
    claims=(part_of("1.3.1"),),
    example=_rule(cidr_ipv4=INTERNET, ip_protocol="tcp", from_port=443, to_port=443),
    violated_by=(opened(22), opened(3389), opened(22, "128.0.0.0/1"), opened(0, protocol="-1")),
)


def names_its_protocol(carrier: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Every rule for incoming traffic names its protocol.

    A rule for every protocol cannot be justified service by service.
    """
    for rule in firewall.ingress(carrier, graph):
        if rule.every_protocol:
            yield Violation("lets every protocol in", rule.at)


ALL_PROTOCOLS = Policy(
    checks=names_its_protocol,
    applies_to=WITH_INGRESS,
    when=lets_in,
    claims=(part_of("1.3.1"), part_of("1.2.5")),
    example=_rule(ip_protocol="tcp"),
    violated_by=(opened(protocol="-1"), opened(block="10.0.0.0/16", protocol="all")),
)


def lets_databases_be_reached_by_groups_only(
    carrier: Resource, graph: ResourceGraph
) -> Iterator[Violation]:
    """
    Databases accept connections from named security groups only, on one port.

    A block of addresses lets in whatever will stand there tomorrow.
    """
    databases = firewall.groups_of(graph, *DATABASES)
    for rule in firewall.ingress(carrier, graph):
        if not rule.owner() & databases.known:
            databases.require_all()
            continue
        blocks = rule.blocks
        for block in (*blocks.known, *(["a block of addresses"] if blocks.inside else ())):
            yield Violation(f"a database's group lets in {block}", rule.at)
        if blocks.unknown:
            raise UnknownValue(blocks.unknown)
        if len(rule.ports) > 1:
            yield Violation(f"a database's group is open on {_ports(rule)}", rule.at, "from_port")


def _of_a_database(opening: Opening) -> Described:
    """A mutation: *opening*, of a group that a database uses as well."""

    def mutation(carrier: Resource, graph: ResourceGraph) -> ResourceGraph:
        graph = opening(carrier, graph)
        owner = min(firewall.Rule(carrier, carrier, True, graph).owner())
        for type, attribute in DATABASES:
            for database in graph.of_type(type):
                graph = replace(attribute, [f"${{{owner}.id}}"])(database, graph)
        return graph

    return described(f"{opening}, of a database", mutation)


DATABASE_INGRESS = Policy(
    checks=lets_databases_be_reached_by_groups_only,
    applies_to=WITH_INGRESS,
    when=lets_in,
    claims=(direct("1.3.1"), direct("1.4.4")),
    example={
        firewall.INGRESS_RULE: {
            "mysql": {
                "security_group_id": "${aws_security_group.db.id}",
                "ip_protocol": "tcp",
                "from_port": 3306,
                "to_port": 3306,
            }
        },
        "aws_rds_cluster": {"cde": {"vpc_security_group_ids": ["${aws_security_group.db.id}"]}},
    },
    violated_by=(
        _of_a_database(opened(3306, "10.0.0.0/16")),
        _of_a_database(opened(protocol="-1")),
    ),
)


def opens_no_clear_text_service(carrier: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    No rule opens the port of a service that speaks in clear text.

    Telnet, FTP and their like send passwords as they are.
    """
    for rule in firewall.ingress(carrier, graph):
        for port, service in CLEAR_TEXT.items():
            if port in rule.ports:
                yield Violation(f"opens {service} ({port})", rule.at, "from_port")


CLEAR_TEXT_SERVICES = Policy(
    checks=opens_no_clear_text_service,
    applies_to=WITH_INGRESS,
    when=lets_in,
    claims=(part_of("1.2.5"), part_of("1.2.6"), part_of("2.2.5")),
    example=_rule(ip_protocol="tcp", from_port=8443, to_port=8443),
    violated_by=tuple(opened(port, "10.0.0.0/16") for port in (21, 23, 389, 514)),
)


def says_why(carrier: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Every group and every rule says why it is there.

    A reviewer of the rules, every six months, has to know what each is for.
    """
    if carrier.type == firewall.GROUP and _says_nothing(carrier):
        yield Violation("description does not say what the group is for", carrier, "description")
    for rule in firewall.rules(carrier, graph):
        if _says_nothing(rule.at):
            yield Violation("description does not say what the rule is for", rule.at, "description")


def _says_nothing(described: Resource) -> bool:
    if not described.is_set("description"):
        return True
    return described.is_known("description") and described.get("description") == DEFAULT_DESCRIPTION


def _described_as(text: str | None, carrier: Resource, graph: ResourceGraph) -> ResourceGraph:
    opening = Opening("egress" if carrier.type == firewall.EGRESS_RULE else "ingress")
    graph = opening(carrier, graph)
    inline = carrier.type in {firewall.GROUP, firewall.DEFAULT_GROUP}
    path = "ingress.0.description" if inline else "description"
    return replace(path, text)(carrier, graph)


DESCRIBED_RULES = Policy(
    checks=says_why,
    applies_to=firewall.CARRIERS,
    claims=(part_of("1.2.5"),),
    example=_rule(description="Requests from the load balancer"),
    violated_by=(
        described("remove description", partial(_described_as, None)),
        described(
            f"replace description {DEFAULT_DESCRIPTION!r}",
            partial(_described_as, DEFAULT_DESCRIPTION),
        ),
    ),
)


def limits_what_leaves(carrier: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    No group lets everything out to everywhere.

    Stolen account data leaves by the widest door.
    """
    for rule in firewall.egress(carrier, graph):
        if rule.is_open() and (rule.every_protocol or len(rule.ports) > 1):
            yield Violation(f"lets {_ports(rule)} out to the Internet", rule.at)


OPEN_EGRESS = Policy(
    checks=limits_what_leaves,
    applies_to=WITH_EGRESS,
    when=lets_out,
    claims=(part_of("1.3.2"),),
    example={
        firewall.EGRESS_RULE: {
            "https": {
                "cidr_ipv4": INTERNET,
                "ip_protocol": "tcp",
                "from_port": 443,
                "to_port": 443,
            }
        }
    },
    violated_by=(leaking(protocol="-1"), leaking(protocol="-1", block="0.0.0.0/1")),
)


def keeps_databases_from_internet(carrier: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    No group of a database lets anything out to the Internet.

    A database answers; it has nobody to call.
    """
    databases = firewall.groups_of(graph, *DATABASES)
    for rule in firewall.egress(carrier, graph):
        if not rule.owner() & databases.known:
            databases.require_all()
        elif rule.is_open():
            yield Violation("a database's group lets traffic out to the Internet", rule.at)


DATABASE_EGRESS = Policy(
    checks=keeps_databases_from_internet,
    applies_to=WITH_EGRESS,
    when=lets_out,
    claims=(direct("1.3.2"), part_of("1.4.4")),
    example={
        firewall.EGRESS_RULE: {
            "inside": {
                "security_group_id": "${aws_security_group.db.id}",
                "cidr_ipv4": "10.0.0.0/16",
            }
        },
        "aws_rds_cluster": {"cde": {"vpc_security_group_ids": ["${aws_security_group.db.id}"]}},
    },
    violated_by=(_of_a_database(leaking(443)),),
)


HTTPS_PORT = 443


def leaves_over_https(carrier: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    What leaves for the Internet leaves over HTTPS.

    Any other port is one that nobody asked for, or that speaks in clear text.
    """
    for rule in firewall.egress(carrier, graph):
        if rule.is_open() and set(rule.ports) != {HTTPS_PORT}:
            yield Violation(f"lets {_ports(rule)} out to the Internet", rule.at, "from_port")


INTERNET_EGRESS = Policy(
    checks=leaves_over_https,
    applies_to=WITH_EGRESS,
    when=lets_out,
    claims=(part_of("1.3.2"), part_of("2.2.5")),
    example={
        firewall.EGRESS_RULE: {
            "https": {
                "cidr_ipv4": INTERNET,
                "ip_protocol": "tcp",
                "from_port": HTTPS_PORT,
                "to_port": HTTPS_PORT,
            }
        }
    },
    violated_by=(leaking(80), leaking(25, "128.0.0.0/1"), leaking(protocol="-1")),
)


def somebody_stands_behind_it(group: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Somebody stands behind every security group.

    A group that nobody uses is reviewed for nothing, and is at hand when somebody looks
    for one that is open. One that is an output, or a module's input, is used elsewhere.
    """
    users = firewall.used_groups(graph)
    given = graph.index("groups that are given", lambda: frozenset(_given(graph)))
    if not group.names & (users.known | given):
        users.require_all()
        yield Violation("nothing stands behind it", group)


def _given(graph: ResourceGraph) -> Iterator[str]:
    """Yield what names the groups that are given to other stacks, and to modules."""
    for output in graph.of_type(OUTPUT):
        yield from drained(output.reference("value"))[0]
    for module in graph.of_type(MODULE):
        for argument in module.values:
            yield from drained(module.reference(argument))[0]


def _deserted(group: Resource, graph: ResourceGraph) -> ResourceGraph:
    """Take away what stands behind *group*, and all that does so by an expression."""
    types = {OUTPUT, MODULE, *(type for type, _ in firewall.users())}
    return graph.without(*(r for r in graph.resources if r.type in types))


IN_USE = Policy(
    checks=somebody_stands_behind_it,
    applies_to=firewall.GROUP,
    claims=(supports("1.2.7"),),
    example={
        firewall.GROUP: {"app": {}},
        "aws_launch_template": {
            "app": {"network_interfaces": [{"security_groups": ["${aws_security_group.app.id}"]}]}
        },
    },
    violated_by=(described("nothing uses it", _deserted),),
)

TIERS = {
    "an entry": BALANCERS,
    "an application": (
        ("aws_instance", "vpc_security_group_ids"),
        ("aws_launch_configuration", "security_groups"),
        ("aws_launch_template", "network_interfaces.security_groups"),
        ("aws_launch_template", "vpc_security_group_ids"),
        ("aws_ecs_service", "network_configuration.security_groups"),
        ("aws_lambda_function", "vpc_config.security_group_ids"),
    ),
    "a store": (
        *DATABASES,
        ("aws_db_proxy", "vpc_security_group_ids"),
        ("aws_docdb_cluster", "vpc_security_group_ids"),
        ("aws_efs_mount_target", "security_groups"),
        ("aws_elasticache_cluster", "security_group_ids"),
        ("aws_elasticache_replication_group", "security_group_ids"),
        ("aws_memorydb_cluster", "security_group_ids"),
        ("aws_msk_cluster", "broker_node_group_info.security_groups"),
        ("aws_neptune_cluster", "vpc_security_group_ids"),
        ("aws_opensearch_domain", "vpc_options.security_group_ids"),
        ("aws_redshift_cluster", "vpc_security_group_ids"),
    ),
}
"""Where what stands behind a group belongs."""


def stands_in_one_tier(group: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    A security group is that of one tier.

    What an entry, an application and a store share opens all of them for the neediest.
    """
    tiers = {tier: firewall.groups_of(graph, *users) for tier, users in TIERS.items()}
    found = [tier for tier, users in tiers.items() if group.names & users.known]
    if len(found) > 1:
        yield Violation(f"{' and '.join(found)} stand behind it", group)
    for users in tiers.values():
        users.require_all()


def _shared(group: Resource, graph: ResourceGraph) -> ResourceGraph:
    mine = ["${{subject}.id}"]
    graph = add("aws_lb", security_groups=mine)(group, graph)
    return add("aws_redshift_cluster", vpc_security_group_ids=mine)(group, graph)


ONE_TIER = Policy(
    checks=stands_in_one_tier,
    applies_to=firewall.GROUP,
    claims=(supports("2.2.3"), supports("1.4.1")),
    example={
        firewall.GROUP: {"app": {}},
        "aws_instance": {"app": {"vpc_security_group_ids": ["${aws_security_group.app.id}"]}},
    },
    violated_by=(described("a load balancer and a warehouse share it", _shared),),
)

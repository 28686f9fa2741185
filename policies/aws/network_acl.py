"""A subnet and addresses in, those of them that its network ACL lets through out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from policies.aws import cidr
from policies.aws.cidr import Addresses
from policies.engine.graph import Resource, ResourceGraph
from policies.engine.values import UnknownValue

ACL = "aws_network_acl"
RULE = "aws_network_acl_rule"
ASSOCIATION = "aws_network_acl_association"
DEFAULT = "aws_default_network_acl"
CARRIERS = (ACL, DEFAULT, RULE)

PORTS = range(65536)


def passed(
    subnet: Resource, others: Addresses, arriving: int, leaving: int, graph: ResourceGraph
) -> Addresses:
    """
    Return those of *others* with whom *subnet* can exchange packets of TCP.

    A network ACL forgets: what comes in, for the port *arriving*, and what goes out, for
    the port *leaving*, have to be let through each.

    Raises:
        UnknownValue: Its network ACL, or a rule of it, is not known.
    """
    acl = of_subnet(subnet, graph)
    if acl is None:
        return others
    for egress, port in ((False, arriving), (True, leaving)):
        others = _allowed(_ordered(acl, graph, egress=egress), others, port)
    return others


def telling(ports: range, graph: ResourceGraph, *subnets: Resource) -> list[int]:
    """Return so many of *ports* that every rule about *subnets*, and every gap, meets one."""
    found = {ports[0]}
    for acl in filter(None, (of_subnet(subnet, graph) for subnet in subnets)):
        for egress in (False, True):
            for rule in _ordered(acl, graph, egress=egress):
                about = tcp_ports(rule)
                found |= {edge for edge in (about.start, about.stop) if edge in ports}
    return sorted(found)


def of_subnet(subnet: Resource, graph: ResourceGraph) -> Resource | None:
    """
    Return the network ACL of *subnet*; None where it is the one that lets everything through.

    Raises:
        UnknownValue: It is not in this document.
    """
    for acl in graph.attached_to(subnet, ACL, by="subnet_ids"):
        return acl
    for association in graph.attached_to(subnet, ASSOCIATION, by="subnet_id"):
        return next(graph.follow(association, "network_acl_id"))
    for vpc in subnet.reference("vpc_id"):
        for acl in graph.of_type(DEFAULT):
            if f"{vpc}.default_network_acl_id" in acl.reference("default_network_acl_id"):
                return acl
    return None


def rules(carrier: Resource, *, egress: bool) -> Iterator[Resource]:
    """Yield the rules of *carrier*, one of CARRIERS, for one direction."""
    if carrier.type == RULE:
        if carrier.get("egress", False) is egress:
            yield carrier
    else:
        yield from carrier.blocks("egress" if egress else "ingress")


def allows(rule: Resource) -> bool:
    """Whether *rule* lets through what it is about."""
    return str(rule.get("rule_action") or rule.get("action")).lower() == "allow"


def blocks(rule: Resource) -> Addresses:
    """Return the addresses on the other side of *rule*."""
    texts = [rule.get(path) for path in ("cidr_block", "ipv6_cidr_block")]
    return Addresses.of(*(cidr.network(text) for text in texts if text is not None))


def tcp_ports(rule: Resource) -> range:
    """Return the ports of TCP that *rule* is about."""
    protocol = str(rule.get("protocol")).lower()
    if protocol in {"-1", "all"}:
        return PORTS
    if protocol not in {"6", "tcp"}:
        return range(0)
    first, last = rule.number("from_port", 0), rule.number("to_port", PORTS[-1])
    return range(int(first or 0), int(last or 0) + 1)


def _ordered(acl: Resource, graph: ResourceGraph, *, egress: bool) -> list[Resource]:
    """Return the rules of *acl* for one direction, in the order in which AWS tries them."""

    def answer() -> list[Resource]:
        found = list(rules(acl, egress=egress))
        for separate in graph.attached_to(acl, RULE, by="network_acl_id"):
            found += rules(separate, egress=egress)
        return sorted(found, key=_number)

    return graph.once(("network ACL", acl.address, egress), answer)


def _number(rule: Resource) -> float:
    number = rule.number("rule_number" if rule.type == RULE and not rule.within else "rule_no")
    if number is None:
        raise UnknownValue("the number of a rule of a network ACL is not given")
    return number


def _allowed(rules: Iterable[Resource], others: Addresses, port: int) -> Addresses:
    """Return those of *others* that the first rule about them and *port* lets through."""
    result, left = Addresses(), others
    for rule in rules:
        if port in tcp_ports(rule):
            about = left & blocks(rule)
            left -= about
            if allows(rule):
                result |= about
    return result

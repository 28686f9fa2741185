"""The web application firewall: in front of what is public, blocking, and logged."""

from __future__ import annotations

from collections.abc import Iterator

from policies.engine.graph import Resource, ResourceGraph
from policies.engine.model import Policy, Violation, direct, part_of, supports
from policies.engine.mutate import attached, remove, replace

WEB_ACL = "aws_wafv2_web_acl"
ASSOCIATION = "aws_wafv2_web_acl_association"
LOGGING_CONFIGURATION = "aws_wafv2_web_acl_logging_configuration"
LOAD_BALANCERS = ("aws_lb", "aws_alb")


def is_public(balancer: Resource) -> bool:
    """Whether customers reach *balancer* over HTTP from the Internet."""
    kind = balancer.get("load_balancer_type", "application")
    return kind == "application" and balancer.get("internal", False) is not True


def stands_behind_a_firewall(balancer: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Load balancers that face the Internet stand behind a web application firewall.

    A well-formed request can be an attack: a firewall for addresses and ports lets it through.
    """
    if not any(True for _ in graph.attached_to(balancer, ASSOCIATION, by="resource_arn")):
        yield Violation(f"has no {ASSOCIATION}", balancer)


IN_FRONT = Policy(
    checks=stands_behind_a_firewall,
    applies_to=LOAD_BALANCERS,
    when=is_public,
    claims=(direct("6.4.2"),),
    example={
        "aws_lb": {"entry": {"internal": False}, "inside": {"internal": True}},
        ASSOCIATION: {"entry": {"resource_arn": "${aws_lb.entry.arn}"}},
    },
    violated_by=(attached(ASSOCIATION, by="resource_arn"),),
)


def blocks_attacks(acl: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Web application firewalls block what their managed rules match.

    Rules that only count detect an attack and prevent nothing.
    """
    blocking = False
    for rule in acl.blocks("rule"):
        managed = any(True for _ in rule.blocks("statement.managed_rule_group_statement"))
        counts = [*rule.blocks("override_action.count"), *rule.blocks("action.count")]
        if counts:
            yield Violation(f"rule {rule.get('name')} only counts", rule)
        elif managed:
            blocking = True
    if not blocking:
        yield Violation("has no managed group of rules that blocks", acl, "rule")


MANAGED = {
    "name": "common",
    "override_action": {"none": {}},
    "statement": {
        "managed_rule_group_statement": {
            "vendor_name": "AWS",
            "name": "AWSManagedRulesCommonRuleSet",
        }
    },
}

BLOCKING = Policy(
    checks=blocks_attacks,
    applies_to=WEB_ACL,
    claims=(direct("6.4.2"),),
    example={WEB_ACL: {"entry": {"rule": [MANAGED]}}},
    violated_by=(
        remove("rule"),
        replace("rule", []),
        replace("rule", [{**MANAGED, "override_action": {"count": {}}}]),
        replace("rule", [MANAGED, {"name": "watch", "action": {"count": {}}}]),
        replace("rule", [{"name": "rate", "action": {"block": {}}, "statement": {}}]),
    ),
)


def logs_requests(acl: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Web application firewalls log every request that they look at.

    What was let through matters after an attack that was not recognised.
    """
    configurations = list(graph.attached_to(acl, LOGGING_CONFIGURATION, by="resource_arn"))
    if not configurations:
        yield Violation(f"has no {LOGGING_CONFIGURATION}", acl)
    for configuration in configurations:
        for filter in configuration.blocks("logging_filter"):
            if filter.get("default_behavior") != "KEEP":
                yield Violation("logging_filter drops requests", filter, "default_behavior")


LOGGING = Policy(
    checks=logs_requests,
    applies_to=WEB_ACL,
    claims=(part_of("10.2.1"), part_of("6.4.2")),
    example={
        WEB_ACL: {"entry": {}},
        LOGGING_CONFIGURATION: {"entry": {"resource_arn": "${aws_wafv2_web_acl.entry.arn}"}},
    },
    violated_by=(
        attached(LOGGING_CONFIGURATION, by="resource_arn"),
        attached(
            LOGGING_CONFIGURATION,
            replace("logging_filter", [{"default_behavior": "DROP"}]),
            by="resource_arn",
        ),
    ),
)

SECRET_HEADERS = ("authorization", "cookie")


def hides_credentials(configuration: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    What a web application firewall logs holds no credentials.

    Whoever reads the log could otherwise take over a customer's session.
    """
    redacted = {
        str(header.get("name")).lower()
        for field in configuration.blocks("redacted_fields")
        for header in field.blocks("single_header")
    }
    for header in SECRET_HEADERS:
        if header not in redacted:
            yield Violation(f"redacted_fields lacks {header}", configuration, "redacted_fields")


REDACTION = Policy(
    checks=hides_credentials,
    applies_to=LOGGING_CONFIGURATION,
    claims=(supports("8.3.2"),),
    example={
        LOGGING_CONFIGURATION: {
            "entry": {
                "redacted_fields": [{"single_header": {"name": name}} for name in SECRET_HEADERS]
            }
        }
    },
    violated_by=(
        remove("redacted_fields"),
        replace("redacted_fields", [{"single_header": {"name": "cookie"}}]),
    ),
)

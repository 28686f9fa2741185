"""The web application firewall: in front of what is public, blocking, and logged."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from policies.engine.graph import Resource, ResourceGraph
from policies.engine.model import Policy, Violation, always, part_of, supports
from policies.engine.mutate import attached, remove, replace
from policies.engine.settings import names
from policies.engine.values import UnknownValue

WEB_ACL = "aws_wafv2_web_acl"
ASSOCIATION = "aws_wafv2_web_acl_association"
ASSOCIATIONS = {
    ASSOCIATION: "web_acl_arn",
    "aws_wafregional_web_acl_association": "web_acl_id",
}
"""What puts a web ACL in front of something, and the attribute that names the ACL."""

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
    acls = [
        acl
        for association, by in ASSOCIATIONS.items()
        for found in graph.attached_to(balancer, association, by="resource_arn")
        for acl in graph.follow(found, by)
    ]
    if not acls:
        yield Violation(f"has no {ASSOCIATION}", balancer)


IN_FRONT = Policy(
    checks=stands_behind_a_firewall,
    applies_to=LOAD_BALANCERS,
    when=is_public,
    claims=(part_of("6.4.2"),),
    example={
        "aws_lb": {"entry": {"internal": False}, "inside": {"internal": True}},
        ASSOCIATION: {
            "entry": {
                "resource_arn": "${aws_lb.entry.arn}",
                "web_acl_arn": "${aws_wafv2_web_acl.entry.arn}",
            }
        },
        WEB_ACL: {"entry": {}},
    },
    violated_by=(attached(ASSOCIATION, by="resource_arn"),),
)
APIS = dataclasses.replace(
    IN_FRONT,
    applies_to=("aws_api_gateway_stage", "aws_appsync_graphql_api"),
    when=always,
    title="APIs that anybody can call stand behind a web application firewall.",
    why="A well-formed request can be an attack.",
    example={
        "aws_api_gateway_stage": {"shop": {}},
        ASSOCIATION: {
            "shop": {
                "resource_arn": "${aws_api_gateway_stage.shop.arn}",
                "web_acl_arn": "${aws_wafv2_web_acl.shop.arn}",
            }
        },
        WEB_ACL: {"shop": {}},
    },
)


def blocks_attacks(acl: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Web application firewalls block what their managed rules match.

    Rules that only count detect an attack and prevent nothing.
    """
    if acl.is_set("rule_json"):
        raise UnknownValue("rule_json is not read here")
    blocking, opaque = False, ""
    for rule in acl.blocks("rule"):
        name = rule.get("name")
        if [*rule.blocks("override_action.count"), *rule.blocks("action.count")]:
            yield Violation(f"rule {name} only counts", rule)
            continue
        if any(True for _ in rule.blocks("action.allow")):
            opaque = f"rule {name} lets through what no later rule sees"
        if any(True for _ in rule.blocks("statement.rule_group_reference_statement")):
            blocking, opaque = True, f"rule {name} refers to rules that are not seen here"
        for group in rule.blocks("statement.managed_rule_group_statement"):
            blocking = True
            if any(True for _ in group.blocks("scope_down_statement")):
                opaque = f"rule {name} looks at some requests only"
            yield from _weakened(group)
    if not blocking:
        yield Violation("has no managed group of rules that blocks", acl, "rule")
    if opaque:
        raise UnknownValue(opaque)


def _weakened(group: Resource) -> Iterator[Violation]:
    """Say which rules of a managed *group* no longer block."""
    for excluded in group.blocks("excluded_rule"):
        yield Violation(f"excluded_rule {excluded.get('name')}", excluded)
    for override in group.blocks("rule_action_override"):
        for action in ("allow", "count"):
            if any(True for _ in override.blocks(f"action_to_use.{action}")):
                yield Violation(
                    f"rule_action_override lets {override.get('name')} {action}", override
                )


GROUP = "managed_rule_group_statement"
MANAGED = {
    "name": "common",
    "override_action": {"none": {}},
    "statement": {GROUP: {"vendor_name": "AWS", "name": "AWSManagedRulesCommonRuleSet"}},
}

BLOCKING = Policy(
    checks=blocks_attacks,
    applies_to=WEB_ACL,
    claims=(part_of("6.4.2"),),
    example={WEB_ACL: {"entry": {"rule": [MANAGED]}}},
    violated_by=(
        remove("rule"),
        replace("rule", []),
        replace("rule", [{**MANAGED, "override_action": {"count": {}}}]),
        replace("rule", [MANAGED, {"name": "watch", "action": {"count": {}}}]),
        replace("rule", [{"name": "rate", "action": {"block": {}}, "statement": {}}]),
        *(
            replace("rule", [{**MANAGED, "statement": {GROUP: {"name": "Common", **weak}}}])
            for weak in (
                {"excluded_rule": [{"name": "SizeRestrictions_BODY"}]},
                {"rule_action_override": [{"name": "X", "action_to_use": {"count": {}}}]},
            )
        ),
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
            for rule in filter.blocks("filter"):
                if rule.get("behavior") != "KEEP":
                    yield Violation("logging_filter drops requests", rule, "behavior")


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
        attached(
            LOGGING_CONFIGURATION,
            replace(
                "logging_filter", [{"default_behavior": "KEEP", "filter": [{"behavior": "DROP"}]}]
            ),
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

CLASSIC_LOGGING = dataclasses.replace(
    names(
        "aws_waf_web_acl",
        "logging_configuration.log_destination",
        title="Classic web application firewalls record what they see.",
        why="What was let through matters after an incident, what was refused before it.",
        claims=(part_of("10.2.1"),),
    ),
    applies_to=("aws_waf_web_acl", "aws_wafregional_web_acl"),
)

CLASSIC_ACLS = ("aws_waf_web_acl", "aws_wafregional_web_acl")


def refuses_something(acl: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Web application firewalls of the older kind have rules, or let nothing through.

    Without a rule, one is a wire.
    """
    ways = ("rules", "rule")
    refuses = acl.get("default_action.type") == "BLOCK"
    if not refuses and not any(True for way in ways for _ in acl.blocks(way)):
        yield Violation("default_action is ALLOW, and there is no rule", acl)


CLASSIC_RULES = Policy(
    checks=refuses_something,
    applies_to=CLASSIC_ACLS,
    claims=(part_of("6.4.2"),),
    example={
        "aws_waf_web_acl": {
            "entry": {"default_action": {"type": "ALLOW"}, "rules": [{"priority": 1}]}
        }
    },
    violated_by=(remove("rules"),),
)

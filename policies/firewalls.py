"""Network Firewall, and the firewall of names: what they drop, and what they record."""

from __future__ import annotations

from collections.abc import Iterator

from policies import common
from policies.engine.graph import Resource, ResourceGraph
from policies.engine.model import Policy, Violation, part_of, supports
from policies.engine.mutate import attached, remove, replace
from policies.engine.settings import states

FIREWALL = "aws_networkfirewall_firewall"
FIREWALL_POLICY = "aws_networkfirewall_firewall_policy"
LOGGING = "aws_networkfirewall_logging_configuration"
RULES = "aws_networkfirewall_rule_group"
CONFIGURATION = "encryption_configuration"


def drops_the_rest(policy: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Network Firewall drops, or looks into, what no rule is about.

    What is let through for want of a rule was allowed by nobody.
    """
    for inner in policy.blocks("firewall_policy"):
        for path in ("stateless_default_actions", "stateless_fragment_default_actions"):
            if "aws:pass" in (inner.get(path) or ()):
                yield Violation(f"{path} holds aws:pass", inner, path)


DEFAULT_ACTIONS = Policy(
    checks=drops_the_rest,
    applies_to=FIREWALL_POLICY,
    claims=(part_of("1.3.1"), part_of("1.4.2")),
    example={
        FIREWALL_POLICY: {
            "cde": {
                "firewall_policy": {
                    "stateless_default_actions": ["aws:forward_to_sfe"],
                    "stateless_fragment_default_actions": ["aws:drop"],
                }
            }
        }
    },
    violated_by=(
        replace("firewall_policy.stateless_default_actions", ["aws:pass"]),
        replace("firewall_policy.stateless_fragment_default_actions", ["aws:pass"]),
    ),
)


def has_rules(policy: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Network Firewall has rules to go by.

    Without any, it is a wire.
    """
    references = ("stateful_rule_group_reference", "stateless_rule_group_reference")
    for inner in policy.blocks("firewall_policy"):
        if not any(True for path in references for _ in inner.blocks(path)):
            yield Violation("refers to no rule group", inner)


RULE_GROUPS = Policy(
    checks=has_rules,
    applies_to=FIREWALL_POLICY,
    claims=(part_of("1.3.1"),),
    example={
        FIREWALL_POLICY: {
            "cde": {
                "firewall_policy": {
                    "stateful_rule_group_reference": [
                        {"resource_arn": "${aws_networkfirewall_rule_group.cde.arn}"}
                    ]
                }
            }
        }
    },
    violated_by=(remove("firewall_policy.stateful_rule_group_reference"),),
)


def records_what_it_sees(firewall: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Network Firewall records what it sees.

    What it dropped is who tried.
    """
    if not any(True for _ in graph.attached_to(firewall, LOGGING, by="firewall_arn")):
        yield Violation(f"has no {LOGGING}", firewall)


RECORDS = Policy(
    checks=records_what_it_sees,
    applies_to=FIREWALL,
    claims=(part_of("10.2.1"),),
    example={
        FIREWALL: {"cde": {}},
        LOGGING: {"cde": {"firewall_arn": "${aws_networkfirewall_firewall.cde.arn}"}},
    },
    violated_by=(attached(LOGGING, by="firewall_arn"),),
)
PROTECTION = states(
    FIREWALL,
    "delete_protection",
    True,
    title="Nobody deletes a network firewall by mistake.",
    why="With it goes every rule.",
    claims=(),
)
KEY = common.under_our_key(
    "Network firewalls and their rules",
    (FIREWALL, FIREWALL_POLICY, RULES),
    f"{CONFIGURATION}.key_id",
)
NAMES_FAIL_OPEN = states(
    "aws_route53_resolver_firewall_config",
    "firewall_fail_open",
    "DISABLED",
    otherwise="DISABLED",
    refused=("ENABLED", "USE_LOCAL_RESOURCE_SETTING"),
    title="The firewall of names answers nothing where it cannot judge.",
    why="Whoever can overload it could otherwise pass it.",
    claims=(supports("1.3.2"),),
)

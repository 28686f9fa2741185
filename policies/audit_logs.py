"""Audit logs: kept, encrypted, and of every connection."""

from __future__ import annotations

from collections.abc import Iterator

from policies.engine.graph import Resource, ResourceGraph
from policies.engine.model import Policy, Violation, part_of, supports
from policies.engine.mutate import attached, remove, replace

LOG_GROUP = "aws_cloudwatch_log_group"
FLOW_LOG = "aws_flow_log"
HOT_DAYS = 90
FOR_EVER = 0


def keeps_three_months(group: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Log groups keep three months of events at hand.

    Of the twelve months that audit logs are kept, the last three can be searched at once.
    """
    days = group.number("retention_in_days", FOR_EVER)
    if days is not None and days != FOR_EVER and days < HOT_DAYS:
        yield Violation(
            f"retention_in_days is {days:g}, shorter than {HOT_DAYS}", group, "retention_in_days"
        )


RETENTION = Policy(
    checks=keeps_three_months,
    applies_to=LOG_GROUP,
    at_least=1,
    claims=(part_of("10.5.1"),),
    example={LOG_GROUP: {"application": {"retention_in_days": 90}}},
    violated_by=(replace("retention_in_days", 30), replace("retention_in_days", 1)),
)


def uses_a_key_of_ours(group: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Log groups are encrypted with a key of ours.

    Whoever reads a log needs our permission for the key as well.
    """
    if not group.reference("kms_key_id") and group.get("kms_key_id") is None:
        yield Violation("kms_key_id is not set", group, "kms_key_id")


ENCRYPTION = Policy(
    checks=uses_a_key_of_ours,
    applies_to=LOG_GROUP,
    claims=(supports("10.3.2"),),
    example={LOG_GROUP: {"application": {"kms_key_id": "${aws_kms_key.logs.arn}"}}},
    violated_by=(remove("kms_key_id"),),
)


def records_its_connections(vpc: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Every connection in a VPC is recorded, accepted or refused.

    What was let through matters after an incident, what was refused before it.
    """
    logs = graph.attached_to(vpc, FLOW_LOG, by="vpc_id")
    if not any(log.get("traffic_type") == "ALL" for log in logs):
        yield Violation(f"has no {FLOW_LOG} with traffic_type ALL", vpc)


FLOW_LOGS = Policy(
    checks=records_its_connections,
    applies_to="aws_vpc",
    at_least=1,
    claims=(part_of("10.2.1"),),
    example={
        "aws_vpc": {"cde": {}},
        FLOW_LOG: {"cde": {"vpc_id": "${aws_vpc.cde.id}", "traffic_type": "ALL"}},
    },
    violated_by=(
        attached(FLOW_LOG, by="vpc_id"),
        attached(FLOW_LOG, replace("traffic_type", "REJECT"), by="vpc_id"),
        attached(FLOW_LOG, remove("traffic_type"), by="vpc_id"),
    ),
)

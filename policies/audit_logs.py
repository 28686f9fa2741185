"""Audit logs: kept, encrypted, and of every connection."""

from __future__ import annotations

from collections.abc import Iterator

from policies.aws import encryption
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
    yield from encryption.not_ours(group, "kms_key_id", graph)


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


TRAIL = "aws_cloudtrail"


def covers_every_region(trail: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Trails record every region, global services among them, all the time.

    Whoever wants to work unseen works in a region that nobody uses.
    """
    if trail.get("is_multi_region_trail") is not True:
        yield Violation("is_multi_region_trail is not true", trail, "is_multi_region_trail")
    for flag in ("include_global_service_events", "enable_logging"):
        if trail.get(flag, True) is not True:
            yield Violation(f"{flag} is not true", trail, flag)


TRAIL_COVERAGE = Policy(
    checks=covers_every_region,
    applies_to=TRAIL,
    claims=(part_of("10.2.1.2"), part_of("10.2.1.6"), part_of("10.2.1.7")),
    example={TRAIL: {"account": {"is_multi_region_trail": True}}},
    violated_by=(
        remove("is_multi_region_trail"),
        replace("is_multi_region_trail", False),
        replace("enable_logging", False),
        replace("include_global_service_events", False),
    ),
)


def can_prove_it_was_not_altered(trail: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Trails can prove that they were not altered.

    A digest of each file, chained to the one before, shows what was changed or removed.
    """
    if trail.get("enable_log_file_validation") is not True:
        yield Violation(
            "enable_log_file_validation is not true", trail, "enable_log_file_validation"
        )


TRAIL_VALIDATION = Policy(
    checks=can_prove_it_was_not_altered,
    applies_to=TRAIL,
    claims=(part_of("10.3.2"), supports("10.3.4")),
    example={TRAIL: {"account": {"enable_log_file_validation": True}}},
    violated_by=(
        remove("enable_log_file_validation"),
        replace("enable_log_file_validation", "false"),
    ),
)


def is_under_a_key_of_ours(trail: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Trails are encrypted with a key of ours.

    Whoever reads one needs our permission for the key as well.
    """
    yield from encryption.not_ours(trail, "kms_key_id", graph)


TRAIL_ENCRYPTION = Policy(
    checks=is_under_a_key_of_ours,
    applies_to=TRAIL,
    claims=(part_of("10.3.2"),),
    example={TRAIL: {"account": {"kms_key_id": "${aws_kms_key.logs.arn}"}}},
    violated_by=(remove("kms_key_id"),),
)

"""Audit logs: kept, encrypted, and of every connection."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import Any

from policies.aws import encryption, log_buckets
from policies.engine.graph import Resource, ResourceGraph
from policies.engine.model import Policy, Violation, part_of, supports
from policies.engine.mutate import Described, Patch, attached, described, remove, replace, without
from policies.engine.values import UnknownValue

LOG_GROUP = "aws_cloudwatch_log_group"
FLOW_LOG = "aws_flow_log"
TRAIL = "aws_cloudtrail"
SUBSCRIPTION = "aws_cloudwatch_log_subscription_filter"
STREAM = "aws_kinesis_firehose_delivery_stream"
BUCKET = "aws_s3_bucket"
LIFECYCLE = "aws_s3_bucket_lifecycle_configuration"
OBJECT_LOCK = "aws_s3_bucket_object_lock_configuration"
HOT_DAYS = 90
YEAR_DAYS = 365
DELIVERY_DAYS = 2
FOR_EVER = 0


def keeps_three_months(group: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Log groups keep three months of events at hand.

    Of the twelve months that audit logs are kept, the last three can be searched at once.
    """
    days = _days(group)
    if days != FOR_EVER and days < HOT_DAYS:
        yield Violation(
            f"retention_in_days is {days:g}, shorter than {HOT_DAYS}", group, "retention_in_days"
        )


def _days(group: Resource) -> float:
    """Return how many days *group* keeps; AWS has its own mind about one class."""
    if group.get("log_group_class") == "DELIVERY":
        return DELIVERY_DAYS
    return group.number("retention_in_days", FOR_EVER) or FOR_EVER


RETENTION = Policy(
    checks=keeps_three_months,
    applies_to=LOG_GROUP,
    at_least=1,
    claims=(part_of("10.5.1"),),
    example={LOG_GROUP: {"application": {"retention_in_days": 90}}},
    violated_by=(
        replace("retention_in_days", 30),
        replace("retention_in_days", 1),
        replace("log_group_class", "DELIVERY"),
    ),
)


def keeps_twelve_months(group: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Log groups keep twelve months of events, by themselves or with an archive.

    A compromise is often found months after it began. Every line has to go to the
    archive: a pattern that drops some drops the one that matters.
    """
    days = _days(group)
    if days == FOR_EVER or days >= YEAR_DAYS:
        return
    found: list[Violation] = []
    for bucket in _archives(group, graph):
        early = list(_expires_early(bucket, graph))
        if not early:
            return
        found += early
    yield from found
    if not found:
        yield Violation(
            f"keeps {days:g} days, and no archive the rest of a year", group, "retention_in_days"
        )


def _archives(group: Resource, graph: ResourceGraph) -> Iterator[Resource]:
    """Yield the buckets that every line of *group* goes to."""
    for subscription in graph.attached_to(group, SUBSCRIPTION, by="log_group_name"):
        if subscription.get("filter_pattern") is None:
            yield from _fed_by(subscription, graph)


def _fed_by(source: Resource, graph: ResourceGraph) -> Iterator[Resource]:
    """Yield the buckets that a subscription, or a trail, ends in."""
    if source.type == TRAIL:
        yield from graph.follow(source, "s3_bucket_name")
        return
    for stream in graph.follow(source, "destination_arn"):
        if stream.type == STREAM and stream.get("destination") == "extended_s3":
            _require_no_sieve(stream)
            yield from graph.follow(stream, "extended_s3_configuration.bucket_arn")


def _require_no_sieve(stream: Resource) -> None:
    """
    Make sure that no function decides what passes through *stream*.

    Raises:
        UnknownValue: One does.
    """
    for processor in stream.blocks("extended_s3_configuration.processing_configuration.processors"):
        if processor.get("type") == "Lambda":
            raise UnknownValue(f"a function decides what passes through {stream.address}")


def _expires_early(bucket: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """Say what lets go of an object in *bucket* within a year."""
    rules = [
        rule
        for setting in graph.attached_to(bucket, LIFECYCLE, by="bucket")
        for rule in setting.blocks("rule")
        if rule.get("status") == "Enabled"
    ]
    inline = (rule for rule in bucket.blocks("lifecycle_rule") if rule.get("enabled") is not False)
    for rule in [*rules, *inline]:
        for path, attribute in (
            ("expiration", "days"),
            ("noncurrent_version_expiration", "noncurrent_days"),
            ("noncurrent_version_expiration", "days"),
        ):
            for block in rule.blocks(path):
                days = block.number(attribute)
                if days is not None and 0 < days < YEAR_DAYS:
                    yield Violation(f"the archive lets go after {days:g} days", block, attribute)
                if block.is_set("date"):
                    yield Violation("the archive lets go on a fixed day", block, "date")


FEED: dict[str, Any] = {
    SUBSCRIPTION: {
        "application": {"destination_arn": "${aws_kinesis_firehose_delivery_stream.archive.arn}"}
    },
    STREAM: {
        "archive": {
            "destination": "extended_s3",
            "extended_s3_configuration": {"bucket_arn": "${aws_s3_bucket.archive.arn}"},
        }
    },
    BUCKET: {"archive": {}},
}
"""An example: a subscription that ends in a bucket."""


def _all(type: str, patch: Patch, subject: Resource, graph: ResourceGraph) -> ResourceGraph:
    """Do *patch* to every resource of *type*, the subject shortened where it keeps a year."""
    if subject.type == LOG_GROUP:
        graph = replace("retention_in_days", HOT_DAYS)(subject, graph)
    for resource in graph.of_type(type):
        graph = patch(resource, graph)
    return graph


def _every(type: str, patch: Patch) -> Described:
    return described(f"{patch} of every {type}", partial(_all, type, patch))


def _without_archive(group: Resource, graph: ResourceGraph) -> ResourceGraph:
    graph = replace("retention_in_days", HOT_DAYS)(group, graph)
    return graph.without(*graph.of_type(SUBSCRIPTION))


TWELVE_MONTHS = Policy(
    checks=keeps_twelve_months,
    applies_to=LOG_GROUP,
    claims=(part_of("10.5.1"),),
    example={
        LOG_GROUP: {"application": {"retention_in_days": 90}},
        **FEED,
        SUBSCRIPTION: {
            "application": {
                "log_group_name": "${aws_cloudwatch_log_group.application.name}",
                "filter_pattern": "",
                **FEED[SUBSCRIPTION]["application"],
            }
        },
        LIFECYCLE: {
            "archive": {
                "bucket": "${aws_s3_bucket.archive.id}",
                "rule": [{"status": "Enabled", "expiration": {"days": 400}}],
            }
        },
    },
    violated_by=(
        described("90 days and no archive", _without_archive),
        _every(SUBSCRIPTION, replace("filter_pattern", "ERROR")),
        _every(STREAM, replace("destination", "http_endpoint")),
        _every(LIFECYCLE, replace("rule", [{"status": "Enabled", "expiration": {"days": 180}}])),
    ),
)


def keeps_what_it_takes(bucket: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Buckets in which logs end keep them for a year.

    What a load balancer or a bucket recorded is asked for as late as any other log.
    """
    yield from _expires_early(bucket, graph)


def takes_no_logs(bucket: Resource, graph: ResourceGraph) -> bool:
    """Whether no log ends in *bucket*."""
    return not log_buckets.are_of_one(bucket.names, graph)


LOG_BUCKETS = Policy(
    checks=keeps_what_it_takes,
    applies_to=BUCKET,
    unless=takes_no_logs,
    claims=(part_of("10.5.1"),),
    example={
        BUCKET: {"access": {}},
        "aws_lb": {"entry": {"access_logs": {"bucket": "${aws_s3_bucket.access.id}"}}},
        LIFECYCLE: {
            "access": {
                "bucket": "${aws_s3_bucket.access.id}",
                "rule": [{"status": "Enabled", "expiration": {"days": 400}}],
            }
        },
    },
    violated_by=(_every(LIFECYCLE, replace("rule.0.expiration", {"days": 7})),),
)


def is_kept_from_everybody(source: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Archives and trails end in a bucket in which nobody can alter anything for a year.

    Object Lock in compliance mode holds against the account's own root user.
    """
    buckets = list(_fed_by(source, graph))
    if not buckets:
        raise UnknownValue(f"where {source.address} ends is not seen here")
    for bucket in buckets:
        rules = list(_lock_rules(bucket, graph))
        if not rules or not all(map(_locks_for_a_year, rules)):
            yield Violation(
                f"{bucket.address} has no Object Lock in COMPLIANCE mode for a year", bucket
            )


def _lock_rules(bucket: Resource, graph: ResourceGraph) -> Iterator[Resource]:
    for setting in graph.attached_to(bucket, OBJECT_LOCK, by="bucket"):
        yield from setting.blocks("rule")
    yield from bucket.blocks("object_lock_configuration.rule")


def _locks_for_a_year(rule: Resource) -> bool:
    days = rule.number("default_retention.days", 0) or 0
    years = rule.number("default_retention.years", 0) or 0
    is_strict = rule.get("default_retention.mode") == "COMPLIANCE"
    return is_strict and (days >= YEAR_DAYS or years >= 1)


def _lock(mode: str, days: int) -> Patch:
    return replace("rule", {"default_retention": {"mode": mode, "days": days}})


LOCK = Policy(
    checks=is_kept_from_everybody,
    applies_to=(SUBSCRIPTION, TRAIL),
    claims=(part_of("10.3.2"), part_of("10.3.3"), supports("10.3.4"), supports("10.5.1")),
    example={
        **FEED,
        OBJECT_LOCK: {
            "archive": {
                "bucket": "${aws_s3_bucket.archive.id}",
                "rule": {"default_retention": {"mode": "COMPLIANCE", "days": 400}},
            }
        },
    },
    violated_by=(
        without(OBJECT_LOCK),
        _every(OBJECT_LOCK, _lock("GOVERNANCE", 400)),
        _every(OBJECT_LOCK, _lock("COMPLIANCE", 30)),
    ),
)


def encrypts_on_the_way(stream: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Streams to an archive are encrypted with a key of ours.

    What a log group encrypts must not lie open on its way to the archive.
    """
    if stream.is_set("kinesis_source_configuration.kinesis_stream_arn"):
        return
    if stream.get("server_side_encryption.enabled") is not True:
        yield Violation("server_side_encryption is not enabled", stream, "server_side_encryption")
    elif stream.get("server_side_encryption.key_type") != "CUSTOMER_MANAGED_CMK":
        yield Violation("key_type is not CUSTOMER_MANAGED_CMK", stream, "server_side_encryption")
    else:
        yield from encryption.not_ours(stream, "server_side_encryption.key_arn", graph)


STREAM_ENCRYPTION = Policy(
    checks=encrypts_on_the_way,
    applies_to=STREAM,
    claims=(supports("10.3.2"),),
    example={
        STREAM: {
            "archive": {
                "server_side_encryption": {
                    "enabled": True,
                    "key_type": "CUSTOMER_MANAGED_CMK",
                    "key_arn": "${aws_kms_key.logs.arn}",
                }
            }
        }
    },
    violated_by=(
        remove("server_side_encryption"),
        replace("server_side_encryption.enabled", False),
        remove("server_side_encryption.key_type"),
        remove("server_side_encryption.key_arn"),
    ),
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


FIELDS = frozenset({
    "action", "dstaddr", "dstport", "end", "interface-id", "log-status", "protocol", "srcaddr",
    "srcport", "start",
})  # fmt: skip
"""Who, to whom, when, where, and with what result. AWS's own format has them all."""

_FIELD = re.compile(r"\$\{([a-z-]+)\}")


def says_who_what_and_when(log: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Flow logs say who spoke to whom, when, where, and whether they were let.

    A record without one of them answers no question after an incident.
    """
    if log.is_set("log_format"):
        missing = FIELDS - set(_FIELD.findall(str(log.get("log_format"))))
        if missing:
            yield Violation(
                f"log_format leaves out {', '.join(sorted(missing))}", log, "log_format"
            )


def is_of_a_vpc(log: Resource) -> bool:
    """Whether *log* is that of a VPC, a subnet or an interface; others have fields of their own."""
    return not log.is_set("transit_gateway_id") and not log.is_set("transit_gateway_attachment_id")


FLOW_LOG_FIELDS = Policy(
    checks=says_who_what_and_when,
    applies_to=FLOW_LOG,
    when=is_of_a_vpc,
    claims=(supports("10.2.2"),),
    example={FLOW_LOG: {"cde": {}, "transit": {"transit_gateway_id": "tgw-1"}}},
    violated_by=(
        replace("log_format", "$${srcaddr} $${dstaddr} $${action}"),
        replace("log_format", "$${version} $${vpc-id}"),
    ),
)


PROTECTION = "aws_cloudwatch_log_data_protection_policy"
CARD_NUMBERS = "dataprotection::aws:data-identifier/CreditCardNumber"


def masks_card_numbers(protection: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    What protects the data in a log masks card numbers, and tells where there were some.

    A number that a program logs by mistake is then read by nobody.
    """
    statements = [
        statement
        for statement in protection.get("policy_document.Statement") or ()
        if any(CARD_NUMBERS in str(each) for each in statement.get("DataIdentifier") or ())
    ]
    for operation in ("Deidentify", "Audit"):
        if not any(operation in (s.get("Operation") or {}) for s in statements):
            yield Violation(f"policy_document has no {operation} of CreditCardNumber", protection)


def _masking(identifier: str, *operations: str) -> dict[str, Any]:
    return {
        "Statement": [
            {
                "DataIdentifier": [f"arn:aws:dataprotection::aws:data-identifier/{identifier}"],
                "Operation": {operation: {}},
            }
            for operation in operations
        ]
    }


MASKING = Policy(
    checks=masks_card_numbers,
    applies_to=PROTECTION,
    claims=(supports("3.4.1"), supports("3.5.1")),
    example={
        PROTECTION: {
            "app": {"policy_document": _masking("CreditCardNumber", "Audit", "Deidentify")}
        }
    },
    violated_by=(
        replace("policy_document", _masking("CreditCardNumber", "Audit")),
        replace("policy_document", _masking("CreditCardNumber", "Deidentify")),
        replace("policy_document", _masking("EmailAddress", "Audit", "Deidentify")),
    ),
)

"""The trail of every call to AWS: whole, encrypted, provable, read as it is written."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

from policies.aws import encryption
from policies.engine.graph import Resource, ResourceGraph
from policies.engine.model import Policy, Violation, part_of, supports
from policies.engine.mutate import Patch, remove, replace
from policies.engine.settings import names

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


def leaves_nothing_out(trail: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """Trails leave out no call that manages anything: one selector may take all of them."""
    selectors = [list(_leaves_out(selector)) for selector in trail.blocks("event_selector")]
    if all(selectors):
        yield from itertools.chain.from_iterable(selectors)
    advanced = list(trail.blocks("advanced_event_selector"))
    if advanced and {kind for each in advanced for kind in _selects(each)} < READING_AND_WRITING:
        yield Violation("advanced_event_selector leaves out management events", trail)


def _leaves_out(selector: Resource) -> Iterator[Violation]:
    if selector.get("include_management_events", True) is not True:
        yield Violation("include_management_events is not true", selector)
    if selector.get("read_write_type", "All") != "All":
        yield Violation("read_write_type is not All", selector, "read_write_type")
    if any(True for _ in selector.get("exclude_management_event_sources") or ()):
        yield Violation("exclude_management_event_sources names some", selector)


def _selects(selector: Resource) -> frozenset[str]:
    """Return what *selector* takes of the calls that manage something: reading, writing."""
    fields = {
        each.get("field"): list(each.get("equals") or ())
        for each in selector.blocks("field_selector")
    }
    if fields.pop("eventCategory", None) != ["Management"] or set(fields) - {"readOnly"}:
        return frozenset()
    return _of(fields.get("readOnly", READ_ONLY))


READ_ONLY = {"true": "reading", "false": "writing"}
"""What a field of a selector may ask for, and what it then takes."""


def _of(read_only: Iterable[object]) -> frozenset[str]:
    """Return what a selector takes whose field readOnly is one of *read_only*."""
    asked = {str(value).lower() for value in read_only}
    return frozenset(kind for value, kind in READ_ONLY.items() if value in asked)


COVERAGE = Policy(
    checks=(covers_every_region, leaves_nothing_out),
    applies_to=TRAIL,
    at_least=1,
    account_wide=True,
    claims=(part_of("10.2.1.2"), part_of("10.2.1.6"), part_of("10.2.1.7")),
    example={TRAIL: {"account": {"is_multi_region_trail": True}}},
    violated_by=(
        remove("is_multi_region_trail"),
        replace("is_multi_region_trail", False),
        replace("enable_logging", False),
        replace("include_global_service_events", False),
        replace("event_selector", [{"include_management_events": False}]),
        replace("event_selector", [{"read_write_type": "WriteOnly"}]),
        replace("event_selector", [{"exclude_management_event_sources": ["kms.amazonaws.com"]}]),
        replace(
            "advanced_event_selector",
            [{"field_selector": [{"field": "eventCategory", "equals": ["Data"]}]}],
        ),
    ),
)


DELIVERY = names(
    TRAIL,
    "cloud_watch_logs_group_arn",
    title="Trails are read as they are written: they deliver to a log group.",
    why="What lies in a bucket is looked at when somebody asks.",
    claims=(supports("10.4.1.1"),),
    such_as="${aws_cloudwatch_log_group.trail.arn}:*",
)

OBJECTS = "AWS::S3::Object"


def records_who_reads_objects(trail: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Trails record who reads and writes objects in buckets.

    Without that, a bucket that was emptied shows no more than that somebody came by.
    """
    recorded = {kind for block in trail.blocks("event_selector") for kind in _older(block)}
    recorded |= {
        kind for block in trail.blocks("advanced_event_selector") for kind in _newer(block)
    }
    if recorded < READING_AND_WRITING:
        yield Violation(f"no selector is about reading and writing {OBJECTS}", trail)


READING_AND_WRITING = frozenset({"reading", "writing"})
KINDS = {"ReadOnly": {"reading"}, "WriteOnly": {"writing"}, "All": READING_AND_WRITING}
FIELDS_OF_ALL = frozenset({"eventCategory", "readOnly", "resources.ARN", "resources.type"})
"""What a selector may ask for and still be about everything that happens to an object."""


def _older(selector: Resource) -> Iterator[str]:
    """Yield what a selector of the older form records of objects."""
    for data in selector.blocks("data_resource"):
        if data.get("type") == OBJECTS and data.is_set("values"):
            yield from KINDS.get(selector.get("read_write_type", "All"), ())


def _newer(selector: Resource) -> Iterator[str]:
    """Yield what a selector of the newer form records of objects."""
    fields = {each.get("field"): each for each in selector.blocks("field_selector")}
    if not set(fields) <= FIELDS_OF_ALL or "resources.type" not in fields:
        return
    if OBJECTS not in list(fields["resources.type"].get("equals") or ()):
        return
    where = fields.get("resources.ARN")
    if where and (where.is_set("not_starts_with") or where.is_set("not_equals")):
        return
    only = list(fields["readOnly"].get("equals") or ()) if "readOnly" in fields else []
    yield from _of(only[:1] or READ_ONLY)


def _selecting(**values: Any) -> Patch:
    return replace("event_selector", [{"data_resource": [{"type": OBJECTS, **values}]}])


OBJECT_EVENTS = Policy(
    checks=records_who_reads_objects,
    applies_to=TRAIL,
    claims=(part_of("10.2.1.1"), part_of("10.2.1.3")),
    example={
        TRAIL: {
            "account": {
                "event_selector": [
                    {"data_resource": [{"type": OBJECTS, "values": ["arn:aws:s3:::cards/"]}]}
                ]
            }
        }
    },
    violated_by=(
        remove("event_selector"),
        _selecting(type="AWS::Lambda::Function", values=["arn:aws:lambda"]),
        _selecting(values=None),
        replace(
            "event_selector",
            [
                {
                    "read_write_type": "WriteOnly",
                    "data_resource": [{"type": OBJECTS, "values": ["arn:aws:s3"]}],
                }
            ],
        ),
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


VALIDATION = Policy(
    checks=can_prove_it_was_not_altered,
    applies_to=TRAIL,
    at_least=1,
    account_wide=True,
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


ENCRYPTION = Policy(
    checks=is_under_a_key_of_ours,
    applies_to=TRAIL,
    at_least=1,
    account_wide=True,
    claims=(part_of("10.3.2"),),
    example={TRAIL: {"account": {"kms_key_id": "${aws_kms_key.logs.arn}"}}},
    violated_by=(remove("kms_key_id"),),
)

"""Detection: GuardDuty and Config watch the account, and nothing tells them to look away."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from policies.engine.graph import Resource, ResourceGraph
from policies.engine.model import Policy, Verdict, Violation, part_of, supports
from policies.engine.mutate import attached, described, remove, replace

DETECTOR = "aws_guardduty_detector"
FEATURE = "aws_guardduty_detector_feature"
RECORDER = "aws_config_configuration_recorder"
RECORDER_STATUS = "aws_config_configuration_recorder_status"
CHANNEL = "aws_config_delivery_channel"
S3_LOGS = "datasources.s3_logs.enable"
"""The older form of a feature; where there are features, they say what holds."""


def is_on(detector: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    GuardDuty is on.

    It sees what no rule of ours describes: a key used from elsewhere, a server that calls
    home.
    """
    if detector.get("enable", True) is not True:
        yield Violation("enable is not true", detector, "enable")
    features = graph.attached_to(detector, FEATURE, by="detector_id")
    if detector.get(S3_LOGS, True) is False and not any(True for _ in features):
        yield Violation(f"{S3_LOGS} is false", detector, S3_LOGS)


INTRUSIONS = Policy(
    checks=is_on,
    applies_to=DETECTOR,
    at_least=1,
    account_wide=True,
    claims=(part_of("11.5.1"),),
    example={DETECTOR: {"account": {"enable": True}}},
    violated_by=(
        replace("enable", False),
        replace("enable", "false"),
        described(
            "the older form switches it off",
            lambda detector, graph: replace("datasources", {"s3_logs": {"enable": False}})(
                detector, graph.without(*graph.of_type(FEATURE))
            ),
        ),
    ),
)


def looks_away(resource: Resource, graph: ResourceGraph) -> bool:
    """Whether *resource* tells GuardDuty not to tell of something."""
    if resource.type == "aws_guardduty_filter":
        return bool(resource.get("action") == "ARCHIVE")
    return resource.type == "aws_guardduty_ipset" and resource.get("activate", True) is not False


SUPPRESSIONS = Policy(
    prohibits=looks_away,
    verdict_if_found=Verdict.UNKNOWN,
    title="GuardDuty is not told to look away.",
    found="what it no longer tells of is not seen here",
    why="A filter that archives, or a list of addresses to trust, hides what matches it.",
    claims=(part_of("11.5.1"),),
)


def is_enabled(feature: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    No feature of GuardDuty is switched off.

    Logins to the database and reads of buckets are what an intruder is after.
    """
    if feature.get("status") != "ENABLED":
        yield Violation(f"status is {feature.get('status')}", feature, "status")
    for addition in feature.blocks("additional_configuration"):
        if addition.get("status") != "ENABLED":
            yield Violation(f"status is {addition.get('status')}", addition, "status")


INTRUSION_FEATURES = Policy(
    checks=is_enabled,
    applies_to=FEATURE,
    claims=(supports("11.5.1"),),
    example={FEATURE: {"logins": {"status": "ENABLED"}}},
    violated_by=(
        replace("status", "DISABLED"),
        remove("status"),
        replace("additional_configuration", [{"status": "DISABLED"}]),
    ),
)


def records_everything(recorder: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Config records every kind of resource, global ones among them.

    What is not recorded can be changed and changed back.
    """
    if recorder.get("recording_group.all_supported", True) is not True:
        yield Violation("recording_group.all_supported is not true", recorder, "recording_group")
    if recorder.get("recording_group.include_global_resource_types", False) is not True:
        yield Violation(
            "recording_group.include_global_resource_types is not true",
            recorder,
            "recording_group",
        )
    if recorder.get("recording_mode.recording_frequency", "CONTINUOUS") != "CONTINUOUS":
        yield Violation("recording_frequency is not CONTINUOUS", recorder, "recording_mode")


def is_running(recorder: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    The recorder of Config is switched on, and delivers.

    One that was made and never started has recorded nothing.
    """
    statuses = list(graph.attached_to(recorder, RECORDER_STATUS, by="name"))
    if not statuses or not all(status.get("is_enabled") is True for status in statuses):
        yield Violation("is not switched on", recorder)
    if all(channel.may_be_missing for channel in graph.of_type(CHANNEL)):
        yield Violation(f"there is no {CHANNEL} for certain", recorder)


CHANGES = Policy(
    checks=records_everything,
    applies_to=RECORDER,
    at_least=1,
    account_wide=True,
    claims=(supports("11.5.2"), supports("12.5.1")),
    example={
        RECORDER: {
            "account": {
                "recording_group": {"all_supported": True, "include_global_resource_types": True}
            }
        }
    },
    violated_by=(
        replace("recording_group.all_supported", False),
        replace("recording_group.include_global_resource_types", False),
        remove("recording_group"),
        replace("recording_mode", {"recording_frequency": "DAILY"}),
    ),
)

RECORDING = Policy(
    checks=is_running,
    applies_to=RECORDER,
    claims=(supports("11.5.2"), supports("12.5.1")),
    example={
        RECORDER: {"account": {}},
        RECORDER_STATUS: {
            "account": {
                "name": "${aws_config_configuration_recorder.account.name}",
                "is_enabled": True,
            }
        },
        CHANNEL: {"account": {}},
    },
    violated_by=(
        attached(RECORDER_STATUS, by="name"),
        attached(RECORDER_STATUS, replace("is_enabled", False), by="name"),
    ),
)

SCANNED = frozenset({"EC2", "LAMBDA"})


def scans_what_runs(enabler: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Inspector looks for known holes in servers and in functions.

    A hole that is published is used within days.
    """
    missing = SCANNED - frozenset(enabler.get("resource_types") or ())
    if missing:
        yield Violation(
            f"resource_types leaves out {', '.join(sorted(missing))}", enabler, "resource_types"
        )


VULNERABILITIES = Policy(
    checks=scans_what_runs,
    applies_to="aws_inspector2_enabler",
    claims=(part_of("11.3.1"), supports("6.3.1")),
    example={"aws_inspector2_enabler": {"account": {"resource_types": ["EC2", "LAMBDA"]}}},
    violated_by=(replace("resource_types", ["ECR"]), replace("resource_types", ["EC2"])),
)

ORGANIZATION = "aws_guardduty_organization_configuration"


def watches_every_member(setting: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    GuardDuty watches every account of the organisation.

    A new account is where nobody looks yet.
    """
    members = setting.get("auto_enable_organization_members")
    if members not in {"ALL", "NEW"} and setting.get("auto_enable", False) is not True:
        yield Violation(f"auto_enable_organization_members is {members or 'not stated'}", setting)


MEMBERS = Policy(
    checks=watches_every_member,
    applies_to=ORGANIZATION,
    claims=(supports("11.5.1"),),
    example={ORGANIZATION: {"account": {"auto_enable_organization_members": "ALL"}}},
    violated_by=(
        remove("auto_enable_organization_members"),
        replace("auto_enable_organization_members", "NONE"),
    ),
)
AGGREGATOR = "aws_config_configuration_aggregator"
SOURCES = ("account_aggregation_source", "organization_aggregation_source")


def gathers_every_region(aggregator: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Config gathers what changed in every region.

    An intruder works where nobody looks.
    """
    for source in chain.from_iterable(map(aggregator.blocks, SOURCES)):
        if source.get("all_regions", False) is not True:
            yield Violation("all_regions is not true", source, "all_regions")


REGIONS = Policy(
    checks=gathers_every_region,
    applies_to=AGGREGATOR,
    claims=(supports("11.5.2"),),
    example={AGGREGATOR: {"account": {"account_aggregation_source": {"all_regions": True}}}},
    violated_by=(
        replace("account_aggregation_source.all_regions", False),
        replace("organization_aggregation_source", {"regions": ["eu-central-1"]}),
    ),
)

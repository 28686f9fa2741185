"""Alarms on what must not happen unheard: to the account, to a password, to the servers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from policies.aws import log_groups
from policies.aws.log_groups import LOG_GROUP
from policies.engine.graph import Resource, ResourceGraph
from policies.engine.model import Policy, Violation, part_of, supports
from policies.engine.mutate import attached, described, remove, replace, without

ALARM = "aws_cloudwatch_metric_alarm"
FILTER = "aws_cloudwatch_log_metric_filter"
ROTATION = "aws_secretsmanager_secret_rotation"
TARGETS = "aws_lb_target_group"
TRAIL = "aws_cloudtrail"

EVENTS = {
    "calls of the root user": ("userIdentity.type", "Root"),
    "logins that are refused": ("ConsoleLogin", "Failed authentication"),
    "calls that are refused": ("UnauthorizedOperation", "AccessDenied"),
    "changes of the trail": ("StopLogging", "DeleteTrail", "UpdateTrail"),
    "changes of permissions": ("PutRolePolicy", "AttachRolePolicy", "CreatePolicyVersion"),
    "changes of security groups": ("AuthorizeSecurityGroupIngress",),
    "changes of routes": ("CreateRoute", "ReplaceRoute"),
    "changes of gateways": ("AttachInternetGateway",),
    "changes of network ACLs": ("CreateNetworkAclEntry", "ReplaceNetworkAclEntry"),
    "changes of who may read a bucket": ("PutBucketPolicy", "PutBucketAcl"),
    "keys that are disabled or deleted": ("DisableKey", "ScheduleKeyDeletion"),
    "changes of the recorder": ("StopConfigurationRecorder",),
}
"""What must not happen unheard, and what a pattern that counts it in a trail names."""


def is_listened_to(trail: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    What must not happen unheard in an account raises an alarm.

    Nobody reads a trail every day; a pattern in its log group does.
    """
    if not trail.is_set("cloud_watch_logs_group_arn"):
        yield Violation(
            "cloud_watch_logs_group_arn is not set", trail, "cloud_watch_logs_group_arn"
        )
        return
    heard = " ".join(_patterns(trail, graph))
    for what, names in EVENTS.items():
        if not all(name in heard for name in names):
            yield Violation(f"no alarm tells of {what}", trail)


_REFUSED = re.compile(r"!=\s*\"?[\w*]+\"?")
"""What a pattern says it is not about."""


def _patterns(trail: Resource, graph: ResourceGraph) -> Iterator[str]:
    """Yield the patterns that raise an alarm where they are found in the log of *trail*."""
    for group in graph.follow(trail, "cloud_watch_logs_group_arn"):
        for counter in graph.attached_to(group, FILTER, by="log_group_name"):
            if _raises_an_alarm(counter, graph):
                yield _REFUSED.sub("", str(counter.get("pattern")))


def _raises_an_alarm(counter: Resource, graph: ResourceGraph) -> bool:
    return any(map(_acts, _alarms_on(counter, graph)))


def _acts(alarm: Resource) -> bool:
    """Whether *alarm* tells somebody when it goes off."""
    return alarm.get("actions_enabled", True) is True and any(
        True for _ in alarm.reference("alarm_actions")
    )


def _alarms_on(counter: Resource, graph: ResourceGraph) -> Iterator[Resource]:
    """Yield the alarms that go off where *counter*, a metric filter, counts something."""
    index = graph.index("alarms by metric", lambda: _by_metric(graph))
    for metric in counter.blocks("metric_transformation"):
        named = [*metric.reference("name"), *counter.identities]
        yield from (alarm for name in named for alarm in index.get(name, ()))


def _by_metric(graph: ResourceGraph) -> dict[str, list[Resource]]:
    index: dict[str, list[Resource]] = {}
    for alarm in graph.of_type(ALARM):
        for name in alarm.reference("metric_name"):
            index.setdefault(name.split(".metric_transformation")[0], []).append(alarm)
    return index


def _deaf(trail: Resource, graph: ResourceGraph) -> ResourceGraph:
    """Take away the alarms on what *trail* tells of keys."""
    for group in list(graph.follow(trail, "cloud_watch_logs_group_arn")):
        for counter in list(graph.attached_to(group, FILTER, by="log_group_name")):
            if "ScheduleKeyDeletion" in str(counter.get("pattern")):
                graph = graph.without(*_alarms_on(counter, graph))
    return graph


def _counted(name: str, pattern: str, group: str) -> dict[str, Any]:
    return {
        FILTER: {
            name: {
                "log_group_name": f"${{{LOG_GROUP}.{group}.name}}",
                "pattern": pattern,
                "metric_transformation": {"name": name},
            }
        },
        ALARM: {name: {"metric_name": f"${{{FILTER}.{name}.name}}", "alarm_actions": ["topic"]}},
    }


TRAIL_EVENTS = Policy(
    checks=is_listened_to,
    applies_to=TRAIL,
    claims=(part_of("10.4.1.1"), part_of("10.7.2"), supports("3.7.5")),
    example={
        TRAIL: {"account": {"cloud_watch_logs_group_arn": "${aws_cloudwatch_log_group.t.arn}:*"}},
        LOG_GROUP: {"t": {}},
        **_counted("events", " ".join(name for names in EVENTS.values() for name in names), "t"),
    },
    violated_by=(
        remove("cloud_watch_logs_group_arn"),
        described("no alarm on what is counted about keys", _deaf),
    ),
)


def is_heard_when_it_fails(rotation: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    A rotation that fails raises an alarm.

    A password that is no longer changed still works, and nobody notices.
    """
    for function in graph.follow(rotation, "rotation_lambda_arn"):
        own = graph.attached_to(function, ALARM, by="dimensions.FunctionName")
        alarms = (each for each in own if each.get("metric_name") == "Errors" and _acts(each))
        groups = log_groups.of_function(function, graph)
        if not any(True for _ in alarms) and not any(_is_counted(group, graph) for group in groups):
            yield Violation(f"no alarm tells of errors of {function.address}", rotation)


def _is_counted(group: Resource, graph: ResourceGraph) -> bool:
    """Whether an error that stands in *group* raises an alarm."""
    return any(
        True
        for counter in graph.attached_to(group, FILTER, by="log_group_name")
        if "error" in str(counter.get("pattern")).lower() and _raises_an_alarm(counter, graph)
    )


FAILED_ROTATIONS = Policy(
    checks=is_heard_when_it_fails,
    applies_to=ROTATION,
    claims=(part_of("10.7.2"), supports("8.6.3")),
    example={
        ROTATION: {"database": {"rotation_lambda_arn": "${aws_lambda_function.rotation.arn}"}},
        "aws_lambda_function": {"rotation": {}},
        LOG_GROUP: {
            "rotation": {"name": "/aws/lambda/${aws_lambda_function.rotation.function_name}"}
        },
        **_counted("failures", "?ERROR", "rotation"),
    },
    violated_by=(without(ALARM), without(FILTER)),
)


def are_watched(targets: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Servers behind a load balancer that fail their health check raise an alarm.

    One that is attacked, or was taken away, falls silent first.
    """
    watching = graph.attached_to(targets, ALARM, by="dimensions.TargetGroup")
    if not any(
        alarm.get("metric_name") in {"UnHealthyHostCount", "HealthyHostCount"} and _acts(alarm)
        for alarm in watching
    ):
        yield Violation("no alarm watches UnHealthyHostCount", targets)


TARGET_HEALTH = Policy(
    checks=are_watched,
    applies_to=TARGETS,
    claims=(supports("10.7.2"),),
    example={
        TARGETS: {"app": {}},
        ALARM: {
            "health": {
                "metric_name": "UnHealthyHostCount",
                "dimensions": {"TargetGroup": "${aws_lb_target_group.app.arn_suffix}"},
                "alarm_actions": ["${aws_sns_topic.alerts.arn}"],
            }
        },
    },
    violated_by=(
        attached(ALARM, by="dimensions.TargetGroup"),
        attached(ALARM, replace("metric_name", "RequestCount"), by="dimensions.TargetGroup"),
    ),
)

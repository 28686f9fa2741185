"""Alarms that act, and alerts that reach somebody."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from policies.aws import encryption, iam
from policies.engine.graph import Resource, ResourceGraph
from policies.engine.model import Policy, Violation, part_of, supports
from policies.engine.mutate import attached, described, referenced, remove, replace
from policies.engine.values import UnknownValue

ALARM = "aws_cloudwatch_metric_alarm"
TOPIC = "aws_sns_topic"
TOPIC_POLICY = "aws_sns_topic_policy"
SUBSCRIPTION = "aws_sns_topic_subscription"
KEY_POLICY = "aws_kms_key_policy"
STREAM = "aws_kinesis_firehose_delivery_stream"
ALARMS = "cloudwatch.amazonaws.com"
FRESHNESS = "DeliveryToS3.DataFreshness"
MOST_SECONDS = 24 * 3600
PUBLISH = "sns:publish"
ENCRYPT = ("kms:decrypt", "kms:generatedatakey")


def tells_somebody(alarm: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Alarms act when they go off.

    An alarm without an action turns red on a page that nobody has open.
    """
    if alarm.get("actions_enabled", True) is not True:
        yield Violation("actions_enabled is not true", alarm, "actions_enabled")
    if not any(True for _ in alarm.reference("alarm_actions")):
        yield Violation("alarm_actions names no action", alarm, "alarm_actions")


ALARM_ACTIONS = Policy(
    checks=tells_somebody,
    applies_to=ALARM,
    at_least=1,
    claims=(supports("10.4.1.1"), supports("10.7.2")),
    example={
        ALARM: {"errors": {"actions_enabled": True, "alarm_actions": ["${aws_sns_topic.a.arn}"]}}
    },
    violated_by=(
        replace("actions_enabled", False),
        remove("alarm_actions"),
        replace("alarm_actions", []),
    ),
)


def is_encrypted(topic: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Topics are encrypted with a key of ours.

    With the key of AWS, CloudWatch may not publish, and alarms go unheard.
    """
    yield from encryption.not_ours(topic, "kms_master_key_id", graph)


TOPIC_ENCRYPTION = Policy(
    checks=is_encrypted,
    applies_to=TOPIC,
    claims=(supports("3.5.1"), supports("10.7.2")),
    example={TOPIC: {"alerts": {"kms_master_key_id": "${aws_kms_key.alerts.key_id}"}}},
    violated_by=(remove("kms_master_key_id"), replace("kms_master_key_id", "alias/aws/sns")),
)


def names_who_publishes(policy: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Topic policies name who may publish and read.

    A false alert from outside hides a true one.
    """
    for text in iam.open_to_strangers(policy, "policy"):
        yield Violation(f"policy: {text}", policy, "policy")


TOPIC_POLICIES = Policy(
    checks=names_who_publishes,
    applies_to=(TOPIC_POLICY, TOPIC),
    claims=(part_of("7.2.1"),),
    example={
        TOPIC_POLICY: {
            "alerts": {
                "policy": {
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Principal": {"Service": "cloudwatch.amazonaws.com"},
                            "Action": "sns:Publish",
                            "Condition": {"StringEquals": {"aws:SourceAccount": "111122223333"}},
                        }
                    ]
                }
            }
        }
    },
    violated_by=tuple(
        replace(
            "policy",
            {"Statement": [{"Effect": "Allow", "Action": "sns:Publish", **who}]},
        )
        for who in (
            {"Principal": "*"},
            {"Principal": {"AWS": "*"}},
            {"Principal": {"Service": "cloudwatch.amazonaws.com"}},
            {"NotPrincipal": {"AWS": "arn:aws:iam::111122223333:root"}},
            {
                "Principal": "*",
                "Condition": {"StringNotEquals": {"aws:SourceAccount": "111122223333"}},
            },
            {"Principal": "*", "Condition": {"ArnLike": {"aws:SourceArn": "*"}}},
        )
    ),
)


def reaches_somebody(topic: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Topics have a subscriber, and none over plain HTTP.

    Alerts tell an eavesdropper where it hurts.
    """
    subscribed = False
    for subscription in graph.attached_to(topic, SUBSCRIPTION, by="topic_arn"):
        subscribed = True
        if subscription.get("protocol") == "http":
            yield Violation("protocol is http", subscription, "protocol")
        if subscription.is_set("filter_policy"):
            raise UnknownValue(f"{subscription.address} takes some alerts only")
    if not subscribed:
        yield Violation("has no subscription", topic)


SUBSCRIBERS = Policy(
    checks=reaches_somebody,
    applies_to=TOPIC,
    claims=(supports("12.10.5"), part_of("10.7.2"), supports("4.2.1")),
    example={
        TOPIC: {"alerts": {}},
        SUBSCRIPTION: {
            "on_call": {"topic_arn": "${aws_sns_topic.alerts.arn}", "protocol": "email"}
        },
    },
    violated_by=(
        attached(SUBSCRIPTION, by="topic_arn"),
        attached(SUBSCRIPTION, replace("protocol", "http"), by="topic_arn"),
    ),
)


def get_through(topic: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    What an alarm says gets through its topic.

    CloudWatch has to be let in twice: by the topic's policy, and by that of the key that
    encrypts the topic. Without either, alerts vanish and nobody is told.
    """
    if not any(True for _ in graph.attached_to(topic, ALARM, by="alarm_actions")):
        return
    separate = list(graph.attached_to(topic, TOPIC_POLICY, by="arn"))
    inline = [topic] if topic.is_set("policy") and not separate else []
    for policy in separate or inline:
        if not _lets_alarms(policy, PUBLISH):
            yield Violation(f"policy does not let {ALARMS} publish", policy, "policy")
    if topic.is_set("kms_master_key_id"):
        for key in _keys(topic, graph):
            separate = list(graph.attached_to(key, KEY_POLICY, by="key_id"))
            if not any(_lets_alarms(holder, *ENCRYPT) for holder in separate or [key]):
                yield Violation(f"policy does not let {ALARMS} encrypt", key, "policy")


def _keys(topic: Resource, graph: ResourceGraph) -> Iterator[Resource]:
    for key in graph.follow(topic, "kms_master_key_id"):
        if key.type == "aws_kms_alias":
            yield from graph.follow(key, "target_key_id")
        else:
            yield key


def _lets_alarms(holder: Resource, *wanted: str) -> bool:
    """
    Whether the policy of *holder* lets CloudWatch do all that is *wanted*.

    Raises:
        UnknownValue: It also refuses some of it, on a condition that is not weighed here.
    """
    for statement in iam.statements(holder, "policy"):
        refused = not statement.allows and not statement.holds_only_without_tls()
        if refused and any(
            iam.matches(action, one) for action in statement.actions() for one in wanted
        ):
            raise UnknownValue(f"policy: {statement.name} refuses some of it")
    allowed = [
        action
        for statement in iam.statements(holder, "policy")
        if statement.allows and {("Service", ALARMS), ("AWS", "*")} & set(statement.principals())
        for action in statement.actions()
    ]
    return all(any(iam.matches(action, one) for action in allowed) for one in wanted)


def _letting(service: str, *actions: str) -> dict[str, Any]:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": list(actions),
        "Resource": "*",
        "Condition": {"StringEquals": {"aws:SourceAccount": "111122223333"}},
    }
    return {"Statement": [statement]}


ALERT_PATH = Policy(
    checks=get_through,
    applies_to=TOPIC,
    claims=(part_of("10.7.2"), supports("12.10.5")),
    example={
        TOPIC: {"alerts": {"kms_master_key_id": "${aws_kms_key.alerts.key_id}"}},
        TOPIC_POLICY: {
            "alerts": {"arn": "${aws_sns_topic.alerts.arn}", "policy": _letting(ALARMS, PUBLISH)}
        },
        "aws_kms_key": {"alerts": {"policy": _letting(ALARMS, *ENCRYPT)}},
        ALARM: {"errors": {"alarm_actions": ["${aws_sns_topic.alerts.arn}"]}},
    },
    violated_by=(
        *(
            attached(TOPIC_POLICY, replace("policy", _letting(*wrong)), by="arn")
            for wrong in (("events.amazonaws.com", PUBLISH), (ALARMS, "sns:Subscribe"))
        ),
        *(
            referenced("kms_master_key_id", replace("policy", _letting(*wrong)))
            for wrong in ((ALARMS, "kms:Decrypt"), ("s3.amazonaws.com", *ENCRYPT))
        ),
    ),
)


def is_watched(stream: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    The delivery of logs is watched: late or missing, it raises an alarm.

    An archive that quietly stops is found when it is needed.
    """
    if not any(True for _ in _watching(stream, graph)):
        yield Violation(f"no alarm watches {FRESHNESS}", stream)


def _watching(stream: Resource, graph: ResourceGraph) -> Iterator[Resource]:
    """Yield the alarms that go off where *stream* delivers late, or says nothing."""
    for alarm in graph.attached_to(stream, ALARM, by="dimensions.DeliveryStreamName"):
        if (
            alarm.get("metric_name") == FRESHNESS
            and alarm.get("namespace") == "AWS/Firehose"
            and (alarm.number("threshold") or MOST_SECONDS) < MOST_SECONDS
            and alarm.get("treat_missing_data") == "breaching"
        ):
            yield alarm


def _unwatched(stream: Resource, graph: ResourceGraph) -> ResourceGraph:
    return graph.without(*_watching(stream, graph))


def _watched_when_it_talks(stream: Resource, graph: ResourceGraph) -> ResourceGraph:
    for alarm in list(_watching(stream, graph)):
        graph = replace("treat_missing_data", "notBreaching")(alarm, graph)
    return graph


LOG_DELIVERY = Policy(
    checks=is_watched,
    applies_to=STREAM,
    claims=(part_of("10.7.2"),),
    example={
        STREAM: {"archive": {}},
        ALARM: {
            "late": {
                "namespace": "AWS/Firehose",
                "metric_name": FRESHNESS,
                "threshold": 1800,
                "dimensions": {
                    "DeliveryStreamName": "${aws_kinesis_firehose_delivery_stream.archive.name}"
                },
                "treat_missing_data": "breaching",
            }
        },
    },
    violated_by=(
        described("no alarm", _unwatched),
        described("silence is taken for good", _watched_when_it_talks),
    ),
)

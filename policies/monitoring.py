"""Alarms that act, and alerts that reach somebody."""

from __future__ import annotations

from collections.abc import Iterator

from policies.aws import encryption, iam
from policies.engine.graph import Resource, ResourceGraph
from policies.engine.model import Policy, Violation, part_of, supports
from policies.engine.mutate import attached, remove, replace

ALARM = "aws_cloudwatch_metric_alarm"
TOPIC = "aws_sns_topic"
TOPIC_POLICY = "aws_sns_topic_policy"
SUBSCRIPTION = "aws_sns_topic_subscription"


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
    for statement in iam.statements(policy, "policy"):
        if not statement.allows or statement.is_bound_to_an_account():
            continue
        if statement.has("NotPrincipal"):
            yield Violation(f"policy: {statement.name} allows everybody but some", policy, "policy")
        for kind, principal in statement.principals():
            if principal == "*":
                yield Violation(f"policy: {statement.name} allows everybody", policy, "policy")
            elif kind == "Service":
                yield Violation(
                    f"policy: {statement.name} allows {principal} for any account",
                    policy,
                    "policy",
                )


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
    if not subscribed:
        yield Violation("has no subscription", topic)


SUBSCRIBERS = Policy(
    checks=reaches_somebody,
    applies_to=TOPIC,
    claims=(supports("12.10.5"), part_of("10.7.2"), part_of("4.2.1")),
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

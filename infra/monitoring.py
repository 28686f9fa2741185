"""Alerts that reach a person, and the alarms that raise them."""

from __future__ import annotations

from cdktf_cdktf_provider_aws.cloudwatch_log_metric_filter import (
    CloudwatchLogMetricFilter,
    CloudwatchLogMetricFilterMetricTransformation,
)
from cdktf_cdktf_provider_aws.cloudwatch_metric_alarm import CloudwatchMetricAlarm
from cdktf_cdktf_provider_aws.sns_topic import SnsTopic
from cdktf_cdktf_provider_aws.sns_topic_policy import SnsTopicPolicy
from cdktf_cdktf_provider_aws.sns_topic_subscription import SnsTopicSubscription
from constructs import Construct

from infra import permissions
from infra.audit_logs import LogGroup
from infra.environment import Environment, Scope
from infra.keys import Key

MINUTE = 60


class Alerts(Construct):
    """An encrypted topic that CloudWatch may publish to and a person reads."""

    def __init__(self, scope: Construct, id: str, *, environment: Environment, key: Key) -> None:
        super().__init__(scope, id)
        name = environment.name("alerts", of="aws_sns_topic")
        self.topic = SnsTopic(
            self,
            "topic",
            name=name,
            kms_master_key_id=key.key.key_id,
            tags=environment.tags(name, Scope.CONNECTED),
        )
        arn = environment.arn("sns", name)
        SnsTopicPolicy(
            self,
            "policy",
            arn=self.topic.arn,
            policy=permissions.document(
                permissions.allow(
                    "PublishByAlarms",
                    ["sns:Publish"],
                    arn,
                    Principal=permissions.service("cloudwatch"),
                    Condition={"StringEquals": {"aws:SourceAccount": environment.account_id}},
                ),
                permissions.deny(
                    "RefusePlaintext",
                    ["sns:Publish"],
                    arn,
                    Principal={"AWS": "*"},
                    Condition={"Bool": {"aws:SecureTransport": "false"}},
                ),
            ),
        )
        SnsTopicSubscription(
            self,
            "on_call",
            topic_arn=self.topic.arn,
            protocol="email",
            endpoint=environment.alert_email,
        )


class ErrorFilter(Construct):
    """Counts the lines of a log group that match a pattern."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        environment: Environment,
        resource: str,
        log: LogGroup,
        pattern: str,
    ) -> None:
        super().__init__(scope, id)
        self.namespace = f"Financial/{environment.suffix}"
        self.metric = environment.name(resource)
        CloudwatchLogMetricFilter(
            self,
            "filter",
            name=environment.name(resource, of="aws_cloudwatch_log_metric_filter"),
            log_group_name=log.group.name,
            pattern=pattern,
            metric_transformation=CloudwatchLogMetricFilterMetricTransformation(
                namespace=self.namespace, name=self.metric, value="1", default_value="0"
            ),
        )


class Alarm(Construct):
    """Tells the on-call person when a metric reaches a threshold, and when it recovers."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        environment: Environment,
        alerts: Alerts,
        resource: str,
        description: str,
        namespace: str,
        metric: str,
        statistic: str,
        threshold: float,
        minutes: int,
        missing: str,
        dimensions: dict[str, str],
    ) -> None:
        super().__init__(scope, id)
        name = environment.name(resource, of="aws_cloudwatch_metric_alarm")
        CloudwatchMetricAlarm(
            self,
            "alarm",
            alarm_name=name,
            alarm_description=description,
            namespace=namespace,
            metric_name=metric,
            statistic=statistic,
            dimensions=dimensions,
            comparison_operator="GreaterThanOrEqualToThreshold",
            threshold=threshold,
            period=5 * MINUTE,
            evaluation_periods=minutes // 5,
            treat_missing_data=missing,
            actions_enabled=True,
            alarm_actions=[alerts.topic.arn],
            ok_actions=[alerts.topic.arn],
            tags=environment.tags(name, Scope.CONNECTED),
        )

"""Alerts that reach a person, and the alarms that raise them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

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
from infra.environment import Environment, Scope
from infra.keys import Key
from infra.log_groups import LogGroup

PERIOD_MINUTES = 5
ALARMS = {"Alarms": "cloudwatch"}
DATABASES = {"Databases": "events.rds"}
"""Who publishes alerts, and the service that does so."""


class Alerts(Construct):
    """An encrypted topic that AWS services may publish to and a person reads."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        environment: Environment,
        resource: str,
        key: Key,
        publishers: dict[str, str],
    ) -> None:
        super().__init__(scope, id)
        name = environment.name(resource, of="aws_sns_topic")
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
                *(
                    permissions.allow(
                        f"PublishBy{what}",
                        ["sns:Publish"],
                        arn,
                        Principal=permissions.service(service),
                        Condition={"StringEquals": {"aws:SourceAccount": environment.account_id}},
                    )
                    for what, service in publishers.items()
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


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A series of numbers in CloudWatch."""

    namespace: str
    name: str
    statistic: str
    dimensions: Mapping[str, str]


class LineCount(Construct):
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
        self.metric = Metric(
            namespace=f"Financial/{environment.suffix}",
            name=environment.name(resource),
            statistic="Sum",
            dimensions={},
        )
        CloudwatchLogMetricFilter(
            self,
            "filter",
            name=environment.name(resource, of="aws_cloudwatch_log_metric_filter"),
            log_group_name=log.group.name,
            pattern=pattern,
            metric_transformation=CloudwatchLogMetricFilterMetricTransformation(
                namespace=self.metric.namespace,
                name=self.metric.name,
                value="1",
                default_value="0",
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
        metric: Metric,
        threshold: float,
        minutes: int,
        missing_data: str,
    ) -> None:
        super().__init__(scope, id)
        name = environment.name(resource, of="aws_cloudwatch_metric_alarm")
        CloudwatchMetricAlarm(
            self,
            "alarm",
            alarm_name=name,
            alarm_description=description,
            namespace=metric.namespace,
            metric_name=metric.name,
            statistic=metric.statistic,
            dimensions=metric.dimensions,
            comparison_operator="GreaterThanOrEqualToThreshold",
            threshold=threshold,
            period=PERIOD_MINUTES * 60,
            evaluation_periods=minutes // PERIOD_MINUTES,
            treat_missing_data=missing_data,
            actions_enabled=True,
            alarm_actions=[alerts.topic.arn],
            ok_actions=[alerts.topic.arn],
            tags=environment.tags(name, Scope.CONNECTED),
        )

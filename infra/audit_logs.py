"""Audit logs, 90 days at hand and twelve months in the archive; the flow logs of the VPC."""

from __future__ import annotations

from cdktf_cdktf_provider_aws.cloudwatch_log_subscription_filter import (
    CloudwatchLogSubscriptionFilter,
)
from cdktf_cdktf_provider_aws.flow_log import FlowLog
from constructs import Construct

from infra import permissions
from infra.archive import Archive
from infra.environment import Environment, Scope
from infra.keys import Key
from infra.log_groups import HOT_DAYS, LogGroup
from infra.network import Network
from infra.permissions import Role

EVERYTHING = ""
"""The pattern that every line matches."""


class AuditLog(LogGroup):
    """A log group of which every line goes on to the archive."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        environment: Environment,
        name: str,
        key: Key,
        archive: Archive,
    ) -> None:
        super().__init__(scope, id, environment=environment, name=name, key=key, days=HOT_DAYS)
        CloudwatchLogSubscriptionFilter(
            self,
            "to_archive",
            name=environment.name("to-archive", of="aws_cloudwatch_log_subscription_filter"),
            log_group_name=self.group.name,
            filter_pattern=EVERYTHING,
            destination_arn=archive.stream.arn,
            role_arn=archive.feeder.arn,
            depends_on=[archive.feeder.permissions],
        )


class FlowLogs(Construct):
    """Every accepted and refused connection in the VPC is recorded."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        environment: Environment,
        network: Network,
        key: Key,
        archive: Archive,
    ) -> None:
        super().__init__(scope, id)
        log = AuditLog(
            self,
            "log",
            environment=environment,
            name=environment.name("flow-logs", of="aws_cloudwatch_log_group"),
            key=key,
            archive=archive,
        )
        role = Role(
            self,
            "role",
            environment=environment,
            resource="flow-logs",
            taken_by="vpc-flow-logs",
            only_for={
                "StringEquals": {"aws:SourceAccount": environment.account_id},
                "ArnLike": {"aws:SourceArn": environment.arn("ec2", "vpc-flow-log/*")},
            },
            may=[
                permissions.allow(
                    "DeliverFlowLogs",
                    ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
                    f"{log.arn}:*",
                )
            ],
            pci_scope=Scope.CONNECTED,
        )
        name = environment.name("flow-log")
        FlowLog(
            self,
            "vpc",
            vpc_id=network.vpc.id,
            traffic_type="ALL",
            max_aggregation_interval=60,
            log_destination_type="cloud-watch-logs",
            log_destination=log.group.arn,
            iam_role_arn=role.arn,
            tags=environment.tags(name, Scope.CONNECTED),
        )

"""Log groups that keep 90 days, encrypted, and the flow logs of the VPC."""

from __future__ import annotations

from cdktf_cdktf_provider_aws.cloudwatch_log_group import CloudwatchLogGroup
from cdktf_cdktf_provider_aws.flow_log import FlowLog
from constructs import Construct

from infra import permissions
from infra.environment import Environment, Scope
from infra.keys import Key
from infra.network import Network
from infra.permissions import Role

RETENTION_DAYS = 90


class LogGroup(Construct):
    """A log group with the platform's retention, under the platform's key."""

    def __init__(
        self, scope: Construct, id: str, *, environment: Environment, name: str, key: Key
    ) -> None:
        super().__init__(scope, id)
        self.name = name
        self.arn = environment.arn("logs", f"log-group:{name}")
        self.group = CloudwatchLogGroup(
            self,
            "group",
            name=name,
            retention_in_days=RETENTION_DAYS,
            kms_key_id=key.arn,
            tags=environment.tags(name, Scope.CONNECTED),
        )


class FlowLogs(Construct):
    """Every accepted and refused connection in the VPC is recorded."""

    def __init__(
        self, scope: Construct, id: str, *, environment: Environment, network: Network, key: Key
    ) -> None:
        super().__init__(scope, id)
        log = LogGroup(
            self,
            "log",
            environment=environment,
            name=environment.name("flow-logs", of="aws_cloudwatch_log_group"),
            key=key,
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

"""What watches the account: GuardDuty for intruders, Config for changes."""

from __future__ import annotations

import json

from cdktf_cdktf_provider_aws.cloudwatch_event_rule import CloudwatchEventRule
from cdktf_cdktf_provider_aws.cloudwatch_event_target import CloudwatchEventTarget
from cdktf_cdktf_provider_aws.cloudwatch_log_resource_policy import CloudwatchLogResourcePolicy
from cdktf_cdktf_provider_aws.config_configuration_recorder import (
    ConfigConfigurationRecorder,
    ConfigConfigurationRecorderRecordingGroup,
)
from cdktf_cdktf_provider_aws.config_configuration_recorder_status import (
    ConfigConfigurationRecorderStatus,
)
from cdktf_cdktf_provider_aws.config_delivery_channel import ConfigDeliveryChannel
from cdktf_cdktf_provider_aws.guardduty_detector import GuarddutyDetector
from cdktf_cdktf_provider_aws.guardduty_detector_feature import GuarddutyDetectorFeature
from cdktf_cdktf_provider_aws.iam_role_policy_attachment import IamRolePolicyAttachment
from constructs import Construct

from infra import permissions
from infra.buckets import AccessLogBucket, bucket_name
from infra.environment import Environment, Scope
from infra.keys import Key
from infra.log_groups import WHOLE_DAYS, LogGroup
from infra.permissions import Role, Statement

FEATURES = (
    "EBS_MALWARE_PROTECTION",
    "LAMBDA_NETWORK_LOGS",
    "RDS_LOGIN_EVENTS",
    "S3_DATA_EVENTS",
)
"""What GuardDuty looks at beside flow logs, DNS and the trail."""

HISTORY_PREFIX = "config"
READ_ALL_CONFIGURATION = "arn:aws:iam::aws:policy/service-role/AWS_ConfigRole"


class IntrusionDetection(Construct):
    """GuardDuty, whose findings go to a log group, where an alarm counts them."""

    def __init__(self, scope: Construct, id: str, *, environment: Environment, key: Key) -> None:
        super().__init__(scope, id)
        name = environment.name("guardduty")
        detector = GuarddutyDetector(
            self,
            "detector",
            enable=True,
            finding_publishing_frequency="FIFTEEN_MINUTES",
            tags=environment.tags(name, Scope.CONNECTED),
        )
        for feature in FEATURES:
            GuarddutyDetectorFeature(
                self,
                feature.lower(),
                detector_id=detector.id,
                name=feature,
                status="ENABLED",
            )
        self.log = LogGroup(
            self,
            "log",
            environment=environment,
            name=environment.name(
                "guardduty", of="aws_cloudwatch_log_group", prefix="/aws/events/"
            ),
            key=key,
            days=WHOLE_DAYS,
        )
        self._log_findings(environment)

    def _log_findings(self, environment: Environment) -> None:
        """EventBridge writes each finding to the log group."""
        name = environment.name("guardduty", of="aws_cloudwatch_event_rule")
        rule = CloudwatchEventRule(
            self,
            "findings",
            name=name,
            description="What GuardDuty finds",
            event_pattern=json.dumps(
                {
                    "source": ["aws.guardduty"],
                    "detail-type": ["GuardDuty Finding"],
                }
            ),
            tags=environment.tags(name, Scope.CONNECTED),
        )
        delivery = CloudwatchLogResourcePolicy(
            self,
            "delivery",
            policy_name=environment.name(
                "guardduty-findings", of="aws_cloudwatch_log_resource_policy"
            ),
            policy_document=permissions.document(
                permissions.allow(
                    "DeliverFindings",
                    ["logs:CreateLogStream", "logs:PutLogEvents"],
                    f"{self.log.arn}:*",
                    Principal={"Service": ["delivery.logs.amazonaws.com", "events.amazonaws.com"]},
                    Condition={
                        "StringEquals": {"aws:SourceAccount": environment.account_id},
                    },
                )
            ),
        )
        CloudwatchEventTarget(
            self,
            "to_log",
            rule=rule.name,
            target_id="log",
            arn=self.log.group.arn,
            depends_on=[delivery],
        )


class ChangeRecorder(Construct):
    """AWS Config records every resource of the account, and each change of it."""

    def __init__(
        self, scope: Construct, id: str, *, environment: Environment, bucket: AccessLogBucket
    ) -> None:
        super().__init__(scope, id)
        role = Role(
            self,
            "role",
            environment=environment,
            resource="config",
            taken_by="config",
            only_for={"StringEquals": {"aws:SourceAccount": environment.account_id}},
            may=[
                permissions.allow(
                    "WriteTheHistory",
                    ["s3:PutObject"],
                    f"{bucket.arn}/{HISTORY_PREFIX}/AWSLogs/{environment.account_id}/*",
                ),
                permissions.allow("FindTheBucket", ["s3:GetBucketAcl"], bucket.arn),
            ],
            pci_scope=Scope.CONNECTED,
        )
        reads = IamRolePolicyAttachment(
            self, "reads", role=role.role.name, policy_arn=READ_ALL_CONFIGURATION
        )
        recorder = ConfigConfigurationRecorder(
            self,
            "recorder",
            name=environment.name("recorder", of="aws_config_configuration_recorder"),
            role_arn=role.arn,
            recording_group=ConfigConfigurationRecorderRecordingGroup(
                all_supported=True, include_global_resource_types=True
            ),
            depends_on=[reads, role.permissions],
        )
        channel = ConfigDeliveryChannel(
            self,
            "channel",
            name=environment.name("channel", of="aws_config_delivery_channel"),
            s3_bucket_name=bucket.bucket.id,
            s3_key_prefix=HISTORY_PREFIX,
            depends_on=[recorder, bucket.policy],
        )
        ConfigConfigurationRecorderStatus(
            self, "status", name=recorder.name, is_enabled=True, depends_on=[channel]
        )


def by_config(environment: Environment, resource: str) -> list[Statement]:
    """The bucket of *resource* takes the history that Config writes for this account."""
    bucket = f"arn:aws:s3:::{bucket_name(environment, resource)}"
    only = {"aws:SourceAccount": environment.account_id}
    return [
        permissions.allow(
            "FindTheBucket",
            ["s3:GetBucketAcl", "s3:ListBucket"],
            bucket,
            Principal=permissions.service("config"),
            Condition={"StringEquals": only},
        ),
        permissions.allow(
            "WriteTheHistory",
            ["s3:PutObject"],
            f"{bucket}/{HISTORY_PREFIX}/AWSLogs/{environment.account_id}/*",
            Principal=permissions.service("config"),
            Condition={"StringEquals": {**only, "s3:x-amz-acl": "bucket-owner-full-control"}},
        ),
    ]

"""The trail of the account: every call to AWS, in a bucket that nobody can alter."""

from __future__ import annotations

from cdktf_cdktf_provider_aws.cloudtrail import (
    Cloudtrail,
    CloudtrailEventSelector,
    CloudtrailEventSelectorDataResource,
)
from constructs import Construct

from infra import permissions
from infra.archive import ARCHIVE
from infra.buckets import AccessLogBucket, LockedBucket, bucket_name
from infra.environment import Environment, Scope
from infra.keys import Key
from infra.log_groups import WHOLE_DAYS, LogGroup
from infra.permissions import Role, Statement

TRAIL = "trail"


class Trail(Construct):
    """A trail of every region, validated, in a locked bucket and in a log group."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        environment: Environment,
        key: Key,
        access_logs: AccessLogBucket,
    ) -> None:
        super().__init__(scope, id)
        name = environment.name(TRAIL, of="aws_cloudtrail")
        bucket = LockedBucket(
            self,
            "bucket",
            environment=environment,
            resource=TRAIL,
            key=key,
            access_logs=access_logs,
            statements=_by_the_trail(environment),
        )
        self.log = LogGroup(
            self,
            "log",
            environment=environment,
            name=environment.name(TRAIL, of="aws_cloudwatch_log_group"),
            key=key,
            days=WHOLE_DAYS,
        )
        role = Role(
            self,
            "role",
            environment=environment,
            resource=TRAIL,
            taken_by="cloudtrail",
            only_for={"StringEquals": {"aws:SourceArn": arn(environment)}},
            may=[
                permissions.allow(
                    "DeliverTheTrail",
                    ["logs:CreateLogStream", "logs:PutLogEvents"],
                    f"{self.log.arn}:*",
                )
            ],
            pci_scope=Scope.CONNECTED,
        )
        Cloudtrail(
            self,
            "trail",
            name=name,
            s3_bucket_name=bucket.bucket.id,
            kms_key_id=key.arn,
            is_multi_region_trail=True,
            include_global_service_events=True,
            enable_logging=True,
            enable_log_file_validation=True,
            event_selector=[_every_call_and_reader_of(environment, ARCHIVE)],
            cloud_watch_logs_group_arn=f"{self.log.group.arn}:*",
            cloud_watch_logs_role_arn=role.arn,
            tags=environment.tags(name, Scope.CONNECTED),
            depends_on=[bucket.policy, role.permissions],
        )


def _every_call_and_reader_of(environment: Environment, bucket: str) -> CloudtrailEventSelector:
    """Select every call that manages something, and who reads or writes what *bucket* holds."""
    return CloudtrailEventSelector(
        read_write_type="All",
        include_management_events=True,
        data_resource=[
            CloudtrailEventSelectorDataResource(
                type="AWS::S3::Object",
                values=[f"arn:aws:s3:::{bucket_name(environment, bucket)}/"],
            )
        ],
    )


def arn(environment: Environment) -> str:
    """Return the ARN of the trail, which its bucket and its key name before it is there."""
    return environment.arn("cloudtrail", f"trail/{environment.name(TRAIL, of='aws_cloudtrail')}")


def by_the_trail(environment: Environment) -> list[Statement]:
    """CloudTrail encrypts with the key, for this trail only."""
    only = {"StringEquals": {"aws:SourceArn": arn(environment)}}
    return [
        permissions.allow(
            "EncryptTheTrail",
            ["kms:GenerateDataKey"],
            "*",
            Principal=permissions.service("cloudtrail"),
            Condition={
                **only,
                "StringLike": {
                    "kms:EncryptionContext:aws:cloudtrail:arn": environment.arn(
                        "cloudtrail", "trail/*"
                    ).replace(environment.region, "*", 1)
                },
            },
        ),
        permissions.allow(
            "FindTheKeyOfTheTrail",
            ["kms:DescribeKey"],
            "*",
            Principal=permissions.service("cloudtrail"),
            Condition=only,
        ),
    ]


def _by_the_trail(environment: Environment) -> list[Statement]:
    """CloudTrail writes to the bucket, for this trail only, and gives away what it writes."""
    bucket = f"arn:aws:s3:::{bucket_name(environment, TRAIL)}"
    only = {"aws:SourceArn": arn(environment)}
    return [
        permissions.allow(
            "FindTheBucket",
            ["s3:GetBucketAcl"],
            bucket,
            Principal=permissions.service("cloudtrail"),
            Condition={"StringEquals": only},
        ),
        permissions.allow(
            "WriteTheTrail",
            ["s3:PutObject"],
            f"{bucket}/AWSLogs/{environment.account_id}/*",
            Principal=permissions.service("cloudtrail"),
            Condition={"StringEquals": {**only, "s3:x-amz-acl": "bucket-owner-full-control"}},
        ),
    ]

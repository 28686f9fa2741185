"""Buckets for logs: private, over TLS only, kept for twelve months and a margin."""

from __future__ import annotations

from collections.abc import Iterator

from cdktf_cdktf_provider_aws.s3_bucket import S3Bucket
from cdktf_cdktf_provider_aws.s3_bucket_lifecycle_configuration import (
    S3BucketLifecycleConfiguration,
    S3BucketLifecycleConfigurationRule,
    S3BucketLifecycleConfigurationRuleAbortIncompleteMultipartUpload,
    S3BucketLifecycleConfigurationRuleExpiration,
    S3BucketLifecycleConfigurationRuleFilter,
    S3BucketLifecycleConfigurationRuleNoncurrentVersionExpiration,
    S3BucketLifecycleConfigurationRuleTransition,
)
from cdktf_cdktf_provider_aws.s3_bucket_logging import S3BucketLoggingA
from cdktf_cdktf_provider_aws.s3_bucket_object_lock_configuration import (
    S3BucketObjectLockConfigurationA,
    S3BucketObjectLockConfigurationRuleA,
    S3BucketObjectLockConfigurationRuleDefaultRetentionA,
)
from cdktf_cdktf_provider_aws.s3_bucket_ownership_controls import (
    S3BucketOwnershipControls,
    S3BucketOwnershipControlsRule,
)
from cdktf_cdktf_provider_aws.s3_bucket_policy import S3BucketPolicy
from cdktf_cdktf_provider_aws.s3_bucket_public_access_block import S3BucketPublicAccessBlock
from cdktf_cdktf_provider_aws.s3_bucket_server_side_encryption_configuration import (
    S3BucketServerSideEncryptionConfigurationA,
    S3BucketServerSideEncryptionConfigurationRuleA,
)
from cdktf_cdktf_provider_aws.s3_bucket_server_side_encryption_configuration import (
    S3BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultA as Encryption,
)
from cdktf_cdktf_provider_aws.s3_bucket_versioning import (
    S3BucketVersioningA,
    S3BucketVersioningVersioningConfiguration,
)
from constructs import Construct

from infra import permissions
from infra.environment import Environment, Scope
from infra.keys import Key
from infra.permissions import Statement

LOCKED_DAYS = 400
"""Twelve months and a margin: within it, nobody can delete or overwrite an object."""

KEPT_DAYS = LOCKED_DAYS + 5
"""Expires after the lock does, or the lifecycle would run into it."""

COLD_AFTER_DAYS = 90
COLD = "GLACIER_IR"
"""Cheaper to keep, and still read at once: nothing has to be thawed to be analysed."""

UPLOAD_DAYS = 7
BUCKETS_PREFIX = "s3/"


class Bucket(Construct):
    """A private, versioned bucket. What encrypts it, and who may write, its heirs say."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        environment: Environment,
        resource: str,
        locked: bool,
        encryption: Encryption,
        statements: list[Statement],
    ) -> None:
        super().__init__(scope, id)
        self.name = bucket_name(environment, resource)
        self.arn = f"arn:aws:s3:::{self.name}"
        self.bucket = S3Bucket(
            self,
            "bucket",
            bucket=self.name,
            object_lock_enabled=locked,
            force_destroy=False,
            tags=environment.tags(self.name, Scope.CONNECTED),
        )
        self.versioning = S3BucketVersioningA(
            self,
            "versioning",
            bucket=self.bucket.id,
            versioning_configuration=S3BucketVersioningVersioningConfiguration(status="Enabled"),
        )
        S3BucketServerSideEncryptionConfigurationA(
            self,
            "encryption",
            bucket=self.bucket.id,
            rule=[
                S3BucketServerSideEncryptionConfigurationRuleA(
                    apply_server_side_encryption_by_default=encryption,
                    bucket_key_enabled=True,
                )
            ],
        )
        block = S3BucketPublicAccessBlock(
            self,
            "public_access_block",
            bucket=self.bucket.id,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
        )
        S3BucketOwnershipControls(
            self,
            "ownership",
            bucket=self.bucket.id,
            rule=S3BucketOwnershipControlsRule(object_ownership="BucketOwnerEnforced"),
        )
        self.policy = S3BucketPolicy(
            self,
            "policy",
            bucket=self.bucket.id,
            policy=permissions.document(*self._refusals(), *statements),
            depends_on=[block],
        )
        self._expire()

    def _refusals(self) -> Iterator[Statement]:
        everything = [self.arn, f"{self.arn}/*"]
        yield permissions.deny(
            "RefusePlaintext",
            ["s3:*"],
            everything,
            Principal={"AWS": "*"},
            Condition={"Bool": {"aws:SecureTransport": "false"}},
        )
        yield permissions.deny(
            "RefuseDeletion",
            ["s3:DeleteObject", "s3:DeleteObjectVersion"],
            f"{self.arn}/*",
            Principal={"AWS": "*"},
        )

    def _expire(self) -> None:
        """Every object goes when its time is over, and not before."""
        S3BucketLifecycleConfiguration(
            self,
            "lifecycle",
            bucket=self.bucket.id,
            rule=[
                S3BucketLifecycleConfigurationRule(
                    id="keep-twelve-months",
                    status="Enabled",
                    filter=[S3BucketLifecycleConfigurationRuleFilter(prefix="")],
                    transition=[
                        S3BucketLifecycleConfigurationRuleTransition(
                            days=COLD_AFTER_DAYS, storage_class=COLD
                        )
                    ],
                    expiration=[S3BucketLifecycleConfigurationRuleExpiration(days=KEPT_DAYS)],
                    noncurrent_version_expiration=[
                        S3BucketLifecycleConfigurationRuleNoncurrentVersionExpiration(
                            noncurrent_days=KEPT_DAYS
                        )
                    ],
                    abort_incomplete_multipart_upload=[
                        S3BucketLifecycleConfigurationRuleAbortIncompleteMultipartUpload(
                            days_after_initiation=UPLOAD_DAYS
                        )
                    ],
                )
            ],
            depends_on=[self.versioning],
        )


class AccessLogBucket(Bucket):
    """
    Receives the access logs of load balancers and buckets.

    Neither can write to a bucket under a key of ours or with a lock by default, so
    this one has the key of S3, and a policy by which nobody deletes.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        environment: Environment,
        resource: str,
        statements: list[Statement],
    ) -> None:
        super().__init__(
            scope,
            id,
            environment=environment,
            resource=resource,
            locked=False,
            encryption=Encryption(sse_algorithm="AES256"),
            statements=[_by_bucket_logging(environment, resource), *statements],
        )


class LockedBucket(Bucket):
    """Nobody, the account's root user included, deletes or overwrites what is in it."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        environment: Environment,
        resource: str,
        key: Key,
        access_logs: AccessLogBucket,
        statements: list[Statement],
    ) -> None:
        super().__init__(
            scope,
            id,
            environment=environment,
            resource=resource,
            locked=True,
            encryption=Encryption(sse_algorithm="aws:kms", kms_master_key_id=key.arn),
            statements=statements,
        )
        S3BucketObjectLockConfigurationA(
            self,
            "lock",
            bucket=self.bucket.id,
            rule=S3BucketObjectLockConfigurationRuleA(
                default_retention=S3BucketObjectLockConfigurationRuleDefaultRetentionA(
                    mode="COMPLIANCE", days=LOCKED_DAYS
                )
            ),
            depends_on=[self.versioning],
        )
        S3BucketLoggingA(
            self,
            "logging",
            bucket=self.bucket.id,
            target_bucket=access_logs.bucket.id,
            target_prefix=BUCKETS_PREFIX,
            depends_on=[access_logs.policy],
        )


def bucket_name(environment: Environment, resource: str) -> str:
    """Return the name of a bucket; the account in it makes it one of a kind in all of AWS."""
    return environment.name(f"{resource}-{environment.account_id}", of="aws_s3_bucket")


def _by_bucket_logging(environment: Environment, resource: str) -> Statement:
    """S3 writes the access logs of this account's buckets."""
    return permissions.allow(
        "WriteAccessLogsOfBuckets",
        ["s3:PutObject"],
        f"arn:aws:s3:::{bucket_name(environment, resource)}/{BUCKETS_PREFIX}*",
        Principal=permissions.service("logging.s3"),
        Condition={"StringEquals": {"aws:SourceAccount": environment.account_id}},
    )

"""The archive of logs: out of CloudWatch within minutes, into a bucket that nobody can alter."""

from __future__ import annotations

from cdktf_cdktf_provider_aws.cloudwatch_log_stream import CloudwatchLogStream
from cdktf_cdktf_provider_aws.kinesis_firehose_delivery_stream import (
    KinesisFirehoseDeliveryStream,
    KinesisFirehoseDeliveryStreamExtendedS3Configuration,
    KinesisFirehoseDeliveryStreamExtendedS3ConfigurationCloudwatchLoggingOptions,
    KinesisFirehoseDeliveryStreamServerSideEncryption,
)
from constructs import Construct

from infra import permissions
from infra.buckets import AccessLogBucket, LockedBucket
from infra.environment import Environment, Scope
from infra.keys import Keys
from infra.log_groups import WHOLE_DAYS, LogGroup
from infra.permissions import Role

BUFFER_MIB = 64
BUFFER_SECONDS = 300
ARCHIVE = "archive"
DAY = "!{timestamp:yyyy/MM/dd}"


class Archive(Construct):
    """A stream that log groups feed, into a bucket under Object Lock."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        environment: Environment,
        keys: Keys,
        access_logs: AccessLogBucket,
    ) -> None:
        super().__init__(scope, id)
        self._environment = environment
        self.bucket = LockedBucket(
            self,
            "archive",
            environment=environment,
            resource=ARCHIVE,
            key=keys.archive,
            access_logs=access_logs,
            statements=[],
        )
        self.name = environment.name("archive", of="aws_kinesis_firehose_delivery_stream")
        self.errors = LogGroup(
            self,
            "errors",
            environment=environment,
            name=environment.name("archive-errors", of="aws_cloudwatch_log_group"),
            key=keys.logs,
            days=WHOLE_DAYS,
        )
        stream = CloudwatchLogStream(
            self, "error_stream", name="delivery", log_group_name=self.errors.group.name
        )
        writer = self._writer(keys)
        self.stream = KinesisFirehoseDeliveryStream(
            self,
            "stream",
            name=self.name,
            destination="extended_s3",
            server_side_encryption=KinesisFirehoseDeliveryStreamServerSideEncryption(
                enabled=True, key_type="CUSTOMER_MANAGED_CMK", key_arn=keys.archive.arn
            ),
            extended_s3_configuration=KinesisFirehoseDeliveryStreamExtendedS3Configuration(
                role_arn=writer.arn,
                bucket_arn=self.bucket.bucket.arn,
                kms_key_arn=keys.archive.arn,
                prefix=f"logs/{DAY}/",
                error_output_prefix="failed/!{firehose:error-output-type}/" + DAY + "/",
                buffering_size=BUFFER_MIB,
                buffering_interval=BUFFER_SECONDS,
                compression_format="UNCOMPRESSED",
                file_extension=".gz",
                cloudwatch_logging_options=(
                    KinesisFirehoseDeliveryStreamExtendedS3ConfigurationCloudwatchLoggingOptions(
                        enabled=True,
                        log_group_name=self.errors.group.name,
                        log_stream_name=stream.name,
                    )
                ),
            ),
            tags=environment.tags(self.name, Scope.CONNECTED),
            depends_on=[writer.permissions],
        )
        self.feeder = self._feeder()

    def _writer(self, keys: Keys) -> Role:
        """Firehose writes to the bucket, and can neither read nor delete what is there."""
        environment = self._environment
        return Role(
            self,
            "writer",
            environment=environment,
            resource="archive-writer",
            taken_by="firehose",
            only_for={"StringEquals": {"sts:ExternalId": environment.account_id}},
            may=[
                permissions.allow(
                    "WriteToTheArchive",
                    ["s3:AbortMultipartUpload", "s3:PutObject"],
                    f"{self.bucket.arn}/*",
                ),
                permissions.allow(
                    "FindTheArchive",
                    ["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"],
                    self.bucket.arn,
                ),
                permissions.allow(
                    "UseTheArchivesKey", ["kms:Decrypt", "kms:GenerateDataKey"], keys.archive.arn
                ),
                permissions.allow("ReportFailure", ["logs:PutLogEvents"], f"{self.errors.arn}:*"),
            ],
            pci_scope=Scope.CONNECTED,
        )

    def _feeder(self) -> Role:
        """CloudWatch Logs puts what it receives into the stream, and does nothing else."""
        environment = self._environment
        return Role(
            self,
            "feeder",
            environment=environment,
            resource="archive-feeder",
            taken_by="logs",
            only_for={"StringLike": {"aws:SourceArn": environment.arn("logs", "*")}},
            may=[
                permissions.allow(
                    "FeedTheArchive",
                    ["firehose:PutRecord", "firehose:PutRecordBatch"],
                    environment.arn("firehose", f"deliverystream/{self.name}"),
                )
            ],
            pci_scope=Scope.CONNECTED,
        )

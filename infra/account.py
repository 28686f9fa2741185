"""What an account has once, whatever runs in it: the trail, who watches it, safe defaults."""

from __future__ import annotations

from cdktf import TerraformStack
from cdktf_cdktf_provider_aws.ebs_encryption_by_default import EbsEncryptionByDefault
from cdktf_cdktf_provider_aws.iam_account_password_policy import IamAccountPasswordPolicy
from cdktf_cdktf_provider_aws.s3_account_public_access_block import S3AccountPublicAccessBlock
from constructs import Construct

from infra import terraform
from infra.account_alarms import AccountAlarms
from infra.buckets import AccessLogBucket
from infra.detection import ChangeRecorder, IntrusionDetection, by_config
from infra.environment import Environment
from infra.keys import Key, by_log_groups, by_publishers, through
from infra.monitoring import ALARMS, Alerts
from infra.trail import Trail, by_the_trail

HISTORY = "account-history"


class Account(TerraformStack):
    """The account of one environment. It is applied first, and outlives the platform."""

    def __init__(self, scope: Construct, id: str, *, environment: Environment) -> None:
        super().__init__(scope, id)
        terraform.configure(self, environment)
        audit_key = Key(
            self,
            "audit_key",
            environment=environment,
            purpose="audit",
            users=[
                through(environment, "s3"),
                by_log_groups(environment),
                *by_the_trail(environment),
            ],
        )
        alerts_key = Key(
            self,
            "alerts_key",
            environment=environment,
            purpose="account-alerts",
            users=[through(environment, "sns"), *by_publishers(environment, ALARMS)],
        )
        history = AccessLogBucket(
            self,
            "history",
            environment=environment,
            resource=HISTORY,
            statements=by_config(environment, HISTORY),
        )
        trail = Trail(self, "trail", environment=environment, key=audit_key, access_logs=history)
        detection = IntrusionDetection(self, "detection", environment=environment, key=audit_key)
        ChangeRecorder(self, "changes", environment=environment, bucket=history)
        alerts = Alerts(
            self,
            "alerts",
            environment=environment,
            resource="account-alerts",
            key=alerts_key,
            publishers=ALARMS,
        )
        AccountAlarms(
            self,
            "alarms",
            environment=environment,
            alerts=alerts,
            trail=trail,
            detection=detection,
        )
        self._safe_defaults()

    def _safe_defaults(self) -> None:
        """What holds for whatever somebody makes by hand in this account."""
        EbsEncryptionByDefault(self, "volumes", enabled=True)
        S3AccountPublicAccessBlock(
            self,
            "buckets",
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
        )
        IamAccountPasswordPolicy(
            self,
            "passwords",
            minimum_password_length=14,
            require_lowercase_characters=True,
            require_uppercase_characters=True,
            require_numbers=True,
            require_symbols=True,
            max_password_age=90,
            password_reuse_prevention=24,
            allow_users_to_change_password=True,
        )

"""Customer-managed KMS keys, one for each purpose, each with a written policy."""

from __future__ import annotations

from cdktf_cdktf_provider_aws.kms_alias import KmsAlias
from cdktf_cdktf_provider_aws.kms_key import KmsKey
from constructs import Construct

from infra import permissions
from infra.environment import Environment, Scope
from infra.permissions import Statement

ADMINISTRATION = [
    "kms:CancelKeyDeletion",
    "kms:CreateAlias",
    "kms:DeleteAlias",
    "kms:DescribeKey",
    "kms:DisableKey",
    "kms:EnableKey",
    "kms:EnableKeyRotation",
    "kms:GetKeyPolicy",
    "kms:GetKeyRotationStatus",
    "kms:ListGrants",
    "kms:ListKeyPolicies",
    "kms:ListResourceTags",
    "kms:PutKeyPolicy",
    "kms:RevokeGrant",
    "kms:ScheduleKeyDeletion",
    "kms:TagResource",
    "kms:UntagResource",
    "kms:UpdateAlias",
    "kms:UpdateKeyDescription",
]
"""What administers a key. Nothing here encrypts or decrypts."""

USE = [
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
]


class Key(Construct):
    """A symmetric key that rotates every year and outlives a hasty deletion."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        environment: Environment,
        purpose: str,
        users: list[Statement],
    ) -> None:
        super().__init__(scope, id)
        name = environment.name(f"{purpose}-key")
        self.key = KmsKey(
            self,
            "key",
            description=f"{purpose} of {environment.name('platform')}",
            enable_key_rotation=True,
            rotation_period_in_days=365,
            deletion_window_in_days=30,
            policy=permissions.document(_administration(environment), *users),
            tags=environment.tags(name, Scope.CARDHOLDER_DATA),
        )
        KmsAlias(
            self,
            "alias",
            name=environment.name(f"{purpose}-key", of="aws_kms_alias", prefix="alias/"),
            target_key_id=self.key.key_id,
        )
        self.arn = self.key.arn


class Keys(Construct):
    """The platform's keys, by what they protect."""

    def __init__(
        self, scope: Construct, id: str, *, environment: Environment, publishers: dict[str, str]
    ) -> None:
        super().__init__(scope, id)

        def key(purpose: str, *users: Statement) -> Key:
            return Key(self, purpose, environment=environment, purpose=purpose, users=list(users))

        self.database = key(
            "database", through(environment, "rds"), grants_through(environment, "rds")
        )
        self.secrets = key("secrets", through(environment, "secretsmanager"))
        self.functions = key("functions", through(environment, "lambda"))
        self.volumes = key("volumes", *_by_auto_scaling(environment))
        self.logs = key("logs", by_log_groups(environment))
        self.archive = key(
            "archive",
            through(environment, "s3", "firehose"),
            grants_through(environment, "firehose"),
        )
        self.backups = key(
            "backups", through(environment, "backup"), grants_through(environment, "backup")
        )
        self.sessions = key("sessions", _by_both_ends(environment))
        self.alerts = key(
            "alerts",
            through(environment, "sns"),
            *by_publishers(environment, publishers),
        )


def _account(environment: Environment) -> dict[str, str]:
    return {"AWS": environment.arn("iam", "root", regional=False)}


def _administration(environment: Environment) -> Statement:
    return permissions.allow(
        "AdministerThroughIam", ADMINISTRATION, "*", Principal=_account(environment)
    )


def through(environment: Environment, *services: str) -> Statement:
    """Principals of this account use the key, and only through *services*."""
    return permissions.allow(
        "UseThroughService",
        USE,
        "*",
        Principal=_account(environment),
        Condition={
            "StringEquals": {
                "kms:CallerAccount": environment.account_id,
                "kms:ViaService": [
                    f"{service}.{environment.region}.amazonaws.com" for service in services
                ],
            }
        },
    )


def grants_through(environment: Environment, service: str) -> Statement:
    """*service* may hand its own grants to the AWS resources that it runs."""
    return permissions.allow(
        "GrantThroughService",
        ["kms:CreateGrant"],
        "*",
        Principal=_account(environment),
        Condition={
            "StringEquals": {
                "kms:CallerAccount": environment.account_id,
                "kms:ViaService": f"{service}.{environment.region}.amazonaws.com",
            },
            "Bool": {"kms:GrantIsForAWSResource": "true"},
        },
    )


def _by_auto_scaling(environment: Environment) -> list[Statement]:
    """Auto Scaling attaches encrypted volumes through its service-linked role."""
    role = environment.arn(
        "iam",
        "role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling",
        regional=False,
    )
    return [
        permissions.allow("UseByAutoScaling", USE, "*", Principal={"AWS": role}),
        permissions.allow(
            "GrantByAutoScaling",
            ["kms:CreateGrant"],
            "*",
            Principal={"AWS": role},
            Condition={"Bool": {"kms:GrantIsForAWSResource": "true"}},
        ),
    ]


def _by_both_ends(environment: Environment) -> Statement:
    """Whoever opens a session, and the server, agree on a key that nobody in between has."""
    return permissions.allow(
        "UseByBothEnds",
        ["kms:Decrypt", "kms:GenerateDataKey"],
        "*",
        Principal=_account(environment),
        Condition={"StringEquals": {"kms:CallerAccount": environment.account_id}},
    )


def by_log_groups(environment: Environment) -> Statement:
    """CloudWatch Logs uses the key for log groups of this account only."""
    return permissions.allow(
        "UseByLogGroups",
        USE,
        "*",
        Principal=permissions.service(f"logs.{environment.region}"),
        Condition={
            "ArnLike": {
                "kms:EncryptionContext:aws:logs:arn": environment.arn("logs", "log-group:*")
            }
        },
    )


def by_publishers(environment: Environment, publishers: dict[str, str]) -> list[Statement]:
    """Services publish to an encrypted topic on behalf of this account only."""
    return [
        permissions.allow(
            f"UseBy{what}",
            ["kms:Decrypt", "kms:GenerateDataKey"],
            "*",
            Principal=permissions.service(service),
            Condition={"StringEquals": {"aws:SourceAccount": environment.account_id}},
        )
        for what, service in publishers.items()
    ]

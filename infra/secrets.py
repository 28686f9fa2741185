"""The database's credential, and the function that replaces it every 30 days."""

from __future__ import annotations

from cdktf import AssetType, TerraformAsset, TerraformVariable
from cdktf_cdktf_provider_aws.lambda_function import (
    LambdaFunction,
    LambdaFunctionDeadLetterConfig,
    LambdaFunctionEnvironment,
    LambdaFunctionTracingConfig,
    LambdaFunctionVpcConfig,
)
from cdktf_cdktf_provider_aws.lambda_permission import LambdaPermission
from cdktf_cdktf_provider_aws.secretsmanager_secret import SecretsmanagerSecret
from cdktf_cdktf_provider_aws.secretsmanager_secret_policy import SecretsmanagerSecretPolicy
from cdktf_cdktf_provider_aws.secretsmanager_secret_rotation import (
    SecretsmanagerSecretRotation,
    SecretsmanagerSecretRotationRotationRules,
)
from cdktf_cdktf_provider_aws.secretsmanager_secret_version import SecretsmanagerSecretVersion
from constructs import Construct

from infra import packaging, permissions
from infra.archive import Archive
from infra.audit_logs import AuditLog
from infra.database import Database
from infra.environment import Environment, Scope
from infra.keys import Keys
from infra.monitoring import Alerts
from infra.network import Network
from infra.permissions import Role
from infra.security_groups import SecurityGroups

ROTATION_DAYS = 30
RUNTIME = "python3.13"
TIMEOUT_SECONDS = 60


class DatabaseSecret(Construct):
    """A secret under our own key that its consumers read and only its rotation writes."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        environment: Environment,
        keys: Keys,
        database: Database,
        bootstrap_password: TerraformVariable,
    ) -> None:
        super().__init__(scope, id)
        self.name = environment.name("database-secret", of="aws_secretsmanager_secret")
        self.secret = SecretsmanagerSecret(
            self,
            "secret",
            name=self.name,
            description="Master user of the Aurora cluster",
            kms_key_id=keys.secrets.arn,
            recovery_window_in_days=30,
            tags=environment.tags(self.name, Scope.CARDHOLDER_DATA),
        )
        self.arn = self.secret.arn
        self.version = SecretsmanagerSecretVersion(
            self,
            "bootstrap",
            secret_id=self.secret.id,
            secret_string_wo=database.connection(bootstrap_password.string_value),
            secret_string_wo_version=1,
        )
        SecretsmanagerSecretPolicy(
            self,
            "policy",
            secret_arn=self.secret.arn,
            block_public_policy=True,
            policy=permissions.document(
                permissions.deny(
                    "RefuseOtherAccounts",
                    ["secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue"],
                    "*",
                    Principal={"AWS": "*"},
                    Condition={"StringNotEquals": {"aws:PrincipalAccount": environment.account_id}},
                )
            ),
        )


class Rotation(Construct):
    """A function in the private subnets that gives the secret a new password every 30 days."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        environment: Environment,
        network: Network,
        groups: SecurityGroups,
        keys: Keys,
        alerts: Alerts,
        archive: Archive,
        secret: DatabaseSecret,
    ) -> None:
        super().__init__(scope, id)
        self._environment = environment
        self.name = environment.name("rotation", of="aws_lambda_function")
        self.log = AuditLog(
            self,
            "log",
            environment=environment,
            name=environment.name("rotation", of="aws_cloudwatch_log_group", prefix="/aws/lambda/"),
            key=keys.logs,
            archive=archive,
        )
        role = self._role(keys, alerts, secret)
        package = TerraformAsset(
            self, "archive", path=str(packaging.rotation_archive()), type=AssetType.FILE
        )
        function = LambdaFunction(
            self,
            "function",
            function_name=self.name,
            description="Rotates the master password of the Aurora cluster",
            role=role.arn,
            runtime=RUNTIME,
            architectures=["arm64"],
            handler="rotation.handler.handle",
            filename=package.path,
            source_code_hash=package.asset_hash,
            timeout=TIMEOUT_SECONDS,
            memory_size=256,
            reserved_concurrent_executions=1,
            kms_key_arn=keys.functions.arn,
            environment=LambdaFunctionEnvironment(
                variables={"SECRET_ARN": secret.arn, "AUTHORITIES": "rotation/rds-ca.pem"}
            ),
            vpc_config=LambdaFunctionVpcConfig(
                subnet_ids=[subnet.id for subnet in network.private_subnets],
                security_group_ids=[groups.rotation.id],
            ),
            dead_letter_config=LambdaFunctionDeadLetterConfig(target_arn=alerts.topic.arn),
            tracing_config=LambdaFunctionTracingConfig(mode="Active"),
            tags=environment.tags(self.name, Scope.CONNECTED),
            depends_on=[self.log.group],
        )
        permission = LambdaPermission(
            self,
            "by_secrets_manager",
            statement_id="RotateBySecretsManager",
            action="lambda:InvokeFunction",
            function_name=function.function_name,
            principal="secretsmanager.amazonaws.com",
            source_account=environment.account_id,
            source_arn=secret.arn,
        )
        SecretsmanagerSecretRotation(
            self,
            "rotation",
            secret_id=secret.secret.id,
            rotation_lambda_arn=function.arn,
            rotate_immediately=True,
            rotation_rules=SecretsmanagerSecretRotationRotationRules(
                automatically_after_days=ROTATION_DAYS
            ),
            depends_on=[permission, secret.version, role.permissions],
        )

    def _role(self, keys: Keys, alerts: Alerts, secret: DatabaseSecret) -> Role:
        return Role(
            self,
            "role",
            environment=self._environment,
            resource="rotation",
            taken_by="lambda",
            only_for={"StringEquals": {"aws:SourceAccount": self._environment.account_id}},
            may=[
                permissions.allow(
                    "RotateTheSecret",
                    [
                        "secretsmanager:DescribeSecret",
                        "secretsmanager:GetSecretValue",
                        "secretsmanager:PutSecretValue",
                        "secretsmanager:UpdateSecretVersionStage",
                    ],
                    secret.arn,
                ),
                permissions.allow("MakePasswords", ["secretsmanager:GetRandomPassword"], "*"),
                permissions.allow(
                    "UseTheSecretsKey", ["kms:Decrypt", "kms:GenerateDataKey"], keys.secrets.arn
                ),
                permissions.allow("ReadItsConfiguration", ["kms:Decrypt"], keys.functions.arn),
                permissions.allow(
                    "WriteItsLog",
                    ["logs:CreateLogStream", "logs:PutLogEvents"],
                    f"{self.log.arn}:*",
                ),
                permissions.allow("ReportFailure", ["sns:Publish"], alerts.topic.arn),
                permissions.allow(
                    "UseTheAlertsKey", ["kms:Decrypt", "kms:GenerateDataKey"], keys.alerts.arn
                ),
                permissions.allow(
                    "JoinTheVpc",
                    [
                        "ec2:AssignPrivateIpAddresses",
                        "ec2:CreateNetworkInterface",
                        "ec2:DeleteNetworkInterface",
                        "ec2:UnassignPrivateIpAddresses",
                    ],
                    self._environment.arn("ec2", "*/*"),
                ),
                permissions.allow(
                    "SeeTheVpc",
                    ["ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets"],
                    "*",
                    Condition={"StringEquals": {"aws:RequestedRegion": self._environment.region}},
                ),
                permissions.allow(
                    "Trace",
                    ["xray:PutTelemetryRecords", "xray:PutTraceSegments"],
                    "*",
                ),
            ],
            pci_scope=Scope.CONNECTED,
        )

"""Backups beside Aurora's own: in a vault whose content outlives a hasty deletion."""

from __future__ import annotations

from cdktf_cdktf_provider_aws.backup_plan import (
    BackupPlan,
    BackupPlanRule,
    BackupPlanRuleLifecycle,
)
from cdktf_cdktf_provider_aws.backup_selection import BackupSelection
from cdktf_cdktf_provider_aws.backup_vault import BackupVault
from cdktf_cdktf_provider_aws.backup_vault_lock_configuration import BackupVaultLockConfiguration
from constructs import Construct

from infra import permissions
from infra.database import Database
from infra.environment import Environment, Scope
from infra.keys import Key
from infra.permissions import Role

KEPT_DAYS = 35
SHORTEST_DAYS = 7
LONGEST_DAYS = 365
EVERY_NIGHT = "cron(0 5 ? * * *)"
START_MINUTES = 60
END_MINUTES = 480


class Backups(Construct):
    """A backup every night, kept five weeks, in a vault under lock."""

    def __init__(
        self, scope: Construct, id: str, *, environment: Environment, key: Key, database: Database
    ) -> None:
        super().__init__(scope, id)
        self.vault_name = environment.name("vault", of="aws_backup_vault")
        vault = BackupVault(
            self,
            "vault",
            name=self.vault_name,
            kms_key_arn=key.arn,
            force_destroy=False,
            tags=environment.tags(self.vault_name, Scope.CARDHOLDER_DATA),
        )
        BackupVaultLockConfiguration(
            self,
            "lock",
            backup_vault_name=vault.name,
            min_retention_days=SHORTEST_DAYS,
            max_retention_days=LONGEST_DAYS,
        )
        plan_name = environment.name("backups", of="aws_backup_plan")
        plan = BackupPlan(
            self,
            "plan",
            name=plan_name,
            rule=[
                BackupPlanRule(
                    rule_name=environment.name("nightly", of="aws_backup_plan"),
                    target_vault_name=vault.name,
                    schedule=EVERY_NIGHT,
                    start_window=START_MINUTES,
                    completion_window=END_MINUTES,
                    lifecycle=BackupPlanRuleLifecycle(delete_after=KEPT_DAYS),
                )
            ],
            tags=environment.tags(plan_name, Scope.CARDHOLDER_DATA),
        )
        BackupSelection(
            self,
            "selection",
            name=environment.name("database", of="aws_backup_selection"),
            plan_id=plan.id,
            iam_role_arn=self._role(environment, database).arn,
            resources=[database.cluster.arn],
        )

    def _role(self, environment: Environment, database: Database) -> Role:
        snapshots = environment.arn("rds", "cluster-snapshot:awsbackup:*")
        return Role(
            self,
            "role",
            environment=environment,
            resource="backup",
            taken_by="backup",
            only_for={"StringEquals": {"aws:SourceAccount": environment.account_id}},
            may=[
                permissions.allow(
                    "MakeSnapshots",
                    [
                        "rds:AddTagsToResource",
                        "rds:CreateDBClusterSnapshot",
                        "rds:DescribeDBClusters",
                        "rds:ListTagsForResource",
                    ],
                    [database.cluster.arn, snapshots],
                ),
                permissions.allow(
                    "KeepSnapshots",
                    [
                        "rds:CopyDBClusterSnapshot",
                        "rds:DeleteDBClusterSnapshot",
                        "rds:DescribeDBClusterSnapshots",
                        "rds:ModifyDBClusterSnapshotAttribute",
                    ],
                    [environment.arn("rds", "cluster-snapshot:*")],
                ),
                permissions.allow(
                    "NameTheVault",
                    ["backup:DescribeBackupVault"],
                    environment.arn("backup", f"backup-vault:{self.vault_name}"),
                ),
            ],
            pci_scope=Scope.CARDHOLDER_DATA,
        )

"""Aurora MySQL: encrypted, reachable over TLS only, audited, in two zones."""

from __future__ import annotations

from cdktf import Fn, TerraformVariable
from cdktf_cdktf_provider_aws.db_event_subscription import DbEventSubscription
from cdktf_cdktf_provider_aws.db_subnet_group import DbSubnetGroup
from cdktf_cdktf_provider_aws.rds_cluster import RdsCluster
from cdktf_cdktf_provider_aws.rds_cluster_instance import RdsClusterInstance
from cdktf_cdktf_provider_aws.rds_cluster_parameter_group import (
    RdsClusterParameterGroup,
    RdsClusterParameterGroupParameter,
)
from constructs import Construct

from infra import permissions
from infra.archive import Archive
from infra.audit_logs import AuditLog
from infra.environment import Environment, Scope
from infra.keys import Keys
from infra.monitoring import Alerts
from infra.network import Network
from infra.permissions import Role
from infra.security_groups import DATABASE_PORT, SecurityGroups

ENGINE = "aurora-mysql"
ENGINE_VERSION = "8.0.mysql_aurora.3.10.0"
"""Long-term support: compatible with MySQL 8.0.42."""

DATABASE_NAME = "financialdb"
MASTER_USERNAME = "ledger_owner"
BACKUP_DAYS = 7
BACKTRACK_SECONDS = 24 * 3600
LOG_EXPORTS = ("audit", "error", "general", "slowquery")

PARAMETERS = {
    "character_set_server": "utf8mb4",
    "require_secure_transport": "ON",
    "tls_version": "TLSv1.2,TLSv1.3",
    "server_audit_logging": "1",
    "server_audit_events": "CONNECT,QUERY,TABLE",
    "general_log": "1",
    "slow_query_log": "1",
    "log_output": "FILE",
}


class Database(Construct):
    """An Aurora MySQL cluster whose password stands in no file."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        environment: Environment,
        network: Network,
        groups: SecurityGroups,
        keys: Keys,
        archive: Archive,
        alerts: Alerts,
        bootstrap_password: TerraformVariable,
    ) -> None:
        super().__init__(scope, id)
        self._environment = environment
        self.identifier = environment.name("aurora", of="aws_rds_cluster")
        logs = [self._log(export, keys, archive) for export in LOG_EXPORTS]
        subnet_group_name = environment.name("db-subnets", of="aws_db_subnet_group")
        subnet_group = DbSubnetGroup(
            self,
            "subnet_group",
            name=subnet_group_name,
            description="Database subnets, without a way out",
            subnet_ids=[subnet.id for subnet in network.database_subnets],
            tags=environment.tags(subnet_group_name, Scope.CARDHOLDER_DATA),
        )
        self.cluster = RdsCluster(
            self,
            "cluster",
            cluster_identifier=self.identifier,
            engine=ENGINE,
            engine_version=ENGINE_VERSION,
            engine_mode="provisioned",
            database_name=DATABASE_NAME,
            port=DATABASE_PORT,
            master_username=MASTER_USERNAME,
            master_password_wo=bootstrap_password.string_value,
            master_password_wo_version=1,
            iam_database_authentication_enabled=True,
            db_subnet_group_name=subnet_group.name,
            db_cluster_parameter_group_name=self._parameter_group().name,
            vpc_security_group_ids=[groups.database.id],
            storage_encrypted=True,
            kms_key_id=keys.database.arn,
            backup_retention_period=BACKUP_DAYS,
            preferred_backup_window="07:00-08:00",
            preferred_maintenance_window="sun:08:30-sun:09:30",
            backtrack_window=BACKTRACK_SECONDS,
            copy_tags_to_snapshot=True,
            enabled_cloudwatch_logs_exports=list(LOG_EXPORTS),
            deletion_protection=True,
            skip_final_snapshot=False,
            final_snapshot_identifier=environment.name("aurora-final"),
            tags=environment.tags(self.identifier, Scope.CARDHOLDER_DATA),
            depends_on=[log.group for log in logs],
        )
        self._instances(keys)
        self._events(alerts)

    def connection(self, password: str) -> str:
        """Return the secret's text in the form that Secrets Manager rotates."""
        return Fn.jsonencode(
            {
                "engine": "mysql",
                "host": self.cluster.endpoint,
                "port": DATABASE_PORT,
                "dbname": DATABASE_NAME,
                "username": MASTER_USERNAME,
                "password": password,
            }
        )

    def _log(self, export: str, keys: Keys, archive: Archive) -> AuditLog:
        """The log group of *export*: Aurora would make one that keeps everything for ever."""
        return AuditLog(
            self,
            f"{export}_log",
            environment=self._environment,
            name=f"/aws/rds/cluster/{self.identifier}/{export}",
            key=keys.logs,
            archive=archive,
        )

    def _parameter_group(self) -> RdsClusterParameterGroup:
        name = self._environment.name("aurora-pg", of="aws_rds_cluster_parameter_group")
        return RdsClusterParameterGroup(
            self,
            "parameter_group",
            name=name,
            family="aurora-mysql8.0",
            description="TLS required, every session and statement audited",
            parameter=[
                RdsClusterParameterGroupParameter(
                    name=parameter, value=value, apply_method="pending-reboot"
                )
                for parameter, value in PARAMETERS.items()
            ],
            tags=self._environment.tags(name, Scope.CARDHOLDER_DATA),
        )

    def _instances(self, keys: Keys) -> None:
        monitoring = self._monitoring_role()
        for number in range(1, self._environment.database_instances + 1):
            name = self._environment.name("aurora", of="aws_rds_cluster_instance", number=number)
            RdsClusterInstance(
                self,
                f"instance_{number}",
                identifier=name,
                cluster_identifier=self.cluster.id,
                engine=ENGINE,
                engine_version=ENGINE_VERSION,
                instance_class=self._environment.database_instance_class,
                publicly_accessible=False,
                auto_minor_version_upgrade=True,
                copy_tags_to_snapshot=True,
                performance_insights_enabled=True,
                performance_insights_kms_key_id=keys.database.arn,
                performance_insights_retention_period=7,
                monitoring_interval=60,
                monitoring_role_arn=monitoring.arn,
                tags=self._environment.tags(name, Scope.CARDHOLDER_DATA),
            )

    def _events(self, alerts: Alerts) -> None:
        """Whatever changes the cluster, or ends it, is told."""
        name = self._environment.name("aurora-events", of="aws_db_event_subscription")
        DbEventSubscription(
            self,
            "events",
            name=name,
            sns_topic=alerts.topic.arn,
            source_type="db-cluster",
            source_ids=[self.cluster.id],
            enabled=True,
            event_categories=[
                "configuration change",
                "deletion",
                "failover",
                "failure",
                "maintenance",
            ],
            tags=self._environment.tags(name, Scope.CONNECTED),
        )

    def _monitoring_role(self) -> Role:
        """Enhanced monitoring writes the operating system's metrics to a log group of AWS's."""
        environment = self._environment
        return Role(
            self,
            "monitoring",
            environment=environment,
            resource="aurora-monitoring",
            taken_by="monitoring.rds",
            only_for={"StringEquals": {"aws:SourceAccount": environment.account_id}},
            may=[
                permissions.allow(
                    "WriteMetrics",
                    [
                        "logs:CreateLogGroup",
                        "logs:CreateLogStream",
                        "logs:DescribeLogStreams",
                        "logs:PutLogEvents",
                        "logs:PutRetentionPolicy",
                    ],
                    [
                        environment.arn("logs", "log-group:RDSOSMetrics"),
                        environment.arn("logs", "log-group:RDSOSMetrics:*"),
                    ],
                )
            ],
            pci_scope=Scope.CONNECTED,
        )

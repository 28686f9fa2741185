"""What is watched: errors, load, and controls that fail, each with its threshold."""

from __future__ import annotations

from constructs import Construct

from infra.archive import Archive
from infra.backups import Backups
from infra.compute import Compute
from infra.database import Database
from infra.environment import Environment
from infra.load_balancer import LoadBalancer
from infra.log_groups import LogGroup
from infra.monitoring import Alarm, Alerts, LineCount, Metric
from infra.secrets import Rotation
from infra.waf import WebApplicationFirewall

ERRORS = '?ERROR ?CRITICAL ?"[error]" ?"[crit]"'
REFUSED_LOGINS = '?"Failed password" ?"authentication failure" ?"Invalid user"'
FAILED_ROTATIONS = '?ERROR ?"Task timed out"'
ANY_LINE = ""
LATE_SECONDS = 1800

IS_GOOD = "notBreaching"
IS_BAD = "breaching"
"""What it means where a metric is missing: nothing happened, or nobody is there to report."""


class Alarms(Construct):
    """The alarms of one environment; all of them tell the same topic."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        environment: Environment,
        alerts: Alerts,
        archive: Archive,
        backups: Backups,
        compute: Compute,
        database: Database,
        firewall: WebApplicationFirewall,
        load_balancer: LoadBalancer,
        rotation: Rotation,
    ) -> None:
        super().__init__(scope, id)
        self._environment = environment
        self._alerts = alerts
        self._on_logs(compute, rotation)
        self._on_load(compute, database)
        self._on_requests(load_balancer, firewall)
        self._on_archive(archive)
        self._on_backups(backups)

    def _on_logs(self, compute: Compute, rotation: Rotation) -> None:
        self._alarm(
            "high-error-rate",
            "10 errors of the application in 5 minutes",
            self._count("application-errors", compute.log, ERRORS),
            threshold=10,
            minutes=5,
            missing_data=IS_GOOD,
        )
        self._alarm(
            "many-refused-logins",
            "5 refused logins in 5 minutes",
            self._count("refused-logins", compute.log, REFUSED_LOGINS),
            threshold=5,
            minutes=5,
            missing_data=IS_GOOD,
        )
        self._alarm(
            "rotation-failed",
            "The database password could not be rotated",
            self._count("rotation-failures", rotation.log, FAILED_ROTATIONS),
            threshold=1,
            minutes=5,
            missing_data=IS_GOOD,
        )

    def _on_load(self, compute: Compute, database: Database) -> None:
        self._alarm(
            "application-cpu",
            "Application servers above 85 % CPU for 10 minutes, beyond what scaling absorbs",
            Metric(
                namespace="AWS/EC2",
                name="CPUUtilization",
                statistic="Average",
                dimensions={"AutoScalingGroupName": compute.group_name},
            ),
            threshold=85,
            minutes=10,
            missing_data=IS_BAD,
        )
        self._alarm(
            "database-cpu",
            "Database above 80 % CPU for 10 minutes",
            Metric(
                namespace="AWS/RDS",
                name="CPUUtilization",
                statistic="Average",
                dimensions={"DBClusterIdentifier": database.identifier},
            ),
            threshold=80,
            minutes=10,
            missing_data=IS_BAD,
        )

    def _on_archive(self, archive: Archive) -> None:
        self._alarm(
            "log-delivery-late",
            "Logs reach the archive more than half an hour late, or not at all",
            Metric(
                namespace="AWS/Firehose",
                name="DeliveryToS3.DataFreshness",
                statistic="Maximum",
                dimensions={"DeliveryStreamName": archive.name},
            ),
            threshold=LATE_SECONDS,
            minutes=15,
            missing_data=IS_BAD,
        )
        self._alarm(
            "log-delivery-failed",
            "Logs could not be written to the archive",
            self._count("archive-errors", archive.errors, ANY_LINE),
            threshold=1,
            minutes=5,
            missing_data=IS_GOOD,
        )

    def _on_backups(self, backups: Backups) -> None:
        self._alarm(
            "backup-failed",
            "A backup of the database failed",
            Metric(
                namespace="AWS/Backup",
                name="NumberOfBackupJobsFailed",
                statistic="Sum",
                dimensions={"BackupVaultName": backups.vault_name},
            ),
            threshold=1,
            minutes=5,
            missing_data=IS_GOOD,
        )

    def _on_requests(self, load_balancer: LoadBalancer, firewall: WebApplicationFirewall) -> None:
        self._alarm(
            "blocked-requests",
            "The web application firewall blocked 100 requests in 5 minutes",
            firewall.blocked,
            threshold=100,
            minutes=5,
            missing_data=IS_GOOD,
        )
        balancer = load_balancer.load_balancer.arn_suffix
        self._alarm(
            "server-errors",
            "25 answers with status 5xx in 5 minutes",
            Metric(
                namespace="AWS/ApplicationELB",
                name="HTTPCode_Target_5XX_Count",
                statistic="Sum",
                dimensions={"LoadBalancer": balancer},
            ),
            threshold=25,
            minutes=5,
            missing_data=IS_GOOD,
        )
        self._alarm(
            "unhealthy-targets",
            "An application server fails its health check for 10 minutes",
            Metric(
                namespace="AWS/ApplicationELB",
                name="UnHealthyHostCount",
                statistic="Maximum",
                dimensions={
                    "LoadBalancer": balancer,
                    "TargetGroup": load_balancer.target_group.arn_suffix,
                },
            ),
            threshold=1,
            minutes=10,
            missing_data=IS_BAD,
        )

    def _count(self, resource: str, log: LogGroup, pattern: str) -> Metric:
        count = LineCount(
            self,
            resource,
            environment=self._environment,
            resource=resource,
            log=log,
            pattern=pattern,
        )
        return count.metric

    def _alarm(
        self,
        resource: str,
        description: str,
        metric: Metric,
        *,
        threshold: float,
        minutes: int,
        missing_data: str,
    ) -> None:
        Alarm(
            self,
            f"{resource}-alarm",
            environment=self._environment,
            alerts=self._alerts,
            resource=resource,
            description=description,
            metric=metric,
            threshold=threshold,
            minutes=minutes,
            missing_data=missing_data,
        )

"""What is watched: errors, load and failing rotation, each with its threshold."""

from __future__ import annotations

from constructs import Construct

from infra.compute import Compute
from infra.database import Database
from infra.environment import Environment
from infra.load_balancer import LoadBalancer
from infra.monitoring import Alarm, Alerts, ErrorFilter
from infra.secrets import Rotation

ERROR_PATTERN = '?ERROR ?CRITICAL ?"[error]" ?"[crit]"'
REFUSED_LOGIN_PATTERN = '?"Failed password" ?"authentication failure" ?"Invalid user"'


class Alarms(Construct):
    """The alarms of one environment; all of them tell the same topic."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        environment: Environment,
        alerts: Alerts,
        compute: Compute,
        database: Database,
        load_balancer: LoadBalancer,
        rotation: Rotation,
    ) -> None:
        super().__init__(scope, id)
        errors = ErrorFilter(
            self,
            "application_errors",
            environment=environment,
            resource="application-errors",
            log=compute.log,
            pattern=ERROR_PATTERN,
        )
        refused = ErrorFilter(
            self,
            "refused_logins",
            environment=environment,
            resource="refused-logins",
            log=compute.log,
            pattern=REFUSED_LOGIN_PATTERN,
        )
        failures = ErrorFilter(
            self,
            "rotation_failures",
            environment=environment,
            resource="rotation-failures",
            log=rotation.log,
            pattern='?ERROR ?"Task timed out"',
        )

        def counted(id: str, filter: ErrorFilter, description: str, threshold: float) -> None:
            Alarm(
                self,
                id,
                environment=environment,
                alerts=alerts,
                resource=id.replace("_", "-"),
                description=description,
                namespace=filter.namespace,
                metric=filter.metric,
                statistic="Sum",
                threshold=threshold,
                minutes=5,
                missing="notBreaching",
                dimensions={},
            )

        counted("high_error_rate", errors, "10 errors of the application in 5 minutes", 10)
        counted("many_refused_logins", refused, "5 refused logins in 5 minutes", 5)
        counted("rotation_failed", failures, "The database password could not be rotated", 1)

        def measured(  # noqa: PLR0917 - a table, read by its columns
            id: str,
            description: str,
            namespace: str,
            metric: str,
            statistic: str,
            threshold: float,
            minutes: int,
            missing: str,
            **dimensions: str,
        ) -> None:
            Alarm(
                self,
                id,
                environment=environment,
                alerts=alerts,
                resource=id.replace("_", "-"),
                description=description,
                namespace=namespace,
                metric=metric,
                statistic=statistic,
                threshold=threshold,
                minutes=minutes,
                missing=missing,
                dimensions=dimensions,
            )

        balancer = load_balancer.load_balancer.arn_suffix
        measured(
            "application_cpu",
            "Application servers above 85 % CPU for 10 minutes, beyond what scaling absorbs",
            "AWS/EC2",
            "CPUUtilization",
            "Average",
            85,
            10,
            "breaching",
            AutoScalingGroupName=compute.group_name,
        )
        measured(
            "database_cpu",
            "Database above 80 % CPU for 10 minutes",
            "AWS/RDS",
            "CPUUtilization",
            "Average",
            80,
            10,
            "breaching",
            DBClusterIdentifier=database.identifier,
        )
        measured(
            "server_errors",
            "25 answers with status 5xx in 5 minutes",
            "AWS/ApplicationELB",
            "HTTPCode_Target_5XX_Count",
            "Sum",
            25,
            5,
            "notBreaching",
            LoadBalancer=balancer,
        )
        measured(
            "unhealthy_targets",
            "An application server fails its health check for 10 minutes",
            "AWS/ApplicationELB",
            "UnHealthyHostCount",
            "Maximum",
            1,
            10,
            "breaching",
            LoadBalancer=balancer,
            TargetGroup=load_balancer.target_group.arn_suffix,
        )

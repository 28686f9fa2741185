"""One environment in, one stack out: the constructs of the platform, put together."""

from __future__ import annotations

from cdktf import TerraformStack, TerraformVariable
from constructs import Construct

from infra import terraform
from infra.alarms import Alarms
from infra.archive import Archive
from infra.audit_logs import FlowLogs
from infra.backups import Backups
from infra.buckets import AccessLogBucket
from infra.compute import Compute
from infra.database import Database
from infra.endpoints import Endpoints
from infra.environment import Environment
from infra.keys import Keys
from infra.load_balancer import LoadBalancer, by_load_balancers
from infra.monitoring import ALARMS, DATABASES, Alerts
from infra.network import Network
from infra.secrets import DatabaseSecret, Rotation
from infra.security_groups import SecurityGroups
from infra.sessions import Sessions
from infra.waf import WebApplicationFirewall

PUBLISHERS = {**ALARMS, **DATABASES}
"""Who publishes alerts of the platform."""

ACCESS_LOGS = "access-logs"


class Platform(TerraformStack):
    """The platform in one environment."""

    def __init__(self, scope: Construct, id: str, *, environment: Environment) -> None:
        super().__init__(scope, id)
        terraform.configure(self, environment)
        bootstrap_password = self._bootstrap_password()

        keys = Keys(self, "keys", environment=environment, publishers=PUBLISHERS)
        network = Network(self, "network", environment=environment)
        groups = SecurityGroups(self, "security_groups", environment=environment, network=network)
        Endpoints(self, "endpoints", environment=environment, network=network, groups=groups)
        access_logs = AccessLogBucket(
            self,
            "access_logs",
            environment=environment,
            resource=ACCESS_LOGS,
            statements=[by_load_balancers(environment, ACCESS_LOGS)],
        )
        archive = Archive(
            self, "archive", environment=environment, keys=keys, access_logs=access_logs
        )
        FlowLogs(
            self,
            "flow_logs",
            environment=environment,
            network=network,
            key=keys.logs,
            archive=archive,
        )
        alerts = Alerts(
            self,
            "alerts",
            environment=environment,
            resource="alerts",
            key=keys.alerts,
            publishers=PUBLISHERS,
        )
        database = Database(
            self,
            "database",
            environment=environment,
            network=network,
            groups=groups,
            keys=keys,
            archive=archive,
            alerts=alerts,
            bootstrap_password=bootstrap_password,
        )
        secret = DatabaseSecret(
            self,
            "secret",
            environment=environment,
            keys=keys,
            database=database,
            bootstrap_password=bootstrap_password,
        )
        rotation = Rotation(
            self,
            "rotation",
            environment=environment,
            network=network,
            groups=groups,
            keys=keys,
            alerts=alerts,
            archive=archive,
            secret=secret,
        )
        load_balancer = LoadBalancer(
            self,
            "load_balancer",
            environment=environment,
            network=network,
            groups=groups,
            access_logs=access_logs,
        )
        firewall = WebApplicationFirewall(
            self,
            "firewall",
            environment=environment,
            load_balancer=load_balancer,
            key=keys.logs,
            archive=archive,
        )
        sessions = Sessions(self, "sessions", environment=environment, keys=keys, archive=archive)
        compute = Compute(
            self,
            "compute",
            environment=environment,
            network=network,
            groups=groups,
            keys=keys,
            archive=archive,
            sessions=sessions,
            load_balancer=load_balancer,
            secret=secret,
        )
        backups = Backups(
            self, "backups", environment=environment, key=keys.backups, database=database
        )
        Alarms(
            self,
            "alarms",
            environment=environment,
            alerts=alerts,
            archive=archive,
            backups=backups,
            compute=compute,
            database=database,
            firewall=firewall,
            load_balancer=load_balancer,
            rotation=rotation,
        )

    def _bootstrap_password(self) -> TerraformVariable:
        """The first password: ephemeral, so that neither plan nor state ever holds it."""
        variable = TerraformVariable(
            self,
            "bootstrap_password",
            type="string",
            sensitive=True,
            description="First password of the database, rotated as soon as it is set",
        )
        variable.add_override("ephemeral", True)
        return variable

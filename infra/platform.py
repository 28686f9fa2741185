"""One environment in, one stack out: the constructs of the platform, put together."""

from __future__ import annotations

from cdktf import LocalBackend, TerraformStack, TerraformVariable
from cdktf_cdktf_provider_aws.provider import AwsProvider
from constructs import Construct

from infra.alarms import Alarms
from infra.audit_logs import FlowLogs
from infra.compute import Compute
from infra.database import Database
from infra.environment import Environment
from infra.keys import Keys
from infra.load_balancer import LoadBalancer
from infra.monitoring import Alerts
from infra.network import Network
from infra.secrets import DatabaseSecret, Rotation
from infra.security_groups import SecurityGroups

TERRAFORM_VERSION = ">= 1.11"
"""Ephemeral variables and write-only arguments."""


class Platform(TerraformStack):
    """The platform in one environment."""

    def __init__(self, scope: Construct, id: str, *, environment: Environment) -> None:
        super().__init__(scope, id)
        LocalBackend(self, path="terraform.tfstate")
        self.add_override("terraform.required_version", TERRAFORM_VERSION)
        AwsProvider(
            self,
            "aws",
            region=environment.region,
            allowed_account_ids=[environment.account_id],
        )
        bootstrap_password = self._bootstrap_password()

        keys = Keys(self, "keys", environment=environment)
        network = Network(self, "network", environment=environment)
        groups = SecurityGroups(self, "security_groups", environment=environment, network=network)
        FlowLogs(self, "flow_logs", environment=environment, network=network, key=keys.logs)
        alerts = Alerts(self, "alerts", environment=environment, key=keys.alerts)
        database = Database(
            self,
            "database",
            environment=environment,
            network=network,
            groups=groups,
            keys=keys,
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
            secret=secret,
        )
        load_balancer = LoadBalancer(
            self, "load_balancer", environment=environment, network=network, groups=groups
        )
        compute = Compute(
            self,
            "compute",
            environment=environment,
            network=network,
            groups=groups,
            keys=keys,
            load_balancer=load_balancer,
            secret=secret,
        )
        Alarms(
            self,
            "alarms",
            environment=environment,
            alerts=alerts,
            compute=compute,
            database=database,
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

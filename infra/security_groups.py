"""The chain Internet → load balancer → application → database, and nothing wider."""

from __future__ import annotations

from cdktf_cdktf_provider_aws.security_group import SecurityGroup
from cdktf_cdktf_provider_aws.vpc_security_group_egress_rule import VpcSecurityGroupEgressRule
from cdktf_cdktf_provider_aws.vpc_security_group_ingress_rule import VpcSecurityGroupIngressRule
from constructs import Construct

from infra.environment import Environment, Scope
from infra.network import ANYWHERE, Network

HTTP = 80
HTTPS = 443
APPLICATION_PORT = 8443
DATABASE_PORT = 3306


class SecurityGroups(Construct):
    """One group for each tier; every rule names the group on its other side."""

    def __init__(
        self, scope: Construct, id: str, *, environment: Environment, network: Network
    ) -> None:
        super().__init__(scope, id)
        self._environment = environment
        self._network = network

        self.load_balancer = self._group("alb", "Entry of cardholder traffic", Scope.CONNECTED)
        self.application = self._group("app", "Application servers", Scope.CARDHOLDER_DATA)
        self.rotation = self._group("rotation", "Rotation of the secret", Scope.CONNECTED)
        self.database = self._group("db", "Aurora MySQL", Scope.CARDHOLDER_DATA)
        self.endpoints = self._group("endpoints", "Private doors to AWS", Scope.CONNECTED)

        self._from_internet(HTTPS, "HTTPS from customers")
        self._from_internet(HTTP, "HTTP from customers, answered by a redirect to HTTPS")
        self._flow(
            "alb_to_app",
            self.load_balancer,
            self.application,
            APPLICATION_PORT,
            "Requests from the load balancer to the application",
        )
        self._flow(
            "app_to_db",
            self.application,
            self.database,
            DATABASE_PORT,
            "Queries from the application to the database",
        )
        self._flow(
            "rotation_to_db",
            self.rotation,
            self.database,
            DATABASE_PORT,
            "New passwords from the rotation function to the database",
        )
        self._flow(
            "app_to_endpoints",
            self.application,
            self.endpoints,
            HTTPS,
            "Secrets, logs and sessions of the application servers",
        )
        self._flow(
            "rotation_to_endpoints",
            self.rotation,
            self.endpoints,
            HTTPS,
            "The rotation function reads and writes its secret",
        )
        self._to_packages()

    def _group(self, resource: str, purpose: str, scope: Scope) -> SecurityGroup:
        name = self._environment.name(f"{resource}-sg", of="aws_security_group")
        return SecurityGroup(
            self,
            resource,
            name=name,
            description=purpose,
            vpc_id=self._network.vpc.id,
            tags=self._environment.tags(name, scope),
        )

    def _from_internet(self, port: int, purpose: str) -> None:
        VpcSecurityGroupIngressRule(
            self,
            f"internet_to_alb_{port}",
            security_group_id=self.load_balancer.id,
            cidr_ipv4=ANYWHERE,
            ip_protocol="tcp",
            from_port=port,
            to_port=port,
            description=purpose,
            tags=self._tags(f"internet-to-alb-{port}", Scope.CONNECTED),
        )

    def _flow(
        self,
        id: str,
        source: SecurityGroup,
        destination: SecurityGroup,
        port: int,
        purpose: str,
    ) -> None:
        """Open *port* from one group to another, on both sides."""
        name = id.replace("_", "-")
        VpcSecurityGroupEgressRule(
            self,
            f"{id}_out",
            security_group_id=source.id,
            referenced_security_group_id=destination.id,
            ip_protocol="tcp",
            from_port=port,
            to_port=port,
            description=purpose,
            tags=self._tags(f"{name}-out", Scope.CARDHOLDER_DATA),
        )
        VpcSecurityGroupIngressRule(
            self,
            f"{id}_in",
            security_group_id=destination.id,
            referenced_security_group_id=source.id,
            ip_protocol="tcp",
            from_port=port,
            to_port=port,
            description=purpose,
            tags=self._tags(f"{name}-in", Scope.CARDHOLDER_DATA),
        )

    def _to_packages(self) -> None:
        """The way out of the application: to S3, by the endpoint, and nowhere else."""
        VpcSecurityGroupEgressRule(
            self,
            "app_to_packages",
            security_group_id=self.application.id,
            prefix_list_id=self._network.s3.prefix_list_id,
            ip_protocol="tcp",
            from_port=HTTPS,
            to_port=HTTPS,
            description="Packages of Amazon Linux, out of S3",
            tags=self._tags("app-to-packages", Scope.CONNECTED),
        )

    def _tags(self, resource: str, scope: Scope) -> dict[str, str]:
        return self._environment.tags(self._environment.name(resource), scope)

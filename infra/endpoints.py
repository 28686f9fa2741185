"""Private doors to AWS: what the platform asks of AWS never crosses the Internet."""

from __future__ import annotations

from cdktf_cdktf_provider_aws.vpc_endpoint import VpcEndpoint
from constructs import Construct

from infra import permissions, sessions
from infra.environment import Environment, Scope
from infra.network import Network
from infra.security_groups import SecurityGroups

ACTIONS = {
    "secretsmanager": [
        "secretsmanager:DescribeSecret",
        "secretsmanager:GetRandomPassword",
        "secretsmanager:GetSecretValue",
        "secretsmanager:PutSecretValue",
        "secretsmanager:UpdateSecretVersionStage",
    ],
    "logs": [
        "logs:CreateLogStream",
        "logs:DescribeLogStreams",
        "logs:PutLogEvents",
        *sessions.FIND_LOG,
    ],
    "kms": sessions.DECRYPT,
    "ssm": [*sessions.FIND_WORK, *sessions.REGISTRATION],
    "ssmmessages": sessions.MESSAGES,
}
"""What the platform asks of each service, and so all that a door lets through."""


class Endpoints(Construct):
    """An interface endpoint for each service, for principals of this account only."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        environment: Environment,
        network: Network,
        groups: SecurityGroups,
    ) -> None:
        super().__init__(scope, id)
        for service, actions in ACTIONS.items():
            VpcEndpoint(
                self,
                service,
                vpc_id=network.vpc.id,
                vpc_endpoint_type="Interface",
                service_name=f"com.amazonaws.{environment.region}.{service}",
                subnet_ids=[subnet.id for subnet in network.private_subnets],
                security_group_ids=[groups.endpoints.id],
                private_dns_enabled=True,
                policy=permissions.document(
                    permissions.allow(
                        "UseByThisAccount",
                        actions,
                        "*",
                        Principal={"AWS": "*"},
                        Condition={
                            "StringEquals": {"aws:PrincipalAccount": environment.account_id}
                        },
                    )
                ),
                tags=environment.tags(environment.name(f"{service}-endpoint"), Scope.CONNECTED),
            )

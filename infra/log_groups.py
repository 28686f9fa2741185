"""Log groups: encrypted, and kept for as long as is written out."""

from __future__ import annotations

from cdktf_cdktf_provider_aws.cloudwatch_log_group import CloudwatchLogGroup
from constructs import Construct

from infra.environment import Environment, Scope
from infra.keys import Key

HOT_DAYS = 90
"""What the brief asks for; beside an archive that keeps the rest of a year."""

WHOLE_DAYS = 400
"""Twelve months and a margin, where nothing else keeps a log."""


class LogGroup(Construct):
    """A log group under the platform's key."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        environment: Environment,
        name: str,
        key: Key,
        days: int,
    ) -> None:
        super().__init__(scope, id)
        self.name = name
        self.arn = environment.arn("logs", f"log-group:{name}")
        self.group = CloudwatchLogGroup(
            self,
            "group",
            name=name,
            retention_in_days=days,
            kms_key_id=key.arn,
            tags=environment.tags(name, Scope.CONNECTED),
        )

"""Policy documents, whose bytes never vary, and the roles that they are given to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from cdktf_cdktf_provider_aws.iam_role import IamRole
from cdktf_cdktf_provider_aws.iam_role_policy import IamRolePolicy
from constructs import Construct

from infra.environment import Environment, Scope

Statement = Mapping[str, Any]


def document(*statements: Statement) -> str:
    """Return a policy document with these *statements*."""
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def allow(sid: str, actions: list[str], resources: str | list[str], **elements: Any) -> Statement:
    """Return a statement that allows *actions* on *resources*."""
    return {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources, **elements}


def deny(sid: str, actions: list[str], resources: str | list[str], **elements: Any) -> Statement:
    """Return a statement that denies *actions* on *resources*."""
    return {"Sid": sid, "Effect": "Deny", "Action": actions, "Resource": resources, **elements}


def service(name: str) -> dict[str, str]:
    """Return the principal of the AWS service *name*, such as ``ec2``."""
    return {"Service": f"{name}.amazonaws.com"}


class Role(Construct):
    """A role that one AWS service takes, and that may do what is written here."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        environment: Environment,
        resource: str,
        taken_by: str,
        only_for: Mapping[str, Any],
        may: list[Statement],
        pci_scope: Scope,
    ) -> None:
        super().__init__(scope, id)
        self.name = environment.name(f"{resource}-role", of="aws_iam_role")
        self.role = IamRole(
            self,
            "role",
            name=self.name,
            assume_role_policy=_trust(taken_by, only_for),
            tags=environment.tags(self.name, pci_scope),
        )
        self.arn = self.role.arn
        self.permissions = IamRolePolicy(
            self,
            "permissions",
            name=environment.name(f"{resource}-permissions", of="aws_iam_role_policy"),
            role=self.role.id,
            policy=document(*may),
        )


def _trust(name: str, conditions: Mapping[str, Any]) -> str:
    """Let only the AWS service *name* take the role, and only under *conditions*."""
    statement: dict[str, Any] = {
        "Sid": "TakenByService",
        "Effect": "Allow",
        "Principal": service(name),
        "Action": "sts:AssumeRole",
    }
    if conditions:
        statement["Condition"] = conditions
    return document(statement)

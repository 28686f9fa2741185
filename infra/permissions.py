"""Statements in, IAM policy documents out: JSON whose bytes never vary."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

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


def assumed_by(name: str, **conditions: Any) -> str:
    """Return a trust policy that lets only the AWS service *name* take the role."""
    statement: dict[str, Any] = {
        "Sid": "AssumeByService",
        "Effect": "Allow",
        "Principal": service(name),
        "Action": "sts:AssumeRole",
    }
    if conditions:
        statement["Condition"] = conditions
    return document(statement)

"""Secrets Manager's rotation events in, a new password in Aurora and in the secret out."""

from __future__ import annotations

import json
import logging
import os
import ssl
from collections.abc import Mapping
from typing import Any

import boto3
import pymysql

log = logging.getLogger()
log.setLevel(logging.INFO)

PASSWORD_LENGTH = 40
EXCLUDED_CHARACTERS = "/@\"'\\ "
TIMEOUT_SECONDS = 5
ACCESS_DENIED = 1045


class RotationError(Exception):
    """The rotation cannot go on; Secrets Manager tries again."""


def handle(event: Mapping[str, str], _context: object) -> None:
    """
    Take one step of a rotation. Every step may be repeated.

    *event* holds SecretId, ClientRequestToken and Step, as Secrets Manager sends it.

    Raises:
        RotationError: The secret is not ours, not rotating, or cannot be used.
    """
    secret, token, step = event["SecretId"], event["ClientRequestToken"], event["Step"]
    if secret != os.environ["SECRET_ARN"]:
        raise RotationError("this function rotates another secret")
    client = boto3.client("secretsmanager")
    stages = _stages(client, secret)
    if "AWSCURRENT" in stages.get(token, ()):
        log.info("%s: nothing to do, the version is already current", step)
        return
    if "AWSPENDING" not in stages.get(token, ()):
        raise RotationError("the version is not pending")
    STEPS[step](client, secret, token)
    log.info("%s: done", step)


def create_secret(client: Any, secret: str, token: str) -> None:
    """Store a new password as the pending version, unless there is one."""
    credential = _read(client, secret, "AWSCURRENT")
    try:
        _read(client, secret, "AWSPENDING", token)
    except client.exceptions.ResourceNotFoundException:
        credential["password"] = client.get_random_password(
            PasswordLength=PASSWORD_LENGTH, ExcludeCharacters=EXCLUDED_CHARACTERS
        )["RandomPassword"]
        client.put_secret_value(
            SecretId=secret,
            ClientRequestToken=token,
            SecretString=json.dumps(credential),
            VersionStages=["AWSPENDING"],
        )


def set_secret(client: Any, secret: str, token: str) -> None:
    """Give the database user the pending password, unless it has it already."""
    pending = _read(client, secret, "AWSPENDING", token)
    if _accepts(pending):
        return
    current = _read(client, secret, "AWSCURRENT")
    if (current["username"], current["host"]) != (pending["username"], pending["host"]):
        raise RotationError("the pending version names another user or host")
    with _connect(_working(client, secret, current)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT CURRENT_USER()")
        user, _, host = cursor.fetchone()[0].rpartition("@")
        cursor.execute("ALTER USER %s@%s IDENTIFIED BY %s", (user, host, pending["password"]))
        connection.commit()


def test_secret(client: Any, secret: str, token: str) -> None:
    """Log in with the pending password."""
    if not _accepts(_read(client, secret, "AWSPENDING", token)):
        raise RotationError("the database refuses the pending password")


def finish_secret(client: Any, secret: str, token: str) -> None:
    """Make the pending version the current one."""
    stages = _stages(client, secret)
    current = next(version for version, labels in stages.items() if "AWSCURRENT" in labels)
    client.update_secret_version_stage(
        SecretId=secret,
        VersionStage="AWSCURRENT",
        MoveToVersionId=token,
        RemoveFromVersionId=current,
    )
    client.update_secret_version_stage(
        SecretId=secret, VersionStage="AWSPENDING", RemoveFromVersionId=token
    )


STEPS = {
    "createSecret": create_secret,
    "setSecret": set_secret,
    "testSecret": test_secret,
    "finishSecret": finish_secret,
}


def _stages(client: Any, secret: str) -> Mapping[str, list[str]]:
    description = client.describe_secret(SecretId=secret)
    if not description.get("RotationEnabled"):
        raise RotationError("rotation is not enabled")
    stages: Mapping[str, list[str]] = description["VersionIdsToStages"]
    return stages


def _read(client: Any, secret: str, stage: str, token: str | None = None) -> dict[str, Any]:
    version = {"VersionId": token} if token else {}
    answer = client.get_secret_value(SecretId=secret, VersionStage=stage, **version)
    credential: dict[str, Any] = json.loads(answer["SecretString"])
    if credential.get("engine") != "mysql":
        raise RotationError("the secret is not of a MySQL database")
    return credential


def _working(client: Any, secret: str, current: dict[str, Any]) -> dict[str, Any]:
    """Return the current credential, or the one before it where a rotation was interrupted."""
    if _accepts(current):
        return current
    try:
        previous = _read(client, secret, "AWSPREVIOUS")
    except client.exceptions.ResourceNotFoundException:
        previous = None
    if previous is None or not _accepts(previous):
        raise RotationError("the database refuses the current and the previous password")
    return previous


def _accepts(credential: Mapping[str, Any]) -> bool:
    """Whether the database lets *credential* in; an unreachable database raises."""
    try:
        _connect(credential).close()
    except pymysql.err.OperationalError as error:
        if error.args[0] == ACCESS_DENIED:
            return False
        raise
    return True


def _connect(credential: Mapping[str, Any]) -> Any:
    authorities = ssl.create_default_context(cafile=os.environ["AUTHORITIES"])
    authorities.minimum_version = ssl.TLSVersion.TLSv1_2
    return pymysql.connect(
        host=credential["host"],
        port=int(credential["port"]),
        user=credential["username"],
        password=credential["password"],
        ssl=authorities,
        connect_timeout=TIMEOUT_SECONDS,
        read_timeout=TIMEOUT_SECONDS,
        write_timeout=TIMEOUT_SECONDS,
    )

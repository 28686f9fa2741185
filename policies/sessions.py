"""Sessions on servers and in containers: they end when they are idle, and are recorded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from policies.aws import encryption
from policies.engine.graph import Resource, ResourceGraph
from policies.engine.model import Policy, Violation, part_of
from policies.engine.mutate import remove, replace
from policies.engine.settings import states
from policies.engine.values import UnknownValue

DOCUMENT = "aws_ssm_document"
LONGEST_IDLE_MINUTES = 15
INPUTS = {
    "cloudWatchLogGroupName": "financial-sessions-dev",
    "cloudWatchEncryptionEnabled": True,
    "idleSessionTimeout": "15",
    "kmsKeyId": "alias/sessions",
}


def is_of_sessions(document: Resource) -> bool:
    """Whether *document* says how sessions are held."""
    return bool(document.get("document_type") == "Session")


def _input(document: Resource, name: str) -> object:
    if not isinstance(document.get("content"), Mapping):
        raise UnknownValue("content is no document in JSON")
    return document.get(f"content.inputs.{name}")


def is_recorded(document: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Sessions on servers are recorded, in an encrypted log.

    What an administrator typed is an audit log like any other.
    """
    for store, encrypted in (
        ("cloudWatchLogGroupName", "cloudWatchEncryptionEnabled"),
        ("s3BucketName", "s3EncryptionEnabled"),
    ):
        if str(_input(document, store) or "").strip():
            if _input(document, encrypted) is not True:
                yield Violation(f"content: {encrypted} is not true", document, "content")
            return
    yield Violation("content names no log", document, "content")


def _with(**changed: object) -> Mapping[str, object]:
    return {"schemaVersion": "1.0", "inputs": {**INPUTS, **changed}}


EXAMPLE = {
    DOCUMENT: {
        "sessions": {"document_type": "Session", "content": _with()},
        "patches": {"document_type": "Command", "content": {"schemaVersion": "2.2"}},
    }
}

RECORDED = Policy(
    checks=is_recorded,
    applies_to=DOCUMENT,
    when=is_of_sessions,
    claims=(part_of("10.2.1.2"),),
    example=EXAMPLE,
    violated_by=(
        replace("content", _with(cloudWatchLogGroupName="")),
        replace("content", _with(cloudWatchEncryptionEnabled=False)),
    ),
)


def ends_when_idle(document: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Sessions on servers end when they are idle for a quarter of an hour.

    A session that nobody watches is one that anybody can continue.
    """
    minutes = str(_input(document, "idleSessionTimeout") or "")
    if not minutes:
        yield Violation("content: idleSessionTimeout is not stated", document, "content")
    elif minutes not in map(str, range(1, LONGEST_IDLE_MINUTES + 1)):
        yield Violation(f"content: idleSessionTimeout is {minutes}", document, "content")


def is_encrypted_to_the_server(document: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Sessions on servers are encrypted with a key of ours, all the way to the server.

    TLS ends at AWS; with a key of ours, only the two ends can read what was typed.
    """
    if not document.is_set("content.inputs.kmsKeyId"):
        yield Violation("content: kmsKeyId is not stated", document, "content")


ENCRYPTED = Policy(
    checks=is_encrypted_to_the_server,
    applies_to=DOCUMENT,
    when=is_of_sessions,
    claims=(part_of("2.2.7"),),
    example=EXAMPLE,
    violated_by=(
        replace("content", _with(kmsKeyId="")),
        replace("content", {"schemaVersion": "1.0", "inputs": {"idleSessionTimeout": "15"}}),
    ),
)

IDLE_TIME = Policy(
    checks=ends_when_idle,
    applies_to=DOCUMENT,
    when=is_of_sessions,
    claims=(part_of("8.2.8"),),
    example=EXAMPLE,
    violated_by=(
        replace("content", _with(idleSessionTimeout="60")),
        replace("content", _with(idleSessionTimeout="")),
        replace("content", _with(idleSessionTimeout="0")),
    ),
)

CONTAINERS = "aws_ecs_cluster"
COMMANDS = "configuration.execute_command_configuration"

COMMANDS_RECORDED = states(
    CONTAINERS,
    f"{COMMANDS}.logging",
    "OVERRIDE",
    "DEFAULT",
    otherwise="DEFAULT",
    refused=("NONE",),
    title="Sessions in containers are recorded.",
    why="What an administrator typed is an audit log like any other.",
    claims=(part_of("10.2.1.2"),),
)


def says_how_commands_run(cluster: Resource) -> bool:
    """Whether *cluster* says how sessions in its containers are held."""
    return cluster.is_set(COMMANDS)


def encrypts_what_is_typed(cluster: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Sessions in containers are encrypted with a key of ours, and so are their logs.

    TLS ends at AWS; with a key of ours, only the two ends can read what was typed.
    """
    yield from encryption.not_ours(cluster, f"{COMMANDS}.kms_key_id", graph)
    for store, flag in (
        ("cloud_watch_log_group_name", "cloud_watch_encryption_enabled"),
        ("s3_bucket_name", "s3_bucket_encryption_enabled"),
    ):
        logs = f"{COMMANDS}.log_configuration"
        if cluster.is_set(f"{logs}.{store}") and cluster.get(f"{logs}.{flag}", False) is not True:
            yield Violation(f"{flag} is not true", cluster, f"{logs}.{flag}")


def _commands(**changed: object) -> dict[str, object]:
    return {"execute_command_configuration": {"kms_key_id": "${aws_kms_key.cde.arn}", **changed}}


COMMANDS_ENCRYPTED = Policy(
    checks=encrypts_what_is_typed,
    applies_to=CONTAINERS,
    when=says_how_commands_run,
    claims=(part_of("2.2.7"),),
    example={CONTAINERS: {"app": {"configuration": _commands()}, "other": {}}},
    violated_by=(
        remove(f"{COMMANDS}.kms_key_id"),
        replace("configuration", _commands(log_configuration={"s3_bucket_name": "sessions"})),
        replace(
            "configuration",
            _commands(log_configuration={"cloud_watch_log_group_name": "sessions"}),
        ),
    ),
)

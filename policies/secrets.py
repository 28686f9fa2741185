"""Secrets: under our key, rotated every month, written into no file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec

from policies.aws import companions, credentials, encryption, sensitive
from policies.engine.document import LOCAL, OUTPUT, PROVIDER, VARIABLE
from policies.engine.graph import Resource, ResourceGraph
from policies.engine.model import Policy, Violation, direct, part_of, supports
from policies.engine.mutate import Described, Patch, attached, described, remove, replace
from policies.engine.values import Items, Unknown, UnknownValue, in_each

SECRET = "aws_secretsmanager_secret"  # noqa: S105 - a type
ROTATION = "aws_secretsmanager_secret_rotation"
VERSION = "aws_secretsmanager_secret_version"
PERMISSION = "aws_lambda_permission"
FUNCTION = "aws_lambda_function"
LONGEST_DAYS = 30
SHORTEST_RECOVERY_DAYS = 7

_RATE = re.compile(r"rate\((\d+) (hour|day)s?\)")


def _days(rotation: Resource) -> float:
    """
    Return after how many days *rotation* comes again.

    Raises:
        UnknownValue: Its schedule is not known, or not read here.
    """
    days = rotation.number("rotation_rules.automatically_after_days")
    if days:
        return days
    schedule = rotation.get("rotation_rules.schedule_expression")
    match = _RATE.fullmatch(str(schedule))
    if match:
        return int(match[1]) / (24 if match[2] == "hour" else 1)
    match = _CRON.fullmatch(str(schedule))
    if not match:
        raise UnknownValue(f"rotation_rules.schedule_expression is {schedule}")
    return _days_between(match["day"], match["month"], match["weekday"])


_CRON = re.compile(
    r"cron\(\S+ \S+ (?P<day>[*?]|[\d,]+) (?P<month>\*|\d+) (?P<weekday>[*?]|[\w,]+) \*\)"
)


def _days_between(day: str, month: str, weekday: str) -> int:
    """Return how many days lie between two times of a cron expression at most."""
    if month != "*":
        return 365
    if weekday not in {"*", "?"}:
        return 7
    if not day[0].isdigit():
        return 1
    days = sorted(map(int, filter(None, day.split(","))))
    return max(
        later - sooner for sooner, later in zip(days, [*days[1:], days[0] + 31], strict=True)
    )


def rotates_monthly(secret: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Secrets rotate every 30 days or more often.

    How often is the entity's own decision, from its risk analysis: here, 30 days.
    """
    rotates = False
    is_inline = secret.type == SECRET and any(True for _ in secret.blocks("rotation_rules"))
    inline = [secret] if is_inline else []
    for rotation in (*companions.of(secret, ROTATION, graph, by="secret_id"), *inline):
        rotates = True
        if _days(rotation) > LONGEST_DAYS:
            yield Violation(f"rotates less often than every {LONGEST_DAYS} days", rotation)
    if not rotates:
        yield Violation(f"has no {ROTATION}", secret)


ROTATION_PERIOD = Policy(
    checks=rotates_monthly,
    applies_to=(SECRET, ROTATION),
    unless=companions.judged_with(SECRET, by="secret_id"),
    claims=(part_of("8.6.3"), supports("8.3.9")),
    example={
        SECRET: {"database": {}},
        ROTATION: {
            "database": {
                "secret_id": "${aws_secretsmanager_secret.database.id}",
                "rotation_rules": {"automatically_after_days": 30},
            }
        },
    },
    violated_by=(
        attached(ROTATION, by="secret_id"),
        attached(ROTATION, replace("rotation_rules.automatically_after_days", 90), by="secret_id"),
        attached(
            ROTATION,
            replace("rotation_rules", {"schedule_expression": "rate(60 days)"}),
            by="secret_id",
        ),
    ),
)


def lets_secrets_manager_call(rotation: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Secrets Manager may call the rotation function, for this account only.

    A rotation that is configured and never runs is found out when the auditor asks.
    """
    for function in graph.follow(rotation, "rotation_lambda_arn"):
        permitted = False
        for permission in graph.attached_to(function, PERMISSION, by="function_name"):
            if permission.get("principal") == "secretsmanager.amazonaws.com":
                permitted = True
                if not permission.is_set("source_account") and not permission.is_set("source_arn"):
                    yield Violation("source_account is not set", permission, "source_account")
        if not permitted:
            yield Violation("Secrets Manager may not call the rotation function", function)


def _of_its_permission(*patches: Patch | None) -> Described:
    """A mutation of the permission to call a rotation's function; without a patch, it goes."""

    def mutation(rotation: Resource, graph: ResourceGraph) -> ResourceGraph:
        function = next(graph.follow(rotation, "rotation_lambda_arn"))
        for patch in patches:
            graph = attached(PERMISSION, patch, by="function_name")(function, graph)
        return graph

    words = " and ".join(str(patch or "remove") for patch in patches)
    return described(f"{words} of the permission to call its function", mutation)


ROTATION_MAY_RUN = Policy(
    checks=lets_secrets_manager_call,
    applies_to=ROTATION,
    claims=(part_of("8.6.3"),),
    example={
        ROTATION: {"database": {"rotation_lambda_arn": "${aws_lambda_function.rotation.arn}"}},
        FUNCTION: {"rotation": {}},
        PERMISSION: {
            "rotation": {
                "function_name": "${aws_lambda_function.rotation.function_name}",
                "principal": "secretsmanager.amazonaws.com",
                "source_account": "111122223333",
            }
        },
    },
    violated_by=(
        _of_its_permission(None),
        _of_its_permission(replace("principal", "lambda.amazonaws.com")),
        _of_its_permission(remove("source_account"), remove("source_arn")),
    ),
)


def uses_a_key_of_ours(secret: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Secrets are encrypted with a key of ours.

    Whoever reads one needs our permission for the key as well.
    """
    yield from encryption.not_ours(secret, "kms_key_id", graph)


CUSTOMER_KEY = Policy(
    checks=uses_a_key_of_ours,
    applies_to=SECRET,
    claims=(part_of("8.3.2"), part_of("3.6.1")),
    example={SECRET: {"database": {"kms_key_id": "${aws_kms_key.secrets.arn}"}}},
    violated_by=(remove("kms_key_id"), replace("kms_key_id", "alias/aws/secretsmanager")),
)


def holds_no_text(version: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    The text of a secret stands in no file and no state.

    Write-only arguments take it from a variable that nothing keeps.
    """
    for attribute in ("secret_string", "secret_binary"):
        if version.is_set(attribute):
            yield Violation(f"{attribute} is kept in the state", version, attribute)
    if _is_written_out(version, "secret_string_wo"):
        yield Violation("secret_string_wo is written out", version, "secret_string_wo")


NO_SECRETS = frozenset({
    "dbClusterIdentifier", "dbInstanceIdentifier", "dbname", "engine", "host", "masterarn", "port",
    "username",
})  # fmt: skip
"""What Secrets Manager keeps beside a password."""


def _is_written_out(version: Resource, path: str) -> bool:
    """Whether the text at *path*, or what is secret in it, stands in this document."""
    if not version.is_written(path):
        return False
    value = version.get(path)
    if not isinstance(value, Mapping):
        return True
    return any(version.is_written(f"{path}.{key}") for key in set(value) - NO_SECRETS)


LITERAL = Policy(
    checks=holds_no_text,
    applies_to=VERSION,
    claims=(direct("8.6.2"),),
    example={VERSION: {"bootstrap": {}}},
    violated_by=(
        replace("secret_string", "correct-horse"),
        replace("secret_string", "${random_password.master.result}"),
        replace("secret_binary", "Y29ycmVjdC1ob3JzZQ=="),
        replace("secret_string_wo", "correct-horse"),
        replace("secret_string_wo", '${jsonencode({username = "a", password = "correct-horse"})}'),
    ),
)


def can_be_recovered(secret: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Secrets that are deleted can be recovered for a week at least.

    Without its password, the database is as good as gone.
    """
    if (secret.number("recovery_window_in_days", 30) or 0) < SHORTEST_RECOVERY_DAYS:
        yield Violation(
            f"recovery_window_in_days is shorter than {SHORTEST_RECOVERY_DAYS}",
            secret,
            "recovery_window_in_days",
        )


RECOVERY = Policy(
    checks=can_be_recovered,
    applies_to=SECRET,
    example={SECRET: {"database": {"recovery_window_in_days": 30}}},
    violated_by=(replace("recovery_window_in_days", 0),),
)


def passes_no_secret_in_its_environment(
    function: Resource, graph: ResourceGraph
) -> Iterator[Violation]:
    """
    The environment of a function holds no password, key or token.

    It is shown in the console to whoever may read the function.
    """

    def in_one(name: str) -> Iterator[Violation]:
        for kind in credentials.in_setting(name, variables.peek(name)):
            yield Violation(f"environment.variables.{name} holds {kind}", function)

    for environment in function.blocks("environment"):
        variables = environment.get("variables")
        yield from in_each(variables or (), in_one)


FUNCTION_ENVIRONMENT = Policy(
    checks=passes_no_secret_in_its_environment,
    applies_to=FUNCTION,
    claims=(part_of("8.6.2"),),
    example={FUNCTION: {"rotation": {"environment": {"variables": {"SECRET_NAME": "database"}}}}},
    violated_by=(
        replace("environment.variables", {"DB_PASSWORD": "correct-horse"}),
        replace("environment.variables", {"KEY": "AKIAIOSFODNN7EXAMPLE"}),
    ),
)


def is_told_no_password(resource: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Nothing is told a password, a key or a token in a template.

    What stands in a template stands in every plan, in the state, and in the history.
    """
    return in_each(sensitive.arguments()[resource.type], lambda path: _written_at(resource, path))


def _written_at(resource: Resource, path: str) -> Iterator[Violation]:
    first, _, rest = path.partition(".")
    if rest:
        yield from in_each(resource.blocks(first), lambda block: _written_at(block, rest))
    elif _is_written(resource, first):
        yield Violation(f"{first} is written out", resource, first)


def _is_written(resource: Resource, attribute: str) -> bool:
    value = resource.peek(attribute)
    if isinstance(value, Items):
        return not all(isinstance(item, Unknown) for item in value.peek())
    return resource.is_written(attribute)


def _told(place: int, resource: Resource, graph: ResourceGraph) -> ResourceGraph:
    first, *rest = sensitive.arguments()[resource.type][place].split(".")
    value: Any = "correct-horse"
    for step in reversed(rest):
        value = {step: value}
    return replace(first, value)(resource, graph)


STORE_PASSWORDS = Policy(
    checks=is_told_no_password,
    applies_to=tuple(sensitive.arguments()),
    claims=(direct("8.6.2"),),
    example={"aws_redshift_cluster": {"cde": {}}},
    violated_by=tuple(
        described(f"tell its {which} secret", partial(_told, place))
        for place, which in ((0, "first"), (-1, "last"))
    ),
)


def works_with_credentials_of_its_own(resource: Resource, graph: ResourceGraph) -> bool:
    """Whether *resource* is a provider with a credential written into it."""
    return any(
        resource.is_written(attribute) for attribute in ("access_key", "secret_key", "token")
    )


PROVIDER_CREDENTIALS = Policy(
    prohibits=works_with_credentials_of_its_own,
    applies_to=PROVIDER,
    title="No provider has a credential written into it.",
    found="it has a credential written into it",
    why="Whoever reads the template could do all that Terraform does.",
    claims=(direct("8.6.2"),),
)


_written = msgspec.json.Encoder(enc_hook=lambda _unknown: None).encode


def holds_a_credential(resource: Resource, graph: ResourceGraph) -> bool:
    """Whether a credential is written anywhere into *resource*."""
    return any(True for _ in credentials.certain_in(_written(resource.values)))


ANYWHERE = Policy(
    prohibits=holds_a_credential,
    title="Nothing that looks like a credential is written into anything.",
    found="a credential is written into it",
    why=(
        "Be it a resource, a variable, a local value or an output: what stands in a template "
        "stands in every plan, in the state, and in the history."
    ),
    claims=(part_of("8.6.2"),),
)


def is_named_like_a_secret(named: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Variables and local values that are named like a secret are given none.

    A default is what a secret is everywhere where nobody thought of it.
    """
    path = "default" if named.type == VARIABLE else "value"
    if not SECRET_NAME.search(named.address) or not named.is_written(path):
        return
    value = named.get(path)
    is_something = isinstance(value, Mapping | Sequence) and bool(value)
    if is_something and not (isinstance(value, str) and _NO_SECRET.fullmatch(value)):
        yield Violation(f"{path} is written out", named, path)


_NO_SECRET = re.compile(r"(?i)arn:.*|true|false|none|null|(?:en|dis)abled|required|optional")
"""What is written where a secret could be, and is none: where it lies, whether there is one."""

DEFAULTS = Policy(
    checks=is_named_like_a_secret,
    applies_to=(VARIABLE, LOCAL),
    claims=(part_of("8.6.2"),),
    example={VARIABLE: {"db_password": {}}},
    violated_by=(replace("default", "correct-horse"), replace("default", ["correct-horse"])),
)


def is_sensitive(output: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Outputs that are named like a secret are sensitive.

    Terraform prints every other one at the end of each run.
    """
    if SECRET_NAME.search(output.address) and output.get("sensitive", False) is not True:
        yield Violation("sensitive is not true", output, "sensitive")


OUTPUTS = Policy(
    checks=is_sensitive,
    applies_to=OUTPUT,
    claims=(supports("8.6.2"),),
    example={OUTPUT: {"db_password": {"sensitive": True}}},
    violated_by=(remove("sensitive"), replace("sensitive", False)),
)


def is_kept_under_a_key(parameter: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Parameters that are named like a secret are kept under a key.

    A plain parameter is read by whoever may list them.
    """
    name = str(parameter.get("name"))
    if SECRET_NAME.search(name) and parameter.get("type") != "SecureString":
        yield Violation(f"type is {parameter.get('type')}", parameter, "type")


SECRET_NAME = re.compile(
    r"(?i)(?:passwords?|passwd|passphrase|pass|pwd|secrets?|tokens?|(?:api|private|secret)_?key"
    r"|credentials?)(?:_(?:value|string|text|json|base64|wo))?$"
)
"""How the name of a secret ends; what goes on, as in password_length, is about one."""


PARAMETERS = Policy(
    checks=is_kept_under_a_key,
    applies_to="aws_ssm_parameter",
    claims=(part_of("8.3.2"),),
    example={
        "aws_ssm_parameter": {"password": {"name": "/pay/db/password", "type": "SecureString"}}
    },
    violated_by=(replace("type", "String"), replace("type", "StringList")),
)

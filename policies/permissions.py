"""Permissions: no administrators, no wildcards, nobody trusted whom we do not name."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from policies.aws import actions, iam, log_buckets
from policies.aws.privileges import (
    BECOMING,
    DECRYPTION,
    EMPTYING,
    LOG_READING,
    LOG_TYPES,
    READING,
    SAMPLE_ALIASES,
    SAMPLE_DATA,
    SAMPLE_KEYS,
    SAMPLE_LOGS,
    SAMPLES,
    SUBSTITUTION,
    UNDOING,
    everywhere,
    started_with_any_role,
)
from policies.engine.graph import Resource, ResourceGraph
from policies.engine.model import Policy, Violation, part_of, supports
from policies.engine.mutate import Described, described, replace
from policies.engine.values import in_each

ROLE = "aws_iam_role"
HOLDERS = (*iam.DOCUMENTS, ROLE, iam.DOCUMENT)


def _policy(**statement: Any) -> dict[str, Any]:
    return {"Statement": [{"Effect": "Allow", **statement}]}


def _granting(*statements: dict[str, Any]) -> tuple[Described, ...]:
    """Mutations: the holder grants each of *statements*, in whichever way it can."""

    def mutation(statement: dict[str, Any]) -> Described:
        policy = _policy(**statement)

        def grant(holder: Resource, graph: ResourceGraph) -> ResourceGraph:
            if holder.type == ROLE:
                return replace("inline_policy", [{"policy": policy}])(holder, graph)
            return replace("policy", policy)(holder, graph)

        return described(f"grant {json.dumps(statement)}", grant)

    return tuple(map(mutation, statements))


GOOD = {
    "aws_iam_role_policy": {
        "app": {
            "policy": {
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Action": ["secretsmanager:GetSecretValue"],
                        "Resource": "${aws_secretsmanager_secret.database.arn}",
                    }
                ]
            }
        }
    }
}


def grants_no_administration(holder: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    No policy allows every action.

    Whoever may do everything may also undo every control.
    """

    def in_one(statement: iam.Statement) -> Iterator[Violation]:
        for action in statement.actions():
            service = action.split(":")[0]
            if set(action.replace(":", "")) <= {"*", "?"} or service in {"*", "iam*"}:
                yield Violation(f"{statement.name} allows {action}", holder, "policy")

    return in_each(iam.allowed(holder, graph), in_one)


ADMINISTRATION = Policy(
    checks=grants_no_administration,
    applies_to=HOLDERS,
    claims=(part_of("7.2.1"), part_of("7.2.2")),
    example=GOOD,
    violated_by=_granting(
        {"Action": "*", "Resource": "*"},
        {"Action": ["s3:GetObject", "*:*"], "Resource": "*"},
        {"Action": "**", "Resource": "*"},
    ),
)


def names_its_actions(holder: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    No policy allows every action of a service.

    What a service learns to do tomorrow would be allowed today.
    """

    def in_one(statement: iam.Statement) -> Iterator[Violation]:
        for action in statement.actions():
            service, _, name = action.partition(":")
            if name and set(name) <= {"*", "?"} and "*" not in service:
                yield Violation(f"{statement.name} allows {action}", holder, "policy")

    return in_each(iam.allowed(holder, graph), in_one)


SERVICE_WILDCARDS = Policy(
    checks=names_its_actions,
    applies_to=HOLDERS,
    claims=(part_of("7.2.2"), part_of("7.2.5")),
    example=GOOD,
    violated_by=_granting(
        {"Action": "s3:*", "Resource": "*"},
        {"Action": ["kms:Decrypt", "IAM:*"], "Resource": "*"},
        {"Action": "ec2:**", "Resource": "*"},
    ),
)


def allows_by_name(holder: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    No policy allows everything but something.

    Access is refused unless it is given; such a statement gives what nobody thought of.
    """
    for statement in iam.allowed(holder, graph):
        for element in ("NotAction", "NotResource", "NotPrincipal"):
            if statement.has(element):
                yield Violation(f"{statement.name} allows with {element}", holder, "policy")


INVERTED_STATEMENTS = Policy(
    checks=allows_by_name,
    applies_to=HOLDERS,
    claims=(part_of("7.3.3"),),
    example=GOOD,
    violated_by=_granting(
        {"NotAction": "iam:*", "Resource": "*"},
        {"Action": "s3:GetObject", "NotResource": "arn:aws:s3:::vault/*"},
    ),
)


def binds_its_actions(holder: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Policies bind to a resource what can be bound to one.

    What is allowed on everything is allowed on the store of account data as well.
    """

    def in_one(statement: iam.Statement) -> Iterator[Violation]:
        def as_one(action: str) -> Iterator[Violation]:
            if actions.can_be_bound(action):
                yield Violation(f"{statement.name} allows {action} on *", holder, "policy")

        if not statement.is_bound_by_a_condition():
            yield from in_each(_everywhere(statement), as_one)

    return in_each(iam.allowed(holder, graph), in_one)


def _everywhere(statement: iam.Statement) -> Iterator[str]:
    """Yield the actions of *statement* on everything, or on every store of their service."""
    if statement.names_everything():
        yield from statement.actions()
        return
    for action in statement.actions():
        samples = SAMPLE_DATA.get(action.partition(":")[0])
        if samples and any(iam.covers_arns(text, samples) for text in statement.named_resources()):
            yield action


BOUND_ACTIONS = Policy(
    checks=binds_its_actions,
    applies_to=HOLDERS,
    claims=(part_of("7.2.5"),),
    example=GOOD,
    violated_by=_granting(
        {"Action": "s3:PutObject", "Resource": "*"},
        {"Action": "s3:PutObject", "Resource": "arn:aws:s3:::*"},
        {"Action": ["ec2:DescribeInstances", "ec2:Terminate*"], "Resource": ["*"]},
        {
            "Action": "rds:DeleteDBCluster",
            "Resource": "*",
            "Condition": {"StringEquals": {"aws:RequestedRegion": "us-east-1"}},
        },
    ),
)


def decrypts_with_named_keys(holder: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    No policy allows decryption with every key.

    One role would then read what all the others protect.
    """

    def in_one(statement: iam.Statement) -> Iterator[Violation]:
        for action in statement.actions():
            if iam.reaches(action, DECRYPTION):
                for resource in statement.named_resources():
                    if iam.covers_arns(resource, SAMPLE_KEYS):
                        yield Violation(f"{statement.name} allows {action} on {resource}", holder)

    return in_each(iam.allowed(holder, graph), in_one)


DECRYPTION_WITH_ALL_KEYS = Policy(
    checks=decrypts_with_named_keys,
    applies_to=HOLDERS,
    claims=(part_of("3.6.1"), part_of("7.2.5")),
    example={
        "aws_iam_role_policy": {
            "app": {
                "policy": {
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Action": "kms:Decrypt",
                            "Resource": "${aws_kms_key.secrets.arn}",
                        }
                    ]
                }
            }
        }
    },
    violated_by=_granting(
        {"Action": "kms:Decrypt", "Resource": "*"},
        {"Action": ["kms:De*"], "Resource": ["arn:aws:kms:us-east-1:111122223333:key/*"]},
        {"Action": "kms:*", "Resource": "*"},
    ),
)


def trusts_whom_it_names(role: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Roles can be taken by those only whom they name.

    A stranger, or a service that works for a stranger, could otherwise take them.
    """
    for trusted in in_each(iam.statements(role, "assume_role_policy"), _too_many):
        yield Violation(trusted, role, "assume_role_policy")


def _too_many(statement: iam.Statement) -> Iterator[str]:
    """Say how *statement*, of a role's trust, lets somebody in whom it does not name."""
    if not statement.allows:
        return
    if statement.has("NotPrincipal"):
        yield f"{statement.name} trusts everybody but some"
    for kind, principal in statement.principals():
        is_anybodys = kind == "Federated" and not any(
            iam.is_of_somebody(operator, values)
            for operator, _, values in statement.conditions(iam.tells_whose)
        )
        if "*" in principal or is_anybodys:
            yield f"{statement.name} trusts {kind} {principal}"
    if not statement.is_bound_to_a_caller():
        for principal in statement.named_principals():
            if iam.ACCOUNT.fullmatch(principal):
                yield f"{statement.name} trusts all of account {principal}"


NARROW_TRUST = Policy(
    checks=trusts_whom_it_names,
    applies_to=ROLE,
    claims=(part_of("7.2.2"), part_of("7.3.3")),
    example={
        ROLE: {
            "app": {
                "assume_role_policy": {
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Principal": {"Service": "ec2.amazonaws.com"},
                            "Action": "sts:AssumeRole",
                        }
                    ]
                }
            }
        }
    },
    violated_by=tuple(
        replace("assume_role_policy", _policy(Action="sts:AssumeRole", **who))
        for who in (
            {"Principal": "*"},
            {"Principal": {"AWS": "*"}},
            {"Principal": {"AWS": ["arn:aws:iam::111122223333:role/deployer", "*"]}},
            {"Principal": {"AWS": "arn:aws:iam::111122223333:root"}},
            {"Principal": {"AWS": "111122223333"}},
            {"NotPrincipal": {"AWS": "arn:aws:iam::111122223333:root"}},
            {"Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/example.com"}},
        )
    ),
)


def leaves_logs_alone(holder: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    No policy allows to delete logs, to keep them shorter, or to stop the trail.

    Whoever breaks in begins with the traces, be they in a log group or in a bucket.
    """

    def in_one(statement: iam.Statement) -> Iterator[Violation]:
        undone = [action for action in statement.actions() if iam.reaches(action, UNDOING)]
        if undone and _reaches_a_log(statement):
            yield Violation(f"{statement.name} allows {undone[0]}", holder, "policy")
        emptied = [action for action in statement.actions() if iam.reaches(action, EMPTYING)]
        if emptied and _reaches_a_bucket_of_logs(statement, graph):
            yield Violation(f"{statement.name} allows {emptied[0]}", holder, "policy")

    return in_each(iam.allowed(holder, graph), in_one)


def _reaches_a_bucket_of_logs(statement: iam.Statement, graph: ResourceGraph) -> bool:
    return any(
        iam.covers_arns(text, SAMPLE_DATA["s3"]) or log_buckets.are_of_one(_bucket(text), graph)
        for text in statement.named_resources()
    )


def _bucket(arn: str) -> set[str]:
    """Return what may name the bucket that *arn* is of, or is in."""
    return {_BUCKET.sub(r"\1", arn), arn.removeprefix("arn:aws:s3:::").partition("/")[0]}


_BUCKET = re.compile(r"\$\{((?:module\.[\w-]+\.)*aws_s3_bucket\.[\w-]+)\.\w+\}.*")
"""The ARN of a bucket, or of what is in it, as it is written."""


def _reaches_a_log(statement: iam.Statement) -> bool:
    return any(
        text.startswith(tuple(f"${{{type}." for type in LOG_TYPES))
        or ":cloudtrail:" in text
        or iam.covers_arns(text, SAMPLE_LOGS)
        for text in statement.named_resources()
    )


LOG_DELETION = Policy(
    checks=leaves_logs_alone,
    applies_to=HOLDERS,
    claims=(part_of("10.3.2"),),
    example={
        "aws_iam_role_policy": {
            "app": {
                "policy": {
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
                            "Resource": "${aws_cloudwatch_log_group.app.arn}:*",
                        }
                    ]
                }
            }
        }
    },
    violated_by=_granting(
        {"Action": "logs:DeleteLogGroup", "Resource": "*"},
        {"Action": ["logs:Put*"], "Resource": "arn:aws:logs:us-east-1:111122223333:*"},
        {"Action": "logs:*", "Resource": "${aws_cloudwatch_log_group.app.arn}:*"},
        {"Action": "cloudtrail:StopLogging", "Resource": "*"},
        {"Action": "s3:DeleteObject*", "Resource": "arn:aws:s3:::*/*"},
    ),
)


def cannot_become_somebody_else(holder: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    No policy allows its holder to take permissions that it was not given.

    One action more, and the smallest role is the largest.
    """

    def in_one(statement: iam.Statement) -> Iterator[Violation]:
        for action in everywhere(statement, BECOMING, *SAMPLES):
            yield Violation(f"{statement.name} allows {action} on any", holder, "policy")

    yield from in_each(iam.allowed(holder, graph), in_one)
    for started in started_with_any_role(iam.allowed(holder, graph))[-1:]:
        yield Violation(f"allows iam:PassRole of any role, and {started}", holder, "policy")


ESCALATION = Policy(
    checks=cannot_become_somebody_else,
    applies_to=HOLDERS,
    claims=(part_of("7.2.5"),),
    example=GOOD,
    violated_by=_granting(
        {"Action": "iam:CreatePolicyVersion", "Resource": "*"},
        {"Action": ["iam:Put*"], "Resource": "arn:aws:iam::111122223333:role/*"},
        {"Action": "sts:AssumeRole", "Resource": "*"},
        {"Action": ["iam:PassRole", "lambda:CreateFunction"], "Resource": "*"},
    ),
)


def reads_what_it_names(holder: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    No policy allows to read the data of every store.

    Who needs one secret, one table or one bucket is given that one.
    """

    def in_one(statement: iam.Statement) -> Iterator[Violation]:
        for action in statement.actions():
            service = action.partition(":")[0]
            samples = SAMPLE_DATA.get(service)
            if (
                samples
                and iam.reaches(action, READING)
                and any(iam.covers_arns(text, samples) for text in statement.named_resources())
            ):
                yield Violation(f"{statement.name} allows {action} everywhere", holder, "policy")

    return in_each(iam.allowed(holder, graph), in_one)


DATA_EVERYWHERE = Policy(
    checks=reads_what_it_names,
    applies_to=HOLDERS,
    claims=(part_of("7.2.5"), part_of("7.2.6")),
    example=GOOD,
    violated_by=_granting(
        {"Action": "secretsmanager:GetSecretValue", "Resource": "*"},
        {"Action": ["s3:Get*"], "Resource": ["arn:aws:s3:::*"]},
        {"Action": "dynamodb:*", "Resource": "arn:aws:dynamodb:*:*:table/*"},
    ),
)


def reads_the_logs_that_it_names(holder: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    No policy allows to read every log.

    Logs tell who did what; only those read them whose work it is.
    """

    def in_one(statement: iam.Statement) -> Iterator[Violation]:
        for action in everywhere(statement, LOG_READING, SAMPLE_LOGS)[:1]:
            yield Violation(f"{statement.name} allows {action} everywhere", holder, "policy")

    return in_each(iam.allowed(holder, graph), in_one)


LOGS_EVERYWHERE = Policy(
    checks=reads_the_logs_that_it_names,
    applies_to=HOLDERS,
    claims=(part_of("10.3.1"),),
    example=GOOD,
    violated_by=_granting(
        {"Action": "logs:GetLogEvents", "Resource": "*"},
        {"Action": ["logs:Filter*"], "Resource": "arn:aws:logs:us-east-1:111122223333:*"},
    ),
)


def replaces_no_key(holder: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    No policy allows to put another key in the place of any.

    Whoever moves an alias, or hands a key's policy to somebody, has replaced the key.
    """

    def in_one(statement: iam.Statement) -> Iterator[Violation]:
        for action in everywhere(statement, SUBSTITUTION, SAMPLE_KEYS, SAMPLE_ALIASES)[:1]:
            yield Violation(f"{statement.name} allows {action} on any", holder, "policy")

    return in_each(iam.allowed(holder, graph), in_one)


KEY_SUBSTITUTION = Policy(
    checks=replaces_no_key,
    applies_to=HOLDERS,
    claims=(supports("3.7.7"),),
    example=GOOD,
    violated_by=_granting(
        {"Action": "kms:UpdateAlias", "Resource": "*"},
        {"Action": ["kms:*Alias"], "Resource": "arn:aws:kms:us-east-1:111122223333:alias/*"},
        {"Action": "kms:PutKeyPolicy", "Resource": "arn:aws:kms:*:*:key/*"},
    ),
)

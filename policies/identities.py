"""Roles: what all their policies together allow, and who takes them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from policies.aws import iam, workloads
from policies.aws.privileges import ADMINISTERING, SAMPLE_KEYS, USING, started_with_any_role
from policies.engine.graph import Resource, ResourceGraph
from policies.engine.model import Mutation, Policy, Violation, part_of, supports
from policies.engine.mutate import add, described
from policies.engine.values import UnknownValue, drained

ROLE = "aws_iam_role"
PROFILE = "aws_iam_instance_profile"
TEMPLATE = "aws_launch_template"
VOLUMES = (
    (TEMPLATE, "block_device_mappings", "ebs.kms_key_id"),
    ("aws_instance", "root_block_device", "kms_key_id"),
    ("aws_instance", "ebs_block_device", "kms_key_id"),
)
"""Where the volumes of servers name their key: type, block, attribute."""


def _granting(*statements: dict[str, Any]) -> Mutation:
    """A mutation: one more policy of the role allows *statements*."""
    allowed = [{"Effect": "Allow", **statement} for statement in statements]
    return add("aws_iam_role_policy", role="${{subject}.id}", policy={"Statement": allowed})


def combines_no_escalation(role: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    The policies of a role together do not let it take permissions that it was not given.

    Each alone is harmless: one passes a role, the other starts what works with it.
    """
    statements, unknown = drained(iam.held(role, graph))
    for action in started_with_any_role(statements):
        yield Violation(f"may pass any role, and use {action}", role)
    if unknown:
        raise UnknownValue(unknown)


def _in_two_policies(role: Resource, graph: ResourceGraph) -> ResourceGraph:
    start = {"Effect": "Allow", "Action": "lambda:CreateFunction", "Resource": "*"}
    for mutation in (
        add("aws_iam_policy", policy={"Statement": start}),
        add(
            "aws_iam_role_policy_attachment",
            role="${{subject}.name}",
            policy_arn="${aws_iam_policy.added.arn}",
        ),
        _granting({"Action": "iam:PassRole", "Resource": "*"}),
    ):
        graph = mutation(role, graph)
    return graph


ESCALATION = Policy(
    checks=combines_no_escalation,
    applies_to=ROLE,
    claims=(part_of("7.2.5"),),
    example={ROLE: {"app": {}}},
    violated_by=(
        described(
            "allow iam:PassRole in one policy, and lambda:CreateFunction in another",
            _in_two_policies,
        ),
        _granting({"Action": ["iam:PassRole", "ecs:Run*"], "Resource": "*"}),
    ),
)


def has_one_duty_about_keys(role: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    A role that administers keys uses none.

    Whoever may hand out a key, and use it, needs nobody to read what it protects.
    """
    statements, unknown = drained(iam.held(role, graph))
    actions = [a for statement in statements if statement.allows for a in statement.actions()]
    administers = [action for action in actions if iam.reaches(action, ADMINISTERING)]
    uses = [action for action in actions if iam.reaches(action, USING)]
    if administers and uses:
        yield Violation(f"may use {administers[0]}, and {uses[0]}", role)
    if unknown:
        raise UnknownValue(unknown)


KEY_DUTIES = Policy(
    checks=has_one_duty_about_keys,
    applies_to=ROLE,
    claims=(part_of("3.6.1.3"), supports("3.7.7")),
    example={ROLE: {"app": {}}},
    violated_by=(
        _granting(
            {"Action": "kms:PutKeyPolicy", "Resource": "${aws_kms_key.cde.arn}"},
            {"Action": "kms:Decrypt", "Resource": "${aws_kms_key.cde.arn}"},
        ),
        _granting({"Action": "kms:*", "Resource": "${aws_kms_key.cde.arn}"}),
    ),
)


def is_taken_by_one_workload(role: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    A role is that of one workload.

    Two that share one can do what the other needs, and a log does not tell them apart.
    """
    found = {workload.base for workload in workloads.taking(role, graph)}
    if len(found) > 1:
        yield Violation(f"is that of {' and '.join(sorted(found))}", role)


def _shared(role: Resource, graph: ResourceGraph) -> ResourceGraph:
    graph = add("aws_lambda_function", role="${{subject}.arn}")(role, graph)
    return add("aws_glue_job", role_arn="${{subject}.arn}")(role, graph)


ONE_WORKLOAD = Policy(
    checks=is_taken_by_one_workload,
    applies_to=ROLE,
    claims=(part_of("7.2.5"), supports("2.2.3")),
    example={ROLE: {"app": {}}, PROFILE: {"app": {"role": "${aws_iam_role.app.name}"}}},
    violated_by=(described("a function and a job take it", _shared),),
)


def cannot_use_the_key_of_its_disk(profile: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    The role of a server cannot use the key of its disk by itself.

    The disk is then opened by the service that attaches it, and by nobody who has logged
    in to the server, or has taken its role.
    """
    keys = graph.index("keys of volumes", lambda: frozenset(_keys_of_volumes(graph)))
    for role in graph.follow(profile, "role"):
        for statement in iam.held(role, graph):
            if statement.allows and not statement.is_bound_by_a_condition():
                for action in statement.actions():
                    if iam.reaches(action, USING) and _names_one_of(keys, statement):
                        yield Violation(f"{statement.name} allows {action}", role)


def _names_one_of(keys: frozenset[str], statement: iam.Statement) -> bool:
    """Whether *statement* is about one of *keys*, or about every key."""
    return any(
        target in keys or iam.covers_arns(target, SAMPLE_KEYS) for target in statement.targets()
    )


def _keys_of_volumes(graph: ResourceGraph) -> Iterator[str]:
    """Yield what names the keys of the volumes of servers."""
    for type, path, attribute in VOLUMES:
        for server in graph.of_type(type):
            for mapping in server.blocks(path):
                for name in mapping.reference(attribute):
                    yield from {name, *(n for key in graph.named(name) for n in key.identities)}


def _opens_its_disk(profile: Resource, graph: ResourceGraph) -> ResourceGraph:
    keys = [f"${{{name}.arn}}" for name in _keys_of_volumes(graph) if name.startswith("aws_")]
    statement = {"Action": "kms:Decrypt", "Resource": keys}
    return _granting(statement)(next(graph.follow(profile, "role")), graph)


VOLUME_KEYS = Policy(
    checks=cannot_use_the_key_of_its_disk,
    applies_to=PROFILE,
    claims=(part_of("3.5.1.3"),),
    example={
        PROFILE: {"app": {"role": "${aws_iam_role.app.name}"}},
        ROLE: {"app": {}},
        TEMPLATE: {
            "app": {"block_device_mappings": [{"ebs": {"kms_key_id": "${aws_kms_key.disk.arn}"}}]}
        },
    },
    violated_by=(described("its role decrypts with that key", _opens_its_disk),),
)

"""Who may read a secret: the workloads that need it, and nobody else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from policies.aws import iam, workloads
from policies.engine.graph import Resource, ResourceGraph
from policies.engine.model import Policy, Violation, part_of
from policies.engine.mutate import add, described, replace
from policies.engine.values import UnknownValue, drained

SECRET = "aws_secretsmanager_secret"  # noqa: S105 - a type
SECRET_POLICY = "aws_secretsmanager_secret_policy"  # noqa: S105 - a type
ROLE = "aws_iam_role"
PERSONAL = (
    "aws_iam_user_policy",
    "aws_iam_group_policy",
    "aws_ssoadmin_permission_set_inline_policy",
)
READ = "secretsmanager:getsecretvalue"


def is_read_by_workloads_only(secret: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    A secret is read by the workloads that need it, and by nobody else.

    A person who reads the password of a database is a person whom its log takes for the
    application.
    """
    readers = graph.index("readers of secrets", lambda: _Readers.of(graph))
    for holder in readers.who_read(secret):
        if holder.type != ROLE or not any(True for _ in workloads.taking(holder, graph)):
            yield Violation(f"{holder.address} may read it, and no workload takes it", secret)
    if readers.unknown:
        raise UnknownValue(readers.unknown)


@dataclass(frozen=True)
class _Readers:
    """Who may read which secrets, by what names them."""

    by_target: Mapping[str, list[Resource]]
    by_pattern: tuple[tuple[str, Resource], ...]
    """ARNs, with wildcards or without, of secrets."""

    unknown: str
    """Why what somebody may read cannot be told, or nothing."""

    def who_read(self, secret: Resource) -> Iterator[Resource]:
        """Yield the roles, users and groups that may read *secret*, each once."""
        found = {r.address: r for name in secret.names for r in self.by_target.get(name, ())}
        name = secret.get("name") if self.by_pattern and secret.is_known("name") else None
        for pattern, holder in self.by_pattern if name else ():
            if iam.matches(pattern.rpartition(":secret:")[2], f"{name}-a1b2c3"):
                found[holder.address] = holder
        yield from found.values()

    @classmethod
    def of(cls, graph: ResourceGraph) -> _Readers:
        """Return those of *graph*; who may read every secret is another policy's matter."""
        by_target: dict[str, list[Resource]] = {}
        patterns: list[tuple[str, Resource]] = []
        unknown = ""
        for holder in graph.of_type(ROLE, *PERSONAL):
            held = iam.held if holder.type == ROLE else iam.granted
            statements, reason = drained(held(holder, graph))
            unknown = unknown or reason
            for statement in statements:
                try:
                    for target in _read(statement):
                        by_target.setdefault(target, []).append(holder)
                        if ":secret:" in target:
                            patterns.append((target, holder))
                except UnknownValue as told:
                    unknown = unknown or f"{holder.address}: {told}"
        return cls(by_target, tuple(patterns), unknown)


def _read(statement: iam.Statement) -> Iterator[str]:
    """Yield what names the secrets that *statement* lets somebody read."""
    if statement.allows and any(iam.matches(action, READ) for action in statement.actions()):
        yield from statement.targets()


def _with_a_reader(secret: Resource, graph: ResourceGraph) -> ResourceGraph:
    statement = {"Effect": "Allow", "Action": READ, "Resource": "${{subject}.arn}"}
    return add(ROLE, inline_policy=[{"policy": {"Statement": statement}}])(secret, graph)


READERS = Policy(
    checks=is_read_by_workloads_only,
    applies_to=SECRET,
    claims=(part_of("7.2.5"), part_of("8.6.2")),
    example={
        SECRET: {"database": {}},
        ROLE: {"app": {}},
        "aws_iam_role_policy": {
            "app": {
                "role": "${aws_iam_role.app.id}",
                "policy": {
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Action": ["secretsmanager:GetSecretValue"],
                            "Resource": "${aws_secretsmanager_secret.database.arn}",
                        }
                    ]
                },
            }
        },
        "aws_iam_instance_profile": {"app": {"role": "${aws_iam_role.app.name}"}},
    },
    violated_by=(
        described("a role that no workload takes reads it", _with_a_reader),
        described(
            "no workload takes the role that reads it",
            lambda _, graph: graph.without(*graph.of_type(*(type for type, _ in workloads.ROLES))),
        ),
    ),
)


def names_who_reads(holder: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    The policies of secrets name who may read them.

    One for everybody hands the password to every account on AWS.
    """
    for text in iam.open_to_strangers(holder, "policy"):
        yield Violation(f"policy: {text}", holder, "policy")
    for statement in iam.statements(holder, "policy"):
        for principal in statement.named_principals() if statement.allows else ():
            if ":user/" in principal:
                yield Violation(f"policy: {statement.name} allows {principal}", holder, "policy")


NAMED_READERS = Policy(
    checks=names_who_reads,
    applies_to=(SECRET_POLICY, SECRET),
    claims=(part_of("7.2.5"),),
    example={
        SECRET_POLICY: {
            "database": {
                "policy": {
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Principal": {"AWS": "arn:aws:iam::111122223333:role/app"},
                            "Action": "secretsmanager:GetSecretValue",
                            "Resource": "*",
                        }
                    ]
                }
            }
        }
    },
    violated_by=tuple(
        replace("policy", {"Statement": [{"Effect": "Allow", "Action": READ, **who}]})
        for who in (
            {"Principal": "*"},
            {"Principal": {"AWS": "*"}},
            {"NotPrincipal": {"AWS": "arn:aws:iam::111122223333:root"}},
            {"Principal": {"AWS": ["arn:aws:iam::111122223333:user/alice"]}},
        )
    ),
)

"""Cognito: how customers say who they are. PCI DSS leaves customers out of requirement 8."""

from __future__ import annotations

from collections.abc import Iterator

from policies.engine.graph import Resource, ResourceGraph
from policies.engine.model import Policy, Violation, part_of
from policies.engine.mutate import remove, replace
from policies.engine.settings import states

POOL = "aws_cognito_user_pool"
LEAST_LENGTH = 12

SECOND_FACTOR = states(
    POOL,
    "mfa_configuration",
    "ON",
    refused=("OFF", "OPTIONAL"),
    title="Users of a pool need a second factor.",
    why="A password that was guessed, or bought, is then not enough.",
    claims=(),
)


def asks_for_long_passwords(pool: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Passwords of a pool have twelve characters, with letters and digits.

    Shorter ones are tried out in a day.
    """
    length = pool.number("password_policy.minimum_length", 8)
    if length is None or length < LEAST_LENGTH:
        yield Violation(f"minimum_length is {length or 0:g}", pool, "password_policy")
    for flag in ("require_numbers", "require_lowercase"):
        if pool.get(f"password_policy.{flag}", False) is not True:
            yield Violation(f"{flag} is not true", pool, "password_policy")


PASSWORDS = Policy(
    checks=asks_for_long_passwords,
    applies_to=POOL,
    example={
        POOL: {
            "customers": {
                "password_policy": {
                    "minimum_length": LEAST_LENGTH,
                    "require_lowercase": True,
                    "require_numbers": True,
                },
            }
        }
    },
    violated_by=(
        remove("password_policy"),
        replace("password_policy.minimum_length", 8),
        replace("password_policy.require_numbers", False),
        remove("password_policy.require_lowercase"),
    ),
)
GUESTS = states(
    "aws_cognito_identity_pool",
    "allow_unauthenticated_identities",
    False,
    otherwise=False,
    title="Identity pools know no guests.",
    why="A guest is anybody, with credentials of AWS.",
    claims=(part_of("7.3.3"),),
)

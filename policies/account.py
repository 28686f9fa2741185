"""What holds for a whole account: passwords, and defaults for what is made by hand."""

from __future__ import annotations

from collections.abc import Iterator

from policies.buckets import BLOCKS
from policies.engine.graph import Resource, ResourceGraph
from policies.engine.model import Policy, Violation, part_of, supports
from policies.engine.mutate import remove, replace
from policies.engine.settings import states

PASSWORD_POLICY = "aws_iam_account_password_policy"  # noqa: S105 - a type
PUBLIC_ACCESS_BLOCK = "aws_s3_account_public_access_block"
VOLUME_ENCRYPTION = "aws_ebs_encryption_by_default"
SHORTEST_PASSWORD = 12
OLDEST_PASSWORD_DAYS = 90
REMEMBERED_PASSWORDS = 4


def asks_for_long_passwords(policy: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Passwords of the account are long, mixed, changed every 90 days, and not taken again.

    It holds for whoever is given a user in spite of everything.
    """
    length = policy.number("minimum_password_length", 6)
    if length is None or length < SHORTEST_PASSWORD:
        yield Violation(
            f"minimum_password_length is less than {SHORTEST_PASSWORD}",
            policy,
            "minimum_password_length",
        )
    if policy.get("require_numbers") is not True:
        yield Violation("require_numbers is not true", policy, "require_numbers")
    letters = ("require_lowercase_characters", "require_uppercase_characters")
    if not any(policy.get(flag) is True for flag in letters):
        yield Violation("no letters are required", policy, letters[0])


def changes_passwords(policy: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """Passwords are changed every 90 days, and none of the last four comes back."""
    age = policy.number("max_password_age", 0)
    if age is None or not 0 < age <= OLDEST_PASSWORD_DAYS:
        yield Violation(
            f"max_password_age is not within {OLDEST_PASSWORD_DAYS} days",
            policy,
            "max_password_age",
        )
    remembered = policy.number("password_reuse_prevention", 0)
    if not remembered or remembered < REMEMBERED_PASSWORDS:
        yield Violation(
            f"password_reuse_prevention is less than {REMEMBERED_PASSWORDS}",
            policy,
            "password_reuse_prevention",
        )


PASSWORDS = Policy(
    checks=(asks_for_long_passwords, changes_passwords),
    applies_to=PASSWORD_POLICY,
    claims=(part_of("8.3.6"), part_of("8.3.7"), part_of("8.3.9"), supports("8.3.10.1")),
    example={
        PASSWORD_POLICY: {
            "account": {
                "minimum_password_length": 14,
                "require_numbers": True,
                "require_lowercase_characters": True,
                "max_password_age": 90,
                "password_reuse_prevention": 4,
            }
        }
    },
    violated_by=(
        replace("minimum_password_length", 8),
        remove("minimum_password_length"),
        replace("require_numbers", False),
        remove("max_password_age"),
        replace("max_password_age", 365),
        replace("max_password_age", -1),
        replace("password_reuse_prevention", 1),
    ),
)


def blocks_public_buckets(block: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    The account blocks public access to every bucket.

    It holds for the bucket that somebody makes by hand tomorrow.
    """
    for flag in BLOCKS:
        if block.get(flag) is not True:
            yield Violation(f"{flag} is not true", block, flag)


PUBLIC_BUCKETS = Policy(
    checks=blocks_public_buckets,
    applies_to=PUBLIC_ACCESS_BLOCK,
    at_least=1,
    account_wide=True,
    claims=(part_of("1.4.4"),),
    example={PUBLIC_ACCESS_BLOCK: {"account": dict.fromkeys(BLOCKS, True)}},
    violated_by=tuple(replace(flag, False) for flag in BLOCKS),
)


def encrypts_volumes(setting: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    The account encrypts every new volume.

    It holds for the server that somebody starts by hand tomorrow.
    """
    if setting.get("enabled", True) is not True:
        yield Violation("enabled is not true", setting, "enabled")


VOLUMES = Policy(
    checks=encrypts_volumes,
    applies_to=VOLUME_ENCRYPTION,
    at_least=1,
    account_wide=True,
    claims=(supports("3.5.1"),),
    example={VOLUME_ENCRYPTION: {"account": {"enabled": True}}},
    violated_by=(replace("enabled", False),),
)

PUBLIC_CLUSTERS = states(
    "aws_emr_block_public_access_configuration",
    "block_public_security_group_rules",
    True,
    title="The account starts no EMR cluster that is open to the Internet.",
    why="What somebody starts by hand is then closed as well.",
    claims=(part_of("1.4.4"),),
)
FIRST_PASSWORDS = states(
    "aws_iam_user_login_profile",
    "password_reset_required",
    True,
    title="A first password is changed at the first login.",
    why="Until then, whoever made it knows it as well.",
    claims=(part_of("8.3.5"),),
)

"""Whom permissions are given to: no user, and nobody all of a kind at once."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies.engine.graph import Resource, ResourceGraph
from policies.engine.model import Policy, Violation, part_of, supports
from policies.engine.mutate import replace
from policies.engine.values import Unknown

ROLE = "aws_iam_role"
ATTACHMENTS = (
    "aws_iam_group_policy_attachments_exclusive",
    "aws_iam_user_policy_attachments_exclusive",
    "aws_iam_role_policy_attachments_exclusive",
    "aws_ssoadmin_managed_policy_attachment",
    "aws_iam_role_policy_attachment",
    "aws_iam_user_policy_attachment",
    "aws_iam_group_policy_attachment",
    "aws_iam_policy_attachment",
)
_FULL = re.compile(
    r"AdministratorAccess.*|PowerUserAccess|(?:Database|System)Administrator|.*FullAccess(?:_?[vV]\d+)?"
)
"""The policies of AWS that cover every resource of a kind, or all there is."""


def attaches_no_full_access(attachment: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    No role is given full access that AWS has a policy for.

    They cover every resource of the account, those of cardholder data among them.
    """
    for attribute in ("policy_arn", "policy_arns", "managed_policy_arn", "managed_policy_arns"):
        for policy in _policies(attachment, attribute, graph):
            name = policy.rpartition("/")[2]
            if _FULL.fullmatch(name):
                yield Violation(f"{attribute} is {name}", attachment, attribute)


def _policies(attachment: Resource, attribute: str, graph: ResourceGraph) -> Iterator[str]:
    """Yield the ARN, or the name, of each policy of AWS at *attribute*, as far as it is written."""
    missing = None
    written = attachment.peek(attribute)
    if isinstance(written, Unknown) and not written.quoted and not written.targets:
        yield written.expression
    for policy in attachment.reference(attribute):
        if policy.startswith("data.aws_iam_policy."):
            missing = policy
        else:
            yield policy
    for source in graph.of_type("data.aws_iam_policy") if missing else ():
        if source.base == missing:
            yield str(source.get("name") or source.get("arn"))


FULL_ACCESS = Policy(
    checks=attaches_no_full_access,
    applies_to=(*ATTACHMENTS, ROLE),
    claims=(part_of("7.2.5"),),
    example={
        "aws_iam_role_policy_attachment": {
            "monitoring": {
                "policy_arn": "arn:aws:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole"
            }
        }
    },
    violated_by=tuple(
        replace("policy_arn", f"arn:{partition}:iam::aws:policy/{name}")
        for partition, name in (
            ("aws", "AdministratorAccess"),
            ("aws-us-gov", "IAMFullAccess"),
            ("aws", "AmazonS3FullAccess"),
        )
    ),
)

USERS = Policy(
    prohibits=(
        "aws_iam_access_key",
        "aws_iam_service_specific_credential",
        "aws_iam_signing_certificate",
        "aws_iam_user",
        "aws_iam_user_login_profile",
        "aws_iam_user_ssh_key",
    ),
    title="There are no IAM users and no access keys.",
    why=(
        "People come through the identity provider, with their own name and a second factor; "
        "an access key is a password that never changes."
    ),
    claims=(supports("7.2.2"), supports("8.6.1")),
)


PERSONAL = Policy(
    prohibits=(
        "aws_iam_user_policy",
        "aws_iam_user_policy_attachment",
        "aws_iam_user_policy_attachments_exclusive",
    ),
    title="Permissions are given to roles, and to no user.",
    why="What a person may do is looked up in one place, and ends with the role.",
    claims=(part_of("7.2.2"),),
)


def attaches_to_no_user(attachment: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    A policy that is attached to several is attached to no user.

    A list of users is a list of exceptions to what roles may do.
    """
    if attachment.is_set("users"):
        yield Violation("users are named", attachment, "users")


SHARED = Policy(
    checks=attaches_to_no_user,
    applies_to="aws_iam_policy_attachment",
    claims=(part_of("7.2.2"),),
    example={"aws_iam_policy_attachment": {"app": {"users": []}}},
    violated_by=(replace("users", ["alice"]),),
)

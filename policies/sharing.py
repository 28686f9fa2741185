"""What is given away: no image, snapshot or document to everybody."""

from __future__ import annotations

from policies.engine.graph import Resource, ResourceGraph
from policies.engine.model import Policy, part_of

SNAPSHOTS = ("aws_db_snapshot", "aws_db_cluster_snapshot", "aws_db_snapshot_copy")
RESULT = "everybody can copy it"


def is_given_to_everybody(resource: Resource, graph: ResourceGraph) -> bool:
    """Whether *resource* is an image, a snapshot or a document that anybody may copy."""
    if resource.type == "aws_ami_launch_permission":
        return bool(resource.get("group") == "all")
    if resource.type in SNAPSHOTS:
        return "all" in list(resource.get("shared_accounts") or ())
    if resource.type == "aws_ssm_document":
        return "all" in str(resource.get("permissions.account_ids") or "").lower().split(",")
    if resource.type == "aws_ebs_snapshot_block_public_access":
        return bool(resource.get("state") == "unblocked")
    return False


EVERYBODY = Policy(
    prohibits=is_given_to_everybody,
    title="No image, snapshot or document is given to everybody.",
    found=RESULT,
    why="A copy of a database is the database.",
    claims=(part_of("1.4.4"), part_of("7.2.1")),
)

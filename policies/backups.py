"""Backups: of every database, in vaults that are locked and encrypted."""

from __future__ import annotations

from collections.abc import Iterator

from policies.aws import encryption
from policies.engine.graph import Resource, ResourceGraph
from policies.engine.model import Policy, Violation, supports
from policies.engine.mutate import attached, remove, replace
from policies.engine.values import UnknownValue

VAULT = "aws_backup_vault"
LOCK = "aws_backup_vault_lock_configuration"
SELECTION = "aws_backup_selection"
CLUSTER = "aws_rds_cluster"
FEWEST_DAYS = 7
CONDITIONS = ("string_equals", "string_like", "string_not_equals", "string_not_like")


def is_backed_up(cluster: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Every database cluster is in a backup plan.

    Its own backups go with it when somebody deletes it.
    """
    selections = list(graph.attached_to(cluster, SELECTION, by="resources"))
    everything = graph.index("backups of everything", lambda: _of_everything(graph))
    if not selections and not everything:
        if any(True for s in graph.of_type(SELECTION) for _ in s.blocks("selection_tag")):
            raise UnknownValue("a selection goes by tags, which are not compared here")
        yield Violation(f"no {SELECTION} names it", cluster)
    for selection in (*selections, *everything):
        if _leaves_some_out(selection):
            raise UnknownValue(f"{selection.address} leaves some out, which are not compared here")


def _leaves_some_out(selection: Resource) -> bool:
    exceptions = any(True for _ in selection.get("not_resources") or ())
    return exceptions or any(
        True
        for condition in selection.blocks("condition")
        for test in CONDITIONS
        for _ in condition.blocks(test)
    )


def _of_everything(graph: ResourceGraph) -> list[Resource]:
    return [s for s in graph.of_type(SELECTION) if "*" in list(s.reference("resources"))]


CLUSTERS = Policy(
    checks=is_backed_up,
    applies_to=CLUSTER,
    example={
        CLUSTER: {"cde": {}},
        SELECTION: {"cde": {"resources": ["${aws_rds_cluster.cde.arn}"]}},
    },
    violated_by=(
        attached(SELECTION, by="resources"),
        attached(SELECTION, replace("resources", []), by="resources"),
    ),
)


def is_locked(vault: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Backup vaults are locked for a week at least.

    Whoever breaks in deletes the backups first.
    """
    locks = list(graph.attached_to(vault, LOCK, by="backup_vault_name"))
    if not locks:
        yield Violation(f"has no {LOCK}", vault)
    for lock in locks:
        days = lock.number("min_retention_days")
        if days is None or days < FEWEST_DAYS:
            yield Violation(
                f"min_retention_days is less than {FEWEST_DAYS}", lock, "min_retention_days"
            )


VAULT_LOCK = Policy(
    checks=is_locked,
    applies_to=VAULT,
    example={
        VAULT: {"cde": {}},
        LOCK: {
            "cde": {"backup_vault_name": "${aws_backup_vault.cde.name}", "min_retention_days": 7}
        },
    },
    violated_by=(
        attached(LOCK, by="backup_vault_name"),
        attached(LOCK, remove("min_retention_days"), by="backup_vault_name"),
        attached(LOCK, replace("min_retention_days", 1), by="backup_vault_name"),
    ),
)


def uses_a_key_of_ours(vault: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Backup vaults are encrypted with a key of ours.

    A backup holds what the database holds.
    """
    yield from encryption.not_ours(vault, "kms_key_arn", graph)


VAULT_ENCRYPTION = Policy(
    checks=uses_a_key_of_ours,
    applies_to=VAULT,
    claims=(supports("3.5.1"),),
    example={VAULT: {"cde": {"kms_key_arn": "${aws_kms_key.backups.arn}"}}},
    violated_by=(remove("kms_key_arn"),),
)

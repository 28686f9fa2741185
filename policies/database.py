"""Databases: private, encrypted at rest and in transit, audited, owned by no default user."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies.aws import encryption, engines
from policies.engine.graph import Resource, ResourceGraph
from policies.engine.model import Policy, Violation, direct, part_of, supports
from policies.engine.mutate import (
    attached,
    remove,
    replace,
    without,
)
from policies.engine.settings import names

CLUSTER = "aws_rds_cluster"
CLUSTER_INSTANCE = "aws_rds_cluster_instance"
INSTANCE = "aws_db_instance"
PARAMETER_GROUP = "aws_rds_cluster_parameter_group"

DEFAULT_USERS = frozenset({
    "admin", "administrator", "awsuser", "dbadmin", "master", "mysql", "postgres", "rdsadmin",
    "root", "sa", "sysadmin", "user",
})  # fmt: skip
"""Names that a guess begins with."""

SHORTEST_BACKUP_DAYS = 7


def is_encrypted(database: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Databases are encrypted at rest.

    Disk encryption helps against a lost disk; it does not make stored card numbers unreadable.
    """
    if database.get("storage_encrypted") is not True:
        yield Violation("storage_encrypted is not true", database, "storage_encrypted")


def is_encrypted_by_itself(database: Resource) -> bool:
    """Whether *database* is one of which AWS encrypts each, or is encrypted as its cluster is."""
    is_serverless = database.get("engine_mode") == "serverless"
    return is_serverless or database.is_set("source_db_cluster_identifier")


def has_to_be_encrypted(database: Resource) -> bool:
    """Whether nothing but *database* itself says whether it is encrypted."""
    return not is_encrypted_by_itself(database)


ENCRYPTION = Policy(
    checks=is_encrypted,
    applies_to=(CLUSTER, INSTANCE, "aws_rds_global_cluster"),
    when=has_to_be_encrypted,
    claims=(supports("3.5.1"),),
    example={
        "aws_rds_cluster": {
            "cde": {"storage_encrypted": True},
            "serverless": {"engine_mode": "serverless"},
        }
    },
    violated_by=(remove("storage_encrypted"), replace("storage_encrypted", False)),
)


def uses_a_key_of_ours(database: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Databases are encrypted with a key of ours.

    Who may use the key of AWS cannot be restricted by us.
    """
    yield from encryption.not_ours(database, "kms_key_id", graph)


CUSTOMER_KEY = Policy(
    checks=uses_a_key_of_ours,
    applies_to=(CLUSTER, INSTANCE),
    claims=(supports("3.6.1"),),
    example={"aws_rds_cluster": {"cde": {"kms_key_id": "${aws_kms_key.database.arn}"}}},
    violated_by=(remove("kms_key_id"), replace("kms_key_id", "alias/aws/rds")),
)


def is_private(database: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Databases have no public address.

    What stores account data is never reached from an untrusted network directly.
    """
    if database.get("publicly_accessible", False) is not False:
        yield Violation("publicly_accessible is not false", database, "publicly_accessible")


PUBLIC_ACCESS = Policy(
    checks=is_private,
    applies_to=(CLUSTER_INSTANCE, INSTANCE),
    claims=(direct("1.4.4"),),
    example={"aws_rds_cluster_instance": {"cde": {"publicly_accessible": False}}},
    violated_by=(replace("publicly_accessible", True), replace("publicly_accessible", "true")),
)


def has_its_own_owner(database: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    The master user of a database bears no default name.

    A name that everybody knows is half of a login.
    """
    attribute = "username" if database.type == INSTANCE else "master_username"
    user = database.get(attribute)
    if user is None and database.type in {CLUSTER, INSTANCE}:
        yield Violation(f"{attribute} is not set", database, attribute)
    elif str(user).lower() in DEFAULT_USERS:
        yield Violation(f"{attribute} is {user}, a default", database, attribute)


def is_no_copy(database: Resource) -> bool:
    """Whether *database* has a master user of its own, and not that of its source."""
    return all(
        not database.is_set(attribute)
        for attribute in (
            "snapshot_identifier",
            "restore_to_point_in_time",
            "replicate_source_db",
            "replication_source_identifier",
        )
    )


MASTER_USER = Policy(
    checks=has_its_own_owner,
    applies_to=(CLUSTER, INSTANCE, "aws_docdb_cluster", "aws_redshift_cluster"),
    when=is_no_copy,
    claims=(part_of("2.2.2"),),
    example={
        "aws_rds_cluster": {
            "cde": {"master_username": "ledger_owner"},
            "copy": {"snapshot_identifier": "nightly"},
        }
    },
    violated_by=(
        remove("master_username"),
        replace("master_username", "admin"),
        replace("master_username", "ROOT"),
    ),
)


def keeps_its_password_to_itself(database: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    The password of a database stands in no file and no state.

    Write-only arguments, or a password that RDS manages, leave nothing behind to steal.
    """
    for attribute in ("master_password", "password"):
        if database.is_set(attribute):
            yield Violation(f"{attribute} is kept in the state", database, attribute)
    for attribute in ("master_password_wo", "password_wo"):
        if database.is_written(attribute):
            yield Violation(f"{attribute} is written out", database, attribute)


PASSWORD = Policy(
    checks=keeps_its_password_to_itself,
    applies_to=(CLUSTER, INSTANCE),
    claims=(direct("8.6.2"), part_of("2.2.2")),
    example={"aws_rds_cluster": {"cde": {}}},
    violated_by=(
        replace("master_password", "correct-horse"),
        replace("master_password", "${random_password.master.result}"),
        replace("password", "correct-horse"),
        replace("master_password_wo", "correct-horse"),
    ),
)


def can_authenticate_people_by_iam(cluster: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    People can log in to a database by their own identity (IAM).

    Otherwise they share a password, and the audit log names nobody.
    """
    if cluster.get("iam_database_authentication_enabled") is not True:
        yield Violation(
            "iam_database_authentication_enabled is not true",
            cluster,
            "iam_database_authentication_enabled",
        )


def knows_iam(database: Resource) -> bool:
    """Whether the engine of *database* can ask IAM who comes."""
    return not str(database.get("engine")).startswith(("custom-", "db2", "oracle", "sqlserver"))


IAM_AUTHENTICATION = Policy(
    checks=can_authenticate_people_by_iam,
    applies_to=(CLUSTER, INSTANCE),
    when=knows_iam,
    claims=(part_of("7.2.6"),),
    example={"aws_rds_cluster": {"cde": {"iam_database_authentication_enabled": True}}},
    violated_by=(
        remove("iam_database_authentication_enabled"),
        replace("iam_database_authentication_enabled", False),
    ),
)


def takes_minor_upgrades(instance: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Databases take minor upgrades, and with them security fixes, by themselves.

    Within its window, without waiting for somebody to read the announcement.
    """
    if instance.get("auto_minor_version_upgrade", True) is not True:
        yield Violation(
            "auto_minor_version_upgrade is not true", instance, "auto_minor_version_upgrade"
        )


MINOR_UPGRADES = Policy(
    checks=takes_minor_upgrades,
    applies_to=(CLUSTER_INSTANCE, INSTANCE),
    claims=(part_of("6.3.3"),),
    example={"aws_rds_cluster_instance": {"cde": {"auto_minor_version_upgrade": True}}},
    violated_by=(replace("auto_minor_version_upgrade", False),),
)


def encrypts_its_insights(instance: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Performance Insights, which shows statements, is under a key of ours.

    Statements may hold what the tables hold.
    """
    yield from encryption.not_ours(instance, "performance_insights_kms_key_id", graph)


PERFORMANCE_INSIGHTS = Policy(
    checks=encrypts_its_insights,
    applies_to=(CLUSTER_INSTANCE, INSTANCE),
    when=lambda instance: instance.get("performance_insights_enabled", False) is not False,
    claims=(supports("3.5.1"),),
    example={
        "aws_rds_cluster_instance": {
            "cde": {
                "performance_insights_enabled": True,
                "performance_insights_kms_key_id": "${aws_kms_key.database.arn}",
            },
            "without": {"performance_insights_enabled": False},
        }
    },
    violated_by=(remove("performance_insights_kms_key_id"),),
)


def is_backed_up(database: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Databases keep their backups for a week at least.

    An error found on Monday is older than the weekend.
    """
    days = database.number("backup_retention_period", 1 if database.type == CLUSTER else 0)
    if days is None or days < SHORTEST_BACKUP_DAYS:
        yield Violation(
            f"backup_retention_period is shorter than {SHORTEST_BACKUP_DAYS} days",
            database,
            "backup_retention_period",
        )


BACKUPS = Policy(
    checks=is_backed_up,
    applies_to=(CLUSTER, INSTANCE),
    when=lambda database: not database.is_set("replicate_source_db"),
    example={
        "aws_rds_cluster": {"cde": {"backup_retention_period": 7}},
        "aws_db_instance": {"replica": {"replicate_source_db": "ledger"}},
    },
    violated_by=(remove("backup_retention_period"), replace("backup_retention_period", 1)),
)


def is_protected_from_deletion(database: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Databases are protected from deletion.

    Neither a wrong command nor a stolen role ends them in one step.
    """
    if database.get("deletion_protection") is not True:
        yield Violation("deletion_protection is not true", database, "deletion_protection")


DELETION_PROTECTION = Policy(
    checks=is_protected_from_deletion,
    applies_to=(CLUSTER, INSTANCE),
    example={"aws_rds_cluster": {"cde": {"deletion_protection": True}}},
    violated_by=(remove("deletion_protection"), replace("deletion_protection", False)),
)


def leaves_a_snapshot(database: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Databases leave a last snapshot.

    What was deleted on purpose may have been deleted by the wrong one.
    """
    if database.get("skip_final_snapshot", False) is not False:
        yield Violation("skip_final_snapshot is not false", database, "skip_final_snapshot")


FINAL_SNAPSHOT = Policy(
    checks=leaves_a_snapshot,
    applies_to=(CLUSTER, INSTANCE),
    example={"aws_rds_cluster": {"cde": {"skip_final_snapshot": False}}},
    violated_by=(replace("skip_final_snapshot", True),),
)

EVENTS = "aws_db_event_subscription"
SOURCES = {"aws_rds_cluster": "db-cluster", "aws_db_instance": "db-instance"}
TOLD = frozenset({"configuration change", "failure", "maintenance"})


def tells_of_its_changes(database: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    What changes a database, or ends it, is told.

    A parameter that somebody turned off leaves no trace in any log of the database.
    """
    about_all = graph.index("subscriptions to every database", lambda: tuple(_about_all(graph)))
    for subscription in (*graph.attached_to(database, EVENTS, by="source_ids"), *about_all):
        if _tells(subscription, SOURCES[database.type]):
            return
    yield Violation(f"no {EVENTS} tells of it", database)


def _about_all(graph: ResourceGraph) -> Iterator[Resource]:
    """Yield the subscriptions that name no database, and so are about every one."""
    for subscription in graph.of_type(EVENTS):
        if not subscription.is_set("source_ids"):
            yield subscription


def _tells(subscription: Resource, source: str) -> bool:
    """Whether *subscription* tells somebody of whatever matters in a *source*."""
    categories = frozenset(subscription.get("event_categories") or ())
    return (
        subscription.get("enabled", True) is True
        and subscription.is_set("sns_topic")
        and subscription.get("source_type", source) == source
        and (not categories or categories >= TOLD)
    )


CHANGES = Policy(
    checks=tells_of_its_changes,
    applies_to=("aws_rds_cluster", "aws_db_instance"),
    claims=(supports("11.5.2"),),
    example={
        "aws_rds_cluster": {"cde": {}},
        EVENTS: {
            "cde": {
                "enabled": True,
                "event_categories": sorted(TOLD),
                "source_ids": ["${aws_rds_cluster.cde.id}"],
                "source_type": "db-cluster",
                "sns_topic": "${aws_sns_topic.alerts.arn}",
            }
        },
    },
    violated_by=(
        without(EVENTS),
        *(
            attached(EVENTS, patch, by="source_ids")
            for patch in (
                replace("enabled", False),
                replace("event_categories", ["backup"]),
                replace("source_type", "db-snapshot"),
                replace("source_ids", ["another"]),
                remove("sns_topic"),
            )
        ),
    ),
)

STANDARD_ONLY = "open-source-rds-extended-support-disabled"
DEFAULT_ENGINES = {"aws_rds_cluster": "aurora"}


def runs_on_an_engine_that_is_mended(
    database: Resource, graph: ResourceGraph
) -> Iterator[Violation]:
    """
    Databases run on an engine that is still mended.

    A hole in an old one stays open. Where no version is written, AWS takes one that is.
    """
    engine = str(database.get("engine", DEFAULT_ENGINES.get(database.type)))
    if _runs_what_its_cluster_does(database):
        return
    version = database.get("engine_version")
    if version is None:
        return
    extended = database.get("engine_lifecycle_support") != STANDARD_ONLY
    known = engines.database(engine, str(version))
    if not engines.is_mended("databases", known, graph, extended=extended):
        yield Violation(f"engine_version is {version}, of {known}", database, "engine_version")


def _runs_what_its_cluster_does(database: Resource) -> bool:
    """Whether the version is that of a cluster, which is judged itself."""
    if database.is_known("engine_version"):
        return False
    names = list(database.reference("engine_version"))
    return bool(names) and all(_OF_A_CLUSTER.search(name) for name in names)


_OF_A_CLUSTER = re.compile(r"(?:^|\.)aws_rds_cluster\.[^.]+\.engine_version(?:_actual)?$")


SUPPORTED_ENGINES = Policy(
    checks=runs_on_an_engine_that_is_mended,
    applies_to=("aws_rds_cluster", "aws_db_instance", "aws_rds_cluster_instance"),
    when=lambda database: database.is_set("engine") or database.type == "aws_rds_cluster",
    claims=(part_of("6.3.3"), supports("12.3.4")),
    example={
        "aws_rds_cluster": {
            "cde": {
                "engine": "aurora-mysql",
                "engine_version": "8.0.mysql_aurora.3.10.0",
                "engine_lifecycle_support": STANDARD_ONLY,
            }
        },
        "aws_db_instance": {"copy": {}},
    },
    violated_by=(
        replace("engine_version", "8.0.mysql_aurora.3.04.1"),
        replace("engine_version", "8.0.mysql_aurora.3.05.2"),
    ),
)

INSTANCE_LOGS = names(
    INSTANCE,
    "enabled_cloudwatch_logs_exports",
    such_as=["error"],
    title="Database instances export their logs.",
    why="What nobody recorded cannot be looked up.",
    claims=(part_of("10.2.1"),),
)

EXPIRED_AUTHORITIES = frozenset({"rds-ca-2015", "rds-ca-2019"})
CERTIFIED = ("aws_db_instance", "aws_rds_cluster_instance", "aws_docdb_cluster_instance")


def has_a_certificate_that_holds(instance: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Databases show a certificate whose authority has not expired.

    Clients that cannot check it sooner or later no longer do.
    """
    authority = instance.get("ca_cert_identifier")
    if authority in EXPIRED_AUTHORITIES:
        yield Violation(f"ca_cert_identifier is {authority}", instance, "ca_cert_identifier")


AUTHORITY = Policy(
    checks=has_a_certificate_that_holds,
    applies_to=CERTIFIED,
    claims=(part_of("4.2.1"),),
    example={"aws_db_instance": {"cde": {"ca_cert_identifier": "rds-ca-rsa2048-g1"}}},
    violated_by=(replace("ca_cert_identifier", "rds-ca-2019"),),
)

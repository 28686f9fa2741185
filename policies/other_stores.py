"""Stores of account data that few use: Keyspaces, QLDB, DSQL, Neptune Analytics and their like."""

from __future__ import annotations

from collections.abc import Iterator

from policies import common
from policies.engine.graph import Resource, ResourceGraph
from policies.engine.model import Policy, Violation, part_of
from policies.engine.mutate import replace
from policies.engine.settings import states
from policies.engine.values import type_of

LEDGER = "aws_qldb_ledger"
GRAPH = "aws_neptunegraph_graph"
ACCESS_LIST = "aws_memorydb_acl"
NAMESPACE = "aws_redshiftserverless_namespace"

KEYSPACES_KEY = common.under_our_key(
    "Keyspaces tables", "aws_keyspaces_table", "encryption_specification.kms_key_identifier"
)
LEDGERS_KEY = common.under_our_key("Ledgers", LEDGER, "kms_key")
LEDGERS_PERMISSIONS = states(
    LEDGER,
    "permissions_mode",
    "STANDARD",
    refused=("ALLOW_ALL",),
    title="Ledgers ask IAM for each table and command.",
    why="With ALLOW_ALL, whoever may connect may do everything.",
    claims=(part_of("7.3.3"),),
)
ELASTIC_DOCUMENTS_KEY = common.under_our_key(
    "Elastic DocumentDB clusters", "aws_docdbelastic_cluster", "kms_key_id"
)
DISTRIBUTED_KEY = common.under_our_key(
    "Aurora DSQL clusters", "aws_dsql_cluster", "kms_encryption_key"
)
GRAPHS_KEY = common.under_our_key("Neptune graphs", GRAPH, "kms_key_identifier")
GRAPHS_PRIVATE = common.private("Neptune graphs", GRAPH, "public_connectivity", otherwise=False)
SERVERLESS_CACHES_KEY = common.under_our_key(
    "Serverless caches", "aws_elasticache_serverless_cache", "kms_key_id"
)
SERVERLESS_WAREHOUSES_KEY = common.under_our_key("Redshift namespaces", NAMESPACE, "kms_key_id")
INFLUX_PRIVATE = common.private(
    "Timestream for InfluxDB instances",
    "aws_timestreaminfluxdb_db_instance",
    "publicly_accessible",
    otherwise=False,
)
SHARDS_PRIVATE = states(
    "aws_rds_shard_group",
    "publicly_accessible",
    False,
    title="Aurora Limitless shard groups have no public address.",
    why="Left out, the network decides.",
    claims=(part_of("1.4.4"),),
)
LIGHTSAIL_PRIVATE = common.private(
    "Lightsail databases", "aws_lightsail_database", "publicly_accessible", otherwise=False
)
MAINFRAMES_PRIVATE = common.private(
    "Mainframe environments", "aws_m2_environment", "publicly_accessible", otherwise=False
)
SERVERLESS_WAREHOUSES_LOGS = common.exported(
    "Redshift namespaces export who came and what they asked.",
    NAMESPACE,
    "log_exports",
    "connectionlog",
    "useractivitylog",
)


def asks_for_a_password(user: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Users of ElastiCache have a password, or come by IAM.

    A cache without one belongs to whoever reaches it.
    """
    if user.get("no_password_required", False) is not False:
        yield Violation("no_password_required is true", user, "no_password_required")
    if user.get("authentication_mode.type") == "no-password-required":
        yield Violation("authentication_mode needs no password", user, "authentication_mode")


CACHE_USERS = Policy(
    checks=asks_for_a_password,
    applies_to="aws_elasticache_user",
    claims=(part_of("7.3.1"),),
    example={"aws_elasticache_user": {"app": {"no_password_required": False}}},
    violated_by=(
        replace("no_password_required", True),
        replace("authentication_mode", {"type": "no-password-required"}),
    ),
)


def has_a_list_of_its_own(cluster: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    MemoryDB clusters say who may do what.

    The list that AWS made lets everybody do everything, without a password.
    """
    is_ours = not cluster.is_known("acl_name") and all(
        type_of(name) == ACCESS_LIST for name in cluster.reference("acl_name")
    )
    if not is_ours and cluster.get("acl_name") == "open-access":
        yield Violation("acl_name is open-access", cluster, "acl_name")


MEMORY_ACCESS = Policy(
    checks=has_a_list_of_its_own,
    applies_to="aws_memorydb_cluster",
    claims=(part_of("7.3.1"), part_of("7.3.3")),
    example={"aws_memorydb_cluster": {"cde": {"acl_name": "${aws_memorydb_acl.cde.id}"}}},
    violated_by=(replace("acl_name", "open-access"),),
)

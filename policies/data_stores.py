"""Where account data may lie beside Aurora: encrypted, private, over TLS, logged, patched."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from policies import common
from policies.aws import encryption
from policies.engine.graph import Resource, ResourceGraph
from policies.engine.model import Policy, Violation, part_of, supports
from policies.engine.mutate import attached, remove, replace
from policies.engine.settings import example, names, states

FILE_SYSTEM = "aws_efs_file_system"
TABLE = "aws_dynamodb_table"
CACHE = "aws_elasticache_replication_group"
WAREHOUSE = "aws_redshift_cluster"
DOCUMENTS = "aws_docdb_cluster"
NEPTUNE = "aws_neptune_cluster"
DAX = "aws_dax_cluster"
MEMORY = "aws_memorydb_cluster"
BROKER = "aws_mq_broker"
DESKTOP = "aws_workspaces_workspace"
WORKGROUP = "aws_redshiftserverless_workgroup"
TIMESERIES = "aws_timestreamwrite_database"
REPLICATION = "aws_dms_replication_instance"


FILE_SYSTEMS_AT_REST = common.encrypted("EFS file systems", FILE_SYSTEM, "encrypted")
FILE_SYSTEMS_KEY = common.under_our_key("EFS file systems", FILE_SYSTEM, "kms_key_id")
FILE_SYSTEM_USERS = names(
    "aws_efs_access_point",
    "posix_user",
    such_as={"uid": 1000, "gid": 1000},
    title="Access points of EFS say whose identity they give.",
    why="Without it, whoever mounts one is whom he says he is.",
    claims=(part_of("7.3.1"),),
)
LUSTRE_KEY = common.under_our_key(
    "FSx for Lustre systems", "aws_fsx_lustre_file_system", "kms_key_id"
)
WINDOWS_KEY = common.under_our_key(
    "FSx for Windows systems", "aws_fsx_windows_file_system", "kms_key_id"
)
ONTAP_KEY = common.under_our_key("FSx for ONTAP systems", "aws_fsx_ontap_file_system", "kms_key_id")
OPENZFS_KEY = common.under_our_key(
    "FSx for OpenZFS systems", "aws_fsx_openzfs_file_system", "kms_key_id"
)


def uses_its_key(table: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    DynamoDB tables are encrypted with a key of ours.

    Whoever reads them needs our permission for the key as well.
    """
    yield from encryption.not_ours(table, "server_side_encryption.kms_key_arn", graph)
    if table.get("server_side_encryption.enabled", True) is not True:
        yield Violation("server_side_encryption.enabled is not true", table)


TABLES_KEY = Policy(
    checks=uses_its_key,
    applies_to=TABLE,
    claims=(supports("3.5.1"),),
    example={
        TABLE: {
            "cde": {
                "server_side_encryption": {"enabled": True, "kms_key_arn": "${aws_kms_key.cde.arn}"}
            }
        }
    },
    violated_by=(
        remove("server_side_encryption"),
        remove("server_side_encryption.kms_key_arn"),
        replace("server_side_encryption.enabled", False),
    ),
)
TABLES_RECOVERY = states(
    TABLE,
    "point_in_time_recovery.enabled",
    True,
    title="DynamoDB tables can be wound back.",
    why="What was deleted by mistake, or in anger, is there again.",
    claims=(),
)
DAX_AT_REST = common.encrypted("DAX clusters", DAX, "server_side_encryption.enabled")
DAX_TLS = common.over_tls(
    "DAX clusters", DAX, "cluster_endpoint_encryption_type", "TLS", refused=("NONE",)
)

CACHES_AT_REST = common.encrypted("ElastiCache groups", CACHE, "at_rest_encryption_enabled")
CACHES_KEY = common.under_our_key("ElastiCache groups", CACHE, "kms_key_id")
CACHES_TLS = common.over_tls("ElastiCache groups", CACHE, "transit_encryption_enabled", True)
CACHES_TLS_MODE = states(
    CACHE,
    "transit_encryption_mode",
    "required",
    otherwise="required",
    refused=("preferred",),
    title="ElastiCache groups take no connection without TLS.",
    why="Otherwise each client decides for itself.",
    claims=(part_of("4.2.1"),),
)
CACHES_PATCHES = common.patched(
    "ElastiCache groups", CACHE, "auto_minor_version_upgrade", otherwise=True
)
MEMORY_TLS = states(
    MEMORY,
    "tls_enabled",
    True,
    otherwise=True,
    title="MemoryDB clusters are reached over TLS only.",
    why="Whoever listens in between learns nothing.",
    claims=(part_of("4.2.1"),),
)
MEMORY_KEY = common.under_our_key("MemoryDB clusters", MEMORY, "kms_key_arn")

WAREHOUSES_AT_REST = common.encrypted("Redshift clusters", WAREHOUSE, "encrypted")
WAREHOUSES_KEY = common.under_our_key("Redshift clusters", WAREHOUSE, "kms_key_id")
WAREHOUSES_PRIVATE = common.private(
    "Redshift clusters", WAREHOUSE, "publicly_accessible", otherwise=True
)
WAREHOUSES_PATCHES = common.patched(
    "Redshift clusters", WAREHOUSE, "allow_version_upgrade", otherwise=True
)
WAREHOUSES_ROUTING = states(
    WAREHOUSE,
    "enhanced_vpc_routing",
    True,
    title="Redshift clusters load and unload through the VPC.",
    why="Otherwise their traffic passes by every rule of the network.",
    claims=(part_of("1.3.2"),),
)
WAREHOUSES_NETWORK = names(
    WAREHOUSE,
    "cluster_subnet_group_name",
    title="Redshift clusters stand in subnets of ours.",
    why="Left out, one stands in the default network, if anywhere.",
    claims=(part_of("1.4.4"),),
    such_as="${aws_redshift_subnet_group.cde.name}",
)
SERVERLESS_WAREHOUSES_PRIVATE = common.private(
    "Redshift workgroups",
    "aws_redshiftserverless_workgroup",
    "publicly_accessible",
    otherwise=False,
)

DOCUMENTS_AT_REST = common.encrypted("DocumentDB clusters", DOCUMENTS, "storage_encrypted")
DOCUMENTS_KEY = common.under_our_key("DocumentDB clusters", DOCUMENTS, "kms_key_id")
NEPTUNE_PRIVATE = common.private(
    "Neptune instances", "aws_neptune_cluster_instance", "publicly_accessible", otherwise=False
)
NEPTUNE_AT_REST = common.encrypted("Neptune clusters", NEPTUNE, "storage_encrypted")
NEPTUNE_KEY = common.under_our_key("Neptune clusters", NEPTUNE, "kms_key_arn")

BROKERS_PRIVATE = common.private("MQ brokers", BROKER, "publicly_accessible", otherwise=False)
BROKERS_PATCHES = common.patched("MQ brokers", BROKER, "auto_minor_version_upgrade")


def logs_its_administrators(broker: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    MQ brokers log who administers them.

    RabbitMQ has one log for everything.
    """
    is_rabbit = str(broker.get("engine_type")).lower() == "rabbitmq"
    path = "logs.general" if is_rabbit else "logs.audit"
    if broker.get(path, False) is not True:
        yield Violation(f"{path} is not true", broker, path)


BROKERS_LOGS = Policy(
    checks=logs_its_administrators,
    applies_to=BROKER,
    claims=(part_of("10.2.1"),),
    example={BROKER: {"cde": {"engine_type": "ActiveMQ", "logs": {"audit": True}}}},
    violated_by=(
        remove("logs"),
        replace("logs.audit", False),
        replace("engine_type", "RabbitMQ"),
    ),
)
BROKERS_KEY = common.under_our_key("MQ brokers", BROKER, "encryption_options.kms_key_id")

REPLICATION_PRIVATE = common.private(
    "DMS replication instances", REPLICATION, "publicly_accessible", otherwise=False
)
REPLICATION_PATCHES = common.patched(
    "DMS replication instances", REPLICATION, "auto_minor_version_upgrade"
)
REPLICATION_KEY = common.under_our_key("DMS replication instances", REPLICATION, "kms_key_arn")
WITHOUT_A_MODE = frozenset({
    "dynamodb", "elasticsearch", "kafka", "kinesis", "opensearch", "redis", "redshift-serverless",
    "s3",
})  # fmt: skip
"""Engines that are spoken to over the API of AWS, or say elsewhere whether over TLS."""


def has_a_mode(endpoint: Resource) -> bool:
    """Whether ssl_mode says how *endpoint* is spoken to."""
    return endpoint.get("engine_name") not in WITHOUT_A_MODE


REPLICATION_TLS = dataclasses.replace(
    states(
        "aws_dms_endpoint",
        "ssl_mode",
        "require",
        "verify-ca",
        "verify-full",
        refused=("none",),
        title="DMS endpoints speak TLS.",
        why="A migration carries everything at once.",
        claims=(part_of("4.2.1"),),
    ),
    when=has_a_mode,
)

TIMESERIES_KEY = common.under_our_key("Timestream databases", TIMESERIES, "kms_key_id")
SNAPSHOT_COPIES = common.encrypted("Copies of snapshots", "aws_ebs_snapshot_copy", "encrypted")
IMAGE_COPIES = common.encrypted("Copies of images", "aws_ami_copy", "encrypted")
DESKTOP_ROOTS = common.encrypted(
    "Root volumes of desktops", DESKTOP, "root_volume_encryption_enabled"
)
DESKTOP_USERS = common.encrypted(
    "User volumes of desktops", DESKTOP, "user_volume_encryption_enabled"
)

DOCUMENTS_LOGS = common.exported(
    "DocumentDB clusters export their audit log.",
    DOCUMENTS,
    "enabled_cloudwatch_logs_exports",
    "audit",
)
NEPTUNE_LOGS = common.exported(
    "Neptune clusters export their audit log.", NEPTUNE, "enable_cloudwatch_logs_exports", "audit"
)


def _parameter(
    type: str,
    parameter: str,
    *wanted: str,
    otherwise: bool = False,
    title: str,
    why: str = common.NOT_RECORDED,
    requirement: str = "10.2.1",
) -> Policy:
    """Return the policy that *parameter* is one of *wanted*, as it is *otherwise*, or is not."""

    def sets_the_parameter(group: Resource, graph: ResourceGraph) -> Iterator[Violation]:
        for setting in group.blocks("parameter"):
            if setting.get("name") == parameter:
                if str(setting.get("value")).lower() not in wanted:
                    yield Violation(f"{parameter} is {setting.get('value')}", setting, "value")
                return
        if not otherwise:
            yield Violation(f"{parameter} is not stated", group, "parameter")

    left_out = () if otherwise else (replace("parameter", []),)
    good = {"name": parameter, "value": wanted[0]}
    return Policy(
        checks=sets_the_parameter,
        applies_to=type,
        title=title,
        why=why,
        claims=(part_of(requirement),),
        example=example(type, "parameter", [good]),
        violated_by=(
            *left_out,
            replace("parameter", [{"name": parameter, "value": "disabled"}]),
        ),
    )


WAREHOUSES_TLS = _parameter(
    "aws_redshift_parameter_group",
    "require_ssl",
    "true",
    title="Redshift clusters take no connection without TLS.",
    why="Otherwise each client decides for itself.",
    requirement="4.2.1",
)
DOCUMENTS_TLS = _parameter(
    "aws_docdb_cluster_parameter_group",
    "tls",
    "enabled",
    "tls1.2+",
    "tls1.3+",
    "fips-140-3",
    otherwise=True,
    title="DocumentDB clusters take no connection without TLS.",
    why="Otherwise each client decides for itself.",
    requirement="4.2.1",
)
WAREHOUSES_ACTIVITY = _parameter(
    "aws_redshift_parameter_group",
    "enable_user_activity_logging",
    "true",
    title="Redshift clusters record every query.",
)
DOCUMENTS_AUDIT = _parameter(
    "aws_docdb_cluster_parameter_group",
    "audit_logs",
    "enabled",
    "all",
    "ddl",
    "dml_read",
    "dml_write",
    title="DocumentDB clusters write the audit log that they export.",
)
NEPTUNE_AUDIT = _parameter(
    "aws_neptune_cluster_parameter_group",
    "neptune_enable_audit_log",
    "1",
    title="Neptune clusters write the audit log that they export.",
)


def writes_an_audit_log(cluster: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Redshift clusters log who came and what they asked.

    What nobody recorded cannot be looked up.
    """
    separate = graph.attached_to(cluster, "aws_redshift_logging", by="cluster_identifier")
    if cluster.get("logging.enable", False) is not True and not any(True for _ in separate):
        yield Violation("writes no audit log", cluster, "logging")


WAREHOUSES_LOGS = Policy(
    checks=writes_an_audit_log,
    applies_to=WAREHOUSE,
    claims=(part_of("10.2.1"),),
    example={
        WAREHOUSE: {"cde": {}},
        "aws_redshift_logging": {
            "cde": {"cluster_identifier": "${aws_redshift_cluster.cde.cluster_identifier}"}
        },
    },
    violated_by=(attached("aws_redshift_logging", by="cluster_identifier"),),
)

MIGRATION = "aws_dms_replication_task"


def logs_what_it_moves(task: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    DMS tasks log what they move.

    Where data was copied to is asked first after a leak.
    """
    if task.get("replication_task_settings.Logging.EnableLogging") is not True:
        yield Violation(
            "replication_task_settings: EnableLogging is not true",
            task,
            "replication_task_settings",
        )


MIGRATION_LOGS = Policy(
    checks=logs_what_it_moves,
    applies_to=MIGRATION,
    claims=(part_of("10.2.1"),),
    example={
        MIGRATION: {"cards": {"replication_task_settings": '{"Logging": {"EnableLogging": true}}'}}
    },
    violated_by=(
        remove("replication_task_settings"),
        replace("replication_task_settings", '{"Logging": {"EnableLogging": false}}'),
    ),
)


def asks_who_comes(endpoint: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    DMS endpoints of MongoDB log in, and those of Redis speak TLS.

    A store that lets everybody in has nobody to tell of in its log.
    """
    if endpoint.get("mongodb_settings.auth_type", "password") == "no":
        yield Violation("mongodb_settings.auth_type is no", endpoint, "mongodb_settings")
    if endpoint.get(REDIS_TLS, "ssl-encryption") != "ssl-encryption":
        yield Violation(f"{REDIS_TLS} is not ssl-encryption", endpoint, "redis_settings")


REDIS_TLS = "redis_settings.ssl_security_protocol"

MIGRATION_ENDPOINTS = Policy(
    checks=asks_who_comes,
    applies_to="aws_dms_endpoint",
    claims=(part_of("7.3.1"), part_of("4.2.1")),
    example={"aws_dms_endpoint": {"cards": {"mongodb_settings": {"auth_type": "password"}}}},
    violated_by=(
        replace("mongodb_settings.auth_type", "no"),
        replace(REDIS_TLS, "plaintext"),
    ),
)

NEPTUNE_AUTHENTICATION = states(
    NEPTUNE,
    "iam_database_authentication_enabled",
    True,
    title="Neptune clusters know their users by IAM.",
    why="Otherwise whoever reaches one may ask it anything.",
    claims=(supports("7.2.6"),),
)
NEPTUNE_GLOBAL = common.encrypted(
    "Global Neptune clusters", "aws_neptune_global_cluster", "storage_encrypted"
)
DOCUMENTS_GLOBAL = common.encrypted(
    "Global DocumentDB clusters", "aws_docdb_global_cluster", "storage_encrypted"
)
NEPTUNE_PATCHES = common.patched(
    "Neptune instances",
    "aws_neptune_cluster_instance",
    "auto_minor_version_upgrade",
    otherwise=True,
)
DOCUMENTS_PATCHES = common.patched(
    "DocumentDB instances",
    "aws_docdb_cluster_instance",
    "auto_minor_version_upgrade",
    otherwise=True,
)
MEMCACHED_TLS = common.over_tls(
    "ElastiCache clusters", "aws_elasticache_cluster", "transit_encryption_enabled", True
)
EVENT_STORES_KEY = common.under_our_key(
    "Event data stores of CloudTrail", "aws_cloudtrail_event_data_store", "kms_key_id"
)
STREAMING_KEY = common.under_our_key(
    "MSK clusters", "aws_msk_cluster", "encryption_info.encryption_at_rest_kms_key_arn"
)
PROXIES_TLS = common.over_tls("Proxies of databases", "aws_db_proxy", "require_tls", True)


def has_a_name_of_its_own(warehouse: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    The master user of a Redshift cluster is not the one that everybody knows.

    Half of a login is then known already.
    """
    if warehouse.get("master_username") == "awsuser":
        yield Violation("master_username is awsuser", warehouse, "master_username")


WAREHOUSES_MASTER = Policy(
    checks=has_a_name_of_its_own,
    applies_to=WAREHOUSE,
    claims=(part_of("2.2.2"),),
    example={WAREHOUSE: {"cde": {"master_username": "cde_owner"}}},
    violated_by=(replace("master_username", "awsuser"),),
)
MIGRATION_TARGETS_KEY = common.under_our_key(
    "What DMS writes to S3", "aws_dms_s3_endpoint", "server_side_encryption_kms_key_id"
)

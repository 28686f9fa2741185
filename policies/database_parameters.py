"""What a database is told by its parameters: TLS, and what it records."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies.engine.graph import Resource, ResourceGraph
from policies.engine.model import Policy, Violation, part_of
from policies.engine.mutate import (
    Referenced,
    referenced,
    remove,
    replace,
)

CLUSTER = "aws_rds_cluster"
STRONG_TLS = frozenset({"TLSv1.2", "TLSv1.3"})


def _parameters(cluster: Resource, graph: ResourceGraph) -> dict[str, str]:
    """
    Return the parameters of *cluster*'s parameter group.

    Raises:
        UnknownValue: The group is not in this document, or a parameter is not known.
    """
    return {
        str(parameter.get("name")): str(parameter.values.get("value"))
        for group in graph.follow(cluster, "db_cluster_parameter_group_name")
        for parameter in group.blocks("parameter")
        if parameter.get("value") is not None
    }


def is_mysql(cluster: Resource) -> bool:
    """Whether *cluster* runs Aurora MySQL."""
    return bool(cluster.get("engine") == "aurora-mysql")


def refuses_plaintext(cluster: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Aurora MySQL refuses sessions without TLS.

    A master user who may log in without it some day will.
    """
    if _parameters(cluster, graph).get("require_secure_transport", "OFF").upper() not in {
        "ON",
        "1",
    }:
        yield Violation(
            "the parameter require_secure_transport is not ON",
            cluster,
            "db_cluster_parameter_group_name",
        )


def _mysql(**parameters: str) -> dict[str, object]:
    """An example: a cluster with these parameters, and one of another engine."""
    return {
        "aws_rds_cluster": {
            "cde": {
                "engine": "aurora-mysql",
                "db_cluster_parameter_group_name": "${aws_rds_cluster_parameter_group.cde.name}",
            },
            "other": {"engine": "aurora-postgresql"},
        },
        "aws_rds_cluster_parameter_group": {
            "cde": {
                "parameter": [{"name": name, "value": value} for name, value in parameters.items()]
            }
        },
    }


def _set(**parameters: str) -> Referenced:
    """A mutation: the cluster's parameter group holds *parameters* only."""
    return referenced(
        "db_cluster_parameter_group_name",
        replace("parameter", [{"name": name, "value": v} for name, v in parameters.items()]),
    )


REQUIRED_TLS = Policy(
    checks=refuses_plaintext,
    applies_to=CLUSTER,
    when=is_mysql,
    claims=(part_of("2.2.7"),),
    example=_mysql(require_secure_transport="ON"),
    violated_by=(
        remove("db_cluster_parameter_group_name"),
        _set(require_secure_transport="OFF"),
        _set(),
    ),
)


def speaks_modern_tls(cluster: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Aurora MySQL speaks TLS 1.2 or newer.

    Left out, the engine's default counts, which changes with its version.
    """
    versions = _parameters(cluster, graph).get("tls_version", "")
    spoken = {version.strip() for version in versions.split(",") if version.strip()}
    if not spoken:
        yield Violation(
            "the parameter tls_version is not set", cluster, "db_cluster_parameter_group_name"
        )
    elif not spoken <= STRONG_TLS:
        yield Violation(
            f"the parameter tls_version is {versions}", cluster, "db_cluster_parameter_group_name"
        )


TLS_VERSION = Policy(
    checks=speaks_modern_tls,
    applies_to=CLUSTER,
    when=is_mysql,
    claims=(part_of("4.2.1"),),
    example=_mysql(tls_version="TLSv1.2,TLSv1.3"),
    violated_by=(_set(tls_version="TLSv1,TLSv1.2"), _set()),
)


def exports_its_audit_log(cluster: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Aurora MySQL exports its audit log.

    On the database it is gone within days, and its administrator could alter it.
    """
    if "audit" not in cluster.get("enabled_cloudwatch_logs_exports", ()):
        yield Violation(
            "enabled_cloudwatch_logs_exports lacks audit",
            cluster,
            "enabled_cloudwatch_logs_exports",
        )


AUDIT_LOG_EXPORT = Policy(
    checks=exports_its_audit_log,
    applies_to=CLUSTER,
    when=is_mysql,
    claims=(part_of("10.2.1"),),
    example={
        "aws_rds_cluster": {
            "cde": {"engine": "aurora-mysql", "enabled_cloudwatch_logs_exports": ["audit"]},
            "other": {"engine": "aurora-postgresql"},
        }
    },
    violated_by=(
        remove("enabled_cloudwatch_logs_exports"),
        replace("enabled_cloudwatch_logs_exports", ["error"]),
    ),
)

AUDITED_EVENTS = frozenset({"CONNECT", "QUERY"})
QUERY_EVENTS = frozenset({"QUERY_DCL", "QUERY_DDL", "QUERY_DML"})


def produces_its_audit_log(cluster: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Aurora MySQL writes the audit log that it exports: logins and statements.

    An export of a log that the engine does not write is an empty one.
    """
    parameters = _parameters(cluster, graph)
    if parameters.get("server_audit_logging", "0").upper() not in {"1", "ON"}:
        yield Violation(
            "the parameter server_audit_logging is not 1",
            cluster,
            "db_cluster_parameter_group_name",
        )
    events = {
        event.strip() for event in parameters.get("server_audit_events", "").upper().split(",")
    }
    if events >= QUERY_EVENTS:
        events.add("QUERY")
    for event in sorted(AUDITED_EVENTS - events):
        yield Violation(
            f"the parameter server_audit_events lacks {event}",
            cluster,
            "db_cluster_parameter_group_name",
        )


AUDIT_LOG = Policy(
    checks=produces_its_audit_log,
    applies_to=CLUSTER,
    when=is_mysql,
    claims=tuple(map(part_of, ("10.2.1.1", "10.2.1.2", "10.2.1.4", "10.2.1.5", "10.2.1.7"))),
    example=_mysql(server_audit_logging="1", server_audit_events="CONNECT,QUERY"),
    violated_by=(
        _set(server_audit_logging="0", server_audit_events="CONNECT,QUERY"),
        _set(server_audit_logging="1", server_audit_events="CONNECT"),
        _set(server_audit_logging="1"),
        remove("db_cluster_parameter_group_name"),
    ),
)


def exports_its_other_logs(cluster: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Aurora exports its log of errors, and of slow statements where it has one.

    What fails, and what suddenly takes long, is how an intruder is noticed.
    """
    exports = cluster.get("enabled_cloudwatch_logs_exports", ())
    is_postgres = "postgres" in str(cluster.get("engine"))
    for log in ("postgresql",) if is_postgres else ("error", "slowquery"):
        if log not in exports:
            yield Violation(
                f"enabled_cloudwatch_logs_exports lacks {log}",
                cluster,
                "enabled_cloudwatch_logs_exports",
            )


OTHER_LOG_EXPORTS = Policy(
    checks=exports_its_other_logs,
    applies_to=CLUSTER,
    claims=(part_of("10.2.1"),),
    example={
        "aws_rds_cluster": {
            "cde": {
                "engine": "aurora-mysql",
                "enabled_cloudwatch_logs_exports": ["error", "slowquery"],
            }
        }
    },
    violated_by=(
        replace("enabled_cloudwatch_logs_exports", ["audit", "slowquery"]),
        replace("enabled_cloudwatch_logs_exports", ["audit", "error"]),
        replace("engine", "aurora-postgresql"),
    ),
)


PARAMETER_GROUPS = ("aws_db_parameter_group", "aws_rds_cluster_parameter_group")
REFUSING = {
    "aurora-mysql": "require_secure_transport",
    "aurora-postgresql": "rds.force_ssl",
    "mariadb": "require_secure_transport",
    "mysql": "require_secure_transport",
    "postgres": "rds.force_ssl",
    "sqlserver": "rds.force_ssl",
}
"""By the beginning of a family: the parameter that refuses plaintext."""

NEWER = re.compile(
    r"(?:aurora-postgresql|postgres)(?:1[7-9]|[2-9]\d)|postgres1[56]|mariadb11\.[89]"
)
"""The families of those that refuse plaintext by themselves."""


def family_refuses_plaintext(group: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Parameters of databases refuse sessions without TLS.

    Otherwise each client decides for itself.
    """
    family = str(group.get("family"))
    name = next(name for start, name in REFUSING.items() if family.startswith(start))
    values = [p.get("value") for p in group.blocks("parameter") if p.get("name") == name]
    refuses = NEWER.match(family) is not None
    if values:
        refuses = str(values[-1]).upper() in {"1", "ON", "TRUE"}
    if not refuses:
        yield Violation(f"{name} is {values[-1] if values else 'not stated'}", group, "parameter")


def is_of_a_family_that_refuses(group: Resource) -> bool:
    """Whether a parameter of *group* says whether plaintext is refused."""
    return str(group.get("family", "")).startswith(tuple(REFUSING))


PLAINTEXT = Policy(
    checks=family_refuses_plaintext,
    applies_to=PARAMETER_GROUPS,
    when=is_of_a_family_that_refuses,
    claims=(part_of("4.2.1"),),
    example={
        "aws_db_parameter_group": {
            "cde": {
                "family": "postgres14",
                "parameter": [{"name": "rds.force_ssl", "value": "1"}],
            },
            "other": {"family": "oracle-ee-19"},
        }
    },
    violated_by=(
        replace("parameter", []),
        replace("parameter", [{"name": "rds.force_ssl", "value": "0"}]),
    ),
)

RECORDING = {
    "aurora-mysql": {"server_audit_logging": frozenset({"1", "on"})},
    "aurora-postgresql": {
        "log_statement": frozenset({"all", "ddl", "mod"}),
        "pgaudit.log": frozenset({"all", "ddl", "role", "write"}),
    },
}
RECORDING["postgres"] = RECORDING["aurora-postgresql"]
"""By the beginning of a family: the parameters of which one has it record statements, and how."""


def is_of_a_family_that_records(group: Resource) -> bool:
    """Whether a parameter of *group* says whether statements are recorded."""
    return str(group.get("family", "")).startswith(tuple(RECORDING))


def records_statements(group: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Parameters of databases have statements recorded.

    Left out, nobody is asked later what he changed.
    """
    family = str(group.get("family"))
    recording = next(names for start, names in RECORDING.items() if family.startswith(start))
    for parameter in group.blocks("parameter"):
        wanted = recording.get(str(parameter.get("name")), frozenset())
        if wanted & {part.strip() for part in str(parameter.get("value")).lower().split(",")}:
            return
    yield Violation(f"no parameter records statements: {', '.join(recording)}", group, "parameter")


STATEMENTS = Policy(
    checks=records_statements,
    applies_to=PARAMETER_GROUPS,
    when=is_of_a_family_that_records,
    claims=(part_of("10.2.1"),),
    example={
        "aws_db_parameter_group": {
            "cde": {
                "family": "postgres16",
                "parameter": [{"name": "log_statement", "value": "ddl"}],
            },
            "other": {"family": "mysql8.0"},
        }
    },
    violated_by=(
        replace("parameter", []),
        replace("parameter", [{"name": "log_statement", "value": "none"}]),
        replace("parameter", [{"name": "pgaudit.log", "value": "none"}]),
    ),
)

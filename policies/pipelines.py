"""What builds, moves and analyses: no secret in it, its logs kept, its traffic over TLS."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from policies import common
from policies.aws import credentials
from policies.engine.graph import Resource, ResourceGraph
from policies.engine.model import Policy, Violation, direct, part_of, supports
from policies.engine.mutate import remove, replace
from policies.engine.settings import states
from policies.engine.values import in_each

PROJECT = "aws_codebuild_project"
MACHINE = "aws_sfn_state_machine"
NOTEBOOK = "aws_sagemaker_notebook_instance"
TRANSFER = "aws_transfer_server"
WORKGROUP = "aws_athena_workgroup"


def keeps_secrets_elsewhere(project: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Builds hold no password, key or token in their environment.

    It is shown in the console, and in the log of each build.
    """
    for environment in project.blocks("environment"):
        yield from in_each(environment.blocks("environment_variable"), _holds_none)


def _holds_none(variable: Resource) -> Iterator[Violation]:
    if variable.get("type", "PLAINTEXT") == "PLAINTEXT":
        name = variable.get("name")
        for kind in credentials.in_setting(str(name), variable.peek("value")):
            yield Violation(f"{name} holds {kind}", variable, "value")


def _variables(*variables: dict[str, str]) -> dict[str, object]:
    return {"environment_variable": list(variables)}


BUILD_SECRETS = Policy(
    checks=keeps_secrets_elsewhere,
    applies_to=PROJECT,
    claims=(direct("8.6.2"),),
    example={PROJECT: {"app": {"environment": _variables({"name": "STAGE", "value": "test"})}}},
    violated_by=(
        replace("environment", _variables({"name": "DB_PASSWORD", "value": "correct-horse"})),
        replace("environment", _variables({"name": "ID", "value": "AKIAIOSFODNN7REALKEY"})),
    ),
)


def names_no_credential(project: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Addresses that builds fetch from hold no credential.

    They stand in every log.
    """
    for source in [*project.blocks("source"), *project.blocks("secondary_sources")]:
        location = str(source.get("location") or "")
        if "://" in location and "@" in urlsplit(location).netloc:
            yield Violation("location holds a credential", source, "location")


BUILD_SOURCES = Policy(
    checks=names_no_credential,
    applies_to=PROJECT,
    claims=(direct("8.6.2"),),
    example={PROJECT: {"app": {"source": {"location": "https://git.internal/pay/app.git"}}}},
    violated_by=(replace("source.location", "https://user:token@git.internal/pay/app.git"),),
)


def writes_a_log(project: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Builds write a log.

    What went into a release has to be looked up later.
    """
    for logs in project.blocks("logs_config"):
        cloudwatch = logs.get("cloudwatch_logs.status", "ENABLED")
        if cloudwatch != "ENABLED" and logs.get("s3_logs.status", "DISABLED") != "ENABLED":
            yield Violation("logs_config keeps no log", logs)
        if logs.get("s3_logs.encryption_disabled", False) is True:
            yield Violation("s3_logs.encryption_disabled is true", logs, "s3_logs")


BUILD_LOGS = Policy(
    checks=writes_a_log,
    applies_to=PROJECT,
    claims=(part_of("10.2.1"),),
    example={PROJECT: {"app": {"logs_config": {"cloudwatch_logs": {"status": "ENABLED"}}}}},
    violated_by=(
        replace("logs_config.cloudwatch_logs.status", "DISABLED"),
        replace("logs_config.s3_logs", {"status": "ENABLED", "encryption_disabled": True}),
    ),
)
BUILD_PRIVILEGES = states(
    PROJECT,
    "environment.privileged_mode",
    False,
    otherwise=False,
    title="Builds are not privileged.",
    why="A privileged build is root on the machine that runs it.",
    claims=(supports("7.2.5"),),
)


def encrypts_what_it_makes(project: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    What builds make is encrypted.

    It holds everything that the application is made of.
    """
    for path in ("artifacts", "secondary_artifacts"):
        for made in project.blocks(path):
            is_kept = made.get("type", "S3") != "NO_ARTIFACTS"
            if is_kept and made.get("encryption_disabled", False) is not False:
                yield Violation(f"{path}.encryption_disabled is true", made, "encryption_disabled")


BUILD_ARTIFACTS = Policy(
    checks=encrypts_what_it_makes,
    applies_to=PROJECT,
    claims=(supports("3.5.1"),),
    example={PROJECT: {"app": {"artifacts": {"type": "S3", "encryption_disabled": False}}}},
    violated_by=(
        replace("artifacts.encryption_disabled", True),
        replace("secondary_artifacts", [{"encryption_disabled": True}]),
    ),
)

MACHINE_LOGS = common.recorded(
    "State machines log what they do.",
    MACHINE,
    "logging_configuration.level",
    "ALL",
    "ERROR",
    "FATAL",
    refused=("OFF",),
)
NOTEBOOK_ACCESS = states(
    NOTEBOOK,
    "direct_internet_access",
    "Disabled",
    refused=("Enabled",),
    title="Notebooks have no way to the Internet of their own.",
    why="Whoever works in one works with what it can reach.",
    claims=(part_of("1.3.2"),),
)
NOTEBOOK_ROOT = states(
    NOTEBOOK,
    "root_access",
    "Disabled",
    refused=("Enabled",),
    title="Nobody is root on a notebook.",
    why="Root undoes every control of the machine.",
    claims=(part_of("7.2.5"),),
)


def speaks_no_ftp(server: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Transfer servers do not speak FTP.

    FTP sends passwords, and files, as they are.
    """
    if "FTP" in list(server.get("protocols") or ("SFTP",)):
        yield Violation("protocols has FTP", server, "protocols")


TRANSFER_PROTOCOLS = Policy(
    checks=speaks_no_ftp,
    applies_to=TRANSFER,
    claims=(part_of("4.2.1"), part_of("2.2.5")),
    example={TRANSFER: {"files": {"protocols": ["SFTP"]}}},
    violated_by=(replace("protocols", ["SFTP", "FTP"]),),
)
TRANSFER_ENDPOINT = states(
    TRANSFER,
    "endpoint_type",
    "VPC",
    "VPC_ENDPOINT",
    refused=("PUBLIC",),
    title="Transfer servers stand in a VPC.",
    why="A public one is open to every address there is.",
    claims=(part_of("1.4.4"),),
)


def logs_who_came(server: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Transfer servers log who came.

    A file that was fetched leaves no other trace.
    """
    if not server.is_set("logging_role") and not server.is_set("structured_log_destinations"):
        yield Violation("logging_role is not stated", server, "logging_role")


TRANSFER_LOGS = Policy(
    checks=logs_who_came,
    applies_to=TRANSFER,
    claims=(part_of("10.2.1"),),
    example={TRANSFER: {"files": {"logging_role": "${aws_iam_role.logs.arn}"}}},
    violated_by=(remove("logging_role"),),
)


def encrypts_results(workgroup: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Athena encrypts results, whatever the one who asks would have.

    The answer to a query is what somebody wanted to know.
    """
    path = "configuration.result_configuration.encryption_configuration.encryption_option"
    if not workgroup.is_set(path):
        yield Violation("results are not encrypted", workgroup, "configuration")
    if workgroup.get("configuration.enforce_workgroup_configuration", True) is not True:
        yield Violation("enforce_workgroup_configuration is not true", workgroup, "configuration")


ENCRYPTED = {"result_configuration": {"encryption_configuration": {"encryption_option": "SSE_KMS"}}}

QUERY_RESULTS = Policy(
    checks=encrypts_results,
    applies_to=WORKGROUP,
    claims=(supports("3.5.1"),),
    example={WORKGROUP: {"reports": {"configuration": ENCRYPTED}}},
    violated_by=(
        remove("configuration"),
        replace("configuration", {"result_configuration": {}}),
        replace("configuration", {**ENCRYPTED, "enforce_workgroup_configuration": False}),
    ),
)
BUILD_KEY = common.under_our_key("What builds make", PROJECT, "encryption_key")
REPORTS_KEY = states(
    "aws_codebuild_report_group",
    "export_config.s3_destination.encryption_disabled",
    False,
    otherwise=False,
    title="Reports of builds are encrypted.",
    why="They tell which tests the application fails.",
    claims=(supports("3.5.1"),),
)
BUILD_SOURCE_TLS = states(
    PROJECT,
    "source.insecure_ssl",
    False,
    otherwise=False,
    title="Builds look at the certificate of whoever gives them the source.",
    why="Otherwise anybody in between gives them another.",
    claims=(part_of("4.2.1"), supports("6.3.2")),
)
OLD_TRANSFERS = frozenset({
    "TransferSecurityPolicy-2018-11", "TransferSecurityPolicy-2020-06",
    "TransferSecurityPolicy-FIPS-2020-06",
})  # fmt: skip
"""What lets weak ciphers through; the first of them is what leaving it out means."""


def speaks_what_is_safe(server: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Transfer servers agree on no weak cipher.

    A file is as safe on its way as the weakest that both sides know.
    """
    policy = server.get("security_policy_name", "TransferSecurityPolicy-2018-11")
    if policy in OLD_TRANSFERS:
        yield Violation(f"security_policy_name is {policy}", server, "security_policy_name")


TRANSFER_TLS = Policy(
    checks=speaks_what_is_safe,
    applies_to=TRANSFER,
    claims=(part_of("4.2.1"),),
    example={TRANSFER: {"files": {"security_policy_name": "TransferSecurityPolicy-2024-01"}}},
    violated_by=(
        remove("security_policy_name"),
        replace("security_policy_name", "TransferSecurityPolicy-2018-11"),
    ),
)
PACKAGES_KEY = common.under_our_key("Packages", "aws_codeartifact_domain", "encryption_key")
PIPELINE_KEY = common.blocks_under_our_key(
    "Artifacts that a pipeline hands on",
    "aws_codepipeline",
    "encryption_key.id",
    "artifact_store",
)

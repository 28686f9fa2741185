"""What is learned from account data: SageMaker, Glue, Athena, EMR: encrypted, inside, recorded."""

from __future__ import annotations

from collections.abc import Iterator

from policies import common
from policies.engine.graph import Resource, ResourceGraph
from policies.engine.model import Policy, Violation, part_of, supports
from policies.engine.mutate import remove, replace
from policies.engine.settings import names, states

NOTEBOOK = "aws_sagemaker_notebook_instance"
GLUE_SECURITY = "aws_glue_security_configuration"
GLUE_CATALOG = "aws_glue_data_catalog_encryption_settings"
ENCRYPTION = "encryption_configuration"

NOTEBOOK_KEY = common.under_our_key("SageMaker notebooks", NOTEBOOK, "kms_key_id")
NOTEBOOK_NETWORK = names(
    NOTEBOOK,
    "subnet_id",
    title="SageMaker notebooks stand in a subnet of ours.",
    why="One that stands in AWS's own network passes by every rule of ours.",
    claims=(part_of("1.3.1"),),
    such_as="${aws_subnet.inside.id}",
)
NOTEBOOK_METADATA = states(
    NOTEBOOK,
    "instance_metadata_service_configuration.minimum_instance_metadata_service_version",
    "2",
    refused=("1",),
    title="SageMaker notebooks take tokens only for their metadata.",
    why="Version 1 answers whoever can make the notebook ask.",
    claims=(supports("2.2.6"),),
)
ENDPOINT_KEY = common.under_our_key(
    "Volumes of SageMaker endpoints", "aws_sagemaker_endpoint_configuration", "kms_key_arn"
)
MODEL_NETWORK = states(
    "aws_sagemaker_model",
    "enable_network_isolation",
    True,
    title="SageMaker models call nobody.",
    why="A model that was given away by somebody could tell what it is asked.",
    claims=(part_of("1.3.2"),),
)
STUDIO_NETWORK = states(
    "aws_sagemaker_domain",
    "app_network_access_type",
    "VpcOnly",
    refused=("PublicInternetOnly",),
    title="SageMaker studios reach the Internet through our network only.",
    why="Otherwise what they load and send passes by every rule of ours.",
    claims=(part_of("1.3.2"),),
)

QUERY_DATABASES = names(
    "aws_athena_database",
    f"{ENCRYPTION}.encryption_option",
    title="Athena databases encrypt what queries leave.",
    why="The answer to a query is what somebody wanted to know.",
    claims=(supports("3.5.1"),),
    such_as="SSE_KMS",
)

GLUE_MODES = {
    "cloudwatch_encryption": ("cloudwatch_encryption_mode", "SSE-KMS"),
    "job_bookmarks_encryption": ("job_bookmarks_encryption_mode", "CSE-KMS"),
    "s3_encryption": ("s3_encryption_mode", "SSE-KMS"),
}
"""What Glue writes, and how it has to be encrypted."""


def encrypts_what_it_writes(setting: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Glue encrypts all that its jobs write: results, logs and bookmarks.

    A job reads whole tables; what it leaves is a copy of them.
    """
    for block, (mode, wanted) in GLUE_MODES.items():
        path = f"{ENCRYPTION}.{block}.{mode}"
        if setting.get(path) != wanted:
            yield Violation(f"{path} is not {wanted}", setting, path)


GLUE_ENCRYPTION = Policy(
    checks=encrypts_what_it_writes,
    applies_to=GLUE_SECURITY,
    claims=(supports("3.5.1"),),
    example={
        GLUE_SECURITY: {
            "cde": {
                ENCRYPTION: {block: {mode: wanted} for block, (mode, wanted) in GLUE_MODES.items()},
            }
        }
    },
    violated_by=tuple(
        replace(f"{ENCRYPTION}.{block}.{mode}", "DISABLED")
        for block, (mode, _) in GLUE_MODES.items()
    ),
)


def encrypts_its_catalog(catalog: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Glue encrypts its catalog, and the passwords of its connections.

    The catalog says where everything lies, and the connections how to get there.
    """
    path = "data_catalog_encryption_settings"
    mode = catalog.get(f"{path}.encryption_at_rest.catalog_encryption_mode")
    if mode not in {"SSE-KMS", "SSE-KMS-WITH-SERVICE-ROLE"}:
        yield Violation(f"catalog_encryption_mode is {mode or 'not stated'}", catalog, path)
    flag = "connection_password_encryption.return_connection_password_encrypted"
    if catalog.get(f"{path}.{flag}", False) is not True:
        yield Violation("return_connection_password_encrypted is not true", catalog, path)


CATALOG_ENCRYPTION = Policy(
    checks=encrypts_its_catalog,
    applies_to=GLUE_CATALOG,
    claims=(supports("3.5.1"), supports("8.3.2")),
    example={
        GLUE_CATALOG: {
            "cde": {
                "data_catalog_encryption_settings": {
                    "encryption_at_rest": {"catalog_encryption_mode": "SSE-KMS"},
                    "connection_password_encryption": {
                        "return_connection_password_encrypted": True
                    },
                }
            }
        }
    },
    violated_by=(
        replace(
            "data_catalog_encryption_settings.encryption_at_rest.catalog_encryption_mode",
            "DISABLED",
        ),
        replace(
            "data_catalog_encryption_settings.connection_password_encryption"
            ".return_connection_password_encrypted",
            False,
        ),
    ),
)


def names_its_security(job: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Whatever runs in Glue names how it encrypts.

    Left out, it writes everything as it is.
    """
    if not job.is_set("security_configuration"):
        yield Violation("security_configuration is not stated", job, "security_configuration")


GLUE_JOBS = Policy(
    checks=names_its_security,
    applies_to=("aws_glue_job", "aws_glue_crawler", "aws_glue_dev_endpoint"),
    claims=(supports("3.5.1"),),
    example={
        "aws_glue_job": {
            "nightly": {"security_configuration": "${aws_glue_security_configuration.cde.name}"}
        }
    },
    violated_by=(remove("security_configuration"),),
)


def encrypts_its_clusters(setting: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    EMR encrypts what lies on disks, and what its nodes tell each other.

    A cluster reads everything at once, and spreads it over many machines.
    """
    for flag in ("EnableAtRestEncryption", "EnableInTransitEncryption"):
        path = f"configuration.EncryptionConfiguration.{flag}"
        if setting.get(path, False) is not True:
            yield Violation(f"{flag} is not true", setting, "configuration")


EMR_ENCRYPTION = Policy(
    checks=encrypts_its_clusters,
    applies_to="aws_emr_security_configuration",
    claims=(supports("3.5.1"), part_of("4.2.1")),
    example={
        "aws_emr_security_configuration": {
            "cde": {
                "configuration": {
                    "EncryptionConfiguration": {
                        "EnableAtRestEncryption": True,
                        "EnableInTransitEncryption": True,
                    }
                }
            }
        }
    },
    violated_by=(
        replace("configuration.EncryptionConfiguration.EnableAtRestEncryption", False),
        replace("configuration.EncryptionConfiguration.EnableInTransitEncryption", False),
    ),
)
EMR_SECURITY = names(
    "aws_emr_cluster",
    "security_configuration",
    title="EMR clusters name how they encrypt.",
    why="Left out, they encrypt nothing.",
    claims=(supports("3.5.1"), part_of("4.2.1")),
    such_as="${aws_emr_security_configuration.cde.name}",
)
EMR_LOGS = common.recorded("EMR clusters keep their logs.", "aws_emr_cluster", "log_uri")

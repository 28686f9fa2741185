"""What is given away: no image, snapshot or document to everybody."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from policies.aws import iam
from policies.engine.graph import Resource, ResourceGraph
from policies.engine.model import Policy, Violation, part_of
from policies.engine.mutate import Described, described, replace

SNAPSHOTS = ("aws_db_snapshot", "aws_db_cluster_snapshot", "aws_db_snapshot_copy")
PUBLIC_LISTS = frozenset({"authenticated-read", "public-read", "public-read-write"})
OPEN = {
    "aws_ami_launch_permission": ("group", frozenset({"all"})),
    "aws_ec2_image_block_public_access": ("state", frozenset({"unblocked"})),
    "aws_ebs_snapshot_block_public_access": ("state", frozenset({"unblocked"})),
    "aws_s3_bucket_object": ("acl", PUBLIC_LISTS),
    "aws_s3_object": ("acl", PUBLIC_LISTS),
    "aws_s3_object_copy": ("acl", PUBLIC_LISTS),
}
"""What is open to everybody where an attribute has one of these values."""

GRANTS = {
    "aws_cloudwatch_event_permission": "condition",
    "aws_lambda_layer_version_permission": "organization_id",
}
"""What lets in a principal, and what binds everybody to an organisation."""

RESULT = "it is open to everybody"


def is_given_to_everybody(resource: Resource, graph: ResourceGraph) -> bool:
    """Whether *resource* is an image, a snapshot, an object or a bus that is open to anybody."""
    if resource.type in SNAPSHOTS:
        return "all" in list(resource.get("shared_accounts") or ())
    if resource.type == "aws_ssm_document":
        return "all" in str(resource.get("permissions.account_ids") or "").lower().split(",")
    if resource.type in GRANTS:
        return bool(resource.get("principal") == "*") and not resource.is_set(GRANTS[resource.type])
    attribute, wrong = OPEN.get(resource.type, ("", frozenset()))
    return bool(attribute) and str(resource.get(attribute)) in wrong


EVERYBODY = Policy(
    prohibits=is_given_to_everybody,
    title="No image, snapshot, object, layer or bus is open to everybody.",
    found=RESULT,
    why="A copy of a database is the database.",
    claims=(part_of("1.4.4"), part_of("7.2.1")),
)


RESOURCE_POLICIES = {
    "aws_acmpca_policy": "policy",
    "aws_api_gateway_domain_name": "policy",
    "aws_api_gateway_rest_api": "policy",
    "aws_api_gateway_rest_api_policy": "policy",
    "aws_backup_vault_policy": "policy",
    "aws_cloudwatch_event_bus_policy": "policy",
    "aws_cloudwatch_log_delivery_destination_policy": "delivery_destination_policy",
    "aws_cloudwatch_log_destination_policy": "access_policy",
    "aws_cloudwatch_log_resource_policy": "policy_document",
    "aws_codeartifact_domain_permissions_policy": "policy_document",
    "aws_codeartifact_repository_permissions_policy": "policy_document",
    "aws_codebuild_resource_policy": "policy",
    "aws_dynamodb_resource_policy": "policy",
    "aws_ecr_registry_policy": "policy",
    "aws_ecrpublic_repository_policy": "policy",
    "aws_efs_file_system_policy": "policy",
    "aws_glacier_vault": "access_policy",
    "aws_glacier_vault_lock": "policy",
    "aws_glue_resource_policy": "policy",
    "aws_kinesis_resource_policy": "policy",
    "aws_media_store_container_policy": "policy",
    "aws_msk_cluster_policy": "policy",
    "aws_networkfirewall_resource_policy": "policy",
    "aws_oam_sink_policy": "policy",
    "aws_redshift_resource_policy": "policy",
    "aws_s3_access_point": "policy",
    "aws_s3control_access_point_policy": "policy",
    "aws_s3control_bucket_policy": "policy",
    "aws_s3control_multi_region_access_point_policy": "details.policy",
    "aws_s3control_object_lambda_access_point_policy": "policy",
    "aws_s3tables_table_bucket_policy": "resource_policy",
    "aws_s3tables_table_policy": "resource_policy",
    "aws_sagemaker_model_package_group_policy": "resource_policy",
    "aws_schemas_registry_policy": "policy",
    "aws_ses_identity_policy": "policy",
    "aws_sesv2_email_identity_policy": "policy",
    "aws_vpclattice_auth_policy": "policy",
    "aws_vpclattice_resource_policy": "policy",
    "aws_xray_resource_policy": "policy_document",
}
"""The policies that resources have beside themselves, each with where it is written."""


def names_whom_it_lets_in(holder: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    The policies of resources name whom they let in.

    One for everybody hands the resource to every account on AWS.
    """
    attribute = RESOURCE_POLICIES[holder.type]
    for text in iam.open_to_strangers(holder, attribute):
        yield Violation(f"{attribute}: {text}", holder, attribute)


def _letting_in(who: Any) -> Described:
    statement = {"Effect": "Allow", "Action": "*", "Resource": "*", **who}

    def mutation(holder: Resource, graph: ResourceGraph) -> ResourceGraph:
        return replace(RESOURCE_POLICIES[holder.type], {"Statement": [statement]})(holder, graph)

    return described(f"let in {json.dumps(who)}", mutation)


NAMED_PRINCIPALS = Policy(
    checks=names_whom_it_lets_in,
    applies_to=tuple(RESOURCE_POLICIES),
    claims=(part_of("7.2.1"), part_of("7.2.5")),
    example={
        "aws_efs_file_system_policy": {
            "cards": {
                "policy": {
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Principal": {"AWS": "arn:aws:iam::111122223333:role/app"},
                            "Action": "elasticfilesystem:ClientMount",
                        }
                    ]
                }
            }
        }
    },
    violated_by=(
        _letting_in({"Principal": "*"}),
        _letting_in({"Principal": {"AWS": ["*"]}}),
        _letting_in({"NotPrincipal": {"AWS": "arn:aws:iam::111122223333:root"}}),
    ),
)

"""Images of machines: their volumes, how they are built, under whose key they are given out."""

from __future__ import annotations

from collections.abc import Iterator

from policies import common
from policies.engine.graph import Resource, ResourceGraph
from policies.engine.model import Each, Policy, Violation, supports
from policies.engine.mutate import remove, replace
from policies.engine.settings import states

IMAGE = "aws_ami"
RECIPE = "aws_imagebuilder_image_recipe"
CONTAINER_RECIPE = "aws_imagebuilder_container_recipe"


def is_encrypted(volume: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Volumes of images are encrypted.

    One made from a snapshot is as encrypted as that is.
    """
    if not volume.is_set("snapshot_id") and volume.get("encrypted", False) is not True:
        yield Violation("encrypted is not true", volume, "encrypted")


VOLUMES = Policy(
    checks=Each("ebs_block_device", is_encrypted),
    applies_to=IMAGE,
    claims=(supports("3.5.1"),),
    example={IMAGE: {"app": {"ebs_block_device": [{"encrypted": True}]}}},
    violated_by=(
        replace("ebs_block_device.0.encrypted", False),
        remove("ebs_block_device.0.encrypted"),
    ),
)


RECIPES = common.blocks_encrypted(
    "Volumes that images are built on",
    (RECIPE, CONTAINER_RECIPE),
    "block_device_mapping.ebs",
    "instance_configuration.block_device_mapping.ebs",
)
COMPONENTS_KEY = common.under_our_key(
    "What images are built from",
    ("aws_imagebuilder_component", CONTAINER_RECIPE),
    "kms_key_id",
)
DISTRIBUTION_KEY = common.blocks_under_our_key(
    "Images that are given out",
    "aws_imagebuilder_distribution_configuration",
    "kms_key_id",
    "distribution.ami_distribution_configuration",
)
BUILDERS_METADATA = states(
    "aws_imagebuilder_infrastructure_configuration",
    "instance_metadata_options.http_tokens",
    "required",
    refused=("optional",),
    title="Machines that build images take tokens only for their metadata.",
    why="Version 1 answers whoever can make a build ask.",
    claims=(supports("2.2.6"),),
)

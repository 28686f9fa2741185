"""Images of machines: their volumes, how they are built, under whose key they are given out."""

from __future__ import annotations

from collections.abc import Iterator

from policies import common
from policies.aws import encryption
from policies.engine.graph import Resource, ResourceGraph
from policies.engine.model import Each, Policy, Violation, supports
from policies.engine.mutate import remove, replace
from policies.engine.settings import states
from policies.engine.values import in_each

IMAGE = "aws_ami"
RECIPE = "aws_imagebuilder_image_recipe"
CONTAINER_RECIPE = "aws_imagebuilder_container_recipe"
DISTRIBUTION = "aws_imagebuilder_distribution_configuration"


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


def builds_on_encrypted_volumes(recipe: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Recipes of images build on encrypted volumes.

    What is built holds everything that the application is made of.
    """
    yield from in_each(common.inside(recipe, "block_device_mapping.ebs"), _says_so)
    yield from in_each(
        common.inside(recipe, "instance_configuration.block_device_mapping.ebs"), _says_so
    )


def _says_so(volume: Resource) -> Iterator[Violation]:
    if volume.get("encrypted", False) not in (True, "true"):
        yield Violation("encrypted is not true", volume, "encrypted")


RECIPES = Policy(
    checks=builds_on_encrypted_volumes,
    applies_to=(RECIPE, CONTAINER_RECIPE),
    claims=(supports("3.5.1"),),
    example={RECIPE: {"app": {"block_device_mapping": [{"ebs": {"encrypted": "true"}}]}}},
    violated_by=(
        replace("block_device_mapping.0.ebs.encrypted", "false"),
        remove("block_device_mapping.0.ebs.encrypted"),
        replace(
            "instance_configuration", {"block_device_mapping": [{"ebs": {"encrypted": False}}]}
        ),
    ),
)
COMPONENTS_KEY = common.under_our_key(
    "What images are built from",
    ("aws_imagebuilder_component", CONTAINER_RECIPE),
    "kms_key_id",
)


def gives_out_under_our_key(settings: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Images are given out under a key of ours.

    Whoever starts a machine from one needs our permission for the key as well.
    """
    path = "distribution.ami_distribution_configuration"
    yield from in_each(
        common.inside(settings, path), lambda image: encryption.not_ours(image, "kms_key_id", graph)
    )


DISTRIBUTION_KEY = Policy(
    checks=gives_out_under_our_key,
    applies_to=DISTRIBUTION,
    claims=(supports("3.5.1"),),
    example={
        DISTRIBUTION: {
            "app": {
                "distribution": [
                    {"ami_distribution_configuration": {"kms_key_id": "${aws_kms_key.cde.arn}"}}
                ]
            }
        }
    },
    violated_by=(remove("distribution.0.ami_distribution_configuration.kms_key_id"),),
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

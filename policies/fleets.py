"""Machines that Spot starts for us: as encrypted and as private as those that we start."""

from __future__ import annotations

from collections.abc import Iterator

from policies import common
from policies.engine.graph import Resource, ResourceGraph
from policies.engine.model import Policy, Violation, part_of, supports
from policies.engine.mutate import remove, replace
from policies.engine.values import in_each

FLEET = "aws_spot_fleet_request"
VOLUMES = ("launch_specification.root_block_device", "launch_specification.ebs_block_device")


def encrypts_its_volumes(fleet: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Machines of a fleet stand on encrypted volumes.

    A copied disk, or a snapshot that was given away, tells nothing.
    """
    for path in VOLUMES:
        yield from in_each(common.inside(fleet, path), _is_encrypted)


def _is_encrypted(volume: Resource) -> Iterator[Violation]:
    if volume.get("encrypted", False) is not True:
        yield Violation("encrypted is not true", volume, "encrypted")


ENCRYPTED = Policy(
    checks=encrypts_its_volumes,
    applies_to=FLEET,
    claims=(supports("3.5.1"),),
    example={
        FLEET: {"batch": {"launch_specification": [{"root_block_device": {"encrypted": True}}]}}
    },
    violated_by=(
        replace("launch_specification.0.root_block_device.encrypted", False),
        remove("launch_specification.0.root_block_device.encrypted"),
        replace("launch_specification", [{"ebs_block_device": [{"encrypted": False}]}]),
    ),
)


def takes_no_public_address(fleet: Resource, graph: ResourceGraph) -> Iterator[Violation]:
    """
    Machines of a fleet take no public address.

    What stores account data stands behind the load balancer, not beside it.
    """
    for launched in fleet.blocks("launch_specification"):
        if launched.get("associate_public_ip_address", False) is not False:
            yield Violation("associate_public_ip_address is not false", launched)


PRIVATE = Policy(
    checks=takes_no_public_address,
    applies_to=FLEET,
    claims=(part_of("1.4.4"),),
    example={FLEET: {"batch": {"launch_specification": [{"associate_public_ip_address": False}]}}},
    violated_by=(replace("launch_specification.0.associate_public_ip_address", True),),
)

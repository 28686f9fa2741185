"""Machines that Spot starts for us: as encrypted and as private as those that we start."""

from __future__ import annotations

from collections.abc import Iterator

from policies import common
from policies.engine.graph import Resource, ResourceGraph
from policies.engine.model import Policy, Violation, part_of
from policies.engine.mutate import replace

FLEET = "aws_spot_fleet_request"

ENCRYPTED = common.blocks_encrypted(
    "Volumes of a fleet",
    FLEET,
    "launch_specification.root_block_device",
    "launch_specification.ebs_block_device",
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

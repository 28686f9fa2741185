"""Who names a security group, and how."""

from policies.aws import firewall
from policies.engine.graph import Resource, ResourceGraph


def test_a_group_is_the_same_by_its_address_and_by_its_id():
    graph = ResourceGraph(
        (
            Resource("aws_security_group.alb", "aws_security_group", {"id": "sg-1"}),
            Resource("aws_lb.a", "aws_lb", {"security_groups": ["${aws_security_group.alb.id}"]}),
        )
    )

    assert {"aws_security_group.alb", "sg-1"} == firewall.groups_of(
        graph, ("aws_lb", "security_groups")
    ).known

"""Who names a security group, and how."""

import json

from policies import POLICIES
from policies.aws import firewall
from policies.engine.evaluate import evaluate
from policies.engine.graph import Resource, ResourceGraph
from policies.engine.model import Verdict
from policies.engine.read import read

[IN_USE] = [policy for policy in POLICIES if policy.id == "security_groups.in_use"]


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


def test_a_group_that_is_an_output_is_in_use(tmp_path):
    stack = {
        "resource": {"aws_security_group": {"used": {}, "idle": {}}},
        "output": {"used": {"value": "${aws_security_group.used.id}"}},
    }
    (tmp_path / "main.tf.json").write_text(json.dumps(stack))
    [reading] = read([tmp_path])

    found = {f.resource.rpartition(".")[2]: f.verdict for f in evaluate([IN_USE], reading.graph)}

    assert {"used": Verdict.PASS, "idle": Verdict.FAIL} == found

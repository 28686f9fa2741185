"""What no document shows the effect of is told, and never passed."""

import pytest

from policies import POLICIES
from policies.aws.resource_types import KNOWN, TAGGABLE
from policies.engine.evaluate import evaluate
from policies.engine.graph import Resource, ResourceGraph
from policies.engine.model import Verdict

INTAKE = [policy for policy in POLICIES if policy.id.startswith("intake.")]


def unknown(type, values=()):
    """Return the policies that call a resource of *type* unknown."""
    graph = ResourceGraph((Resource(f"{type}.a", type, dict(values)),), "stack")
    return {f.policy for f in evaluate(INTAKE, graph) if f.verdict is not Verdict.PASS}


@pytest.mark.parametrize("type", ["aws_security_groop", "awscc_rds_db_cluster", "azurerm_subnet"])
def test_a_type_that_no_policy_knows_is_told(type):
    assert {"intake.types"} == unknown(type)


@pytest.mark.parametrize("type", ["aws_vpc", "data.aws_ami", "random_id", "null_resource"])
def test_a_type_that_is_known_or_harmless_is_not(type):
    assert set() == unknown(type)


def test_every_type_of_the_provider_is_known():
    assert len(KNOWN) > 1500
    assert set(TAGGABLE) < KNOWN
    assert {"aws_rds_cluster", "aws_vpc_security_group_ingress_rule"} <= set(TAGGABLE)


@pytest.mark.parametrize(
    ("type", "values"),
    [
        ("aws_security_group", {"ingress": [{"protocol": "tcp", "security_groups": ["sg-0abc"]}]}),
        ("aws_security_group_rule", {"type": "ingress", "source_security_group_id": "sg-0abc"}),
        ("aws_vpc_security_group_ingress_rule", {"referenced_security_group_id": "sg-0abc"}),
        ("aws_vpc_security_group_ingress_rule", {"referenced_security_group_id": "${var.group}"}),
    ],
)
def test_a_group_of_another_document_is_told(type, values):
    assert {"intake.foreign_groups"} == unknown(type, values)


@pytest.mark.parametrize("name", ["${aws_security_group.alb.id}", "sg-0abc"])
def test_a_group_of_the_same_document_is_not(name):
    type = "aws_vpc_security_group_ingress_rule"
    rule = Resource(f"{type}.a", type, {"referenced_security_group_id": name})
    group = Resource("aws_security_group.alb", "aws_security_group", {"id": "sg-0abc"})
    graph = ResourceGraph((rule, group), "stack")

    assert {Verdict.PASS} == {finding.verdict for finding in evaluate(INTAKE, graph)}

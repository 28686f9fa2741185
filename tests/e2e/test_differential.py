"""What a stack is judged to be, its plan by the real Terraform is judged to be, or unknown."""

import json
from collections import Counter

import pytest

from policies.engine.model import Verdict
from policies.engine.read import read
from tests.conftest import ROOT, judged
from tests.e2e.test_provider import planned
from tests.test_properties import renamed

STACKS = ROOT / "tests" / "faults" / "stacks"
PLANNABLE = (ROOT / "tests" / "e2e" / "plannable.txt").read_text().split()
"""Those of the hostile stacks that the real Terraform takes, and that have resources only."""


def resources(case):
    """Return the resources of the stack *case*, each under a name that no other stack has."""
    content = json.loads((STACKS / case / "cdk.tf.json").read_text())
    merged = {}
    for document in content if isinstance(content, list) else [content]:
        for block in as_list(document.get("resource", {})):
            for type, named in block.items():
                for each in as_list(named):
                    for name, body in each.items():
                        merged.setdefault(type, {})[name] = as_list(body)[0]
    document = renamed(merged, suffix=f"_{case}")
    return {
        type: {f"{name}_{case}": body for name, body in named.items()}
        for type, named in document.items()
    }


def as_list(value):
    return value if isinstance(value, list) else [value]


@pytest.fixture(scope="module")
def documents(tmp_path_factory):
    """Return what is found in the stack of all cases, and in its plan, by policy and address."""
    folder = tmp_path_factory.mktemp("differential")
    merged = {}
    for case in PLANNABLE:
        for type, named in resources(case).items():
            merged.setdefault(type, {}).update(named)
    plan, _ = planned(folder, {"resource": merged})
    apart = folder / "judged"
    apart.mkdir()
    (apart / "plan.json").write_text(json.dumps(plan))
    return [
        {
            (finding.policy, finding.resource.partition("/")[2]): finding.verdict
            for [reading] in [read([path])]
            for finding in judged(reading)
            if finding.resource.partition("/")[2].startswith("aws_")
        }
        for path in (folder / "main.tf.json", apart / "plan.json")
    ]


def test_a_plan_is_judged_as_its_stack_is_or_one_of_them_is_unknown(documents):
    design, plan = documents
    pairs = Counter((verdict, plan.get(key)) for key, verdict in design.items())

    assert [] == [
        (key, verdict, plan.get(key))
        for key, verdict in design.items()
        if plan.get(key) is not verdict and Verdict.UNKNOWN not in {verdict, plan.get(key)}
    ]
    assert set() == {key for key, verdict in plan.items() if verdict is Verdict.FAIL} - set(design)
    assert pairs[Verdict.PASS, Verdict.PASS] > 200
    assert pairs[Verdict.FAIL, Verdict.FAIL] > 100

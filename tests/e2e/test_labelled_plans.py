"""What others would write, planned by the real Terraform, is judged as their stacks are."""

import json
from collections import Counter

import pytest

from policies.engine.model import Verdict
from tests.conftest import ROOT
from tests.e2e.test_provider import planned
from tests.test_labelled import CASES, named, said

PLANNABLE = set((ROOT / "tests" / "e2e" / "plannable_labelled.txt").read_text().splitlines())
"""Those of the labelled documents that the real Terraform takes, and that look nothing up."""

OTHERWISE = {
    "access: local password": "a plan does not show local values",
    "data: efs flag '1' (Terraform takes it)": "encrypted is a text to some types of the provider",
}
"""Where a plan cannot be judged as its stack is, and why."""

MODULES = {f"m{number}": case for number, case in enumerate(CASES) if named(case) in PLANNABLE}


@pytest.fixture(scope="module")
def plan(tmp_path_factory):
    """Return one plan of all of them, each in a module of its own."""
    folder = tmp_path_factory.mktemp("labelled")
    for name, case in MODULES.items():
        (folder / name).mkdir()
        (folder / name / "main.tf.json").write_text(json.dumps(case["tf"]))
    content, _ = planned(folder, {"module": {name: {"source": f"./{name}"} for name in MODULES}})
    return content


def apart(plan):
    """Return the plan of each module as if it were planned alone."""
    changes = {name: [] for name in MODULES}
    for change in plan["resource_changes"]:
        changes[change["address"].split(".")[1]].append(change)
    made, read = (
        {child["address"].split(".")[1]: child for child in root.get("child_modules", ())}
        for root in (
            plan["planned_values"]["root_module"],
            plan.get("prior_state", {}).get("values", {}).get("root_module", {}),
        )
    )
    calls = plan["configuration"]["root_module"]["module_calls"]
    for name in MODULES:
        alone = {
            "planned_values": {"root_module": made.get(name, {})},
            "prior_state": {"values": {"root_module": read.get(name, {})}},
            "resource_changes": changes[name],
        }
        text = json.dumps(alone).replace(f'"module.{name}.', '"')
        yield (
            name,
            {
                **{key: plan[key] for key in ("format_version", "terraform_version")},
                **json.loads(text),
                "configuration": {
                    "provider_config": plan["configuration"]["provider_config"],
                    "root_module": calls[name]["module"],
                },
            },
        )


def test_a_plan_of_what_others_write_is_judged_as_its_stack_or_one_is_unknown(plan, tmp_path):
    pairs = {}
    for name, content in apart(plan):
        case = MODULES[name]
        pairs[named(case)] = (
            said(case, case["tf"], tmp_path / "stack" / "cdk.tf.json"),
            said(case, content, tmp_path / "plan" / "plan.json"),
        )
    counted = Counter(pairs.values())

    assert {} == {
        name: pair
        for name, pair in pairs.items()
        if len(set(pair)) > 1 and Verdict.UNKNOWN.value not in pair and name not in OTHERWISE
    }
    assert counted["fail", "fail"] > 700
    assert counted["pass", "pass"] > 500

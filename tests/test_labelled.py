"""
Small documents that others would write, each with what its author thinks of it.

A case violates, or does not, what a row of docs/controls.toml or a policy is about. Where the
suite says otherwise, otherwise.txt says what; a case that it no longer judges so has to go there.
"""

import json
import tomllib
from dataclasses import replace
from itertools import groupby

import pytest

from policies import POLICIES
from policies.engine.evaluate import evaluate
from policies.engine.model import SETTLED, Verdict
from policies.engine.read import read
from tests.conftest import ROOT, TODAY

FOLDER = ROOT / "tests" / "labelled"
ROWS = tomllib.loads((ROOT / "docs" / "controls.toml").read_text())
BY_ID = {policy.id: policy for policy in POLICIES}


def about(case):
    """Return the ids of the policies that *case* is about."""
    of_row = ROWS[case["row"]]["policies"] if "row" in case else []
    return tuple(sorted({*of_row, *case.get("policies", ())}))


def named(case):
    """Return what *case* is called in the lists beside it."""
    return f"{case['file']}: {case['name']}"


CASES = sorted(
    (
        {"file": path.stem, **case}
        for path in FOLDER.glob("*.json")
        for case in json.loads(path.read_text())
    ),
    key=about,
)
OTHERWISE = (FOLDER / "otherwise.txt").read_text().splitlines()


def said(case, content, path):
    """Return the worst that the suite says of *case*, which *content* holds; or "pass"."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(content))
    [reading] = read([path])
    policies = [BY_ID[id] for id in about(case)]
    found = {f.verdict for f in evaluate(policies, replace(reading.graph, today=TODAY))}
    worst = (Verdict.ERROR, Verdict.FAIL, Verdict.UNKNOWN)
    return next((each for each in worst if each in found - SETTLED), Verdict.PASS).value


@pytest.mark.parametrize(
    "cases", [pytest.param(list(group), id=" ".join(key)) for key, group in groupby(CASES, about)]
)
def test_what_others_would_write_is_judged_as_they_think(cases, tmp_path):
    path = tmp_path / "stack" / "cdk.tf.json"
    told = {named(case): (said(case, case["tf"], path), case["violates"]) for case in cases}
    otherwise = {
        f"{name}: {verdict}"
        for name, (verdict, violates) in told.items()
        if verdict != ("fail" if violates else "pass")
    }

    assert otherwise == {line for line in OTHERWISE if line.rpartition(": ")[0] in told}

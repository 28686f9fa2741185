"""
Inputs that break or fool policy tools, each with what a gate has to do.

`faults/expected.json` says of each what is expected. FAIL: something blocks that does not
block the good control of its theme. UNK: so it does, and it is not known. REJ: a refusal in
one line. BLOCK: either. PASS: nothing blocks but what blocks the good control.
"""

import json
from functools import cache

import pytest

from policies.engine.model import Verdict
from tests.conftest import ROOT
from tests.test_check import check

FAULTS = ROOT / "tests" / "faults"
CASES = json.loads((FAULTS / "expected.json").read_text())
DOUBTS = {Verdict.UNKNOWN.value, Verdict.ERROR.value}


@cache
def judged(input):
    """Return how the gate ends on *input*, what blocks, by policy, and its complaints."""
    run = check(FAULTS / input, "--format", "json")
    blocking = {}
    for finding in json.loads(run.stdout)["findings"] if run.stdout else ():
        if finding["blocks"]:
            blocking.setdefault(finding["policy"], set()).add(finding["verdict"])
    return run.exit_code, blocking, run.stderr


@cache
def good(theme):
    """Return what blocks the good control of *theme*, as far as its platform is missing."""
    inputs = [
        case["input"]
        for case in CASES
        if (case["class"], case["theme"], case["expect"]) == ("ctl", theme, "PASS")
    ]
    return {policy for input in inputs for policy in judged(input)[1]}


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_an_input_is_judged_as_expected(case, monkeypatch):
    working_folder = FAULTS / case["input"] / "cwd"
    if working_folder.exists():
        monkeypatch.chdir(working_folder)
    code, blocking, complaints = judged(case["input"])
    more = {
        policy: verdicts
        for policy, verdicts in blocking.items()
        if policy not in good(case["theme"])
    }
    refused = code == 2 and 1 == len(complaints.splitlines())
    expected = {
        "FAIL": (code == 1 and more) or refused,
        "UNK": (code == 1 and any(verdicts & DOUBTS for verdicts in more.values())) or refused,
        "REJ": refused,
        "BLOCK": (code == 1 and more) or refused,
        "PASS": code in {0, 1} and not more,
    }

    assert expected[case["expect"]], (code, more, complaints, case["note"])

"""How a run ends: anything that is neither passed nor waived blocks, and a refusal outdoes it."""

from dataclasses import fields

import pytest

from policies.engine.graph import Stage
from policies.engine.model import Finding, Report, Verdict
from scripts.exits import ending
from tests.test_waive import WAIVER


def report(*findings, refusals=()):
    empty = {field.name: () for field in fields(Report)}
    return Report(**{**empty, "findings": findings, "refusals": refusals})


def finding(verdict, waiver=None):
    return Finding(
        policy="keys.rotation",
        resource="stack/aws_kms_key.a",
        stage=Stage.DESIGN,
        verdict=verdict,
        waiver=waiver,
    )


ENDS = {
    Verdict.PASS: 0,
    Verdict.NOT_APPLICABLE: 0,
    Verdict.FAIL: 1,
    Verdict.UNKNOWN: 1,
    Verdict.ERROR: 1,
}


@pytest.mark.parametrize("verdict", Verdict)
def test_each_verdict_ends_a_run_as_it_should(verdict):
    assert ending(report(finding(Verdict.PASS), finding(verdict))) == ENDS[verdict]


def test_what_is_waived_does_not_block():
    assert ending(report(finding(Verdict.FAIL, WAIVER))) == 0
    assert ending(report(finding(Verdict.FAIL, WAIVER), finding(Verdict.FAIL))) == 1


@pytest.mark.parametrize("verdict", Verdict)
def test_what_was_refused_ends_a_run_with_2_whatever_was_found(verdict):
    assert ending(report(finding(verdict), refusals=("a: no JSON",))) == 2

"""A Report in, JUnit's XML out: a suite for each policy, a case for each resource and stage."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite

from policies.engine.model import Finding, Report, Verdict
from policies.report.words import visible

KINDS = {Verdict.FAIL: Failure, Verdict.UNKNOWN: Failure, Verdict.ERROR: Error}


def render(report: Report) -> str:
    """Return the report as XML; what is waived counts as skipped, and says by whom."""
    document = JUnitXml("pci-gate")
    titles = {policy.id: policy.title for policy in report.policies}
    for policy, findings in groupby(report.findings, key=lambda finding: finding.policy):
        document.add_testsuite(_suite(policy, titles.get(policy, ""), findings))
    document.update_statistics()
    text: str = document.tostring().decode()
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _suite(policy: str, title: str, findings: Iterable[Finding]) -> TestSuite:
    suite = TestSuite(policy)
    suite.add_property("title", visible(title))
    suite.add_testcases([_case(finding) for finding in findings])
    return suite


def _case(finding: Finding) -> TestCase:
    case = TestCase(visible(f"{finding.resource} ({finding.stage.value})"), finding.policy)
    message = visible("; ".join(finding.messages)) or finding.verdict.value
    if finding.waiver:
        by = f"{finding.waiver.kind}, approved by {finding.waiver.approved_by}"
        case.result = [Skipped(visible(f"{by}: {message}"))]
    elif finding.verdict is Verdict.NOT_APPLICABLE:
        case.result = [Skipped("not applicable")]
    elif finding.verdict in KINDS:
        case.result = [KINDS[finding.verdict](message, finding.verdict.value)]
    return case

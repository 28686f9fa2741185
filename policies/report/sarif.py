"""A Report in, SARIF 2.1.0 out, in the subset that GitHub shows: at the line of Python to mend."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import msgspec

from policies.engine.graph import Source
from policies.engine.model import SETTLED, Finding, Policy, Report
from policies.report.words import line

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
MOST = 5000
"""GitHub shows no more results; what blocks comes first."""


def render(report: Report) -> str:
    """Return what *report* found that is not settled, waived deviations as suppressed."""
    told = [finding for finding in report.findings if finding.verdict not in SETTLED]
    told = sorted(told, key=lambda finding: not finding.blocks)[:MOST]
    declared = {policy.id: policy for policy in report.policies}
    rules = {id: number for number, id in enumerate(dict.fromkeys(f.policy for f in told))}
    driver = {
        "name": "pci-gate",
        "version": report.version,
        "rules": [_rule(declared[id]) for id in rules],
    }
    run = {
        "tool": {"driver": driver},
        "automationDetails": {"id": "pci-gate/"},
        "results": [_result(finding, rules) for finding in told],
    }
    document = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return msgspec.json.format(msgspec.json.encode(document), indent=1).decode() + "\n"


def _rule(policy: Policy) -> dict[str, Any]:
    return {
        "id": policy.id,
        "shortDescription": {"text": line(policy.title)},
        "fullDescription": {"text": line(policy.why or policy.title)},
        "help": {"text": "\n".join(_help(policy)), "markdown": "\n\n".join(_help(policy))},
        "properties": {"tags": ["PCI DSS", *(claim.requirement for claim in policy.claims)]},
    }


def _help(policy: Policy) -> Iterator[str]:
    yield line(f"{policy.title} {policy.why}")
    for claim in policy.claims:
        yield f"PCI DSS {claim.requirement} ({claim.strength.value})."
    for mutation in policy.violated_by:
        yield f"Broken by: {line(str(mutation))}"


def _result(finding: Finding, rules: dict[str, int]) -> dict[str, Any]:
    where = place(finding)
    region = {"startLine": where.line}
    told = f"{finding.verdict.value}, {finding.stage.value}: {finding.resource}"
    result: dict[str, Any] = {
        "ruleId": finding.policy,
        "ruleIndex": rules[finding.policy],
        "level": "error",
        "message": {"text": line(f"{told}: {'; '.join(finding.messages)}")},
        "locations": [
            {"physicalLocation": {"artifactLocation": {"uri": where.file}, "region": region}}
        ],
        "partialFingerprints": {"pciGate/v1": identity(finding)},
    }
    if finding.waiver:
        reason = line(f"{finding.waiver.kind}: {finding.waiver.definition}")
        result["suppressions"] = [{"kind": "external", "justification": reason}]
    return result


def place(finding: Finding) -> Source:
    """Return the line to mend, or else the beginning of the document, as a relative path."""
    sources = [*(violation.at.source for violation in finding.violations), finding.source]
    known = next((source for source in sources if source), None)
    return known or Source(relative(finding.document), 1)


def relative(path: str) -> str:
    """Return *path* without what leads out of the repository, nor anything that is no path."""
    parts = [part for part in path.replace("\\", "/").split("/") if part not in {"", ".", ".."}]
    safe = ("".join(c if c.isalnum() or c in "._-" else "_" for c in part) for part in parts)
    return "/".join(safe) or "waivers.yaml"


def identity(finding: Finding) -> str:
    """Return what tells *finding* from every other, and stays where lines move."""
    key = f"{finding.policy}\0{finding.resource}\0{finding.stage}"
    return hashlib.sha256(key.encode(errors="backslashreplace")).hexdigest()[:32]

"""A Report in, GitLab's code quality report out (JSON, the subset of Code Climate's)."""

from __future__ import annotations

from typing import Any

import msgspec

from policies.engine.model import Finding, Report
from policies.report.sarif import identity, place
from policies.report.words import line


def render(report: Report) -> str:
    """Return one entry for each finding that blocks."""
    found = [_issue(finding) for finding in report.blocking]
    return msgspec.json.format(msgspec.json.encode(found), indent=1).decode() + "\n"


def _issue(finding: Finding) -> dict[str, Any]:
    where = place(finding)
    return {
        "type": "issue",
        "check_name": finding.policy,
        "description": line(f"{finding.resource}: {'; '.join(finding.messages)}"),
        "categories": ["Security"],
        "severity": "blocker",
        "fingerprint": identity(finding),
        "location": {"path": where.file, "lines": {"begin": where.line}},
    }

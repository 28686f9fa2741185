"""A Report in, its JSON out, for other programs to read."""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec

from policies.engine.model import WAIVABLE, Finding, Report, Verdict
from policies.requirements import VERSION

SCHEMA_VERSION = "1"


def render(report: Report) -> str:
    """Return the report as JSON, its keys always in the same order."""
    counts = Counter(finding.verdict for finding in report.findings)
    by_requirement = report.by_requirement()
    document = {
        "schema_version": SCHEMA_VERSION,
        "standard": f"PCI DSS v{VERSION}",
        "generated_at": report.generated_at,
        "commit": report.commit,
        "documents": report.documents,
        "refusals": report.refusals,
        "summary": {verdict.value: counts[verdict] for verdict in Verdict},
        "blocking": len(report.blocking),
        "waived": sum(finding.waiver is not None for finding in report.findings),
        "requirements": {
            "covered": [id for id, findings in by_requirement.items() if findings],
            "not_covered": [id for id, findings in by_requirement.items() if not findings],
        },
        "not_evaluated": report.not_evaluated,
        "unjudged": report.unjudged,
        "remarks": report.remarks,
        "findings": [_finding(finding, report) for finding in report.findings],
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=1).decode() + "\n"


def _finding(finding: Finding, report: Report) -> dict[str, Any]:
    return {
        "policy": finding.policy,
        "requirements": [c.requirement for c in report.claims.get(finding.policy, ())],
        "resource": finding.resource,
        "stage": finding.stage,
        "verdict": finding.verdict,
        "blocks": finding.blocks,
        "messages": finding.messages,
        "paths": [violation.pointer for violation in finding.violations],
        "waiver": finding.waiver,
        "source": finding.source,
        "document": finding.document,
        "fingerprint": finding.fingerprint if finding.verdict in WAIVABLE else None,
        **({"observed": finding.observed} if finding.observed else {}),
    }

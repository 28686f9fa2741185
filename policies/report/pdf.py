"""A Report in, the same on paper out: PDF/A-3b, with the results inside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.resources import files
from typing import Any

import msgspec
import typst

from policies.engine.model import SETTLED, Finding, Report, Waiver
from policies.report import evidence as evidences
from policies.report.evidence import Changes, Evidence
from policies.report.words import printed, short
from policies.requirements import VERSION


class NotPrinted(RuntimeError):
    """The document could not be set without a warning."""


def render(
    report: Report,
    evidence: Sequence[Evidence],
    drawings: Mapping[str, str],
    changes: Changes | None,
    results: str,
) -> bytes:
    """
    Return the report as a PDF with *results*, its JSON, attached.

    Raises:
        NotPrinted: Something in it cannot be set.
    """
    project: Any = {
        "main.typ": files(__package__).joinpath("page", "report.typ").read_bytes(),
        "view.json": msgspec.json.encode(
            {**_printed(_view(report, evidence, changes)), "drawings": list(drawings)}
        ),
        **{name: printed(drawing).encode() for name, drawing in drawings.items()},
        "results.json": results.encode(),
    }
    made, warnings = typst.compile_with_warnings(
        project,
        format="pdf",
        pdf_standards=["a-3b"],
        ignore_system_fonts=True,
        timestamp=report.generated_at,
    )
    if warnings:
        raise NotPrinted(str(warnings[0]))
    document: bytes = made
    return document


def _printed(value: Any) -> Any:
    if isinstance(value, str):
        return printed(value)
    if isinstance(value, dict):
        return {key: _printed(item) for key, item in value.items()}
    return [_printed(item) for item in value] if isinstance(value, list | tuple) else value


def _view(report: Report, evidence: Sequence[Evidence], changes: Changes | None) -> dict[str, Any]:
    given = evidences.ids(evidence)
    return {
        "title": f"Evidence for PCI DSS v{VERSION}",
        "cover": [
            ("Made", f"{report.generated_at:%Y-%m-%d %H:%M:%S} UTC"),
            ("Commit", report.commit or "none"),
            ("Outcome", evidences.outcome(report)),
            ("Stages", "; ".join(evidences.stages(report))),
        ],
        "honesty": (
            f"Of {len(report.requirements)} requirements, {evidences.catalogue(report)}. "
            "Automated: a policy judges the technical condition that the requirement names. "
            "Partial: policies judge a part of it, or support it. Everything else is shown by "
            "people, by other systems, or by AWS. No sampling: every resource was judged by every "
            "policy that is about it."
        ),
        "remarks": [*report.remarks, *(f"Not judged: {refusal}" for refusal in report.refusals)],
        "requirements": list(_requirements(report, evidence)),
        "evidence": [
            {
                "id": each.id,
                "title": each.policy.title,
                "strength": each.strength.value,
                "items": str(len(each.findings)),
                "shows": each.status,
            }
            for each in evidence
        ],
        "findings": [
            _finding(each, given.get(each.policy, []))
            for each in report.findings
            if each.verdict not in SETTLED
        ],
        "waivers": [_waiver(waiver) for waiver in report.waivers],
        "changes": asdict(changes) if changes else None,
        "documents": [
            {"path": each.path, "stage": each.stage.value, "sha256": each.sha256}
            for each in report.documents
        ],
    }


def _requirements(report: Report, evidence: Sequence[Evidence]) -> list[dict[str, str]]:
    given = evidences.by_requirement(evidence)
    return [
        {
            "id": requirement.id,
            "title": requirement.title,
            "is": requirement.status.value,
            "shows": evidences.together(given[requirement.id]) if requirement.id in given else "",
        }
        for requirement in report.requirements
    ]


def _finding(finding: Finding, evidence: Sequence[str]) -> dict[str, str]:
    return {
        "verdict": finding.verdict.value,
        "stage": finding.stage.value,
        "policy": " ".join([finding.policy, *evidence]),
        "resource": finding.resource,
        "message": "; ".join(finding.messages) + (" (accepted)" if finding.waiver else ""),
        "observed": short(evidences.observed(finding)),
        "source": str(finding.source or finding.document),
    }


def _waiver(waiver: Waiver) -> dict[str, Any]:
    return {
        "policy": waiver.policy,
        "kind": f"{waiver.kind}, until {waiver.expires_on}",
        "fields": [
            *evidences.worksheet(waiver),
            ("Owner", waiver.owner),
            ("Approved by", f"{waiver.approved_by}, {waiver.approved_on}"),
            ("Covers", ", ".join(waiver.resources)),
        ],
    }

"""A Report in, one page out: self-contained, under a strict content policy, readable as it is."""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from importlib.resources import files
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from policies.engine.graph import Stage
from policies.engine.model import (
    TEXTS,
    Finding,
    Policy,
    Report,
    Requirement,
    Status,
    Verdict,
    Waiver,
)
from policies.report.evidence import STAGES, Evidence, ids, status
from policies.report.tables import observed
from policies.report.words import visible
from policies.requirements import VERSION

TITLES = {
    "1": "Network security controls",
    "2": "Secure configurations",
    "3": "Stored account data",
    "4": "Account data in transit",
    "5": "Malicious software",
    "6": "Secure systems and software",
    "7": "Access by need to know",
    "8": "Identification and authentication",
    "9": "Physical access",
    "10": "Logging and monitoring",
    "11": "Testing of security",
    "12": "Policies and programs",
    "A": "Appendices",
}
SHADES = {"deviation found": "fail", "not determined": "unknown", "evidence found": "pass"}
SOON = timedelta(days=30)


@dataclass(frozen=True)
class Changes:
    """What is new, and what is no more, since an earlier run."""

    before: str
    new: tuple[str, ...]
    fixed: tuple[str, ...]


def render(
    report: Report,
    evidence: Sequence[Evidence],
    *,
    drawings: Mapping[str, str],
    changes: Changes | None,
    keyid: str,
) -> str:
    """Return the page."""
    page = files(__package__).joinpath("page")
    style, script = (page.joinpath(name).read_text() for name in ("report.css", "report.js"))
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["observed"] = observed
    environment.filters["shade"] = _shade
    environment.filters["visible"] = _visible
    environment.filters["worksheet"] = _worksheet
    template = environment.from_string(page.joinpath("report.html.j2").read_text())
    return template.render(
        report=report,
        version=VERSION,
        outcome=outcome(report),
        catalogue=catalogue(report),
        stages=sorted({STAGES[document.stage] for document in report.documents}),
        groups=tuple(_groups(report, evidence)),
        policies=tuple(_policies(report, evidence)),
        verdicts=tuple(Verdict),
        stage_names=[stage.value for stage in Stage],
        waivers=counted(report),
        drawings=[(name, Markup(drawing)) for name, drawing in drawings.items()],  # noqa: S704 - ours
        changes=changes,
        keyid=keyid,
        style=style,
        script=script,
        style_digest=_digest(style),
        script_digest=_digest(script),
    )


def outcome(report: Report) -> str:
    """Return in one line how the run ended."""
    refused = f"; {len(report.refusals):,} documents not judged" if report.refusals else ""
    blocking = f"{len(report.blocking):,} findings block" if report.blocking else "nothing blocks"
    return f"{blocking} of {len(report.findings):,}{refused}"


def catalogue(report: Report) -> str:
    """Return how many requirements there are of each status."""
    counts = Counter(requirement.status for requirement in report.requirements)
    return ", ".join(f"{counts[status]} {status.value}" for status in Status)


def _groups(report: Report, evidence: Sequence[Evidence]) -> Iterator[dict[str, Any]]:
    given: dict[str, list[Evidence]] = {}
    for each in evidence:
        given.setdefault(each.requirement.id, []).append(each)
    for number, title in TITLES.items():
        requirements = [
            _requirement(requirement, given.get(requirement.id, []))
            for requirement in report.requirements
            if _group(requirement) == number
        ]
        if requirements:
            yield {"title": f"{number}. {title}", "requirements": requirements}


def _group(requirement: Requirement) -> str:
    first = requirement.id.partition(".")[0]
    return first if first.isdigit() else "A"


def _requirement(requirement: Requirement, evidence: Sequence[Evidence]) -> dict[str, Any]:
    told = status([finding for each in evidence for finding in each.findings])
    return {
        "requirement": requirement,
        "evidence": evidence,
        "status": told,
        "shade": _shade(told),
    }


def _shade(told: str) -> str:
    return SHADES.get(told, "soft")


def _visible(value: object) -> str:
    return visible(str(value))


def _policies(
    report: Report, evidence: Sequence[Evidence]
) -> Iterator[tuple[Policy, list[str], list[Finding]]]:
    given = ids(evidence)
    found: dict[str, list[Finding]] = {}
    for finding in report.findings:
        found.setdefault(finding.policy, []).append(finding)
    for policy in report.policies:
        if policy.id in found:
            yield policy, given.get(policy.id, []), found[policy.id]


def counted(report: Report) -> dict[str, int]:
    """Return how many waivers are in force, expire within 30 days, or waive nothing."""
    today = report.generated_at.date()
    used = [finding.waiver for finding in report.findings if finding.waiver]
    active = [waiver for waiver in report.waivers if waiver in used]
    return {
        "active": len(active),
        "expiring": sum(waiver.expires_on - today <= SOON for waiver in active),
        "stale": len(report.waivers) - len(active),
    }


def _worksheet(waiver: Waiver) -> list[tuple[str, str]]:
    return [
        (name.replace("_", " ").capitalize(), getattr(waiver, name)) for name in TEXTS[waiver.kind]
    ]


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()

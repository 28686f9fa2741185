"""A Report in, one page out: self-contained, under a strict content policy, readable as it is."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from policies.engine.graph import Stage
from policies.engine.model import (
    Finding,
    Policy,
    Report,
    Requirement,
    Verdict,
)
from policies.report import evidence as evidences
from policies.report.evidence import Changes, Evidence
from policies.report.words import short, visible
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
    environment.filters["observed"] = evidences.observed
    environment.filters["shade"] = _shade
    environment.filters["short"] = short
    environment.filters["visible"] = _visible
    environment.filters["worksheet"] = evidences.worksheet
    template = environment.from_string(page.joinpath("report.html.j2").read_text())
    return template.render(
        report=report,
        version=VERSION,
        outcome=evidences.outcome(report),
        catalogue=evidences.catalogue(report),
        stages=evidences.stages(report),
        groups=tuple(_groups(report, evidence)),
        policies=tuple(_policies(report, evidence)),
        verdicts=tuple(Verdict),
        stage_names=[stage.value for stage in Stage],
        waivers=evidences.counted(report),
        drawings=[(name, Markup(drawing)) for name, drawing in drawings.items()],  # noqa: S704 - ours
        changes=changes,
        keyid=keyid,
        style=style,
        script=script,
        style_digest=_digest(style),
        script_digest=_digest(script),
    )


def _groups(report: Report, evidence: Sequence[Evidence]) -> Iterator[dict[str, Any]]:
    given = evidences.by_requirement(evidence)
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
    told = evidences.together(evidence)
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
) -> Iterator[tuple[Policy, list[str], tuple[Finding, ...]]]:
    given = evidences.ids(evidence)
    for policy in report.policies:
        if policy.id in report.by_policy:
            yield policy, given.get(policy.id, []), report.by_policy[policy.id]


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()

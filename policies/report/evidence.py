"""A Report in, what it shows of each requirement out, under ids that others can refer to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property

from policies.engine.graph import Stage
from policies.engine.model import (
    TEXTS,
    Finding,
    Policy,
    Report,
    Requirement,
    Status,
    Strength,
    Verdict,
    Waiver,
)

SHOWS = {
    Verdict.FAIL: "deviation found",
    Verdict.ERROR: "not determined",
    Verdict.UNKNOWN: "not determined",
    Verdict.PASS: "evidence found",
}
"""What a verdict is evidence of, the worst first. Whether it is enough is the assessor's to say."""

ACCEPTED = "deviation accepted"
NOTHING = "no evidence"

SOON = timedelta(days=30)

STAGES = {
    Stage.DESIGN: "design evidence: what is written",
    Stage.PLANNED: "planned: what Terraform is about to do",
    Stage.DEPLOYED: "deployed: what Terraform's state holds",
}


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What one policy shows of one requirement."""

    id: str
    """Such as ``EVD-1.3.1-001``: the number of the policy among those that claim it."""

    requirement: Requirement
    policy: Policy
    strength: Strength
    findings: tuple[Finding, ...]

    @cached_property
    def status(self) -> str:
        """What it shows, in one word or two."""
        return status(self.findings)


@dataclass(frozen=True)
class Changes:
    """What is new, and what is no more, since an earlier run."""

    before: str
    new: tuple[str, ...]
    fixed: tuple[str, ...]


def status(findings: Sequence[Finding]) -> str:
    """Return what *findings* show together: the worst counts, and an accepted deviation is told."""
    if any(finding.blocks for finding in findings):
        open_verdicts = {finding.verdict for finding in findings if finding.blocks}
        return next(told for verdict, told in SHOWS.items() if verdict in open_verdicts)
    if any(finding.waiver for finding in findings):
        return ACCEPTED
    passed = any(finding.verdict is Verdict.PASS for finding in findings)
    return SHOWS[Verdict.PASS] if passed else NOTHING


def collected(report: Report) -> tuple[Evidence, ...]:
    """Return the evidence in *report*, requirement by requirement."""
    return tuple(_collected(report))


def _collected(report: Report) -> Iterator[Evidence]:
    for requirement in report.requirements:
        claiming = [
            (policy, claim.strength)
            for policy in report.policies
            for claim in policy.claims
            if claim.requirement == requirement.id
        ]
        for number, (policy, strength) in enumerate(claiming, start=1):
            yield Evidence(
                id=f"EVD-{requirement.id}-{number:03}",
                requirement=requirement,
                policy=policy,
                strength=strength,
                findings=report.by_policy.get(policy.id, ()),
            )


def ids(evidence: Sequence[Evidence]) -> dict[str, list[str]]:
    """Return the ids of the evidence that each policy gives."""
    found: dict[str, list[str]] = {}
    for each in evidence:
        found.setdefault(each.policy.id, []).append(each.id)
    return found


def by_requirement(evidence: Iterable[Evidence]) -> dict[str, list[Evidence]]:
    """Return the evidence of each requirement that has some."""
    found: dict[str, list[Evidence]] = {}
    for each in evidence:
        found.setdefault(each.requirement.id, []).append(each)
    return found


def together(evidence: Iterable[Evidence]) -> str:
    """Return what *evidence* shows together."""
    return status([finding for each in evidence for finding in each.findings])


def stages(report: Report) -> list[str]:
    """Return what the judged documents are evidence of."""
    return sorted({STAGES[document.stage] for document in report.documents})


def outcome(report: Report) -> str:
    """Return in one line how the run ended."""
    refused = f"; {len(report.refusals):,} documents not judged" if report.refusals else ""
    blocking = f"{len(report.blocking):,} findings block" if report.blocking else "nothing blocks"
    return f"{blocking} of {len(report.findings):,}{refused}"


def catalogue(report: Report) -> str:
    """Return how many requirements there are of each status."""
    counts = Counter(requirement.status for requirement in report.requirements)
    return ", ".join(f"{counts[status]} {status.value}" for status in Status)


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


def worksheet(waiver: Waiver) -> list[tuple[str, str]]:
    """Return what a waiver of its kind has to say, each with its name."""
    return [
        (name.replace("_", " ").capitalize(), getattr(waiver, name)) for name in TEXTS[waiver.kind]
    ]


def observed(finding: Finding) -> str:
    """Return the values that *finding* rests on, those of its own resource first."""
    own = finding.resource.partition("/")[2]
    return "; ".join(
        f"{each.path if each.address == own else f'{each.address} {each.path}'}"
        f" {'is not set' if each.value is None else f'= {each.value}'}".strip()
        for each in finding.observed
    )

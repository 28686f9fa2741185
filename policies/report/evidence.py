"""A Report in, what it shows of each requirement out, under ids that others can refer to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from policies.engine.graph import Stage
from policies.engine.model import Finding, Policy, Report, Requirement, Strength, Verdict

SHOWS = {
    Verdict.FAIL: "deviation found",
    Verdict.ERROR: "not determined",
    Verdict.UNKNOWN: "not determined",
    Verdict.PASS: "evidence found",
}
"""What a verdict is evidence of, the worst first. Whether it is enough is the assessor's to say."""

ACCEPTED = "deviation accepted"
NOTHING = "no evidence"

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
    by_policy: dict[str, list[Finding]] = {}
    for finding in report.findings:
        by_policy.setdefault(finding.policy, []).append(finding)
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
                findings=tuple(by_policy.get(policy.id, ())),
            )


def ids(evidence: Sequence[Evidence]) -> dict[str, list[str]]:
    """Return the ids of the evidence that each policy gives."""
    found: dict[str, list[str]] = {}
    for each in evidence:
        found.setdefault(each.policy.id, []).append(each.id)
    return found

"""A Report in, text for a terminal or a log out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from policies.engine.graph import Stage
from policies.engine.model import Finding, Report, Verdict
from policies.requirements import VERSION

SHOWN = 6
"""How many types are named before they are only counted."""

ORDER = (Verdict.PASS, Verdict.FAIL, Verdict.UNKNOWN, Verdict.ERROR, Verdict.NOT_APPLICABLE)


def printable(text: str) -> str:
    """Return *text* with whatever could steer a terminal or a log written out."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def render(report: Report) -> str:
    """Return the report: the count, what blocks, and what was not judged."""
    parts = ["\n".join(_summary(report))]
    parts += ["\n".join(_block(findings, report)) for findings in _alike(report.blocking)]
    parts.append("\n".join(_coverage(report)))
    return "\n\n".join(parts) + "\n"


def _summary(report: Report) -> Iterator[str]:
    counts = Counter(finding.verdict for finding in report.findings)
    verdicts = ", ".join(f"{counts[v]:,} {v.value.replace('_', ' ')}" for v in ORDER)
    waived = sum(finding.waiver is not None for finding in report.findings)
    blocking = len(report.blocking)
    outcome = f"{blocking:,} block" if blocking else "nothing blocks"
    if report.refusals:
        outcome += f", {len(report.refusals):,} not judged"
    yield f"{verdicts} ({waived:,} waived): {outcome}"
    for document in report.documents:
        yield f"  judged    {printable(document.path)} ({document.kind}, {document.stage.value})"
    for refusal in report.refusals:
        yield f"  refused   {printable(refusal)}"


def _alike(findings: Iterable[Finding]) -> Iterator[list[Finding]]:
    """Put findings together that one change mends: the same fault, made by the same line."""
    groups: dict[tuple[object, ...], list[Finding]] = {}
    for finding in findings:
        key = (finding.policy, finding.verdict, finding.messages, _places(finding))
        groups.setdefault(key, []).append(finding)
    yield from groups.values()


def _block(findings: list[Finding], report: Report) -> Iterator[str]:
    first = findings[0]
    verdict, policy = first.verdict.value.upper(), printable(first.policy)
    yield f"{verdict}  {policy}  {_claims(first, report)}"
    stages: dict[str, list[Stage]] = {}
    for finding in findings:
        stages.setdefault(finding.resource, []).append(finding.stage)
    for number, (resource, seen) in enumerate(stages.items()):
        where = "" if seen == [Stage.DESIGN] else f"  ({', '.join(stage.value for stage in seen)})"
        yield f"  {'' if number else 'resource':8}  {printable(resource)}{where}"
    for number, message in enumerate(first.messages):
        yield f"  {'' if number else 'wrong':8}  {printable(message)}"
    for place in _places(first):
        yield f"  mend at   {printable(place)}"


def _places(finding: Finding) -> tuple[str, ...]:
    """Return the lines of Python that made what is wrong."""
    sources = [violation.at.source for violation in finding.violations] or [finding.source]
    return tuple(dict.fromkeys(str(source) for source in sources if source))


def _claims(finding: Finding, report: Report) -> str:
    claims = report.claims.get(finding.policy, ())
    if claims:
        return "PCI DSS " + ", ".join(f"{c.requirement} ({c.strength.value})" for c in claims)
    if finding.policy.startswith("checkov."):
        return "second opinion, not mapped to PCI DSS"
    return "no requirement of PCI DSS"


def _coverage(report: Report) -> Iterator[str]:
    yield from map(printable, report.remarks)
    if report.unjudged:
        types = list(report.unjudged)
        more = f" and {len(types) - SHOWN} types more" if len(types) > SHOWN else ""
        named = printable(", ".join(types[:SHOWN]))
        number = sum(report.unjudged.values())
        yield f"No policy is about {number} resources by themselves: {named}{more}."
    covered = sum(bool(findings) for findings in report.by_requirement().values())
    total = len(report.requirements)
    yield (
        f"PCI DSS v{VERSION}: this run says something about {covered} of {total} requirements, "
        f"and nothing about {total - covered}."
    )

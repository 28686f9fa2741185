"""A Report in, text for a terminal or a log out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from policies.engine.model import Finding, Report, Verdict
from policies.requirements import VERSION

ORDER = (Verdict.PASS, Verdict.FAIL, Verdict.UNKNOWN, Verdict.ERROR, Verdict.NOT_APPLICABLE)


def printable(text: str) -> str:
    """Return *text* with whatever could steer a terminal or a log written out."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def render(report: Report) -> str:
    """Return the report: the count, what blocks, and what was not judged."""
    parts = ["\n".join(_summary(report))]
    parts += ["\n".join(_block(finding, report)) for finding in report.blocking]
    parts.append("\n".join(_coverage(report)))
    return "\n\n".join(parts) + "\n"


def _summary(report: Report) -> Iterator[str]:
    counts = Counter(finding.verdict for finding in report.findings)
    verdicts = ", ".join(f"{counts[v]:,} {v.value.replace('_', ' ')}" for v in ORDER)
    waived = sum(finding.waiver is not None for finding in report.findings)
    blocking = len(report.blocking)
    outcome = f"{blocking:,} block" if blocking else "nothing blocks"
    yield f"{verdicts} ({waived:,} waived): {outcome}"
    for document in report.documents:
        yield f"  {document.stage.value} {document.kind} {printable(document.path)}"


def _block(finding: Finding, report: Report) -> Iterator[str]:
    verdict, policy = finding.verdict.value.upper(), printable(finding.policy)
    yield f"{verdict}  {policy}  {_claims(finding, report)}"
    stage = "" if finding.stage == "design" else f"  ({finding.stage.value})"
    yield f"  resource  {printable(finding.resource)}{stage}"
    for number, message in enumerate(finding.messages):
        yield f"  {'' if number else 'wrong':8}  {printable(message)}"
    places = dict.fromkeys(
        str(source)
        for source in [v.at.source for v in finding.violations] or [finding.source]
        if source
    )
    for place in places:
        yield f"  mend at   {printable(place)}"


def _claims(finding: Finding, report: Report) -> str:
    claims = report.claims.get(finding.policy, ())
    if not claims:
        return "no requirement of PCI DSS"
    return "PCI DSS " + ", ".join(f"{c.requirement} ({c.strength.value})" for c in claims)


def _coverage(report: Report) -> Iterator[str]:
    covered = sum(bool(findings) for findings in report.by_requirement().values())
    total = len(report.requirements)
    yield (
        f"PCI DSS v{VERSION}: this run says something about {covered} of {total} requirements, "
        f"and nothing about {total - covered}."
    )
    if report.unjudged:
        number = sum(report.unjudged.values())
        yield f"No policy looks at {number} resources of {len(report.unjudged)} types."
    yield from map(printable, report.remarks)

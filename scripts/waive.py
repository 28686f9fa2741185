"""``pci-gate waive``: what was found, as the draft of a waiver that others fill in."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import click

from policies.engine.model import TEXTS, WAIVABLE, Finding, Kind
from policies.engine.waive import LONGEST_DAYS
from scripts import options
from scripts.__main__ import Refusal
from scripts.judge import REFUSALS, judge

MEANING = {
    "constraints": "why the requirement cannot be met as it stands",
    "definition": "what is done instead",
    "objective": "what the requirement is for",
    "risk": "what remains",
    "validation": "how it was seen that the control works",
    "maintenance": "how it is kept working",
    "risk_analysis": "where the targeted risk analysis is",
    "reference": "where, and by whom, it is provided",
    "owner": "the role that answers for it",
    "approved_by": "another role, which accepts the risk",
}


@click.command("waive")
@click.argument("policy")
@click.argument("resource")
@options.paths
@click.option(
    "--kind",
    type=click.Choice([kind.value for kind in Kind]),
    default=Kind.COMPENSATING.value,
    show_default=True,
    help="What stands in place of the requirement.",
)
@options.house
@options.checkov
def command(
    policy: str,
    resource: str,
    paths: tuple[Path, ...],
    kind: str,
    house: Path | None,
    with_checkov: bool,
) -> None:
    """
    Print the draft of a waiver of what POLICY finds on RESOURCE, to fill in.

    RESOURCE is an address with its stack in front, as the report has it. Append the draft to
    waivers.yaml; the gate refuses the file until every field says something.
    """
    try:
        report = judge(paths, None, house, with_checkov=with_checkov)
    except REFUSALS as error:
        raise Refusal(*error.args) from error
    found = [f for f in report.findings if (f.policy, f.resource) == (policy, resource)]
    waivable = [finding for finding in found if finding.verdict in WAIVABLE]
    if not waivable:
        verdicts = ", ".join(sorted({finding.verdict.value for finding in found}))
        raise Refusal(f"{policy} on {resource}: {verdicts or 'no such finding'}; nothing to waive")
    click.echo("\n".join(_draft(waivable, Kind(kind), datetime.now(UTC).date())))


def _draft(found: Sequence[Finding], kind: Kind, today: date) -> Iterator[str]:
    first = found[0]
    yield f"- policy: {first.policy}"
    yield f"  kind: {kind}"
    yield "  resources:"
    yield f"    {first.resource}: {json.dumps(first.fingerprint)}"
    yield "  accepts:"
    for message in dict.fromkeys(message for finding in found for message in finding.messages):
        yield f"    - {json.dumps(message, ensure_ascii=False)}"
    for name in (*TEXTS[kind], "owner", "approved_by"):
        yield f'  {name}: ""  # {MEANING[name]}'
    yield f"  approved_on: {today}"
    yield f"  expires_on: {today + timedelta(days=LONGEST_DAYS)}"

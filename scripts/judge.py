"""Paths and rules in, a Report out: read, evaluate, waive. No command line in it."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

from msgspec.structs import replace as with_fields

from policies import POLICIES
from policies.engine import checkov, waive
from policies.engine.document import DocumentError, Reading
from policies.engine.evaluate import evaluate
from policies.engine.house import House, HouseError, parse_house
from policies.engine.inventory import inventory
from policies.engine.model import Finding, Policy, Report, Waiver
from policies.engine.observed import observing
from policies.engine.read import attempted, is_synthesis, read_text, suppressions
from policies.engine.waive import WaiverError, parse_waivers
from policies.house import missing_environments, shared_accounts
from policies.report.redaction import hiding, redacted
from policies.requirements import requirements
from policies.version import __version__
from scripts import deadline, second_opinion
from scripts.files import current_commit

LONGEST_SECONDS = 600
"""How long reading and judging may take; 100,000 resources take some ten."""

REFUSALS = (
    DocumentError, HouseError, WaiverError, second_opinion.NotInstalled, deadline.OutOfTime,
)  # fmt: skip
"""What is wrong with an input, said in one line."""


@dataclass(frozen=True)
class Judged:
    """A report, and the documents that it is about."""

    report: Report
    readings: tuple[Reading, ...]
    hide: Callable[[str], str]
    """What takes secrets out of a text that is drawn from the documents themselves."""


def judge(
    paths: Sequence[Path], waivers: Path | None, house: Path | None, *, with_checkov: bool
) -> Report:
    """
    Return the report on the documents at *paths*.

    Raises:
        DocumentError, HouseError, WaiverError: An input is refused.
        NotInstalled: Checkov is asked for and is not there.
        OutOfTime: It takes longer than LONGEST_SECONDS.
    """
    now = datetime.now(UTC)
    return observed(paths, waivers, house, now, with_checkov=with_checkov, observe=False).report


def observed(
    paths: Sequence[Path],
    waivers: Path | None,
    house: Path | None,
    now: datetime,
    *,
    with_checkov: bool,
    observe: bool = True,
) -> Judged:
    """Judge as `judge` does, at the time *now*; with *observe*, findings say what they rest on."""
    with no_collection():
        return _judge(paths, waivers, house, now, with_checkov=with_checkov, observe=observe)


@contextmanager
def no_collection() -> Iterator[None]:
    """Look for no garbage meanwhile: a run makes next to none, and the search is long."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _judge(
    paths: Sequence[Path],
    waivers: Path | None,
    house: Path | None,
    now: datetime,
    *,
    with_checkov: bool,
    observe: bool,
) -> Judged:
    rules = parse_house(read_text(house), str(house)) if house else None
    accepted = parse_waivers(read_text(waivers), str(waivers)) if waivers else ()
    with deadline.within(LONGEST_SECONDS):
        readings, refusals = _sorted_out(paths)
        findings = list(_first_opinion(readings, rules, now.date(), observe=observe))
    whole = any(map(is_synthesis, paths)) and not refusals
    if rules and whole:
        findings += missing_environments(rules, {r.document.stack for r in readings})
        findings += shared_accounts(rules, (reading.graph for reading in readings))
    declared = [*POLICIES, *waive.POLICIES]
    if with_checkov:
        second = second_opinion.ask(readings)
        findings += second
        declared += checkov.policies(second)
    report = _report(
        readings, declared, findings, accepted, rules, now, with_checkov=with_checkov, whole=whole
    )
    silencing = map(_silencing, suppressions(paths))
    report = replace(
        report,
        refusals=refusals,
        remarks=(*report.remarks, *silencing),
        inventory=inventory(reading.graph for reading in readings) if observe else (),
    )
    hide = hiding(reading.content for reading in readings)
    return Judged(redacted(report, hide), readings, hide)


def renamed(judged: Judged, names: Mapping[str, str], commit: str | None) -> Judged:
    """Return *judged* as it is where each path in *names* is called what it names."""

    def then(text: str) -> str:
        for place, name in names.items():
            text = text.replace(place, name)
        return text

    report = replace(
        judged.report,
        commit=commit,
        documents=tuple(replace(each, path=then(each.path)) for each in judged.report.documents),
        findings=tuple(
            with_fields(each, document=then(each.document)) for each in judged.report.findings
        ),
        refusals=tuple(map(then, judged.report.refusals)),
        remarks=tuple(map(then, judged.report.remarks)),
    )
    readings = tuple(
        replace(each, graph=replace(each.graph, document=then(each.graph.document)))
        for each in judged.readings
    )
    return replace(judged, report=report, readings=readings)


def _sorted_out(paths: Sequence[Path]) -> tuple[tuple[Reading, ...], tuple[str, ...]]:
    """
    Return what can be judged, and what is refused beside it.

    Raises:
        DocumentError: Nothing can be judged.
    """
    tried = tuple(attempted(paths))
    readings = tuple(each for each in tried if isinstance(each, Reading))
    refusals = tuple(
        " ".join(str(each).split()) for each in tried if isinstance(each, DocumentError)
    )
    if not readings:
        raise DocumentError(*refusals)
    return readings, refusals


def _silencing(where: str) -> str:
    return f"{where}: tells another scanner to look away; it counts for nothing here."


def _first_opinion(
    readings: Iterable[Reading], house: House | None, today: date, *, observe: bool
) -> Iterator[Finding]:
    for reading in readings:
        graph = replace(reading.graph, house=house, today=today)
        yield from evaluate(POLICIES, observing(graph) if observe else graph)


def _report(
    readings: Sequence[Reading],
    declared: Sequence[Policy],
    findings: Sequence[Finding],
    waivers: Sequence[Waiver],
    house: House | None,
    now: datetime,
    *,
    with_checkov: bool,
    whole: bool,
) -> Report:
    not_evaluated = () if house else tuple(p.id for p in POLICIES if p.needs_house)
    skipped = not_evaluated if with_checkov else (*not_evaluated, checkov.PREFIX)
    stacks = frozenset(reading.document.stack for reading in readings)
    waived = waive.waive(findings, waivers, now.date(), stacks=stacks, skipped=skipped, whole=whole)
    return Report(
        documents=tuple(reading.document for reading in readings),
        policies=tuple(declared),
        requirements=requirements(),
        findings=tuple(sorted(waived, key=lambda f: (f.policy, f.resource, f.stage))),
        not_evaluated=not_evaluated,
        unjudged=_unjudged(readings, findings),
        remarks=tuple(
            _remarks(readings, not_evaluated, waivers, with_checkov=with_checkov, whole=whole)
        ),
        inventory=(),
        waivers=tuple(waivers),
        refusals=(),
        version=__version__,
        generated_at=now,
        commit=current_commit(),
    )


def _unjudged(readings: Iterable[Reading], findings: Iterable[Finding]) -> dict[str, int]:
    """Count, by type, the resources that no finding is about but the house's or Checkov's."""
    others = ("house.", "intake.", checkov.PREFIX)
    judged = {f.resource for f in findings if not f.policy.startswith(others)}
    types = Counter(
        resource.type
        for reading in readings
        for resource in reading.graph.resources
        if reading.graph.address(resource) not in judged
        and not resource.type.startswith("terraform.")
    )
    return dict(sorted(types.items()))


def _remarks(
    readings: Sequence[Reading],
    not_evaluated: Sequence[str],
    waivers: Sequence[Waiver],
    *,
    with_checkov: bool,
    whole: bool,
) -> Iterator[str]:
    if not whole and not not_evaluated:
        yield "Not asked whether every environment is there: this is no whole synthesis."
    if not_evaluated:
        yield (
            f"Not evaluated without --house: {len(not_evaluated)} policies on names, addresses "
            "and tags, and what must exist in a stack."
        )
    if not with_checkov:
        yield "No second opinion: Checkov was not asked (--checkov)."
    elif any(reading.document.kind == "plan" for reading in readings):
        yield "No second opinion on plans: Checkov was asked about stacks only."
    if waivers:
        first = min(waivers, key=lambda waiver: waiver.expires_on)
        yield (
            f"{len(waivers)} waivers; the first to expire is that of {first.policy}, "
            f"on {first.expires_on}."
        )

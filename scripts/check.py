"""``pci-gate check``: read, evaluate, waive, report, and exit with the verdict."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import click

from policies import POLICIES
from policies.engine import checkov, waive
from policies.engine.evaluate import evaluate
from policies.engine.house import House, HouseError, read_house
from policies.engine.model import Finding, Policy, Report, Waiver
from policies.engine.read import DocumentError, Reading, read
from policies.engine.waive import WaiverError, read_waivers
from policies.report import results, text
from policies.requirements import requirements
from scripts import second_opinion
from scripts.__main__ import Refusal
from scripts.files import WriteError, current_commit, write_whole

DEFAULT_PATH = Path("cdktf.out")
RENDERERS = {"text": text.render, "json": results.render}
BLOCKED = 1
NOT_WRITTEN = 3


@click.command("check")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="[PATH]...")
@click.option("--format", "format", type=click.Choice(tuple(RENDERERS)), help="How to report; text by default.")
@click.option(
    "--output",
    "outputs",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the report to FILE, as JSON where it ends in .json; the text is printed as well.",
)
@click.option(
    "--waivers",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Accepted deviations (YAML). Only a file that is named here counts.",
)
@click.option(
    "--house",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Your organisation's own rules (TOML): names, addresses, tags, what must exist.",
)
@click.option(
    "--checkov/--no-checkov",
    "with_checkov",
    default=False,
    help="Ask Checkov for a second opinion; it must be on PATH. Off by default.",
)
def command(
    paths: tuple[Path, ...],
    format: str | None,
    outputs: tuple[Path, ...],
    waivers: Path | None,
    house: Path | None,
    with_checkov: bool,
) -> None:
    """
    Judge synthesized stacks and plans; exit with 1 where something blocks.

    PATH is a cdktf.out folder, the folder of a stack, a cdk.tf.json, or a plan in JSON
    (terraform show -json). Without one, cdktf.out is judged.
    """
    try:
        for output in outputs:
            output.unlink(missing_ok=True)  # an old pass must not outlive this run
        report = judge(paths or (DEFAULT_PATH,), waivers, house, with_checkov=with_checkov)
        for output in outputs:
            chosen = format or ("json" if output.suffix == ".json" else "text")
            write_whole(output, RENDERERS[chosen](report))
    except (DocumentError, HouseError, WaiverError, second_opinion.NotInstalled) as error:
        raise Refusal(str(error)) from error
    except (WriteError, OSError) as error:
        click.echo(f"pci-gate: {error}", err=True)
        sys.exit(NOT_WRITTEN)
    click.echo(RENDERERS["text" if outputs or format is None else format](report), nl=False)
    sys.exit(BLOCKED if report.blocking else 0)


def judge(
    paths: Sequence[Path], waivers: Path | None, house: Path | None, *, with_checkov: bool
) -> Report:
    """
    Return the report on the documents at *paths*.

    Raises:
        DocumentError, HouseError, WaiverError: An input is refused.
        NotInstalled: Checkov is asked for and is not there.
    """
    rules = read_house(house) if house else None
    accepted = read_waivers(waivers) if waivers else ()
    readings = read(paths)
    findings = list(_first_opinion(readings, rules))
    declared = [*POLICIES, *waive.POLICIES]
    if with_checkov:
        opinions = second_opinion.ask(readings)
        findings += [finding for opinion in opinions for finding in opinion.findings]
        declared += checkov.policies(opinion.results for opinion in opinions)
    return _report(readings, declared, findings, accepted, rules, with_checkov=with_checkov)


def _first_opinion(readings: Iterable[Reading], house: House | None) -> Iterator[Finding]:
    for reading in readings:
        graph = replace(reading.graph, house=house)
        for finding in evaluate(POLICIES, graph):
            yield replace(finding, document=reading.document.path)


def _report(
    readings: Sequence[Reading],
    declared: Sequence[Policy],
    findings: Sequence[Finding],
    waivers: Sequence[Waiver],
    house: House | None,
    *,
    with_checkov: bool,
) -> Report:
    now = datetime.now(UTC)
    not_evaluated = () if house else tuple(p.id for p in POLICIES if p.needs_house)
    skipped = not_evaluated if with_checkov else (*not_evaluated, checkov.PREFIX)
    stacks = frozenset(reading.document.stack for reading in readings)
    waived = waive.waive(findings, waivers, now.date(), stacks=stacks, skipped=skipped)
    return Report(
        documents=tuple(reading.document for reading in readings),
        policies=tuple(declared),
        requirements=requirements(),
        findings=tuple(sorted(waived, key=lambda f: (f.policy, f.resource, f.stage))),
        not_evaluated=not_evaluated,
        unjudged=_unjudged(readings),
        remarks=tuple(_remarks(not_evaluated, waivers, with_checkov=with_checkov)),
        generated_at=now,
        commit=current_commit(),
    )


def _unjudged(readings: Iterable[Reading]) -> dict[str, int]:
    """Count, by type, the resources that no policy but the house's looks at."""
    judged = {type for policy in POLICIES if not policy.needs_house for type in policy.types}
    types = (resource.type for reading in readings for resource in reading.graph.resources)
    return dict(sorted(Counter(type for type in types if type not in judged).items()))


def _remarks(
    not_evaluated: Sequence[str], waivers: Sequence[Waiver], *, with_checkov: bool
) -> Iterator[str]:
    if not_evaluated:
        yield (
            f"Not evaluated without --house: {len(not_evaluated)} policies on names, addresses "
            "and tags, and what must exist in a stack."
        )
    if not with_checkov:
        yield "No second opinion: Checkov was not asked (--checkov)."
    if waivers:
        first = min(waivers, key=lambda waiver: waiver.expires_on)
        yield f"{len(waivers)} waivers; the first to expire is that of {first.policy}, on {first.expires_on}."

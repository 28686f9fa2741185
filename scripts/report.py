"""``pci-gate report``: judge, and leave a folder that explains itself and can be verified."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from sqlite3 import Connection

import click
from securesystemslib.signer import Signer

from policies.engine.document import DocumentError, Reading
from policies.engine.model import Finding, Report
from policies.evidence import history
from policies.evidence.manifest import (
    ENVELOPE,
    MANIFEST,
    Manifest,
    deviations,
    digest,
    manifest,
    parsed,
)
from policies.evidence.signing import KeyRefused, canonical, require_signed, sealed, signer
from policies.report import (
    evidence,
    gitlab,
    html,
    junit,
    network,
    oscal,
    pdf,
    results,
    sarif,
    tables,
)
from policies.report.text import printable
from scripts import bundle, options
from scripts.__main__ import Refusal
from scripts.exits import NOT_WRITTEN, ending
from scripts.files import WriteError
from scripts.judge import REFUSALS, Judged, observed
from scripts.keys import key_in


@click.command("report")
@options.paths
@options.reports("Where each run leaves a folder of its own; `latest` leads to the last one.")
@click.option(
    "--key",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Sign with this private key (pci-gate keygen); without one the bundle is hashed only.",
)
@options.waivers
@options.house
@options.checkov
def command(
    paths: tuple[Path, ...],
    output: Path,
    key: Path | None,
    waivers: Path | None,
    house: Path | None,
    with_checkov: bool,
) -> None:
    """
    Judge, and write the evidence for an assessor into a new folder in DIR.

    The page, the PDF, the tables of the Report on Compliance, SARIF, JUnit, OSCAL, drawings of
    the networks, the judged documents, and a manifest of it all, signed where there is a key.
    What is judged is what check judges, and the exit code is the same.
    """
    try:
        bundle.take_away(output)
        _require_outside(output, paths)
        by = key_in(key, signer) if key else None
        judged = observed(paths, waivers, house, _now(), with_checkov=with_checkov)
        with history.held(output / history.FILE) if by else nullcontext() as store:
            folder = _write(output, judged, paths, house, waivers, by)
            if store:
                _remember(store, folder, judged.report)
        bundle.point(output, folder)
    except (*REFUSALS, KeyRefused) as error:
        raise Refusal(*error.args) from error
    except (WriteError, history.HistoryDamaged, bundle.NoBundle) as error:
        click.echo(f"pci-gate: {error}", err=True)
        sys.exit(NOT_WRITTEN)
    ended = f"{evidence.outcome(judged.report)}; {'signed' if by else 'not signed'}"
    click.echo(printable(f"{folder}: {ended}; inputs/ holds what was judged, secrets included"))
    for reason in judged.report.refusals:
        click.echo(f"pci-gate: {printable(reason)}", err=True)
    sys.exit(ending(judged.report))


def _require_outside(output: Path, paths: Sequence[Path]) -> None:
    """
    Refuse to write into what is judged: the next run would judge its own archive.

    Raises:
        DocumentError: It would.
    """
    for path in paths:
        if path.is_dir() and output.resolve().is_relative_to(path.resolve()):
            raise DocumentError(f"--output {output} is inside of {path}, which is judged")


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def _write(
    output: Path,
    judged: Judged,
    paths: Sequence[Path],
    house: Path | None,
    waivers: Path | None,
    by: Signer | None,
) -> Path:
    report = judged.report
    past = history.runs(output / history.FILE)
    changes, keyid = _changes(output, past, report), by.public_key.keyid if by else ""
    contents = rendered(judged, changes, keyid)
    copies, again = bundle.archived(paths, house, waivers)
    contents |= copies
    again |= {
        "checkov": any(finding.policy.startswith("checkov.") for finding in report.findings),
        "keyid": keyid,
        "changes": asdict(changes) if changes else None,
    }
    previous = past[-1].manifest if past and by else None
    told = manifest(report, contents, replay=again, previous=previous)
    contents[MANIFEST] = canonical(told)
    if by:
        contents[ENVELOPE] = sealed({MANIFEST: digest(contents[MANIFEST])}, told, by)
    name = f"{report.generated_at:%Y-%m-%dT%H%M%SZ}-{digest(contents[MANIFEST])[:8]}"
    return bundle.write(output, name, contents, lambda folder: _require_whole(folder, by))


def rendered(judged: Judged, changes: evidence.Changes | None, keyid: str) -> dict[str, bytes]:
    """Return every file that tells of *judged*, by its name."""
    report = judged.report
    collected = evidence.collected(report)
    drawings = {
        name: judged.hide(drawing)
        for name, drawing in _drawings(judged.readings, report.findings).items()
    }
    told = results.render(report)
    texts = {
        "index.html": html.render(
            report, collected, drawings=drawings, changes=changes, keyid=keyid
        ),
        "results.json": told,
        "results.sarif": sarif.render(report),
        "junit.xml": junit.render(report),
        "gl-code-quality-report.json": gitlab.render(report),
        **tables.rendered(report, collected, tuple(drawings)),
        **oscal.rendered(report, collected),
        **drawings,
    }
    encoded = {name: text.encode(errors="backslashreplace") for name, text in texts.items()}
    return {**encoded, "report.pdf": pdf.render(report, collected, drawings, changes, told)}


def _drawings(readings: Sequence[Reading], findings: Sequence[Finding]) -> dict[str, str]:
    """Draw the networks of each stack, as its latest stage shows them."""
    latest = {reading.graph.stack: reading.graph for reading in readings}
    drawn = {stack: network.render(graph, findings) for stack, graph in latest.items()}
    return {f"network-{sarif.relative(stack)}.svg": svg for stack, svg in drawn.items() if svg}


def _changes(output: Path, past: Sequence[history.Run], report: Report) -> evidence.Changes | None:
    if not past:
        return None
    before, now = history.deviating(output / history.FILE, past[-1]), frozenset(keys(report))
    return evidence.Changes(
        past[-1].generated_at, tuple(sorted(now - before)), tuple(sorted(before - now))
    )


def keys(report: Report) -> list[str]:
    """Return what names each deviation of *report* from run to run."""
    return [f"{f.policy} on {f.resource} ({f.stage.value})" for f in report.blocking]


def _require_whole(folder: Path, by: Signer | None) -> None:
    """
    Read what was written back, and refuse it where it deviates, or archives something else.

    Raises:
        WriteError: It does.
    """
    found = bundle.found(folder)
    raw = (folder / MANIFEST).read_bytes()
    told = parsed(raw)
    found.pop(MANIFEST)
    if found.pop(ENVELOPE, None) and by:
        require_signed((folder / ENVELOPE).read_bytes(), by.public_key, MANIFEST, raw)
    for deviation in (*deviations(told, found), *other_documents(folder, told)):
        raise WriteError(f"{folder}: {deviation}")


def other_documents(folder: Path, told: Manifest) -> Iterator[str]:
    """Say of each document that was judged that another one stands in the archive."""
    there = bundle.documents(folder, [each.archived for each in told.replay.paths])
    for each in told.documents:
        if (each.stack, each.stage, each.sha256) not in there:
            yield f"{each.path} ({each.stage}): what was judged is not what is archived"


def _remember(store: Connection, folder: Path, report: Report) -> None:
    """Add a signed run to the history."""
    run = history.Run(
        manifest=digest((folder / MANIFEST).read_bytes()),
        generated_at=report.generated_at.isoformat(timespec="seconds"),
        folder=folder.name,
        commit=report.commit,
        blocking=len(report.blocking),
    )
    given = evidence.by_requirement(evidence.collected(report))
    told = {requirement: evidence.together(each) for requirement, each in given.items()}
    history.append(store, run, told, keys(report))

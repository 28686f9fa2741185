"""``pci-gate verify``: is this folder what was written, by whom, about what."""

from __future__ import annotations

import sys
from collections.abc import Container, Iterator
from pathlib import Path

import click

from policies.evidence.manifest import (
    ENVELOPE,
    MANIFEST,
    Manifest,
    ManifestRefused,
    Outcome,
    deviations,
    digest,
    parsed,
    suite,
)
from policies.evidence.signing import EnvelopeRefused, KeyRefused, public_key, require_signed
from policies.report.evidence import Changes
from policies.report.text import printable
from scripts import bundle
from scripts.__main__ import Refusal
from scripts.exits import NOT_WRITTEN
from scripts.judge import REFUSALS, observed, renamed
from scripts.keys import key_in
from scripts.report import other_documents, rendered

LARGEST_MANIFEST = 64 * 1024 * 1024


@click.command("verify")
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
@click.option(
    "--key",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE.pub",
    help="The public key of whoever should have signed.",
)
@click.option(
    "--plan",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Demand that this very plan (JSON) was judged.",
)
@click.option(
    "--previous",
    metavar="DIGEST",
    help="Demand that the run follows the one whose manifest has this SHA-256.",
)
@click.option("--replay", is_flag=True, help="Judge the archived documents again, and compare.")
def command(
    folder: Path, key: Path | None, plan: Path | None, previous: str | None, replay: bool
) -> None:
    """
    Check the bundle in DIR, and list whatever deviates; nothing in it is ever run.

    Exits with 3 where something deviates. A bundle without a signature shows that nothing was
    changed by accident, and not who made it.
    """
    try:
        folder = folder.resolve() if folder.name == bundle.LATEST else folder
        found = bundle.found(folder)
        told, signed = _told(folder, found, key)
        others = {name: sha for name, sha in found.items() if name not in {MANIFEST, ENVELOPE}}
        wrong = [
            *deviations(told, others),
            *other_documents(folder, told),
            *_other_plan(told, plan),
            *_other_chain(told, previous),
        ]
        if replay and not wrong:
            wrong += _replayed(folder, told)
    except KeyRefused as error:
        raise Refusal(*error.args) from error
    except (bundle.NoBundle, EnvelopeRefused, ManifestRefused, *REFUSALS) as error:
        wrong = [str(error)]
    for deviation in wrong:
        click.echo(f"pci-gate: {printable(f'{folder}: {deviation}')}", err=True)
    if wrong:
        sys.exit(NOT_WRITTEN)
    for line in _lines(folder, told, signed, replayed=replay):
        click.echo(printable(line))


def _lines(folder: Path, told: Manifest, signed: str, *, replayed: bool) -> Iterator[str]:
    yield f"{folder}: {len(told.files)} files as the manifest has them; {signed}"
    yield f"  manifest  {digest((folder / MANIFEST).read_bytes())}"
    ended = told.outcome
    refused = f"; {ended.refusals} documents were not judged" if ended.refusals else ""
    outcome = f"{ended.blocking} of {ended.findings} findings block{refused}"
    yield f"  judged    {told.generated_at:%Y-%m-%d %H:%M:%S} UTC: {outcome}"
    if replayed:
        yield "  replayed  judged and written again: every file is the same, byte for byte"


def _told(folder: Path, names: Container[str], key: Path | None) -> tuple[Manifest, str]:
    """Return what the manifest in *folder*, which holds files of *names*, says, and who says so."""
    if MANIFEST not in names:
        raise bundle.NoBundle(f"{MANIFEST}: is missing")
    raw = _small(folder / MANIFEST)
    try:
        told = parsed(raw)
    except ManifestRefused as error:
        raise ManifestRefused(f"{MANIFEST}: {error}") from error
    if key is None:
        return told, "signed, which was not checked (--key)" if ENVELOPE in names else "not signed"
    by = key_in(key, public_key)
    if ENVELOPE not in names:
        raise bundle.NoBundle(f"{ENVELOPE}: is missing, so nobody signed this")
    try:
        require_signed(_small(folder / ENVELOPE), by, MANIFEST, raw)
    except EnvelopeRefused as error:
        raise EnvelopeRefused(f"{ENVELOPE}: {error}") from error
    return told, f"signed with the key {by.keyid}"


def _small(path: Path) -> bytes:
    if path.stat().st_size > LARGEST_MANIFEST:
        raise bundle.NoBundle(f"{path.name}: is larger than any manifest")
    return path.read_bytes()


def _other_plan(told: Manifest, plan: Path | None) -> Iterator[str]:
    if plan is None:
        return
    try:
        sha256 = digest(plan.read_bytes())
    except OSError as error:
        raise KeyRefused(f"{plan}: {error.strerror}") from error
    if sha256 not in {each.sha256 for each in told.documents if each.stage == "planned"}:
        yield f"the plan {plan} ({sha256}) is not among those that were judged"


def _other_chain(told: Manifest, previous: str | None) -> Iterator[str]:
    if previous is not None and told.previous != previous:
        yield f"follows the run {told.previous or 'none'}, and not {previous}"


def _replayed(folder: Path, told: Manifest) -> Iterator[str]:
    """Judge the archived documents again, at the recorded time, write it all again, and compare."""
    if told.suite != suite():
        yield (
            f"was judged by another suite ({told.suite}); "
            f"install pci-gate {told.tool.version} to replay it"
        )
        return
    again = told.replay
    house, waivers = (
        folder / bundle.within(rules) if rules else None for rules in (again.house, again.waivers)
    )
    places = [folder / bundle.within(each.archived) for each in again.paths]
    judged = observed(places, waivers, house, told.generated_at, with_checkov=again.checkov)
    as_then = {str(place): each.path for place, each in zip(places, again.paths, strict=True)}
    judged = renamed(judged, as_then, told.commit)
    changes = Changes(**again.changes) if again.changes else None
    made = {
        name: digest(content) for name, content in rendered(judged, changes, again.keyid).items()
    }
    recorded = {name: sha for name, sha in told.files.items() if not name.startswith("inputs/")}
    for name in sorted(made.keys() | recorded.keys()):
        if made.get(name) != recorded.get(name):
            yield f"{name}: judged and written again, it is another"
    report = judged.report
    outcome = Outcome(len(report.blocking), len(report.findings), len(report.refusals))
    if outcome != told.outcome:
        yield f"judged again, {outcome.blocking} of {outcome.findings} findings block"

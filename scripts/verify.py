"""``pci-gate verify``: is this folder what was written, by whom, about what."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from policies.engine.model import Report
from policies.evidence.manifest import ENVELOPE, MANIFEST, deviations, digest, suite
from policies.evidence.signing import EnvelopeRefused, KeyRefused, opened, public_key
from policies.report import results
from scripts import bundle
from scripts.__main__ import Refusal
from scripts.exits import NOT_WRITTEN
from scripts.judge import REFUSALS, observed
from scripts.report import canonical_manifest


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
        contents = bundle.found(folder)
        told, signed = _told(contents, key)
        wrong = [
            *deviations(told, bundle.digests(contents)),
            *_other_plan(told, plan),
            *_other_chain(told, previous),
        ]
        if replay and not wrong:
            wrong += _replayed(folder, told)
    except (KeyRefused, *REFUSALS) as error:
        raise Refusal(*error.args) from error
    except (bundle.NoBundle, EnvelopeRefused) as error:
        wrong = [str(error)]
    for deviation in wrong:
        click.echo(f"pci-gate: {folder}: {deviation}", err=True)
    if wrong:
        sys.exit(NOT_WRITTEN)
    click.echo(f"{folder}: {len(told['files'])} files as the manifest has them; {signed}")
    click.echo(f"  manifest  {digest(_raw(folder))}")
    again = "; judged again, with the same result" if replay else ""
    outcome = told["outcome"]
    click.echo(f"  judged    {told['generated_at']}: {outcome['blocking']} findings block{again}")


def _raw(folder: Path) -> bytes:
    return (folder / MANIFEST).read_bytes()


def _told(contents: dict[str, bytes], key: Path | None) -> tuple[dict[str, Any], str]:
    """Take the manifest and its envelope out of *contents*; return what it says, and who."""
    raw, envelope = contents.pop(MANIFEST, None), contents.pop(ENVELOPE, None)
    if raw is None:
        raise bundle.NoBundle(f"{MANIFEST}: is missing")
    told: dict[str, Any] = canonical_manifest(raw)
    if key is None:
        return told, "signed, which was not checked (--key)" if envelope else "not signed"
    if envelope is None:
        raise bundle.NoBundle(f"{ENVELOPE}: is missing, so nobody signed this")
    by = _key(key)
    try:
        statement = opened(envelope, by)
    except EnvelopeRefused as error:
        raise EnvelopeRefused(f"{ENVELOPE}: {error}") from error
    if statement["predicate"] != told:
        raise bundle.NoBundle(f"{MANIFEST}: is not the one that was signed")
    return told, f"signed with the key {by.keyid}"


def _key(path: Path) -> Any:
    try:
        return public_key(path.read_bytes())
    except OSError as error:
        raise KeyRefused(f"{path}: {error.strerror}") from error
    except KeyRefused as error:
        raise KeyRefused(f"{path}: {error}") from error


def _other_plan(told: Mapping[str, Any], plan: Path | None) -> Iterator[str]:
    if plan is None:
        return
    try:
        sha256 = digest(plan.read_bytes())
    except OSError as error:
        raise KeyRefused(f"{plan}: {error.strerror}") from error
    judged = {each["sha256"] for each in told["documents"] if each["stage"] == "planned"}
    if sha256 not in judged:
        yield f"the plan {plan} ({sha256}) is not among those that were judged"


def _other_chain(told: Mapping[str, Any], previous: str | None) -> Iterator[str]:
    if previous is not None and told["previous"] != previous:
        yield f"follows the run {told['previous'] or 'none'}, and not {previous}"


def _replayed(folder: Path, told: Mapping[str, Any]) -> Iterator[str]:
    """Judge the archived documents again, at the recorded time, and say what is different."""
    if told["suite"] != suite():
        made = told["tool"]["version"]
        yield f"was judged by another suite ({told['suite']}); install pci-gate {made} to replay it"
        return
    again, now = told["replay"], datetime.fromisoformat(told["generated_at"])
    judged = observed(
        [folder / path for path in again["paths"]],
        folder / again["waivers"] if again["waivers"] else None,
        folder / again["house"] if again["house"] else None,
        now,
        with_checkov=again["checkov"],
    )
    before = _verdicts(json.loads((folder / "results.json").read_text()))
    after = _verdicts(_as_json(judged.report))
    for key in sorted(before ^ after):
        yield f"{' '.join(key[:4])}: {'was' if key in before else 'is now'} found"


def _as_json(report: Report) -> Any:
    return json.loads(results.render(report))


def _verdicts(told: Mapping[str, Any]) -> set[tuple[str, ...]]:
    return {
        (f["verdict"], f["policy"], f["resource"], f["stage"], str(f["blocks"]), *f["messages"])
        for f in told["findings"]
    }

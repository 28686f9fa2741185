"""``pci-gate history``: how the signed runs went, and which requirements changed."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from policies.evidence import history
from policies.report.text import printable
from scripts import options
from scripts.exits import NOT_WRITTEN

SHOWN = 10


@click.command("history")
@options.reports("Where the reports are.")
@click.option("--last", type=click.IntRange(min=1), default=SHOWN, help="How many runs to show.")
def command(output: Path, last: int) -> None:
    """List the signed runs in DIR, and every requirement that they do not all show the same of."""
    path = output / history.FILE
    try:
        recent = history.runs(path)[-last:]
        for run in recent:
            commit = (run.commit or "no commit")[:12]
            told = f"{run.blocking} block" if run.blocking else "nothing blocks"
            click.echo(printable(f"{run.generated_at}  {commit:12}  {told}"))
            click.echo(printable(f"  {run.folder}  {run.manifest}"))
        if not recent:
            click.echo(f"{path}: no signed run yet (pci-gate report --key FILE)")
        for requirement, shown in history.trend(path, last):
            click.echo(printable(f"{requirement:10}  {' > '.join(_folded(shown))}"))
    except history.HistoryDamaged as error:
        click.echo(f"pci-gate: {error}", err=True)
        sys.exit(NOT_WRITTEN)


def _folded(shown: list[str]) -> list[str]:
    return [told for number, told in enumerate(shown) if number == 0 or told != shown[number - 1]]

"""``pci-gate check``: read, evaluate, waive, report, and exit with the verdict."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from policies.report import results, text
from scripts import options
from scripts.__main__ import Refusal
from scripts.exits import NOT_WRITTEN, ending
from scripts.files import WriteError, close_standard_output, write_whole
from scripts.judge import REFUSALS, judge

RENDERERS = {"text": text.render, "json": results.render}


def _make_way(
    _context: click.Context, _option: click.Parameter, outputs: tuple[Path, ...]
) -> tuple[Path, ...]:
    """Take old reports away before anything else: no old pass outlives this run."""
    for output in outputs:
        if output.name.endswith((".tf.json", "plan.json", "state.json")):
            raise click.BadParameter(f"{output} is the name of an input")
    targets = tuple(output.resolve() for output in outputs)
    try:
        for target in targets:
            target.unlink(missing_ok=True)
    except OSError as error:
        click.echo(f"pci-gate: {error.filename}: {error.strerror}", err=True)
        sys.exit(NOT_WRITTEN)
    return targets


@click.command("check")
@options.paths
@click.option(
    "--format",
    "format",
    type=click.Choice(tuple(RENDERERS)),
    help="How to report; text by default.",
)
@click.option(
    "--output",
    "outputs",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    callback=_make_way,
    is_eager=True,
    help="Write the report to FILE, as JSON where it ends in .json; the text is printed as well.",
)
@options.waivers
@options.house
@options.checkov
def command(
    paths: tuple[Path, ...],
    format: str | None,
    outputs: tuple[Path, ...],
    waivers: Path | None,
    house: Path | None,
    with_checkov: bool,
) -> None:
    """
    Judge synthesized stacks, plans and states; exit with 1 where something blocks.

    PATH is a cdktf.out folder, the folder of a stack, a cdk.tf.json, or a plan or a state
    in JSON (terraform show -json). Without one, cdktf.out is judged.
    """
    try:
        report = judge(paths, waivers, house, with_checkov=with_checkov)
        for output in outputs:
            chosen = format or ("json" if output.suffix == ".json" else "text")
            write_whole(output, RENDERERS[chosen](report))
        shown = "text" if outputs or format is None else format
        click.echo(RENDERERS[shown](report), nl=False)
    except REFUSALS as error:
        raise Refusal(*error.args) from error
    except WriteError as error:
        click.echo(f"pci-gate: {error}", err=True)
        sys.exit(NOT_WRITTEN)
    except OSError as error:
        click.echo(f"pci-gate: standard output: {error.strerror}", err=True)
        close_standard_output()
        sys.exit(NOT_WRITTEN)
    if report.refusals:
        raise Refusal(*report.refusals)
    sys.exit(ending(report))

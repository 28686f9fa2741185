"""The options that more than one subcommand has."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click


def reports(help: str) -> Callable[[Any], Any]:
    """Return the option that names the folder of the reports, which *help* says more of."""
    return click.option(
        "--output",
        type=click.Path(path_type=Path, file_okay=False),
        default=Path("build/report"),
        show_default=True,
        metavar="DIR",
        help=help,
    )


paths = click.argument(
    "paths",
    nargs=-1,
    type=click.Path(path_type=Path),
    metavar="[PATH]...",
    callback=lambda _context, _argument, given: given or (Path("cdktf.out"),),
)
house = click.option(
    "--house",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Your organisation's own rules (TOML): names, addresses, tags, what must exist.",
)
waivers = click.option(
    "--waivers",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Accepted deviations (YAML). Only a file that is named here counts.",
)
checkov = click.option(
    "--checkov/--no-checkov",
    "with_checkov",
    default=False,
    help="Ask Checkov for a second opinion; it must be on PATH. Off by default.",
)

"""The options that more than one subcommand has."""

from __future__ import annotations

from pathlib import Path

import click

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

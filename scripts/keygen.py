"""``pci-gate keygen``: a key to sign with, and the one by which others check."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from policies.evidence.signing import made
from scripts.exits import NOT_WRITTEN


@click.command("keygen")
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    metavar="FILE",
    help="The private key; FILE.pub is the public one. Neither may be there yet.",
)
def command(output: Path) -> None:
    """Make an Ed25519 key: FILE, for its owner alone, and FILE.pub, for whoever verifies."""
    private, public = made()
    try:
        _write(output, private, 0o600)
        _write(output.with_name(f"{output.name}.pub"), public, 0o644)
    except OSError as error:
        click.echo(f"pci-gate: {error.filename}: {error.strerror}", err=True)
        sys.exit(NOT_WRITTEN)
    click.echo(f"{output}: keep it secret; give {output.name}.pub to whoever verifies")


def _write(path: Path, content: bytes, mode: int) -> None:
    """Write *content* into a new file that nobody else could read at any moment."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())

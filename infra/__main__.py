"""Synthesize every environment: ``python -m infra``, which cdktf.json names."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from cdktf import App

from infra import synth
from infra.environment import environments
from infra.naming import APPLICATION
from infra.platform import Platform

OUTPUT = "cdktf.out"


def main() -> None:
    """Write the stacks where the cdktf command asks for them, or to cdktf.out."""
    stacks = {f"{APPLICATION}-{each.suffix}": each for each in environments()}
    output = Path(os.environ.get("CDKTF_OUTDIR") or OUTPUT)
    app = App(outdir=str(output))
    for stack, environment in stacks.items():
        Platform(app, stack, environment=environment)
    app.synth()
    for stack in stacks:
        synth.write_source_map(output / "stacks" / stack)


if __name__ == "__main__":
    try:
        main()
    except ValueError as error:
        sys.stderr.write(f"infra: {error}\n")
        sys.exit(2)

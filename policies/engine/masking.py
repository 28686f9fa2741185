"""Values and what is unknown of them in, the same with an Unknown, or an explanation, there out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain, repeat
from typing import Any

from policies.engine.values import PLAIN, Explained, Syntax, Unknown

NOTHING = object()
"""What the design says where there is none, or where it cannot be told which part."""


def masked(values: Any, unknown: Any, design: Any, syntax: Syntax) -> Any:
    """Put what the *design* says, or else an Unknown, wherever *unknown* is true."""
    if unknown is True:
        return Unknown() if design is NOTHING else Explained(design, syntax)
    if isinstance(unknown, dict) and (values is None or isinstance(values, dict)):
        values = values or {}
        told = {
            key: masked(values.get(key), part, _part(design, key), syntax)
            for key, part in unknown.items()
            if part
        }
        return {**values, **told}
    if isinstance(unknown, list) and isinstance(values, list):
        alone = len(values) == 1  # among several, a plan's order is its own
        return [
            masked(value, part, _only(design) if alone else NOTHING, syntax)
            for value, part in paired(values, unknown)
        ]
    return values


def paired(values: list[Any], unknown: list[Any]) -> Iterator[tuple[Any, Any]]:
    """
    Yield each of *values* with what is unknown of it: nothing, where *unknown* is shorter.

    Raises:
        TypeError: It is longer, so that the plan contradicts itself.
    """
    if len(unknown) > len(values):
        raise TypeError("more elements that are unknown than there are")
    yield from zip(values, chain(unknown, repeat(False)), strict=False)


def _part(design: Any, key: str) -> Any:
    if not isinstance(design, Mapping) or ("dynamic" in design and key not in design):
        return NOTHING
    return design.get(key)


def _only(design: Any) -> Any:
    """Return the one block of *design*, which may stand in a list."""
    if isinstance(design, list):
        return design[0] if len(design) == 1 else NOTHING
    return design if isinstance(design, Mapping) else NOTHING


def hidden(values: Any, unknown: Any) -> Any:
    """Put an Unknown wherever *unknown* is true."""
    return masked(values, unknown, NOTHING, PLAIN)

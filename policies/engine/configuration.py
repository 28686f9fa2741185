"""
What a plan's own configuration says of the values that the plan does not know yet.

computed.txt is made from ``terraform providers schema -json`` of hashicorp/aws 5.100.0: a
type on each line, with what the provider fills in where it is left out: optional
arguments, and blocks (with ``.*`` behind them).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from policies.engine.masking import hidden
from policies.engine.values import TOLD, Explained, Unknown

_MARKER = re.compile(r"[$%]\{")
_INDEX = re.compile(r"\[[^\]]*\]")


@cache
def _table() -> dict[str, frozenset[str]]:
    lines = files(__package__).joinpath("computed.txt").read_text().splitlines()
    return {type: frozenset(paths) for type, *paths in map(str.split, lines)}


def shows_every_block(content: Any) -> bool:
    """
    Whether the configuration of a plan shows every block that it makes.

    It leaves out dynamic ones. The plan, though, names each attribute that its values
    come from; one that no expression names is what a dynamic block is made of. The first
    format of plans does not say that; where later ones say nothing, there is none.
    """
    if content["format_version"] in {"1", "1.0"}:
        return False
    named = {_plain(name) for name in _references(content["configuration"])}
    return all(
        _plain(".".join([each["resource"], *map(str, each["attribute"])])) in named
        for each in content.get("relevant_attributes", ())
    )


def _plain(reference: str) -> str:
    """Return *reference* without modules, instances and elements."""
    steps = _INDEX.sub("", reference).split(".")
    while steps[:1] == ["module"] and len(steps) > 2:  # noqa: PLR2004 - module, its name, a rest
        steps = steps[2:]
    return ".".join(step for step in steps if not step.isdigit())


def _references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        for key, value in part.items():
            if key == "references":
                yield from value
            else:
                yield from _references(value)
    elif isinstance(part, list):
        for item in part:
            yield from _references(item)


@dataclass(frozen=True)
class Configured:
    """What the configuration says of a resource, or of a block in it."""

    expressions: Mapping[str, Any]
    filled_in: frozenset[str]
    """What the provider fills in where it is left out; nothing where it may be there already."""

    within: str = ""

    @classmethod
    def of(cls, type: str, expressions: Mapping[str, Any], *, blocks: bool) -> Configured:
        """Return it for a resource of *type* that is made; *blocks* says whether all are shown."""
        found = _table().get(type, frozenset())
        named = (path.removesuffix(".*") for path in found if blocks or not path.endswith(".*"))
        return cls(expressions, frozenset(named))

    def masked(self, values: Any, unknown: Any) -> Any:
        """Return *values*, with what this says, or else an Unknown, wherever *unknown* is true."""
        told = dict(values or {})
        for key, part in unknown.items():
            if part is True:
                if key in self.expressions:
                    told[key] = _told(self.expressions[key])
                elif f"{self.within}{key}" not in self.filled_in:
                    told[key] = Unknown()
            elif part:
                told[key] = self._block(key, told.get(key), part)
        return told

    def _block(self, key: str, value: Any, unknown: Any) -> Any:
        """Return the block, or the list of blocks, at *key*."""
        written = _blocks(self.expressions.get(key))
        inner = Configured(
            _merged(written), self.filled_in if written else frozenset(), f"{self.within}{key}."
        )
        if isinstance(unknown, dict):
            return inner.masked(value, unknown) if written else hidden(value, unknown)
        alone = len(written) == 1 == len(unknown)
        if not written or not isinstance(value, list):
            return hidden(value, unknown)
        if not alone:
            # among several, a plan's order is its own: only what none of them says is told
            inner = Configured(
                {name: {} for name in inner.expressions}, inner.filled_in, inner.within
            )
        padded = [*unknown, *[False] * (len(value) - len(unknown))]
        return [
            inner.masked(each, part) if isinstance(part, dict) else hidden(each, part)
            for each, part in zip(value, padded, strict=False)
        ]


def _told(expression: Any) -> Any:
    """
    Return what an expression says: a template that JSON has in full, or what it names.

    A plan that does not know a plain constant contradicts itself.
    """
    if isinstance(expression, dict):
        constant = expression.get("constant_value")
        if constant is not None and _MARKER.search(str(constant)):
            return Explained(constant, TOLD)
        if expression.get("references"):
            return Unknown(references=tuple(expression["references"]))
    return Unknown()


def _blocks(expressions: Any) -> list[Mapping[str, Any]]:
    """Return the blocks that are written, none where it is no block."""
    found = expressions if isinstance(expressions, list) else [expressions]
    is_value = any(
        not isinstance(block, dict) or {"constant_value", "references"} & block.keys()
        for block in found
    )
    return [] if is_value else found


def _merged(blocks: list[Mapping[str, Any]]) -> dict[str, Any]:
    return {key: value for block in blocks for key, value in block.items()}

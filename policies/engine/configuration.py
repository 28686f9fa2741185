"""
What a plan's own configuration says of the values that the plan does not know yet.

computed.txt is made from ``terraform providers schema -json`` of hashicorp/aws 5.100.0: a
type on each line, with what the provider fills in where it is left out: optional
arguments, and blocks (with ``.*`` behind them).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from importlib.resources import files
from typing import Any

from policies.engine.masking import hidden, paired
from policies.engine.values import STACK, Explained, Unknown

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
    format of plans does not say that; where later ones say nothing, there is none. Local
    values are not shown either: where there are some, they are what is made of the rest.
    """
    if content["format_version"] in {"1", "1.0"}:
        return False
    named = {_plain(name) for name in _references(content["configuration"])}
    return any(name.startswith("local.") for name in named) or all(
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
class _Module:
    """A module of a configuration, and how it was called."""

    body: Mapping[str, Any]
    prefix: str = ""
    parent: _Module | None = None
    call: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def children(self) -> dict[str, _Module]:
        """The modules that it calls, by name."""
        return {
            name: _Module(call.get("module", {}), f"{self.prefix}module.{name}.", self, call)
            for name, call in self.body.get("module_calls", {}).items()
        }

    def resolved(self, references: Iterable[str], each: Any) -> Iterator[str]:
        """
        Yield what *references*, written in it, come from: resources, with their module's path.

        *each* is what the resource that they stand in is made for.
        """
        for reference in references:
            yield from self._resolved(reference.split("."), reference, each)

    def _resolved(self, steps: list[str], reference: str, each: Any) -> Iterator[str]:
        if steps[0] in {"count", "path", "terraform"} or steps[:2] == ["each", "key"]:
            return
        if steps[:2] == ["each", "value"]:
            yield from self.resolved((each or {}).get("references", ()), None)
        elif steps[0] == "var" and self.parent:
            given = self.call.get("expressions", {}).get(_INDEX.sub("", steps[1]), {})
            yield from self.parent.resolved(
                given.get("references", ()) if isinstance(given, dict) else (reference,),
                self.call.get("for_each_expression"),
            )
        elif steps[0] == "module" and len(steps) > 2:  # noqa: PLR2004 - module, its name, an output
            child = self.children.get(_INDEX.sub("", steps[1]))
            outputs = child.body.get("outputs", {}) if child else {}
            output = outputs.get(_INDEX.sub("", steps[2]), {}).get("expression", {})
            yield from (
                child.resolved(output.get("references", ()), None) if child else (reference,)
            )
        elif steps[0] != "module":
            yield f"{self.prefix}{reference}"


def expressions(root: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the expressions by resource, those of child modules too, with what they come from."""
    return _expressions(_Module(root))


def _expressions(module: _Module) -> Iterator[tuple[str, Any]]:
    for resource in module.body.get("resources", ()):
        each = resource.get("for_each_expression")
        yield (
            module.prefix + resource["address"],
            _followed(resource.get("expressions", {}), module, each),
        )
    for child in module.children.values():
        yield from _expressions(child)


def _followed(expression: Any, module: _Module, each: Any) -> Any:
    """
    Return *expression* with what its references come from.

    A template says what it names as the module knows it, and is left out of other modules.
    """
    if isinstance(expression, list):
        return [_followed(item, module, each) for item in expression]
    if not isinstance(expression, dict):
        return expression
    is_foreign = bool(module.prefix) and "references" in expression
    return {
        key: list(dict.fromkeys(module.resolved(value, each)))
        if key == "references"
        else _followed(value, module, each)
        for key, value in expression.items()
        if key != "constant_value" or not is_foreign
    }


@dataclass(frozen=True)
class Configured:
    """What the configuration says of a resource, or of a block in it."""

    expressions: Mapping[str, Any]
    filled_in: frozenset[str] = frozenset()
    """What the provider fills in where it is left out; nothing where it may be there already."""

    ordered: bool = False
    """Whether the blocks of a kind stand in a plan as they were written."""

    documents: Mapping[str, Any] = field(default_factory=dict)
    """The policy documents that data sources make, by what names them."""

    within: str = ""

    def masked(self, values: Any, unknown: Any) -> Any:
        """Return *values*, with what this says, or else an Unknown, wherever *unknown* is true."""
        told = dict(values or {})
        for key, part in unknown.items():
            if part is True:
                if not _is_left_out(self.expressions.get(key)):
                    told[key] = self._told(self.expressions[key])
                elif f"{self.within}{key}" not in self.filled_in:
                    told[key] = Unknown()
            elif part:
                told[key] = self._part(key, told.get(key), part)
        return told

    def _part(self, key: str, value: Any, unknown: Any) -> Any:
        """Return the block, the list of blocks, or the list of values at *key*."""
        expression = self.expressions.get(key)
        if _is_value(expression):
            return _scattered(value, unknown, expression)
        written: list[Any] = expression if isinstance(expression, list) else [expression]
        if isinstance(unknown, dict):
            return self._inner(key, written[0]).masked(value, unknown)
        if not isinstance(value, list):
            return hidden(value, unknown)
        inners = self._inners(key, written, len(value))
        return [
            inner.masked(each, part) if isinstance(part, dict) else hidden(each, part)
            for inner, (each, part) in zip(inners, paired(value, unknown), strict=True)
        ]

    def _inners(self, key: str, written: list[Any], number: int) -> list[Configured]:
        """Return what is said of each of *number* blocks: a plan's order may be its own."""
        if len(written) == number and (self.ordered or number == 1):
            return [self._inner(key, block) for block in written]
        said: dict[str, Any] = {name: {} for block in written for name in block}
        return [self._inner(key, said)] * number

    def _inner(self, key: str, block: Mapping[str, Any]) -> Configured:
        return replace(self, expressions=block, within=f"{self.within}{key}.")

    def _told(self, expression: Any) -> Any:
        """Return what an expression says: also the document that a data source makes for it."""
        names = expression.get("references") if isinstance(expression, dict) else None
        return (self.documents.get(names[0]) if names else None) or _told(expression)


def filled_in(type: str, *, blocks: bool) -> frozenset[str]:
    """Return what the provider fills in, of blocks only where *blocks* says that all are shown."""
    found = _table().get(type, frozenset())
    return frozenset(path.removesuffix(".*") for path in found if blocks or not path.endswith(".*"))


def _is_left_out(expression: Any) -> bool:
    """Whether nothing was written: no *expression*, or one that the provider takes for none."""
    return expression is None or expression in LEFT_OUT


LEFT_OUT: tuple[Any, ...] = ({"constant_value": None}, {"constant_value": []})


def _is_value(expression: Any) -> bool:
    """Whether *expression* is no block that was written: a value, or nothing that is shown."""
    found = expression if isinstance(expression, list) else [expression]
    return not found or any(
        not isinstance(block, dict) or bool({"constant_value", "references"} & block.keys())
        for block in found
    )


def _told(expression: Any) -> Any:
    """
    Return what an expression says: a template that JSON has in full, or what it names.

    A plan that does not know a plain constant contradicts itself.
    """
    if isinstance(expression, dict):
        constant = expression.get("constant_value")
        if constant is not None and _MARKER.search(str(constant)):
            return Explained(constant, STACK)
        if expression.get("references"):
            return Unknown(references=tuple(expression["references"]))
    return Unknown()


def _scattered(value: Any, unknown: Any, expression: Any) -> Any:
    """Return a collection of which some is not known, with what *expression* says of that."""
    if isinstance(value, dict) and isinstance(unknown, dict):
        told = {
            key: _told(expression) if part is True else hidden(value.get(key), part)
            for key, part in unknown.items()
            if part
        }
        return {**value, **told}
    if not isinstance(value, list) or not isinstance(unknown, list):
        return hidden(value, unknown)
    return [
        _told(_element(expression, place)) if part is True else hidden(each, part)
        for place, (each, part) in enumerate(paired(value, unknown))
    ]


def _element(expression: Any, place: int) -> Any:
    """Return what *expression* says of one element of its list."""
    constant = expression.get("constant_value") if isinstance(expression, dict) else None
    if isinstance(constant, list):
        return {"constant_value": constant[place]} if place < len(constant) else None
    return expression

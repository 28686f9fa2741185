"""A variable's type and its default in, what Terraform makes of the default out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from policies.engine.functions import text, truth
from policies.engine.hcl import Node, Undecided, parsed

_TEMPLATE = re.compile(r"\$\{(.*)\}", re.DOTALL)
_WHOLE = re.compile(r"-?(0|[1-9][0-9]{0,14})")
ANY: Node = ("root", "any")


def converted(type: Any, default: Any) -> Any:
    """
    Return *default* as Terraform converts it to *type*, a constraint such as ``list(string)``.

    Raises:
        Undecided: Terraform refuses it, or the conversion is not read here.
    """
    if not type:
        return default
    written = _TEMPLATE.sub(r"\1", str(type))
    [(kind, constraint, *_)] = parsed(f"${{{written}}}")[1]
    if kind != "interpolation":
        raise Undecided("no type")
    return _converted(constraint, default)


def _converted(constraint: Node, value: Any) -> Any:
    if value is None or constraint == ANY:
        return value
    kind, name, *rest = constraint
    if kind == "root" and name in _SCALARS:
        return _SCALARS[name](value)
    if kind == "root" and name in _COLLECTIONS:
        return _COLLECTIONS[name](ANY, value)
    if kind != "call" or len(rest[0]) != 1:
        raise Undecided("no type")
    [(inner, _)] = rest[0]
    if name in _COLLECTIONS:
        return _COLLECTIONS[name](inner, value)
    if name == "tuple" and inner[0] == "list":
        return _tuple(inner[1], value)
    if name == "object" and inner[0] == "object":
        return _object(inner[1], value)
    raise Undecided("no type")


def _number(value: Any) -> int | float:
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Undecided("no number")
    return value


_SCALARS = {"bool": truth, "number": _number, "string": text}


def _elements(inner: Node, items: list[Any]) -> list[Any]:
    """Of elements of no stated type, Terraform makes one type: they have to have one already."""
    if any(item is None for item in items):
        raise Undecided("an element that is null")
    if inner == ANY and len({_shape(item) for item in items}) > 1:
        raise Undecided("elements of different types")
    return [_converted(inner, item) for item in items]


def _shape(value: Any) -> Any:
    if isinstance(value, dict):
        return tuple((key, _shape(item)) for key, item in sorted(value.items()))
    if isinstance(value, list):
        return tuple(map(_shape, value))
    return "number" if type(value) in {int, float} else type(value).__name__


def _list(inner: Node, value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise Undecided("no list")
    return _elements(inner, value)


def _set(inner: Node, value: Any) -> list[str]:
    """Return a set of texts in Terraform's order; that of others is not told."""
    items = _list(inner, value)
    if not all(isinstance(item, str) for item in items):
        raise Undecided("a set, whose order Terraform knows")
    return sorted(set(items))


def _map(inner: Node, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Undecided("no map")
    return dict(zip(value, _elements(inner, list(value.values())), strict=True))


_COLLECTIONS = {"list": _list, "map": _map, "set": _set}


def _tuple(types: tuple[tuple[Node, str], ...], value: Any) -> list[Any]:
    if not isinstance(value, list) or len(value) != len(types):
        raise Undecided("no such tuple")
    return [_converted(type, item) for (type, _), item in zip(types, value, strict=True)]


def _object(attributes: tuple[tuple[Node, Node, str], ...], value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Undecided("no object")
    return {name: _attribute(type, value, name) for (_, name), type, _ in attributes}


def _attribute(type: Node, value: Mapping[str, Any], name: str) -> Any:
    """Return the attribute *name* of *value*, be it optional, with a default or without."""
    default = None
    if type[:2] == ("call", "optional"):
        (type, _), *rest = type[2]
        if rest and rest[0][0][0] != "literal":
            raise Undecided("a default that is an expression")
        default = rest[0][0][1] if rest else None
    elif name not in value:
        raise Undecided(f"no {name}")
    given = value.get(name)
    return _converted(type, default if given is None else given)

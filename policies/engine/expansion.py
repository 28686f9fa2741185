"""A resource with count, for_each or dynamic blocks in, what Terraform makes of it out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from policies.engine.expressions import Scope
from policies.engine.graph import Resource
from policies.engine.hcl import Undecided

KEY = "${each.key}"
"""The key of an element of a list, which may be a set: an index, or the element itself."""

MOST = 1000
"""More instances than this are not told apart."""

MOST_BLOCKS = 250
"""More dynamic blocks than this are not written out."""


def instances(resource: Resource) -> Iterator[Resource]:
    """
    Yield each instance of *resource*, its dynamic blocks written out.

    Where it cannot be told how many there are, or of which blocks, the resource stays as
    it is written, and what depends on that is not known.
    """
    scope = resource.syntax.scope
    if scope is None or not {"count", "for_each", "dynamic"} & set(resource.values):
        yield resource
        return
    try:
        yield from list(_instances(resource, scope))
    except Undecided:
        yield replace(resource, values=written_out(resource.values, scope))


def _instances(resource: Resource, scope: Scope) -> Iterator[Resource]:
    values = {k: v for k, v in resource.values.items() if k not in {"count", "for_each"}}
    if "for_each" in resource.values:
        for key, value in _elements(resource.values["for_each"], scope):
            each = {"key": key, "value": value}
            yield _instance(resource, values, f'["{key}"]', scope.within(each=each))
    elif "count" in resource.values:
        for index in range(_count(resource.values["count"], scope)):
            yield _instance(resource, values, f"[{index}]", scope.within(count={"index": index}))
    else:
        yield _instance(resource, values, "", scope)


def _instance(resource: Resource, values: dict[str, Any], key: str, scope: Scope) -> Resource:
    return replace(
        resource,
        address=f"{resource.address}{key}",
        values=written_out(values, scope),
        syntax=replace(resource.syntax, scope=scope),
    )


def _count(raw: Any, scope: Scope) -> int:
    number = scope.resolved(raw)
    text = str(number)
    if isinstance(number, bool) or not (text.isascii() and text.isdecimal()) or int(text) > MOST:
        raise Undecided("count")
    if int(number) == 0:
        raise Undecided("none of it; the resource itself says so")
    return int(number)


def _elements(raw: Any, scope: Scope) -> list[tuple[str, Any]]:
    """Return the keys and values that for_each goes through."""
    told = scope.resolved(raw)
    if isinstance(told, list) and all(isinstance(key, str) for key in told):
        told = {key: key for key in told}
    if not isinstance(told, dict) or not 0 < len(told) <= MOST or any("${" in key for key in told):
        raise Undecided("for_each")
    return list(told.items())


def written_out(values: Any, scope: Scope) -> dict[str, Any]:
    """Return *values* with each dynamic block that can be told in place of its recipe."""
    dynamic = values.get("dynamic")
    if not dynamic:
        return dict(values)
    result: dict[str, Any] = dict(values)
    left: dict[str, list[Any]] = {}
    pairs = ((label, recipe) for label, them in recipes(dynamic).items() for recipe in them)
    for label, recipe in pairs:
        try:
            blocks = list(_blocks(label, recipe, scope))
        except (Undecided, AttributeError, LookupError, TypeError):
            left.setdefault(label, []).append(recipe)
        else:
            result[label] = [*_as_list(result.get(label)), *blocks]
    result["dynamic"] = left
    return result


def recipes(dynamic: Any) -> dict[str, list[Any]]:
    """Return what *dynamic* blocks are made of, by the type of block that they make."""
    found: dict[str, list[Any]] = {}
    for item in _as_list(dynamic):
        for label, them in item.items() if isinstance(item, dict) else ():
            found.setdefault(label, []).extend(_as_list(them))
    return found


def _blocks(label: str, recipe: Any, scope: Scope) -> Iterator[Any]:
    """Yield the blocks that one dynamic block stands for."""
    told = scope.resolved(recipe["for_each"])
    if not isinstance(told, dict | list) or len(told) > MOST_BLOCKS:
        raise Undecided("for_each of a dynamic block")
    pairs = told.items() if isinstance(told, dict) else ((KEY, item) for item in told)
    name = recipe.get("iterator", label)
    for key, value in pairs:
        inner = scope.within(**{name: {"key": key, "value": value}})
        for content in _as_list(recipe.get("content", {})):
            yield inner.resolved(written_out(content, inner))


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]

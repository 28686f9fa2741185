"""Policies about one setting of one type: what it has to be, and what it is left out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from policies.engine.graph import Resource, ResourceGraph
from policies.engine.model import Claim, Policy, Violation
from policies.engine.mutate import Patch, remove, replace


def states(
    types: str | tuple[str, ...],
    path: str,
    *allowed: Any,
    otherwise: Any = None,
    refused: tuple[Any, ...] = (),
    title: str,
    why: str,
    claims: tuple[Claim, ...],
) -> Policy:
    """
    Return the policy that a resource of *types* has one of *allowed* at *path*.

    *otherwise* is what leaving it out means; *refused* are values that break it, beside
    the opposite of a truth value.
    """

    def states_what_is_allowed(resource: Resource, graph: ResourceGraph) -> Iterator[Violation]:
        value = resource.get(path, otherwise)
        if value not in allowed:
            yield Violation(f"{path} is {_shown(value)}", resource, path)

    wrong = refused or tuple(not value for value in allowed if isinstance(value, bool))
    broken: list[Patch] = [replace(path, value) for value in wrong]
    if otherwise not in allowed:
        broken.insert(0, remove(path))
    return Policy(
        checks=states_what_is_allowed,
        applies_to=types,
        title=title,
        why=why,
        claims=claims,
        example=example(types, path, allowed[0]),
        violated_by=tuple(broken),
    )


def names(
    types: str | tuple[str, ...],
    path: str,
    *,
    title: str,
    why: str,
    claims: tuple[Claim, ...],
    such_as: Any = "stated",
) -> Policy:
    """Return the policy that a resource of *types* says anything at *path*, *such_as* that."""

    def names_something(resource: Resource, graph: ResourceGraph) -> Iterator[Violation]:
        if not is_stated(resource, path):
            yield Violation(f"{path} is not stated", resource, path)

    return Policy(
        checks=names_something,
        applies_to=types,
        title=title,
        why=why,
        claims=claims,
        example=example(types, path, such_as),
        violated_by=(remove(path), replace(path, [] if isinstance(such_as, list) else "")),
    )


def is_stated(resource: Resource, path: str) -> bool:
    """
    Whether anything stands at *path*: neither nothing nor an empty text or list.

    Raises:
        UnknownValue: It may be nothing.
    """
    if not resource.is_set(path):
        return False
    value = resource.get(path) if resource.is_known(path) else None
    return not isinstance(value, Sequence) or bool(value)


def _shown(value: Any) -> str:
    if value is None:
        return "not stated"
    return str(value).lower() if isinstance(value, bool) else str(value)


def example(types: str | tuple[str, ...], path: str, value: Any) -> dict[str, Any]:
    """Return the example of one resource, of the first of *types*: *value* at the dotted *path*."""
    for step in reversed(path.split(".")):
        value = {step: value}
    return {types if isinstance(types, str) else types[0]: {"cde": value}}

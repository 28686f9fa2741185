"""What a verdict rests on: what its check read, and what the resource said as a whole."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

import msgspec

from policies.engine.graph import Journal, Resource, ResourceGraph
from policies.engine.values import Explained, Items, Object, Unknown

MOST = 40
"""More values than this, of other resources than the judged one, are not listed."""


class Observation(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One value that a check read."""

    address: str
    path: str
    """Dotted, inside the resource; empty for all of it."""

    value: Any
    """As the document has it; of what is not known, the expression."""


@dataclass(frozen=True)
class _Observed(Resource):
    """A resource that writes into a journal what is read of it."""

    journal: Journal = field(default_factory=dict, repr=False, compare=False)

    def peek(self, path: str) -> Any:
        value = super().peek(path)
        self.journal[self.address, self._at(path)] = value
        return value


def observing(graph: ResourceGraph) -> ResourceGraph:
    """Return *graph* with a journal of what is read of its resources."""
    journal: Journal = {}
    resources = tuple(
        _Observed(r.address, r.type, r.values, r.syntax, r.source, r.within, r.expressions, journal)
        for r in graph.resources
    )
    return replace(graph, resources=resources, journal=journal)


def observations(journal: Journal, subject: Resource) -> tuple[Observation, ...]:
    """
    Return what stands in *journal*, of *subject* first, without what only holds the rest.

    Where nothing of *subject* itself was read, all of it is told.
    """
    own = [key for key in journal if key[0] == subject.address]
    others = list(islice((key for key in journal if key[0] != subject.address), MOST))
    if not own:
        told = {k: _plain(v) for k, v in subject.values.items() if k != "//" and v is not None}
        return (Observation(address=subject.address, path="", value=told),)
    holders = {(address, outer) for address, path in own + others for outer in _outer(path)}
    return tuple(
        Observation(address=address, path=path, value=_plain(journal[address, path]))
        for address, path in sorted(own) + sorted(others)
        if (address, path) not in holders
    )


def _outer(path: str) -> Iterator[str]:
    """Yield the path of everything that *path* is in."""
    while "." in path:
        path = path.rpartition(".")[0]
        yield path


def _plain(value: Any) -> Any:
    """Return *value* as JSON can hold it."""
    if isinstance(value, Unknown):
        return value.written
    if isinstance(value, Explained):
        return _plain(value.raw)
    if isinstance(value, Object | Items):
        return _plain(value.raw)
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items() if key != "//"}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def fingerprint(resources: Iterable[Resource]) -> str:
    """Return a digest of what *resources* say of themselves: unset values and comments left out."""
    said = [(resource.address, _set(_plain(resource.values))) for resource in resources]
    return hashlib.sha256(msgspec.json.encode(said, order="deterministic")).hexdigest()[:16]


def _set(value: Any) -> Any:
    """Return *value* without what is null in it."""
    if isinstance(value, dict):
        return {key: _set(item) for key, item in value.items() if item is not None}
    return [_set(item) for item in value] if isinstance(value, list) else value


NOTHING = fingerprint(())
"""The fingerprint of what is about a stack, and of no resource."""

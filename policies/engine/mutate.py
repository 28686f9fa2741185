"""The ways to break a resource, named after JSON Patch (RFC 6902)."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import replace as replaced
from typing import Any

from policies.engine.graph import Resource, ResourceGraph
from policies.engine.model import Mutation


@dataclass(frozen=True)
class Patch:
    """One operation on one attribute of the subject."""

    op: str
    path: str
    value: Any = None

    def __call__(self, subject: Resource, graph: ResourceGraph) -> ResourceGraph:
        """Return *graph* with *subject* broken, as it stands in the graph by now."""
        return replaced(
            graph,
            resources=tuple(
                self._broken(each) if each.address == subject.address else each
                for each in graph.resources
            ),
        )

    def _broken(self, subject: Resource) -> Resource:
        return replaced(subject, values=_apply(subject.values, self.path.split("."), self))

    def __str__(self) -> str:
        return f"{self.op} {self.path}" + (f" {self.value!r}" if self.op == "replace" else "")


@dataclass(frozen=True)
class Attached:
    """The same operation on what is attached to the subject, or its removal."""

    type: str
    by: str
    patch: Patch | None = None

    def __call__(self, subject: Resource, graph: ResourceGraph) -> ResourceGraph:
        """Return *graph* with each neighbour of *subject* broken, or gone."""
        for neighbour in list(graph.attached_to(subject, self.type, by=self.by)):
            graph = self.patch(neighbour, graph) if self.patch else graph.without(neighbour)
        return graph

    def __str__(self) -> str:
        return f"{self.patch or 'remove'} of the attached {self.type}"


@dataclass(frozen=True)
class Referenced:
    """An operation on what the subject refers to."""

    by: str
    patch: Patch

    def __call__(self, subject: Resource, graph: ResourceGraph) -> ResourceGraph:
        """Return *graph* with each resource that *subject* refers to broken."""
        for neighbour in list(graph.follow(subject, self.by)):
            graph = self.patch(neighbour, graph)
        return graph

    def __str__(self) -> str:
        return f"{self.patch} of what {self.by} refers to"


@dataclass(frozen=True)
class Addition:
    """One more resource, which may refer to the subject as ``{subject}``."""

    type: str
    values: Any

    def __call__(self, subject: Resource, graph: ResourceGraph) -> ResourceGraph:
        """Return *graph* with the resource added."""
        values = _filled(self.values, subject.base)
        added = Resource(f"{self.type}.added", self.type, values)
        return replaced(graph, resources=(*graph.resources, added))

    def __str__(self) -> str:
        return f"add {self.type} {self.values!r}"


@dataclass(frozen=True)
class Described:
    """A mutation that takes more than one operation, in words."""

    text: str
    mutation: Mutation

    def __call__(self, subject: Resource, graph: ResourceGraph) -> ResourceGraph:
        """Return *graph* with *subject* broken."""
        return self.mutation(subject, graph)

    def __str__(self) -> str:
        return self.text


def described(text: str, mutation: Mutation) -> Described:
    """Say in *text* what *mutation* does."""
    return Described(text, mutation)


def remove(path: str) -> Patch:
    """Unset the attribute at the dotted *path*."""
    return Patch("remove", path)


def replace(path: str, value: Any) -> Patch:
    """Set the attribute at the dotted *path* to *value*."""
    return Patch("replace", path, value)


def attached(type: str, patch: Patch | None = None, *, by: str) -> Attached:
    """Do *patch* to the resources of *type* that refer to the subject; without it, remove them."""
    return Attached(type, by, patch)


def referenced(by: str, patch: Patch) -> Referenced:
    """Do *patch* to the resources that the subject refers to at the path *by*."""
    return Referenced(by, patch)


def add(type: str, **values: Any) -> Addition:
    """Add a resource of *type*."""
    return Addition(type, values)


def without(*types: str) -> Described:
    """Take away every resource of *types*."""
    words = f"no {' and no '.join(types)}"
    return described(words, lambda _subject, graph: graph.without(*graph.of_type(*types)))


def _filled(values: Any, subject: str) -> Any:
    if isinstance(values, dict):
        return {key: _filled(value, subject) for key, value in values.items()}
    if isinstance(values, list):
        return [_filled(value, subject) for value in values]
    return values.replace("{subject}", subject) if isinstance(values, str) else values


def _apply(values: Any, path: list[str], patch: Patch) -> Any:
    key, *rest = path
    if isinstance(values, list):
        wanted = int(key) if key.isdigit() else None
        if wanted is None:
            return [_apply(value, path, patch) for value in values]
        new = [_apply(v, rest, patch) if rest else patch.value for v in values[wanted : wanted + 1]]
        return [*values[:wanted], *new, *values[wanted + 1 :]]
    values = dict(values)
    if rest:
        values[key] = _apply(values.get(key) or {}, rest, patch)
    elif patch.op == "remove":
        values.pop(key, None)
    else:
        values[key] = patch.value
    return values

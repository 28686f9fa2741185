"""What is said of a resource in a resource of its own, be the first one in this document or not."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from policies.engine.graph import Resource, ResourceGraph
from policies.engine.values import drained


def of(subject: Resource, type: str, graph: ResourceGraph, *, by: str) -> Iterator[Resource]:
    """
    Yield the resources of *type* that name *subject* in their attribute *by*.

    One whose subject stands elsewhere is judged itself.

    Raises:
        UnknownValue: After the others, where it cannot be told what one names.
    """
    if subject.type == type:
        yield subject
    else:
        yield from graph.attached_to(subject, type, by=by)


def judged_with(*types: str, by: str) -> Callable[[Resource, ResourceGraph], bool]:
    """Return whether a companion names in *by* one of *types* that is here: it is judged there."""

    def is_judged_there(companion: Resource, graph: ResourceGraph) -> bool:
        if companion.type in types:
            return False
        named, _ = drained(companion.reference(by))
        return any(other.type in types for name in named for other in _meant(name, types, graph))

    return is_judged_there


def _meant(name: str, types: tuple[str, ...], graph: ResourceGraph) -> Iterator[Resource]:
    """Yield what *name* is of: an address, what AWS knows it by, or its own name."""
    yield from graph.named(name)
    for type in types:
        yield from graph.called(name, type)

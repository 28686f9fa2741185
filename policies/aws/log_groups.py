"""A function in, the log groups that it writes to out."""

from __future__ import annotations

from collections.abc import Iterator

from policies.engine.graph import Resource, ResourceGraph
from policies.engine.values import Unknown, UnknownValue

LOG_GROUP = "aws_cloudwatch_log_group"
PREFIX = "/aws/lambda/"
STATED = "logging_config.log_group"


def of_function(function: Resource, graph: ResourceGraph) -> Iterator[Resource]:
    """
    Yield the log groups of *function* that are in the same document.

    Raises:
        UnknownValue: After the others, where which one is not known, or it is elsewhere.
    """
    if function.is_set(STATED):
        named = list(_stated(function, graph))
        yield from named or graph.follow(function, STATED)
        return
    index = graph.index("log groups by name", lambda: _by_name(graph))
    found = {group.address: group for name in _names(function) for group in index.get(name, ())}
    yield from found.values()
    if not found:
        for group in index.get(None, ()):
            raise UnknownValue(f"{group.address} may be its own: its name is not known")


def _stated(function: Resource, graph: ResourceGraph) -> Iterator[Resource]:
    """Yield the log group that *function* states by its own name."""
    if function.is_known(STATED):
        yield from graph.called(function.get(STATED), LOG_GROUP)


def _names(function: Resource) -> Iterator[str]:
    """Yield how the log group of *function* may be named, as far as it is written."""
    for address in {function.address, function.base}:
        for attribute in ("function_name", "id"):
            yield f"{PREFIX}${{{address}.{attribute}}}"
    name = function.peek("function_name")
    if isinstance(name, Unknown):
        name = name.own
    if isinstance(name, str):
        yield f"{PREFIX}{name}"


def _by_name(graph: ResourceGraph) -> dict[str | None, list[Resource]]:
    """Return the log groups by their names as far as they are written, and those of none."""
    index: dict[str | None, list[Resource]] = {}
    for group in graph.of_type(LOG_GROUP):
        name = group.peek("name")
        if isinstance(name, Unknown):
            name = name.own if name.is_something and not name.targets else None
        index.setdefault(name, []).append(group)
    return index

"""A function in, the log groups that it writes to out."""

from __future__ import annotations

from collections.abc import Iterator

from policies.engine.graph import Resource, ResourceGraph

LOG_GROUP = "aws_cloudwatch_log_group"
STATED = "logging_config.log_group"


def of_function(function: Resource, graph: ResourceGraph) -> Iterator[Resource]:
    """
    Yield the log groups of *function* that are in the same document.

    Raises:
        UnknownValue: After the others, where which one is not known, or it is elsewhere.
    """
    if function.is_set(STATED):
        yield from graph.follow(function, STATED)
        return
    index = graph.once("log groups by name", lambda: _by_name(graph))
    yield from (
        index.get(f"/aws/lambda/${{{function.base}.function_name}}")
        or index.get(f"/aws/lambda/{function.get('function_name')}")
        or ()
    )


def _by_name(graph: ResourceGraph) -> dict[object, list[Resource]]:
    """Return the log groups by their names, expressions as they are written."""
    index: dict[object, list[Resource]] = {}
    for group in graph.of_type(LOG_GROUP):
        name = group.values.get("name")
        if isinstance(name, str):
            index.setdefault(name, []).append(group)
    return index

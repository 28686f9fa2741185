"""A function in, the log groups that it writes to out."""

from __future__ import annotations

from collections.abc import Iterator

from policies.engine.graph import Resource, ResourceGraph
from policies.engine.values import UnknownValue

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
    index = graph.index("log groups by name", lambda: _by_name(graph))
    found = (
        index.get(f"/aws/lambda/${{{function.base}.function_name}}")
        or index.get(f"/aws/lambda/{function.get('function_name')}")
        or ()
    )
    yield from found
    if not found:
        for group in index.get(None, ()):
            raise UnknownValue(f"{group.address} may be its own: its name is not known")


def _by_name(graph: ResourceGraph) -> dict[object, list[Resource]]:
    """Return the log groups by their names as they are written, and those of no known name."""
    index: dict[object, list[Resource]] = {}
    for group in graph.of_type(LOG_GROUP):
        name = group.values.get("name")
        is_told = group.is_known("name") or (isinstance(name, str) and not name.startswith("${"))
        index.setdefault(name if is_told else None, []).append(group)
    return index

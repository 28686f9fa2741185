"""A graph in, the same out with what Terraform is told to ignore as unknown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from policies.engine.graph import Resource, ResourceGraph
from policies.engine.values import Unknown

_ATTRIBUTE = re.compile(r"(?:\$\{)?\s*([a-z_]\w*)")


def with_ignored_unknown(graph: ResourceGraph) -> ResourceGraph | None:
    """
    Return the *graph* as it will be once somebody has changed what Terraform ignores.

    None where it ignores nothing. Everything ("all") is for a policy of its own to tell.
    """
    hidden = tuple(map(_with_ignored_unknown, graph.resources))
    return None if hidden == graph.resources else replace(graph, resources=hidden)


def _with_ignored_unknown(resource: Resource) -> Resource:
    ignored = {
        name: Unknown("what is written is ignored after the first apply (ignore_changes)")
        for name in _ignored(resource.values.get("lifecycle"))
    }
    return replace(resource, values={**resource.values, **ignored}) if ignored else resource


def _ignored(lifecycle: Any) -> Iterator[str]:
    for block in lifecycle if isinstance(lifecycle, list) else [lifecycle]:
        names = block.get("ignore_changes") if isinstance(block, dict) else None
        for name in names if isinstance(names, list) else ():
            match = _ATTRIBUTE.match(name) if isinstance(name, str) else None
            if match and name != "all":
                yield match[1]

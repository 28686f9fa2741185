"""Graphs in, the list of everything in them out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from policies.engine.graph import Resource, ResourceGraph
from policies.engine.model import Component
from policies.engine.values import UnknownValue

NAMES = ("tags.Name", "name", "identifier", "cluster_identifier", "bucket", "function_name")
SCOPE = "tags.PciScope"


def inventory(graphs: Iterable[ResourceGraph]) -> tuple[Component, ...]:
    """Return every resource of *graphs* that stands for something in AWS."""
    return tuple(component for graph in graphs for component in _listed(graph))


def _listed(graph: ResourceGraph) -> Iterator[Component]:
    for resource in graph.resources:
        if not resource.type.startswith(("data.", "terraform.")):
            yield Component(
                address=graph.address(resource),
                type=resource.type,
                stack=graph.stack,
                stage=graph.stage,
                source=resource.source,
                name=next(filter(None, (told(resource, path) for path in NAMES)), ""),
                scope=told(resource, SCOPE),
                cidr=told(resource, "cidr_block"),
                zone=told(resource, "availability_zone"),
            )


def told(resource: Resource, path: str) -> str:
    """Return the text at *path*, or nothing where it is none, or not known."""
    try:
        value = resource.get(path)
    except UnknownValue:
        return ""
    return value if isinstance(value, str) else ""

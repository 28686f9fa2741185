"""A state (``terraform show -json``) in, the resources that are deployed out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from policies.engine.document import DocumentError, Reading
from policies.engine.graph import Resource, ResourceGraph, Stage
from policies.engine.model import Document
from policies.engine.values import PLAIN

STATE_MAJOR = "1"


def is_state(content: Any) -> bool:
    """Whether *content* means to be a state, as ``terraform show -json`` prints it."""
    return isinstance(content, dict) and "values" in content and "planned_values" not in content


def state_reading(
    path: Path, sha256: str, content: Any, stack: str, design: Reading | None = None
) -> Reading:
    """
    Return the state in *content*, which stands in the file *path*.

    A state knows every value; the *design*, where it is there, tells the line that made
    each resource.

    Raises:
        DocumentError: It is no whole state, or holds nothing.
    """
    written = {resource.address: resource for resource in design.graph.resources} if design else {}
    try:
        if str(content["format_version"]).partition(".")[0] != STATE_MAJOR:
            raise DocumentError(
                f"{path}: state format {content['format_version']} is not known here"
            )
        deployed = tuple(_deployed(content["values"]["root_module"], written))
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DocumentError(
            f"{path}: no whole state, {type(error).__name__} {error}; "
            "make it with terraform show -json"
        ) from error
    if not deployed:
        raise DocumentError(f"{path}: the state holds no resource, so nothing to judge")
    document = Document(
        path=path.as_posix(), sha256=sha256, kind="state", stack=stack, stage=Stage.DEPLOYED
    )
    graph = ResourceGraph(deployed, stack, Stage.DEPLOYED, document=document.path)
    return Reading(document, graph, content)


def _deployed(module: Any, written: Mapping[str, Resource]) -> Iterator[Resource]:
    for found in module.get("resources", ()):
        address, values = found["address"], found["values"]
        texts = isinstance(address, str) and isinstance(found["type"], str)
        if found["mode"] not in {"managed", "data"} or not texts or not isinstance(values, dict):
            raise TypeError(f"{address} is no resource")
        type = f"data.{found['type']}" if found["mode"] == "data" else found["type"]
        resource = Resource(address, type, values, PLAIN)
        design = written.get(resource.base)
        yield replace(resource, source=design.source if design else None)
    for child in module.get("child_modules", ()):
        yield from _deployed(child, written)

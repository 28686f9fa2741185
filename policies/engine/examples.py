"""A policy's own example in, and what is told of it when it is broken."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from policies.engine.evaluate import evaluate
from policies.engine.graph import Resource, ResourceGraph, Stage
from policies.engine.house import House
from policies.engine.model import Mutation, Policy, Violation

STACK = "financial-dev"


def resources(example: Mapping[str, Any], suffix: str = "") -> tuple[Resource, ...]:
    """Return the resources of *example*, in its order, each with *suffix* behind its name."""
    return tuple(
        Resource(f"{type}.{name}{suffix}", type, body)
        for type, named in example.items()
        for name, body in named.items()
    )


def graph(policy: Policy, house: House, today: date) -> ResourceGraph:
    """Return the example of *policy* as a stack of *house*, to be judged on the day *today*."""
    return ResourceGraph(resources(policy.example), STACK, Stage.DESIGN, house=house, today=today)


def broken(
    policy: Policy, house: House, today: date
) -> Iterator[tuple[Mutation, tuple[Violation, ...]]]:
    """Yield each way to break the example of *policy*, with what is told of it then."""
    whole = graph(policy, house, today)
    for mutation in policy.violated_by:
        subject = next(each for each in whole.resources if each.type in policy.types)
        found = evaluate([replace(policy, at_least=0)], mutation(subject, whole))
        address = whole.address(subject)
        yield mutation, next(f.violations for f in found if f.resource == address)

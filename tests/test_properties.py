"""What holds of every policy, whatever a document looks like. Nothing here names a policy."""

import copy
import ipaddress
import json
from collections import defaultdict
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policies.engine.expansion import instances
from policies.engine.model import SETTLED, Verdict
from policies.engine.values import Unknown
from tests.test_policies import (
    CHECKED,
    each_mutation,
    graph_of,
    resources,
    subjects,
    twin,
    verdict,
)

ELSEWHERE = [None, True, False, 0, 7, "", "a", "0.0.0.0/0", "*", [], {}, ["*"]]
"""Values that no example had to think of."""


def paths(value, path=()):
    """Yield the path of everything in *value* that can be hidden."""
    for key, item in value.items() if isinstance(value, dict) else enumerate(value):
        yield (*path, key)
        if isinstance(item, dict | list):
            yield from paths(item, (*path, key))


def put(value, path, item):
    """Return *value* with *item* at *path*."""
    changed = copy.deepcopy(value)
    inner = changed
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = item
    return changed


def at(value, path):
    for key in path:
        value = value[key]
    return value


def told(value):
    """Return *value* without what is hidden already: a reference is no value."""
    return not isinstance(value, Unknown)


def seen():
    """Return the values that any example or mutation has, by type and by attribute."""
    found = defaultdict(list)
    for policy in CHECKED:
        graph = graph_of(policy)
        subject = subjects(policy, graph)[0]
        for variant in (graph, *(mutation(subject, graph) for mutation in policy.violated_by)):
            for resource in variant.resources:
                for path in paths(dict(resource.values)):
                    key = (resource.type, tuple(k for k in path if isinstance(k, str)))
                    value = at(resource.values, path)
                    if told(value) and value not in found[key]:
                        found[key].append(value)
    return found


SEEN = seen()


@st.composite
def hidden(draw, policy):
    """Draw a graph of the policy's example, and the same with one value of it unknown."""
    graph = graph_of(policy)
    subject = subjects(policy, graph)[0]
    mutation = draw(st.sampled_from([None, *policy.violated_by]))
    given = mutation(subject, graph) if mutation else graph
    choices = [
        (resource, path)
        for resource in given.resources
        if not resource.address.startswith("data.")
        for path in paths(dict(resource.values))
        if path[0] not in {"count", "for_each", "lifecycle", "provider"}
    ]
    resource, path = draw(st.sampled_from(choices)) if choices else (None, None)
    return given, subject.address, resource, path


def judged(policy, address, graph):
    [subject] = [resource for resource in graph.resources if resource.address == address]
    return verdict(policy, subject, graph)


@pytest.mark.parametrize("policy", CHECKED, ids=lambda policy: policy.id)
@given(data=st.data())
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_what_is_hidden_changes_no_verdict_for_the_better(policy, data):
    """
    Make any value unknown: what fails never passes, what passes never fails.

    And what still passes passes whatever the value turns out to be.
    """
    graph, address, resource, path = data.draw(hidden(policy))
    if resource is None or address not in {r.address for r in graph.resources}:
        return
    before = judged(policy, address, graph)
    values = put(dict(resource.values), path, Unknown())
    after = judged(policy, address, graph.having(replace(resource, values=values)))

    allowed = {
        Verdict.FAIL: {Verdict.FAIL, Verdict.UNKNOWN},
        Verdict.PASS: {Verdict.PASS, Verdict.UNKNOWN},
        Verdict.NOT_APPLICABLE: {Verdict.NOT_APPLICABLE, Verdict.UNKNOWN},
        Verdict.UNKNOWN: {Verdict.UNKNOWN, Verdict.FAIL},
    }
    assert after in allowed[before], (resource.address, path)
    if after in SETTLED:
        others = SEEN[resource.type, tuple(key for key in path if isinstance(key, str))]
        for value in (*others, *ELSEWHERE):
            completed = replace(resource, values=put(dict(resource.values), path, value))
            told = judged(policy, address, graph.having(completed))
            assert told in SETTLED, (resource.address, path, value)


each_mutation_of_a_resource = pytest.mark.parametrize(
    ("policy", "mutation"),
    [
        pytest.param(policy, mutation, id=f"{policy.id}: {mutation}")
        for policy in CHECKED
        if not policy.types[0].startswith("terraform.")
        for mutation in policy.violated_by
    ],
)
"""Variables and outputs are judged by their names, and stand once."""


def renamed(document, prefix="", suffix=""):
    """Return *document* with each of its resources under another address."""
    text = json.dumps(document)
    for type, named in document.items():
        for name in named:
            text = text.replace(f"{type}.{name}.", f"{prefix}{type}.{name}{suffix}.")
    return json.loads(text)


def as_document(graph):
    """Return the resources of *graph* as Terraform's JSON has them."""
    document = {}
    for resource in graph.resources:
        type, _, name = resource.address.rpartition(".")
        document.setdefault(type, {})[name] = dict(resource.values)
    return document


def still_fails(policy, subject, graph):
    return Verdict.FAIL is judged(policy, subject, graph)


def broken(policy, mutation):
    """Return the example, broken, and the address of what fails in it."""
    graph = graph_of(policy)
    subject = subjects(policy, graph)[0]
    return mutation(subject, graph), subject.address


@each_mutation_of_a_resource
def test_another_name_is_no_excuse(policy, mutation):
    graph, address = broken(policy, mutation)
    document = renamed(as_document(graph), suffix="_x")

    assert still_fails(policy, f"{address}_x", replace(graph, resources=resources(document, "_x")))


@each_mutation
def test_a_module_is_no_excuse(policy, mutation):
    graph, address = broken(policy, mutation)
    moved = tuple(
        replace(resource, address=f"module.cde.{resource.address}")
        for resource in resources(renamed(as_document(graph), prefix="module.cde."))
    )

    assert still_fails(policy, f"module.cde.{address}", replace(graph, resources=moved))


@each_mutation_of_a_resource
def test_a_second_one_by_count_is_no_excuse(policy, mutation):
    graph, address = broken(policy, mutation)
    [subject] = [resource for resource in graph.resources if resource.address == address]
    twice = tuple(instances(replace(subject, values={**subject.values, "count": 2})))
    others = tuple(resource for resource in graph.resources if resource is not subject)
    both = replace(graph, resources=(*others, *twice))

    assert ["[0]", "[1]"] == [each.address.removeprefix(address) for each in twice]
    for each in twice:
        assert judged(policy, each.address, both) in {Verdict.FAIL, Verdict.UNKNOWN}


DECOYS = tuple(
    replace(resource, address=f"{resource.address}_decoy_{number}")
    for number, policy in enumerate(CHECKED)
    for resource in twin(policy)
)


@each_mutation
def test_decoys_are_no_excuse(policy, mutation):
    """Every resource of every example stands beside it, and belongs to somebody else."""
    graph, address = broken(policy, mutation)
    crowd = replace(graph, resources=(*graph.resources, *DECOYS))

    assert judged(policy, address, crowd) in {Verdict.FAIL, Verdict.UNKNOWN}


def halves(value):
    """Return *value* with every list of CIDR blocks in it split into halves."""
    if isinstance(value, dict):
        return {key: halves(item) for key, item in value.items()}
    if isinstance(value, list):
        return [half for item in value for half in split(item)]
    return value


def split(item):
    try:
        network = ipaddress.ip_network(item) if isinstance(item, str) and "/" in item else None
    except ValueError:
        network = None
    return [halves(item)] if network is None else map(str, network.subnets())


@each_mutation
def test_blocks_in_halves_are_no_excuse(policy, mutation):
    graph, address = broken(policy, mutation)
    cut = tuple(
        replace(resource, values=halves(dict(resource.values))) for resource in graph.resources
    )

    assert still_fails(policy, address, replace(graph, resources=cut))

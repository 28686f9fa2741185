"""What every policy claims about itself. Nothing here names a policy."""

import json
import re
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies import POLICIES
from policies.engine import examples, waive
from policies.engine.evaluate import evaluate
from policies.engine.examples import resources
from policies.engine.graph import Resource, ResourceGraph
from policies.engine.house import parse_house
from policies.engine.model import Each, Status, Strength, Verdict, always
from policies.engine.mutate import add
from policies.engine.values import Unknown
from policies.requirements import requirements
from tests.conftest import ROOT, TODAY

HOUSE = parse_house((ROOT / "house.toml").read_text(), "house.toml")
CHECKED = [policy for policy in POLICIES if policy.checks]
PROHIBITIONS = [
    policy for policy in POLICIES if policy.prohibits and not callable(policy.prohibits)
]

each_policy = pytest.mark.parametrize("policy", CHECKED, ids=lambda policy: policy.id)
each_prohibition = pytest.mark.parametrize("policy", PROHIBITIONS, ids=lambda policy: policy.id)
each_mutation = pytest.mark.parametrize(
    ("policy", "mutation"),
    [
        pytest.param(policy, mutation, id=f"{policy.id}: {mutation}")
        for policy in CHECKED
        for mutation in policy.violated_by
    ],
)


def graph_of(policy):
    return examples.graph(policy, HOUSE, TODAY)


def subjects(policy, graph):
    return [resource for resource in graph.resources if resource.type in policy.types]


def verdict(policy, subject, graph):
    """Return the verdict of *policy* on *subject* itself, without what must exist."""
    found = evaluate([replace(policy, at_least=0)], graph)
    return {finding.resource: finding.verdict for finding in found}[graph.address(subject)]


def twin(policy):
    """Return the resources of the example once more, under other names."""
    text = json.dumps(policy.example)
    for type, named in policy.example.items():
        for name in named:
            text = text.replace(f"{type}.{name}.", f"{type}.{name}_twin.")
    return resources(json.loads(text), "_twin")


@each_policy
def test_its_example_passes(policy):
    """The first subject complies; any other shows what the policy is not about."""
    graph = graph_of(policy)
    first, *others = [verdict(policy, subject, graph) for subject in subjects(policy, graph)]

    assert Verdict.PASS is first
    assert {Verdict.NOT_APPLICABLE} >= set(others)


@each_mutation
def test_each_mutation_of_its_example_fails(policy, mutation):
    graph = graph_of(policy)
    subject = subjects(policy, graph)[0]

    assert Verdict.FAIL is verdict(policy, subject, mutation(subject, graph))


@each_policy
def test_every_check_is_broken_by_a_mutation(policy):
    graph = graph_of(policy)
    subject = subjects(policy, graph)[0]
    for check in policy.all_checks:
        alone = replace(policy, checks=check)
        verdicts = {verdict(alone, subject, m(subject, graph)) for m in policy.violated_by}

        assert Verdict.FAIL in verdicts, check


@each_mutation
def test_a_compliant_neighbour_is_no_excuse(policy, mutation):
    graph = graph_of(policy)
    subject = subjects(policy, graph)[0]
    broken = mutation(subject, graph)
    both = replace(broken, resources=broken.resources + twin(policy))

    assert Verdict.FAIL is verdict(policy, subject, both)


@each_policy
def test_what_is_unknown_does_not_pass(policy):
    """Hide any value of the example: the policy says UNKNOWN or worse, or never read it."""
    graph = graph_of(policy)
    subject = subjects(policy, graph)[0]
    for resource in graph.resources:
        if resource in subjects(policy, graph)[1:]:
            continue
        for key in resource.values:
            hidden = replace(resource, values={**resource.values, key: Unknown()})

            assert Verdict.PASS is not verdict(policy, subject, graph.having(hidden)), key


@each_mutation
def test_each_mutation_of_the_platform_fails(policy, mutation, platform):
    """The proof: break what we really deploy, and the policy says so."""
    deployed = [(graph, each) for graph in platform for each in graph.of_type(*policy.types)]
    passing = [pair for pair in deployed if verdict(policy, *reversed(pair)) is Verdict.PASS]
    if not deployed:
        return  # proven on its example; test_what_is_proven_on_examples_only counts it

    assert passing, "no evidence: nothing on the platform passes this policy"
    for graph, subject in passing:
        assert Verdict.FAIL is verdict(policy, subject, mutation(subject, graph)), subject


def test_what_is_proven_on_examples_only(platform):
    """A policy about what the platform does not deploy is said aloud, by its types."""
    silent = {
        type
        for policy in CHECKED
        if not any(graph.of_type(*policy.types) for graph in platform)
        for type in policy.types
    }

    listed = (ROOT / "tests" / "proven_on_examples.txt").read_text().split()

    assert sorted(silent) == listed


@each_prohibition
def test_what_is_prohibited_is_found(policy):
    empty = ResourceGraph((), "financial-dev")
    for type in policy.prohibits:
        holder = Resource("aws_vpc.any", "aws_vpc", {})
        graph = add(type)(holder, empty)

        assert [finding.verdict for finding in evaluate([policy], empty)] == [Verdict.PASS]
        assert [policy.verdict_if_found] == [f.verdict for f in evaluate([policy], graph)]


ALL_EXAMPLES = [r for policy in CHECKED for r in resources(policy.example, policy.id)]


@given(st.randoms(use_true_random=False))
def test_the_order_of_resources_is_irrelevant(random):
    shuffled = random.sample(ALL_EXAMPLES, len(ALL_EXAMPLES))

    def found(given):
        graph = ResourceGraph(tuple(given), "financial-dev", house=HOUSE, today=TODAY)
        return {(f.policy, f.resource, f.verdict) for f in evaluate(POLICIES, graph)}

    assert found(sorted(shuffled, key=lambda resource: resource.address)) == found(shuffled)


BLOCKS = {"metadata_options", "launch_template", "rotation_rules", "vpc_config", "environment"}


@each_policy
def test_the_form_of_a_block_is_irrelevant(policy):
    """A block may be an object or a list of one; an unset argument may be null."""
    graph = graph_of(policy)
    subject = subjects(policy, graph)[0]
    for resource in graph.resources:
        values = {
            key: [value] if key in BLOCKS else value for key, value in resource.values.items()
        }
        graph = graph.having(replace(resource, values={**values, "unheard_of": None}))

    assert Verdict.PASS is verdict(policy, subject, graph)


@each_policy
def test_booleans_may_be_written_as_strings(policy):
    def spelt(value):
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, dict):
            return {key: spelt(item) for key, item in value.items()}
        return [spelt(item) for item in value] if isinstance(value, list) else value

    graph = graph_of(policy)
    subject = subjects(policy, graph)[0]
    for resource in graph.resources:
        graph = graph.having(replace(resource, values=spelt(resource.values)))

    assert Verdict.PASS is verdict(policy, subject, graph)


@each_policy
def test_it_explains_itself(policy):
    title = policy.title
    first = policy.all_checks[0]
    check = first.check if isinstance(first, Each) else first

    assert title.endswith(".")
    assert "\n" not in title
    assert check.__name__.islower()
    assert policy.violated_by


def test_every_module_of_policies_is_part_of_the_suite():
    listed = {policy.id.partition(".")[0] for policy in POLICIES}
    written = {
        path.stem
        for path in (ROOT / "policies").glob("*.py")
        if re.search(
            r"^[A-Z_0-9]+ = (Policy|_\w+|states|names|common\.\w+)\(",
            path.read_text(),
            re.MULTILINE,
        )
    }

    assert written == listed, "list it in policies/__init__.py"


def test_every_policy_claims_what_can_be_proven():
    for policy in CHECKED:
        assert policy.example, f"{policy.id} has no example"
        assert policy.violated_by, f"{policy.id} has nothing that breaks it"
    for policy in POLICIES:
        assert policy.why, f"{policy.id} does not say why"


def test_no_two_policies_share_an_id():
    ids = [policy.id for policy in POLICIES]

    assert sorted(set(ids)) == sorted(ids)


def test_the_catalogue_has_every_number_of_the_standard():
    """As many of each depth as two public lists of v4.0.1 count, appendices included."""
    ids = [requirement.id for requirement in requirements()]
    depths = Counter(id.count(".") + 1 for id in ids)

    assert {3: 230, 4: 49, 5: 1} == depths
    assert len(set(ids)) == len(ids)


def test_what_the_catalogue_says_of_a_requirement_follows_from_its_policies():
    """Automated: one judges it directly. Partial: one does in part. Otherwise none, and why."""
    claimed = {}
    for policy in (*POLICIES, *waive.POLICIES):
        for claim in policy.claims:
            claimed.setdefault(claim.requirement, set()).add(claim.strength)
    for requirement in requirements():
        strengths = claimed.pop(requirement.id, set())
        where = f"policies/pci_dss.toml, {requirement.id}, claimed {sorted(strengths)}"
        if Strength.DIRECT in strengths:
            assert Status.AUTOMATED is requirement.status, where
        elif strengths:
            assert Status.PARTIAL is requirement.status, where
        else:
            assert requirement.status not in {Status.AUTOMATED, Status.PARTIAL}, where
            assert requirement.notes, where
        assert not (strengths and "does not yet" in requirement.notes), where

    assert claimed == {}, "requirements that the standard does not have"


def test_policies_about_some_resources_show_what_they_are_not_about():
    for policy in CHECKED:
        graph = graph_of(policy)
        others = subjects(policy, graph)[1:]
        if policy.when is always and not policy.unless:
            assert not others, policy.id

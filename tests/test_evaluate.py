"""How a verdict is reached."""

from dataclasses import replace

import pytest

from policies.engine.evaluate import collect, evaluate
from policies.engine.graph import Resource, ResourceGraph
from policies.engine.model import Each, Policy, Verdict, Violation
from policies.engine.values import Unknown


def is_good(thing, graph):
    """Things are good."""
    if thing.get("good") is not True:
        yield Violation("good is not true", thing, "good")


def is_closed(rule, graph):
    """Rules are closed."""
    if rule.get("open") is True:
        yield Violation("open is true", rule, "open")


GOOD = Policy(checks=is_good, applies_to="aws_thing", id="things.good")


def graph(*things, **fields):
    resources = [Resource(f"aws_thing.{n}", "aws_thing", values) for n, values in enumerate(things)]
    return ResourceGraph(tuple(resources), "stack", **fields)


def verdicts(policy, given):
    return [finding.verdict for finding in evaluate([policy], given)]


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        ({"good": True}, Verdict.PASS),
        ({"good": False}, Verdict.FAIL),
        ({}, Verdict.FAIL),
        ({"good": Unknown()}, Verdict.UNKNOWN),
        ({"good": "${var.good}"}, Verdict.UNKNOWN),
    ],
)
def test_each_resource_gets_a_verdict(values, verdict):
    assert [verdict] == verdicts(GOOD, graph(values))


def test_what_is_wrong_is_not_hidden_by_what_is_unknown():
    both = replace(GOOD, checks=(is_closed, is_good))

    assert [Verdict.FAIL] == verdicts(both, graph({"open": Unknown(), "good": False}))


@pytest.mark.parametrize("order", [1, -1])
def test_the_order_of_blocks_changes_no_verdict(order):
    policy = replace(GOOD, checks=Each("rules", is_closed))
    rules = [{"open": Unknown()}, Unknown(), {"open": True}][::order]

    assert [Verdict.FAIL] == verdicts(policy, graph({"rules": rules}))


def test_a_violation_before_an_unknown_counts():
    def reads_on(thing, graph):
        """Things are read."""
        yield Violation("wrong", thing)
        thing.get("unknown")

    policy = replace(GOOD, checks=reads_on)

    assert [Verdict.FAIL] == verdicts(policy, graph({"unknown": Unknown()}))


def test_a_crash_is_an_error_and_hides_no_other_resource():
    def crashes(thing, graph):
        """Things are bad."""
        yield from is_good(thing, graph)
        raise ZeroDivisionError("division by zero")

    [first, second] = evaluate([replace(GOOD, checks=crashes)], graph({"good": False}, {}))

    assert Verdict.ERROR is first.verdict is second.verdict
    assert ("ZeroDivisionError: division by zero",) == first.messages
    assert first.blocks


def test_a_census_that_cannot_be_taken_does_not_pass():
    def crashes(thing, graph):
        return 1 / thing.get("divisor") > 0

    policy = Policy(prohibits=crashes, id="things.crashing")

    assert [Verdict.FAIL, Verdict.ERROR, Verdict.UNKNOWN] == verdicts(
        policy, graph({"divisor": 1}, {"divisor": 0}, {"divisor": Unknown()})
    )


def test_a_policy_is_about_some_resources_only():
    policy = replace(GOOD, when=lambda thing: thing.get("kind") == "some")

    assert [Verdict.NOT_APPLICABLE, Verdict.FAIL, Verdict.UNKNOWN] == verdicts(
        policy, graph({}, {"kind": "some"}, {"kind": Unknown()})
    )


def test_what_is_never_created_is_not_applicable():
    absent = Resource("aws_thing.never", "aws_thing", {})

    assert [Verdict.NOT_APPLICABLE] == verdicts(GOOD, graph(absent=(absent,)))


def test_what_must_exist_is_missed_where_a_house_is_given(house):
    policy = replace(GOOD, at_least=2)
    given = graph({"good": True}, {"good": False}, house=house)

    assert [Verdict.PASS, Verdict.FAIL, Verdict.FAIL] == verdicts(policy, given)
    *_, missing = evaluate([policy], given)
    assert "stack/aws_thing" == missing.resource
    assert ("1 of at least 2 aws_thing comply",) == missing.messages


def test_without_a_house_nothing_of_it_is_passed():
    assert [] == verdicts(replace(GOOD, needs_house=True), graph({"good": True}))
    assert [Verdict.PASS] == verdicts(replace(GOOD, at_least=9), graph({"good": True}))


def test_a_finding_names_the_stack_the_resource_and_the_place():
    [finding] = evaluate([GOOD], graph({"good": False}))
    [violation] = finding.violations

    assert "stack/aws_thing.0" == finding.resource
    assert "/good" == violation.pointer


def test_a_block_knows_its_place():
    policy = replace(GOOD, checks=Each("rules", is_closed))
    [finding] = evaluate([policy], graph({"rules": [{}, {"open": True}]}))

    assert ["/rules/1/open"] == [violation.pointer for violation in finding.violations]


def test_an_id_is_an_address():
    from policies import keys

    assert "keys.rotation" in {policy.id for policy in collect(keys)}


@pytest.mark.parametrize(
    ("good", "ignored", "verdict"),
    [
        (True, ["size"], Verdict.PASS),
        (True, ["good"], Verdict.UNKNOWN),
        (True, ["${good}"], Verdict.UNKNOWN),
        (True, ["good[0].from"], Verdict.UNKNOWN),
        (False, ["good"], Verdict.FAIL),
    ],
)
def test_what_terraform_ignores_is_judged_as_unknown_too(good, ignored, verdict):
    thing = {"good": good, "lifecycle": [{"ignore_changes": ignored}]}

    assert [verdict] == verdicts(GOOD, graph(thing))

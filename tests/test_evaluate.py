"""How a verdict is reached."""

from dataclasses import replace

import pytest

from policies.engine.evaluate import collect, evaluate
from policies.engine.graph import Resource, ResourceGraph, Source, Stage
from policies.engine.house import parse_house
from policies.engine.lifecycle import with_ignored_unknown
from policies.engine.model import Each, Policy, Verdict, Violation
from policies.engine.observed import NOTHING, Observation, observing
from policies.engine.values import PLAIN, STACK, Unknown


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


def test_a_finding_tells_where_its_resource_was_written():
    source = Source("infra/network.py", 12)
    thing = Resource("aws_thing.a", "aws_thing", {"good": True}, source=source)
    [finding] = evaluate([GOOD], ResourceGraph((thing,), "stack", document="cdk.tf.json"))

    assert (source, "cdk.tf.json") == (finding.source, finding.document)


@pytest.mark.parametrize("good", [True, False])
def test_a_finding_tells_what_it_rests_on_where_that_is_asked_for(good):
    read = Observation(address="aws_thing.0", path="good", value=good)
    [told] = evaluate([GOOD], observing(graph({"good": good, "size": 1})))
    [silent] = evaluate([GOOD], graph({"good": good, "size": 1}))

    assert ((read,), ()) == (told.observed, silent.observed)


def test_a_census_that_finds_nothing_says_among_how_many():
    policy = Policy(prohibits=is_unheard_of, id="things.none", title="None.", why="None.")
    [(_, verdict, messages, _, _)] = found(policy, graph({}, {"name": "good"}))

    assert (Verdict.PASS, ("none among 2 resources",)) == (verdict, messages)


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


def test_what_is_ignored_is_why_it_is_not_known():
    thing = {"good": True, "lifecycle": [{"ignore_changes": ["good"]}]}
    [(_, _, messages, _, _)] = found(GOOD, graph(thing))

    ignored = "good is not known: what is written is ignored after the first apply (ignore_changes)"
    assert (ignored,) == messages


@pytest.mark.parametrize("ignored", [[], "all", ["all"], ["$"], [1]])
def test_where_no_attribute_is_ignored_nothing_is_judged_twice(ignored):
    assert with_ignored_unknown(graph({"lifecycle": [{"ignore_changes": ignored}]}, {})) is None


FEW = "1 of at least 2 aws_thing comply"
MISSING = f"{FEW}; others may be missing, or in another account"
HOUSE = """
stack = "pay-{environment}"
account = "pay-account-{environment}"
environments = ["qa"]
entry_points = []
[naming]
pattern = "pay-{resource}-{environment}"
[addressing]
vpc = "10.0.0.0/16"
[tags]
required = ["Name"]
"""


def found(policy, given):
    return [
        (f.resource, f.verdict, f.messages, f.stage, f.document) for f in evaluate([policy], given)
    ]


@pytest.mark.parametrize(
    ("things", "syntax", "verdict", "message"),
    [
        ([{"good": True}, {"good": True}], STACK, None, ""),
        (
            [{"good": True}, {"good": False}],
            STACK,
            Verdict.FAIL,
            "1 of at least 2 aws_thing comply",
        ),
        ([{"good": True}, {"good": True, "count": "${var.n}"}], STACK, Verdict.UNKNOWN, MISSING),
        (
            [{"good": True}, {"good": True, "provider": "aws.other"}],
            STACK,
            Verdict.UNKNOWN,
            MISSING,
        ),
        ([{"good": True}, {"good": True, "account_id": "1"}], STACK, Verdict.UNKNOWN, MISSING),
        ([{"good": True}, {"good": True, "account_id": "1"}], PLAIN, None, ""),
        ([{"good": False}, {"good": False, "provider": "aws.other"}], STACK, Verdict.FAIL, None),
    ],
)
def test_what_must_exist_counts_where_it_is_sure_to_be_there(
    house, things, syntax, verdict, message
):
    given = graph(*things, house=house, document="cdk.tf.json", stage=Stage.PLANNED)
    given = replace(given, resources=tuple(replace(r, syntax=syntax) for r in given.resources))
    told = found(replace(GOOD, at_least=2), given)[len(things) :]
    message = message if message is not None else "0 of at least 2 aws_thing comply"
    expected = [("stack/aws_thing", verdict, (message,), Stage.PLANNED, "cdk.tf.json")]

    assert (expected if verdict else []) == told


def test_what_a_plan_says_of_another_provider_stands_in_its_configuration(house):
    given = graph({"good": True}, house=house)
    [thing] = given.resources
    elsewhere = replace(thing, syntax=PLAIN, expressions={"account_id": {"constant_value": "1"}})
    told = verdicts(replace(GOOD, at_least=1), given.having(elsewhere))

    assert [Verdict.PASS, Verdict.UNKNOWN] == told


@pytest.mark.parametrize(
    ("stack", "account_wide", "number"),
    [("pay-qa", False, 2), ("pay-qa", True, 1), ("pay-account-qa", True, 2)],
)
def test_what_an_account_has_once_is_asked_of_its_own_stack(stack, account_wide, number):
    house = parse_house(HOUSE, "house.toml")
    given = replace(graph({"good": False}, house=house), stack=stack)

    assert number == len(verdicts(replace(GOOD, at_least=1, account_wide=account_wide), given))


def test_what_must_exist_of_several_types_names_them(house):
    policy = replace(GOOD, applies_to=("aws_thing", "aws_other"), at_least=1)
    [(resource, _, messages, _, _)] = found(policy, graph(house=house))

    assert ("stack/aws_thing", ("0 of at least 1 aws_thing or aws_other comply",)) == (
        resource,
        messages,
    )


def test_a_stack_without_a_name_is_named_by_nothing(house):
    [(resource, *_)] = found(replace(GOOD, at_least=1), replace(graph(house=house), stack=""))

    assert "aws_thing" == resource


def is_unheard_of(thing, graph):
    if thing.get("name") == "crash":
        raise RuntimeError("the selector")
    return "with a reason" if thing.get("name") == "why" else thing.get("name") == "bad"


@pytest.mark.parametrize(
    ("values", "verdict", "message"),
    [
        ({"name": "bad"}, Verdict.FAIL, "aws_thing aws_thing.0: there must be none"),
        ({"name": "why"}, Verdict.FAIL, "aws_thing aws_thing.0: there must be none with a reason"),
        ({"name": Unknown("${x}")}, Verdict.UNKNOWN, "name is not known: ${x}"),
        ({"name": "crash"}, Verdict.ERROR, "RuntimeError: the selector"),
    ],
)
def test_a_census_says_what_it_found(values, verdict, message):
    policy = Policy(prohibits=is_unheard_of, id="things.none", title="None.", why="None.")
    [(resource, told, messages, _, _)] = found(policy, graph(values))

    assert ("stack/aws_thing.0", verdict, (message,)) == (resource, told, messages)


@pytest.mark.parametrize("verdict", [Verdict.FAIL, Verdict.UNKNOWN])
def test_a_census_means_what_its_policy_says(verdict):
    policy = Policy(prohibits=("aws_thing",), verdict_if_found=verdict, id="t.none", found="gone")
    [(_, told, messages, _, _)] = found(policy, graph({}))

    assert (verdict, ("aws_thing aws_thing.0: gone",)) == (told, messages)


def test_why_it_is_not_known_is_said():
    when = replace(GOOD, when=lambda thing: thing.get("kind") == "a")
    [(_, verdict, messages, _, _)] = found(when, graph({"kind": Unknown("${k}"), "good": True}))

    assert (Verdict.UNKNOWN, ("kind is not known: ${k}",)) == (verdict, messages)


def has_a_neighbour(block, graph):
    """Blocks have a neighbour."""
    if not graph.of_type("aws_neighbour"):
        yield Violation("has none", block)


def test_a_check_of_a_block_sees_the_whole_graph():
    policy = replace(GOOD, checks=Each("rules", has_a_neighbour))
    given = graph({"rules": [{}]})
    neighbour = Resource("aws_neighbour.a", "aws_neighbour", {})

    assert [Verdict.FAIL] == verdicts(policy, given)
    assert [Verdict.PASS] == verdicts(
        policy, replace(given, resources=(*given.resources, neighbour))
    )


def test_a_finding_that_can_be_waived_has_the_fingerprint_of_its_resource():
    bad, good = evaluate([GOOD], graph({"good": False}, {"good": True}))
    [other] = evaluate([GOOD], graph({"good": False, "size": 1}))

    assert good.fingerprint == NOTHING
    assert 3 == len({NOTHING, bad.fingerprint, other.fingerprint})

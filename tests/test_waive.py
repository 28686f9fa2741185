"""Waivers: what they do, and every way in which they must not be used."""

import re
from datetime import date, timedelta

import msgspec
import pytest

from policies.engine.graph import Resource, Stage
from policies.engine.model import TEXTS, Finding, Kind, Verdict, Waiver
from policies.engine.observed import NOTHING, fingerprint
from policies.engine.values import Unknown
from policies.engine.waive import WaiverError, parse_waivers, waive

TODAY = date(2030, 1, 1)
FINGERPRINT = NOTHING
WAIVER = Waiver(
    policy="keys.rotation",
    resources={"stack/aws_kms_key.a": FINGERPRINT},
    accepts=("enable_key_rotation is not true",),
    constraints="c",
    definition="d",
    objective="o",
    risk="r",
    validation="v",
    maintenance="m",
    owner="platform lead",
    approved_by="security officer",
    approved_on=date(2029, 6, 1),
    expires_on=date(2030, 1, 1),
)
YAML = """\
- policy: keys.rotation
  resources: {stack/aws_kms_key.a: "4f53cda18c2baa0c"}
  accepts: [enable_key_rotation is not true]
  constraints: c
  definition: d
  objective: o
  risk: r
  validation: v
  maintenance: m
  owner: platform lead
  approved_by: security officer
  approved_on: 2029-06-01
  expires_on: 2030-01-01
"""


EXPIRED = ("waivers.expired", "stack/aws_kms_key.a", Verdict.FAIL)


def finding(
    verdict=Verdict.FAIL,
    resource="stack/aws_kms_key.a",
    messages=("enable_key_rotation is not true",),
):
    return Finding(
        policy="keys.rotation",
        resource=resource,
        stage=Stage.DESIGN,
        verdict=verdict,
        messages=messages,
    )


def waived(*findings, waiver=WAIVER, today=TODAY, stacks=("stack",), skipped=()):
    return list(waive(findings, [waiver], today, stacks=frozenset(stacks), skipped=skipped))


def refused(text):
    with pytest.raises(WaiverError) as refusal:
        parse_waivers(text, "waivers.yaml")
    message = str(refusal.value)

    assert message.startswith("waivers.yaml: ")
    assert "\n" not in message
    return message


def test_a_waiver_covers_what_it_accepts_and_nothing_that_came_later():
    """What could not be told then, or was half as bad, is no licence for what is found now."""
    new = "rotation_period_in_days is longer than a year"
    found, idle = waived(finding(messages=("enable_key_rotation is not true", new)))

    assert found.blocks
    assert ("waivers.unmatched", True) == (idle.policy, idle.blocks)
    assert (f"the waiver of keys.rotation does not accept: {new}",) == idle.messages


@pytest.mark.parametrize("verdict", [Verdict.FAIL, Verdict.UNKNOWN])
def test_a_waiver_annotates_and_never_changes_the_verdict(verdict):
    [found] = waived(finding(verdict))

    assert verdict is found.verdict
    assert WAIVER is found.waiver
    assert not found.blocks


def test_a_waiver_counts_from_its_approval_on():
    found, early = waived(finding(), today=date(2029, 5, 31))

    assert found.blocks
    assert (EXPIRED, early.messages) == (
        (early.policy, early.resource, early.verdict),
        ("the waiver of keys.rotation is approved on 2029-06-01 only",),
    )
    assert [False] == [each.blocks for each in waived(finding(), today=date(2029, 6, 1))]


def test_an_error_cannot_be_waived():
    found, unmatched = waived(finding(Verdict.ERROR))

    assert found.blocks
    assert "waivers.unmatched" == unmatched.policy


def test_a_waiver_counts_on_its_last_day_and_not_after_it():
    found, expired = waived(finding(), today=TODAY + timedelta(days=1))

    assert [False] == [each.blocks for each in waived(finding())]
    assert found.blocks
    assert (EXPIRED, expired.messages) == (
        (expired.policy, expired.resource, expired.verdict),
        ("the waiver of keys.rotation expired on 2030-01-01",),
    )


def test_an_expired_waiver_blocks_also_where_it_is_no_longer_needed():
    [found, expired] = waived(finding(Verdict.PASS), today=date(2031, 1, 1))

    assert not found.blocks
    assert expired.blocks


@pytest.mark.parametrize(
    "findings",
    [(), (finding(Verdict.PASS),), (finding(resource="stack/aws_kms_key.renamed"),)],
    ids=["gone", "mended", "renamed"],
)
def test_a_waiver_that_waives_nothing_blocks(findings):
    *_, unmatched = waived(*findings)

    assert ("waivers.unmatched", "stack/aws_kms_key.a") == (unmatched.policy, unmatched.resource)
    assert ("the waiver of keys.rotation matches nothing to waive",) == unmatched.messages
    assert unmatched.blocks


def test_a_waiver_of_an_unknown_policy_blocks():
    [unmatched] = waived(waiver=msgspec.structs.replace(WAIVER, policy="keys.rotaton"))

    assert unmatched.blocks


def test_nothing_is_said_of_what_this_run_did_not_judge():
    assert [] == waived(stacks=("another",))
    assert [] == waived(skipped=("keys.rotation",))
    assert [] == waived(
        waiver=msgspec.structs.replace(WAIVER, policy="checkov.X"), skipped=("checkov.",)
    )


def test_findings_behind_a_waived_one_are_kept():
    found = waived(finding(), finding(resource="stack/aws_kms_key.b"))

    assert [False, True] == [each.blocks for each in found]


def test_a_waiver_of_a_stack_is_looked_for_by_the_name_of_the_stack():
    module = 'stack/module.a.aws_kms_key.b["x/y"]'
    waiver = msgspec.structs.replace(WAIVER, resources={module: FINGERPRINT})

    assert ["waivers.unmatched"] == [each.policy for each in waived(waiver=waiver)]


def test_a_waiver_of_one_resource_waives_no_other():
    [found, _] = waived(finding(resource="stack/aws_kms_key.b"))

    assert found.blocks


def test_a_file_is_read():
    assert (WAIVER,) == parse_waivers(YAML, "waivers.yaml")


ADDRESS = f'{{stack/aws_kms_key.a: "{FINGERPRINT}"}}'


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (("stack/aws_kms_key.a", "stack/*"), r"'stack/\*' is no exact address"),
        (("stack/aws_kms_key.a", "'stack/aws_kms_key.?'"), "no exact address"),
        (("stack/aws_kms_key.a", "stack/aws_kms_key. a"), "no exact address"),
        (("stack/aws_kms_key.a", "stack/aws_kms_kеy.a"), "no exact address"),  # noqa: RUF001 - Cyrillic
        (
            ("stack/aws_kms_key.a", "aws_kms_key.a"),
            "write financial-dev/aws_kms_key.a, for",
        ),
        (("keys.rotation", "keys.*"), "no exact address"),
        ((ADDRESS, "{}"), "resources is empty; name each address"),
        ((ADDRESS, "[stack/aws_kms_key.a]"), "Expected `object`"),
        ((FINGERPRINT, "0123"), "stack/aws_kms_key.a has no fingerprint; pci-gate waive prints it"),
        ((ADDRESS, ADDRESS.replace("}", ", stack/aws_kms_key.a: x}")), "stands twice"),
        (("security officer", "Platform Lead"), "owner and approved_by are the same; another"),
        (("security officer", "''"), "approved_by is empty"),
        (("owner: platform lead", "owner: '-'"), "owner is empty"),
        (("  approved_by: security officer\n", ""), "missing required field `approved_by`"),
        (("risk: r", "risk: ' '"), "risk is empty"),
        (("2030-01-01", "2030-06-03"), "longer than 366 days; approve it again each year"),
        (("2030-01-01", "2029-05-31"), "expires_on is before approved_on"),
        (("2030-01-01", "never"), "RFC3339"),
        (("2030-01-01", "2030-02-30"), "day is out of range"),
        (("security officer", "platform  LEAD."), "another role approves"),
        (("constraints: c", 'constraints: "\u200b"'), "constraints is empty"),
        (
            ("accepts: [enable_key_rotation is not true]", "accepts: []"),
            "accepts is empty; say",
        ),
        (("risk: r", "risk: r\n  severity: low"), "unknown field `severity`"),
        (("risk: r", "risk: r\n  risk: s"), "key 'risk' stands twice .*line 1, column 3"),
        (
            ("constraints: c", "constraints: &c c"),
            "anchors and aliases are refused: .*line 4",
        ),
        (("constraints: c", "constraints: *c"), "anchors and aliases are refused"),
        (("- policy", "policy"), "mapping values are not allowed|Expected `array`|did not find"),
        (("constraints: c", "reference: elsewhere"), "constraints is empty"),
        (("risk: r", "risk: r\n  reference: e"), "reference is no part of a compensating control"),
        (("risk: r", "risk: r\n  kind: a favour"), "Invalid enum value 'a favour'"),
    ],
)
def test_a_waiver_that_is_not_sound_is_refused(change, reason):
    changed = YAML.replace(*change)

    assert changed != YAML
    assert re.search(f"(^|[: ]){reason}", refused(changed))


@pytest.mark.parametrize(
    ("approved", "expires"), [("2029-06-01", "2030-06-02"), ("2030-01-01", "2030-01-01")]
)
def test_a_waiver_counts_for_a_year_at_most_and_a_day_at_least(approved, expires):
    text = YAML.replace("2030-01-01", expires).replace("2029-06-01", approved)
    [waiver] = parse_waivers(text, "waivers.yaml")

    assert (approved, expires) == (str(waiver.approved_on), str(waiver.expires_on))


def test_an_address_may_have_letters_of_any_kind():
    [waiver] = parse_waivers(YAML.replace("aws_kms_key.a", "aws_kms_key.XYZ-9_a"), "waivers.yaml")

    assert ["stack/aws_kms_key.XYZ-9_a"] == list(waiver.resources)


def test_a_waiver_of_a_stack_names_the_stack():
    text = YAML.replace("keys.rotation", "house.environments").replace("stack/aws_kms_key.a", "dev")
    [waiver] = parse_waivers(text, "waivers.yaml")

    assert {"dev": FINGERPRINT} == waiver.resources


@pytest.mark.parametrize("kind", list(Kind))
def test_a_waiver_says_what_its_kind_has_to_say(kind):
    head, tail = YAML.partition("  constraints")[0], "  owner" + YAML.partition("  owner")[2]
    texts = "".join(f"  {name}: because\n" for name in TEXTS[kind])
    [waiver] = parse_waivers(f"{head}  kind: {kind}\n{texts}{tail}", "waivers.yaml")

    assert kind is waiver.kind
    for name in TEXTS[kind]:
        without = texts.replace(f"  {name}: because\n", "")
        assert f"{name} is empty" in refused(f"{head}  kind: {kind}\n{without}{tail}")


def seen(stage=Stage.DESIGN, **values):
    digest = fingerprint([Resource("aws_kms_key.a", "aws_kms_key", values)])
    return msgspec.structs.replace(finding(), fingerprint=digest, stage=stage)


def approved(found):
    return msgspec.structs.replace(WAIVER, resources={found.resource: found.fingerprint})


def test_a_waiver_does_not_cover_values_that_changed_since_it_was_approved():
    found, changed = waived(seen(days=7), waiver=approved(seen(days=90)))

    assert found.blocks
    assert ("waivers.unmatched", Verdict.FAIL, Stage.DESIGN, "stack/aws_kms_key.a") == (
        changed.policy,
        changed.verdict,
        changed.stage,
        changed.resource,
    )
    reason = f"approved for other values; their fingerprint is {seen(days=7).fingerprint} now"
    assert (f"the waiver of keys.rotation was {reason}",) == changed.messages


def test_a_fingerprint_is_of_what_is_said_and_not_of_how():
    first = seen(days=90, rule=[{"a": 1, "b": Unknown("${x}")}]).fingerprint

    assert first == seen(rule=[{"b": Unknown("${x}"), "a": 1, "c": None}], days=90).fingerprint
    assert first == seen(days=90, rule=[{"a": 1, "b": "${x}"}], **{"//": "comment"}).fingerprint
    for other in ({"days": 91}, {"days": "90"}, {"rule": [{"a": 1}]}, {"more": 1}):
        values = {"days": 90, "rule": [{"a": 1, "b": "${x}"}], **other}
        assert first != seen(**values).fingerprint
    assert re.fullmatch("[0-9a-f]{16}", first)


def test_a_waiver_of_what_is_written_covers_it_at_every_stage():
    """A plan knows more of the same thing, and a state its ids: the stack tells what changed."""
    design, planned = seen(days="${var.x}"), seen(days=9, stage=Stage.PLANNED)

    assert [False, False] == [
        each.blocks for each in waived(planned, design, waiver=approved(design))
    ]
    assert {True} == {each.blocks for each in waived(planned, waiver=approved(design))}


def test_two_waivers_of_one_resource_are_refused():
    assert "stands twice" in refused(YAML + YAML)


@pytest.mark.parametrize("text", ["", "{}", "hello", "[1]", "!!python/object:os.system {}", "\t"])
def test_what_is_no_list_of_waivers_is_refused(text):
    refused(text)

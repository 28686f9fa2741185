"""Waivers: what they do, and every way in which they must not be used."""

import re
from datetime import date, timedelta

import msgspec
import pytest

from policies.engine.graph import Stage
from policies.engine.model import Finding, Verdict, Waiver
from policies.engine.waive import WaiverError, parse_waivers, waive

TODAY = date(2030, 1, 1)
WAIVER = Waiver(
    policy="keys.rotation",
    resources=("stack/aws_kms_key.a",),
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
  resources: [stack/aws_kms_key.a]
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
    assert ("waivers.expired", True) == (early.policy, early.blocks)


def test_an_error_cannot_be_waived():
    found, unmatched = waived(finding(Verdict.ERROR))

    assert found.blocks
    assert "waivers.unmatched" == unmatched.policy


def test_a_waiver_counts_on_its_last_day_and_not_after_it():
    found, expired = waived(finding(), today=TODAY + timedelta(days=1))

    assert [False] == [each.blocks for each in waived(finding())]
    assert found.blocks
    assert ("waivers.expired", True) == (expired.policy, expired.blocks)


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

    assert ("waivers.unmatched", True) == (unmatched.policy, unmatched.blocks)


def test_a_waiver_of_an_unknown_policy_blocks():
    [unmatched] = waived(waiver=msgspec.structs.replace(WAIVER, policy="keys.rotaton"))

    assert unmatched.blocks


def test_nothing_is_said_of_what_this_run_did_not_judge():
    assert [] == waived(stacks=("another",))
    assert [] == waived(skipped=("keys.rotation",))
    assert [] == waived(
        waiver=msgspec.structs.replace(WAIVER, policy="checkov.X"), skipped=("checkov.",)
    )


def test_a_waiver_of_one_resource_waives_no_other():
    [found, _] = waived(finding(resource="stack/aws_kms_key.b"))

    assert found.blocks


def test_a_file_is_read():
    assert (WAIVER,) == parse_waivers(YAML, "waivers.yaml")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (("stack/aws_kms_key.a", "stack/*"), "no exact address"),
        (("stack/aws_kms_key.a", "'stack/aws_kms_key.?'"), "no exact address"),
        (("stack/aws_kms_key.a", "stack/aws_kms_kеy.a"), "no exact address"),  # noqa: RUF001 - Cyrillic
        (("[stack/aws_kms_key.a]", "[]"), "resources is empty"),
        (("[stack/aws_kms_key.a]", "[stack/a.a, stack/a.a]"), "stack/a.a stands twice"),
        (("security officer", "Platform Lead"), "another role approves"),
        (("security officer", "''"), "approved_by is empty"),
        (("  approved_by: security officer\n", ""), "missing required field `approved_by`"),
        (("risk: r", "risk: ' '"), "risk is empty"),
        (("2030-01-01", "2031-01-01"), "longer than 366 days"),
        (("2030-01-01", "2029-01-01"), "before approved_on"),
        (("2030-01-01", "never"), "RFC3339"),
        (("2030-01-01", "2030-02-30"), "day is out of range"),
        (("security officer", "platform  LEAD."), "another role approves"),
        (("constraints: c", 'constraints: "\u200b"'), "constraints is empty"),
        (("accepts: [enable_key_rotation is not true]", "accepts: []"), "accepts is empty"),
        (("risk: r", "risk: r\n  severity: low"), "unknown field `severity`"),
        (("risk: r", "risk: r\n  risk: s"), "key 'risk' stands twice"),
        (("constraints: c", "constraints: &c c"), "anchors and aliases are refused"),
        (("- policy", "policy"), "mapping values are not allowed|Expected `array`|did not find"),
    ],
)
def test_a_waiver_that_is_not_sound_is_refused(change, reason):

    assert re.search(reason, refused(YAML.replace(*change)))


def test_two_waivers_of_one_resource_are_refused():
    assert "stands twice" in refused(YAML + YAML)


@pytest.mark.parametrize("text", ["", "{}", "hello", "[1]", "!!python/object:os.system {}", "\t"])
def test_what_is_no_list_of_waivers_is_refused(text):
    refused(text)

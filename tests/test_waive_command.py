"""``pci-gate waive``: a draft that counts only once people have filled it in."""

import json

import pytest
import yaml
from click.testing import CliRunner

from policies.engine.waive import WaiverError, parse_waivers
from scripts.__main__ import cli
from tests.test_check import check

KEY = {"resource": {"aws_kms_key": {"a": {"enable_key_rotation": False}}}}
ADDRESS = "stack/aws_kms_key.a"


@pytest.fixture
def stack(tmp_path):
    path = tmp_path / "stack" / "cdk.tf.json"
    path.parent.mkdir()
    path.write_text(json.dumps(KEY))
    return path


def waive(*arguments):
    return CliRunner().invoke(cli, ["waive", *map(str, arguments)])


def filled_in(draft):
    [waiver] = yaml.safe_load(draft)
    texts = {key: "because" for key, value in waiver.items() if value == ""}
    roles = {"owner": "platform lead", "approved_by": "security officer"}
    return yaml.safe_dump([{**waiver, **texts, **roles}])


def test_a_draft_is_refused_until_it_is_filled_in_and_then_waives(stack, tmp_path):
    run = waive("keys.rotation", ADDRESS, stack)
    waivers = tmp_path / "waivers.yaml"

    assert 0 == run.exit_code
    with pytest.raises(WaiverError, match="is empty"):
        parse_waivers(run.stdout, "draft")

    waivers.write_text(filled_in(run.stdout))
    told = check(stack, "--waivers", waivers).stdout

    assert "keys.rotation" not in told.partition("waivers;")[0]
    assert "(1 waived)" in told


def test_what_was_drafted_for_other_values_waives_nothing(stack, tmp_path):
    waivers = tmp_path / "waivers.yaml"
    waivers.write_text(filled_in(waive("keys.rotation", ADDRESS, stack).stdout))
    other = {"resource": {"aws_kms_key": {"a": {"enable_key_rotation": "${var.rotates}"}}}}
    stack.write_text(json.dumps(other))
    run = check(stack, "--waivers", waivers)

    assert 1 == run.exit_code
    assert "UNKNOWN  keys.rotation" in run.stdout
    assert "waivers.unmatched" in run.stdout


@pytest.mark.parametrize(
    ("policy", "resource", "reason"),
    [
        ("keys.rotation", "stack/aws_kms_key.b", "no such finding; nothing to waive"),
        ("keys.rotaton", ADDRESS, "no such finding; nothing to waive"),
        ("secrets.anywhere", "stack/secrets.anywhere", "pass; nothing to waive"),
    ],
)
def test_what_is_not_wrong_is_not_waived(stack, policy, resource, reason):
    run = waive(policy, resource, stack)

    assert (2, f"pci-gate: {policy} on {resource}: {reason}\n") == (run.exit_code, run.stderr)

"""What is no honest document: never passed, never hung on, never repeated aloud."""

import json
import os
import time

import pytest

from policies.engine import strict_json
from policies.engine.graph import Resource
from policies.engine.values import UnknownValue
from scripts import judge
from tests.test_check import check, results

BAD_GROUP = {
    "aws_vpc_security_group_ingress_rule": {
        "open": {
            "cidr_ipv4": "0.0.0.0/0",
            "ip_protocol": "tcp",
            "from_port": 22,
            "to_port": 22,
            "security_group_id": "sg-1",
        }
    }
}


def write(folder, content, name="cdk.tf.json"):
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_one_bad_file_among_good_ones_hides_none_of_them(tmp_path):
    write(tmp_path / "good", {"resource": BAD_GROUP})
    write(tmp_path / "torn", '{"resource": ')
    output = tmp_path / "results.json"
    run = check(tmp_path, "--output", output)
    report = json.loads(output.read_text())

    assert 2 == run.exit_code
    assert [str(tmp_path / "good" / "cdk.tf.json")] == [d["path"] for d in report["documents"]]
    assert any("good/" in f["resource"] and f["verdict"] == "fail" for f in report["findings"])
    assert [f"{tmp_path}/torn/cdk.tf.json"] == [r.partition(": ")[0] for r in report["refusals"]]
    assert f"pci-gate: {report['refusals'][0]}\n" == run.stderr
    assert f"  refused   {report['refusals'][0]}\n" in run.stdout


def test_every_bad_file_is_told(tmp_path):
    write(tmp_path / "torn", '{"resource": ')
    write(tmp_path / "null", "null")
    run = check(tmp_path)

    assert 2 == run.exit_code
    assert "" == run.stdout
    assert ["null", "torn"] == [line.split("/")[-2] for line in run.stderr.splitlines()]


@pytest.mark.parametrize(
    "make",
    [
        os.mkfifo,
        lambda path: path.symlink_to("/dev/zero"),
        lambda path: path.symlink_to(path),
        lambda path: path.symlink_to("nowhere"),
        lambda path: path.mkdir(),
    ],
    ids=["pipe", "device", "loop", "dangling", "folder"],
)
def test_what_is_no_regular_file_is_refused(tmp_path, make):
    make(tmp_path / "cdk.tf.json")
    run = check(tmp_path)

    assert 2 == run.exit_code
    assert 1 == len(run.stderr.splitlines())


def test_a_pipe_that_nobody_writes_to_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "plan.json")
    run = check(tmp_path / "plan.json")

    assert (2, f"pci-gate: {tmp_path}/plan.json: not a regular file\n") == (
        run.exit_code,
        run.stderr,
    )


@pytest.mark.parametrize(
    ("limit", "value", "text", "reason"),
    [
        ("DEEPEST", 3, '{"a": {"b": {"c": {}}}}', "nested more than 3 levels deep"),
        ("MOST_VALUES", 3, '{"a": [1, 2, 3]}', "more than 3 values"),
        ("LONGEST_TEXT", 3, '{"a": "four"}', "a text of more than 3 characters"),
    ],
)
def test_what_is_too_much_is_refused(monkeypatch, limit, value, text, reason):
    strict_json.decode(text)
    monkeypatch.setattr(strict_json, limit, value)

    with pytest.raises(strict_json.TooMuch, match=reason):
        strict_json.decode(text)


def test_a_policy_that_is_nested_too_deeply_is_unknown():
    deep = "[" * (strict_json.DEEPEST + 1) + "]" * (strict_json.DEEPEST + 1)
    role = Resource("aws_iam_role.a", "aws_iam_role", {"assume_role_policy": deep})

    with pytest.raises(UnknownValue, match="nested more than 100 levels deep"):
        role.get("assume_role_policy")


def test_what_takes_too_long_is_refused(tmp_path, monkeypatch):
    """A policy catches whatever is raised in it, but not that the time is over."""
    path = write(tmp_path / "stack", {"resource": BAD_GROUP})

    def slowly(*_arguments, **_options):
        try:
            time.sleep(30)
        except Exception as error:  # noqa: BLE001 - as the engine does
            return [error]

    monkeypatch.setattr(judge, "LONGEST_SECONDS", 1)
    monkeypatch.setattr(judge, "_first_opinion", slowly)
    run = check(path)

    assert 2 == run.exit_code
    assert "pci-gate: not judged within 1 seconds; judge its stacks one by one\n" == run.stderr


@pytest.mark.parametrize("name", [".checkov.yaml", ".trivyignore", "nested/.checkov.baseline"])
def test_a_file_that_silences_other_scanners_is_reported_and_obeyed_by_nobody(tmp_path, name):
    write(tmp_path, {"resource": BAD_GROUP})
    _, before = results(tmp_path)
    write((tmp_path / name).parent, "skip-check: [CKV_AWS_24]", (tmp_path / name).name)
    code, report = results(tmp_path)
    remark = f"{tmp_path}/{name}: tells another scanner to look away; it counts for nothing here."

    assert 1 == code
    assert before["findings"] == report["findings"]
    assert remark in report["remarks"]


@pytest.mark.parametrize("comment", ["checkov:skip=CKV_AWS_24:ours", "tfsec:ignore:aws-vpc"])
def test_a_comment_that_silences_other_scanners_is_reported(tmp_path, comment):
    group = {"open": {"//": comment, **BAD_GROUP["aws_vpc_security_group_ingress_rule"]["open"]}}
    write(tmp_path, {"resource": {"aws_vpc_security_group_ingress_rule": group}})
    code, report = results(tmp_path)
    mark = comment.partition("=")[0].removesuffix(":aws-vpc")

    assert 1 == code
    assert any(f"({mark}): tells another scanner" in remark for remark in report["remarks"])


SECRET = "correct-horse-battery"
PLAN = {
    "format_version": "1.2",
    "terraform_version": "1.11.4",
    "planned_values": {"root_module": {}},
    "configuration": {"root_module": {}},
}


@pytest.mark.parametrize(
    ("values", "marks"),
    [
        ({"retention_in_days": SECRET}, {"retention_in_days": True}),
        ({"retention_in_days": SECRET, "password": SECRET}, {}),
        ({"retention_in_days": SECRET, "tags": {"a": SECRET}}, {"tags": {"a": True}}),
    ],
    ids=["marked", "named", "inside"],
)
def test_what_is_secret_stands_in_no_report(tmp_path, values, marks):
    change = {
        "address": "aws_cloudwatch_log_group.a",
        "mode": "managed",
        "type": "aws_cloudwatch_log_group",
        "change": {
            "actions": ["create"],
            "before": None,
            "after": values,
            "after_sensitive": marks,
        },
    }
    told = {**change, "values": values}
    planned = {"planned_values": {"root_module": {"resources": [told]}}}
    path = write(tmp_path, {**PLAN, **planned, "resource_changes": [change]}, "plan.json")
    outputs = [tmp_path / name for name in ("r.json", "r.txt")]
    run = check(path, *(argument for output in outputs for argument in ("--output", output)))
    everything = [run.stdout, run.stderr, *(output.read_text() for output in outputs)]

    assert 1 == run.exit_code
    assert not [text for text in everything if SECRET in text]
    assert "(secret)" in run.stdout


def test_what_is_no_secret_is_told(tmp_path):
    """The control of the test above: the value would be seen, were it not secret."""
    log_group = {"aws_cloudwatch_log_group": {"a": {"retention_in_days": SECRET}}}
    run = check(write(tmp_path, {"resource": log_group}))

    assert SECRET in run.stdout

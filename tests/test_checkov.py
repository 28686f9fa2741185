"""Checkov as a second opinion: its silence is never a pass."""

import json
import shutil

import pytest
from click.testing import CliRunner

from policies.engine import checkov
from policies.engine.model import Verdict
from policies.engine.read import read
from scripts.__main__ import cli

needs_checkov = pytest.mark.skipif(
    shutil.which("checkov") is None, reason="there is no checkov on PATH; tox brings it"
)

STACK = {
    "//": {"metadata": {"stackName": "stack"}},
    "terraform": {"required_version": ">= 1.11"},
    "resource": {
        "aws_sns_topic": {"same": {"name": "a", "kms_master_key_id": None}},
        "aws_sqs_queue": {"same": {"//": {"comment": "checkov:skip=CKV_AWS_27:no"}, "name": "b"}},
    },
}


@pytest.fixture
def reading(tmp_path):
    path = tmp_path / "cdk.tf.json"
    path.write_text(json.dumps(STACK))
    [reading] = read([path])
    return reading


def check(id, line, resource="resource.same"):
    return {
        "check_id": id,
        "check_name": f"Ensure {id}",
        "resource": resource,
        "file_line_range": [line, line + 2],
    }


def report(passed=(), failed=(), skipped=(), errors=()):
    return {
        "results": {
            "passed_checks": list(passed),
            "failed_checks": list(failed),
            "skipped_checks": list(skipped),
            "parsing_errors": list(errors),
        }
    }


def seen(copy):
    return [check(checkov.PROBE, line) for line in copy.addresses]


def judge(reading, results, complaints=""):
    found = list(checkov.findings(reading, checkov.copy(reading), results, complaints))
    *findings, coverage = found
    return findings, coverage


def test_it_is_given_neither_nulls_nor_comments(reading):
    copy = checkov.copy(reading)

    assert "null" not in copy.text
    assert "skip" not in copy.text
    assert "required_version" not in copy.text


def test_each_resource_is_known_by_its_line(reading):
    copy = checkov.copy(reading)
    lines = copy.text.splitlines()

    assert {"aws_sns_topic.same", "aws_sqs_queue.same"} == set(copy.addresses.values())
    for number in copy.addresses:
        assert '   "same": {' == lines[number - 1]


def test_its_findings_are_mapped_to_addresses(reading):
    copy = checkov.copy(reading)
    queue = next(n for n, address in copy.addresses.items() if address == "aws_sqs_queue.same")
    findings, coverage = judge(reading, report([*seen(copy)], [check("CKV_AWS_27", queue)]))

    assert [("checkov.CKV_AWS_27", "stack/aws_sqs_queue.same", Verdict.FAIL)] == [
        (finding.policy, finding.resource, finding.verdict) for finding in findings
    ]
    assert Verdict.PASS is coverage.verdict
    assert reading.document.path == coverage.document


@pytest.mark.parametrize(
    ("results", "complaints", "reason"),
    [
        (lambda s: report(s[:1]), "", "it did not look at aws_sqs_queue.same"),
        (lambda _: [], "", "it did not look at aws_sns_topic.same"),
        (lambda _: {"passed": 0, "failed": 0}, "", "it did not look at aws_sns_topic.same"),
        (lambda s: report(s, errors=["cdk.tf.json"]), "", "it could not parse cdk.tf.json"),
        (lambda s: report(s, skipped=[check("CKV_AWS_26", 1)]), "", "it skipped CKV_AWS_26"),
        (lambda s: report(s, [check("CKV_AWS_26", 999)]), "", "which is not in the stack"),
        (lambda _: None, "", "its report has another form"),
        (lambda _: [1], "", "its report has another form"),
        (lambda _: {"results": {}}, "", "its report has another form"),
        (report, "", "it ran no check of its own"),
        (report, "Traceback: KeyError", "it complains: Traceback: KeyError"),
    ],
    ids=[
        "unseen",
        "nothing",
        "summary",
        "unparsed",
        "skipped",
        "foreign",
        "null",
        "number",
        "empty",
        "probe only",
        "crash",
    ],
)
def test_anything_but_a_whole_answer_is_an_error(reading, results, complaints, reason):
    answer = results(seen(checkov.copy(reading)))
    _, coverage = judge(reading, answer, complaints)

    assert Verdict.ERROR is coverage.verdict
    assert coverage.blocks
    assert reason in " ".join(coverage.messages)


def test_without_checkov_nothing_is_pretended(reading, monkeypatch):
    monkeypatch.setenv("PATH", "")
    run = CliRunner().invoke(cli, ["check", reading.document.path, "--checkov"])

    assert 2 == run.exit_code
    assert "there is no checkov on PATH" in run.stderr
    assert "" == run.stdout


def run(path):
    answer = CliRunner().invoke(cli, ["check", str(path), "--checkov", "--format", "json"])
    findings = json.loads(answer.stdout)["findings"]
    return {(f["policy"], f["resource"]): f for f in findings if f["policy"].startswith("checkov.")}


@needs_checkov
def test_the_real_one_finds_what_is_wrong_and_says_what_it_saw(reading, monkeypatch, tmp_path):
    """Neither comments in the stack, nor files and variables around it, soften its judgement."""
    monkeypatch.setenv("CKV_SKIP_CHECK", "CKV_AWS_26")
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".checkov.yaml").write_text(
        "soft-fail: true\nskip-check: [CKV_AWS_26, CKV_AWS_27]\n"
    )
    found = run(reading.document.path)

    assert "fail" == found["checkov.CKV_AWS_26", "stack/aws_sns_topic.same"]["verdict"]
    assert "fail" == found["checkov.CKV_AWS_27", "stack/aws_sqs_queue.same"]["verdict"]
    assert "pass" == found["checkov.coverage", "stack/checkov"]["verdict"]


@needs_checkov
def test_a_rule_behind_a_null_is_found_by_the_real_one(tmp_path):
    """In what CDKTF writes, a null hides an open rule from Checkov; in its copy it does not."""
    rule = {"from_port": 22, "to_port": 22, "protocol": "tcp", "cidr_blocks": ["0.0.0.0/0"]}
    path = tmp_path / "cdk.tf.json"
    group = {"ingress": [{**rule, "prefix_list_ids": None}]}
    path.write_text(json.dumps({"resource": {"aws_security_group": {"open": group}}}))
    found = run(path)

    assert (
        "fail" == found["checkov.CKV_AWS_24", f"{tmp_path.name}/aws_security_group.open"]["verdict"]
    )


@needs_checkov
def test_a_check_that_crashes_is_an_error(tmp_path):
    path = tmp_path / "cdk.tf.json"
    group = {"ingress": [{"cidr_blocks": 7, "from_port": {"a": 1}, "to_port": []}]}
    policy = {"policy": {"Statement": [3, {"Effect": 5, "Action": {"x": 1}}]}}
    path.write_text(
        json.dumps(
            {"resource": {"aws_security_group": {"b": group}, "aws_iam_policy": {"a": policy}}}
        )
    )
    found = run(path)

    assert "error" == found["checkov.coverage", f"{tmp_path.name}/checkov"]["verdict"]

"""Credentials that somebody wrote into a template, wherever they stand."""

import json

import pytest

from policies import POLICIES
from policies.engine.evaluate import evaluate
from policies.engine.model import Verdict
from policies.engine.read import read

[ANYWHERE] = [policy for policy in POLICIES if policy.id == "secrets.anywhere"]

KEY = "AKIA" + "IOSFODNN7EXAMPLE"
CREDENTIALS = {
    "an access key": KEY,
    "a private key": "-----BEGIN RSA " + "PRIVATE KEY-----\nMIIE",
    "a token of GitHub": "ghp_" + "a1" * 20,
    "a token of GitLab": "glpat-" + "a1" * 10,
    "a token of Slack": "xoxb-" + "1234567890-abc",
    "a key of Stripe": "sk_live_" + "a1" * 12,
    "a key of Google": "AIza" + "b" * 35,
    "a password in an address": "mysql://app:" + "correct-horse@db/ledger",
}
NONE = ["AKIA", "AKIAIOSFODNN7EXAMPL", "https://example.com/a:b", "mysql://${user}:${pass}@db",
        "sk_test_" + "a1" * 12, "ghp_short"]  # fmt: skip


def document(where, text):
    beside = {
        "a tag": {"data": {"aws_vpc": {"a": {"tags": {"note": [text]}}}}},
        "a data source": {"data": {"aws_ami": {"a": {"name_regex": text}}}},
        "a key": {"data": {"aws_vpc": {"a": {"tags": {text: "note"}}}}},
        "a local value": {"locals": {"a": {"b": text}}},
        "an output": {"output": {"a": {"value": f"x {text} y"}}},
        "a variable": {"variable": {"a": {"default": text}}},
    }[where]
    return {"resource": {"aws_sns_topic": {"a": {}}}, **beside}


PLACES = ["a tag", "a data source", "a key", "a local value", "an output", "a variable"]


def verdicts(folder, text):
    (folder / "main.tf.json").write_text(text)
    [reading] = read([folder])
    return {finding.verdict for finding in evaluate([ANYWHERE], reading.graph)}


@pytest.mark.parametrize("where", PLACES)
@pytest.mark.parametrize("kind", CREDENTIALS)
def test_a_credential_is_found_wherever_it_stands(tmp_path, where, kind):
    text = json.dumps(document(where, CREDENTIALS[kind]))

    assert {Verdict.FAIL} == verdicts(tmp_path, text)


def test_an_escaped_credential_is_one(tmp_path):
    text = json.dumps(document("an output", KEY)).replace("AKIA", "\\u0041\\u004bIA")

    assert {Verdict.FAIL} == verdicts(tmp_path, text)


@pytest.mark.parametrize("where", PLACES)
@pytest.mark.parametrize("text", NONE)
def test_what_only_looks_like_one_is_none(tmp_path, where, text):
    assert {Verdict.PASS} == verdicts(tmp_path, json.dumps(document(where, text)))


NAMED = [policy for policy in POLICIES if policy.id in {"secrets.defaults", "secrets.outputs"}]


def named(folder, document):
    text = json.dumps({"resource": {"aws_sns_topic": {"a": {}}}, **document})
    (folder / "main.tf.json").write_text(text)
    [reading] = read([folder])
    [finding] = evaluate(NAMED, reading.graph)
    return finding.verdict


@pytest.mark.parametrize(
    ("name", "default", "verdict"),
    [
        ("db_password", "hunter2!", Verdict.FAIL),
        ("db_pwd", "hunter2!", Verdict.FAIL),
        ("api_token", "hunter2!", Verdict.FAIL),
        ("secrets", {"db": "hunter2!"}, Verdict.FAIL),
        ("secrets", [], Verdict.PASS),
        ("db_password", None, Verdict.PASS),
        ("password_length", 32, Verdict.PASS),
        ("enable_secret_rotation", True, Verdict.PASS),
        ("secret_name", "prod/db", Verdict.PASS),
    ],
)
def test_a_variable_that_is_a_secret_has_no_default(tmp_path, name, default, verdict):
    assert verdict is named(tmp_path, {"variable": {name: {"default": default}}})


@pytest.mark.parametrize(
    ("name", "sensitive", "verdict"),
    [
        ("db_password", False, Verdict.FAIL),
        ("db_password", True, Verdict.PASS),
        ("db_secret_arn", False, Verdict.PASS),
        ("token_endpoint", False, Verdict.PASS),
    ],
)
def test_an_output_that_is_a_secret_is_sensitive(tmp_path, name, sensitive, verdict):
    output = {"value": "x", "sensitive": sensitive}

    assert verdict is named(tmp_path, {"output": {name: output}})

"""What is judged is what is applied, with the real Terraform and no provider but its own."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import zipfile

import pytest
from click.testing import CliRunner

from scripts import deploy
from scripts.__main__ import cli
from scripts.placeholders import placeholders
from scripts.terraform import Terraform
from tests.conftest import ROOT

NEEDS_TERRAFORM = pytest.mark.skipif(
    shutil.which("terraform") is None, reason="there is no terraform on PATH"
)
HOUSE = """
stack = "pay-{environment}"
environments = ["qa"]
entry_points = []
[naming]
pattern = "pay-{resource}-{environment}"
[addressing]
vpc = "10.0.0.0/16"
[tags]
required = ["Name"]
"""
WAIVER = """
- policy: {policy}
  resources: {{{resource}: "{fingerprint}"}}
  accepts: {accepts}
  constraints: a test
  definition: a test
  objective: a test
  risk: a test
  validation: a test
  maintenance: a test
  owner: tester
  approved_by: reader of the test
  approved_on: {today}
  expires_on: {today}
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Return a folder with a house and a stack that needs no provider."""
    (tmp_path / "house.toml").write_text(HOUSE)
    stack = tmp_path / "cdktf.out" / "stacks" / "pay-qa"
    (stack / "assets").mkdir(parents=True)
    (stack / "assets" / "function.zip").write_bytes(b"reviewed")
    write(stack, {"terraform_data": {"record": {"input": "reviewed"}}})
    (tmp_path / "terraform.rc").touch()
    (tmp_path / "tmp").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TF_CLI_CONFIG_FILE", str(tmp_path / "terraform.rc"))
    monkeypatch.setenv("CHECKPOINT_DISABLE", "1")
    return tmp_path


def write(stack, resources, **others):
    document = {
        "terraform": {"backend": {"local": {"path": "terraform.tfstate"}}},
        "resource": resources,
        **others,
    }
    (stack / "cdk.tf.json").write_text(json.dumps(document))


def run(*options, environment="qa"):
    return CliRunner().invoke(cli, ["deploy", environment, "--house", "house.toml", *options])


def accept_everything(project):
    """Waive all that this small stack lacks, so that it is deployed."""
    found = CliRunner().invoke(
        cli,
        [
            "check",
            str(project / "cdktf.out" / "stacks" / "pay-qa"),
            "--house",
            "house.toml",
            "--format",
            "json",
        ],
    )
    lacking = {
        (
            finding["policy"],
            finding["resource"],
            finding["fingerprint"],
            json.dumps(finding["messages"]),
        )
        for finding in json.loads(found.stdout)["findings"]
        if finding["blocks"]
    }
    today = re.search(r"\d{4}-\d\d-\d\d", json.loads(found.stdout)["generated_at"]).group()
    text = "".join(
        WAIVER.format(
            policy=policy, resource=resource, fingerprint=digest, accepts=accepts, today=today
        )
        for policy, resource, digest, accepts in sorted(lacking)
    )
    (project / "waivers.yaml").write_text(text)
    return "--waivers", "waivers.yaml"


def state(project):
    path = project / "cdktf.out" / "stacks" / "pay-qa" / "terraform.tfstate"
    return json.loads(path.read_text())["resources"] if path.exists() else []


def kept(project):
    """Return the folder that the last run kept."""
    return max(
        (project / "build" / "deployments" / "qa").iterdir(), key=lambda p: p.stat().st_mtime
    )


def deployment(project):
    return json.loads((kept(project) / "deployment.json").read_text())


@NEEDS_TERRAFORM
def test_what_passes_is_applied_and_kept(project):
    result = run(*accept_everything(project))
    report = json.loads((kept(project) / "results.json").read_text())

    assert 0 == result.exit_code, result.output
    assert ["record"] == [resource["name"] for resource in state(project)]
    assert {"pay-qa/cdk.tf.json", "pay-qa/plan.json"} == {
        document["path"] for document in report["documents"]
    }
    for document in report["documents"]:
        assert (kept(project) / document["path"]).is_file()
    [stack] = deployment(project)["stacks"]
    assert stack["applied_at"]
    assert {"assets/function.zip", "cdk.tf.json", "pay-qa.tfplan"} <= set(stack["sha256"])
    assert 0o700 == kept(project).stat().st_mode & 0o777


@NEEDS_TERRAFORM
def test_a_run_that_is_stopped_leaves_what_an_earlier_one_kept(project):
    assert 0 == run(*accept_everything(project)).exit_code
    (project / "waivers.yaml").unlink()
    assert 1 == run().exit_code

    runs = list((project / "build" / "deployments" / "qa").iterdir())
    assert [1, 1] == [len(list(each.glob("deployment.json"))) for each in runs]


@NEEDS_TERRAFORM
def test_what_blocks_is_not_applied(project):
    result = run()

    assert 1 == result.exit_code
    assert "pci-gate: nothing was applied" in result.stderr.splitlines()
    assert [] == state(project)
    assert deployment(project)["blocking"] > 0
    assert [None] == [stack["applied_at"] for stack in deployment(project)["stacks"]]


def plan_edited(_stack, plan):
    with zipfile.ZipFile(plan, "a") as archive:
        archive.writestr("note", "edited")


def plan_swapped(stack, plan):
    write(stack, {"terraform_data": {"other": {"input": "never reviewed"}}})
    Terraform(stack, {}).run("plan", f"-out={plan}")
    write(stack, {"terraform_data": {"record": {"input": "reviewed"}}})


def stack_changed(stack, _plan):
    write(stack, {"terraform_data": {"record": {"input": "changed"}}})


def asset_swapped(stack, _plan):
    (stack / "assets" / "function.zip").write_bytes(b"never reviewed")


def file_added(stack, _plan):
    (stack / "terraform.tfvars").touch()


def data_changed(stack, _plan):
    (stack / ".terraform" / "f.zip").write_bytes(b"never reviewed")


@NEEDS_TERRAFORM
@pytest.mark.parametrize(
    ("attack", "changed"),
    [
        (plan_edited, "pay-qa.tfplan"),
        (plan_swapped, "pay-qa.tfplan"),
        (stack_changed, "cdk.tf.json"),
        (asset_swapped, "assets/function.zip"),
        (file_added, "terraform.tfvars"),
        (data_changed, ".terraform/f.zip"),
    ],
)
def test_what_changes_after_it_was_judged_is_refused(project, monkeypatch, attack, changed):
    """The attacker strikes between the judgement, which is the real one, and the apply."""
    options = accept_everything(project)
    judge = deploy.judge

    def strike(documents, *others, **named):
        report = judge(documents, *others, **named)
        [folder] = documents
        if folder.parent.name.startswith("pci-gate-"):
            stack = project / "cdktf.out" / "stacks" / "pay-qa"
            attack(stack, folder.parent / "pay-qa.tfplan")
        return report

    monkeypatch.setattr(deploy, "judge", strike)
    result = run(*options)

    assert 2 == result.exit_code
    assert f"pci-gate: pay-qa: {changed} changed after it was read; deploy again" in result.stderr
    assert [] == state(project)


@NEEDS_TERRAFORM
def test_a_fresh_password_is_given_and_written_nowhere(project, monkeypatch):
    stack = project / "cdktf.out" / "stacks" / "pay-qa"
    variable = {"type": "string", "ephemeral": True, "sensitive": True}
    write(
        stack, {"terraform_data": {"record": {"input": "reviewed"}}}, variable={"first": variable}
    )
    made = []
    monkeypatch.setattr(
        deploy.secrets, "token_urlsafe", lambda size: made.append("q" * size) or made[-1]
    )
    result = run(*accept_everything(project), "--fresh", "first")
    written = [path for path in project.rglob("*") if path.is_file()]

    assert 0 == result.exit_code, result.output
    assert 1 == len(made)
    assert made[0] not in result.output
    assert not [path for path in written if made[0].encode() in path.read_bytes()]
    assert [path for path in written if b"reviewed" in path.read_bytes()]


@NEEDS_TERRAFORM
@pytest.mark.parametrize(
    ("variable", "reason"),
    [
        ({}, "--fresh first: no stack has such a variable"),
        ({"first": {"sensitive": True}}, "pay-qa: the variable first is kept in the plan"),
    ],
)
def test_a_fresh_password_goes_into_an_ephemeral_variable_only(project, variable, reason):
    stack = project / "cdktf.out" / "stacks" / "pay-qa"
    write(stack, {"terraform_data": {"record": {}}}, variable=variable)
    result = run("--fresh", "first")

    assert 2 == result.exit_code
    assert result.stderr.startswith(f"pci-gate: {reason}")


def linked(stack):
    (stack / "assets" / "other").symlink_to(stack.parent)


def in_another_workspace(stack):
    (stack / ".terraform").mkdir()
    (stack / ".terraform" / "environment").write_text("other")


def reaching_out(stack):
    (stack.parent / "outside.zip").write_bytes(b"anything")
    write(stack, {"terraform_data": {"record": {"input": "../outside.zip"}}})


def calling_itself_another(stack):
    comment = {"//": {"metadata": {"stackName": "pay-zz"}}}
    write(stack, {"terraform_data": {"record": {}}}, **comment)


def running_a_program(stack):
    write(stack, {"terraform_data": {"r": {}}}, data={"external": {"x": {"program": ["true"]}}})


def being_a_link(stack):
    stack.rename(stack.parent / "elsewhere")
    stack.symlink_to(stack.parent / "elsewhere")


@NEEDS_TERRAFORM
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (linked, "a link to a folder, which is not followed"),
        (in_another_workspace, "another workspace is selected"),
        (reaching_out, "names ../outside.zip, outside of pay-qa"),
        (calling_itself_another, "pay-qa: says that it is pay-zz"),
        (running_a_program, "what it runs or makes is not seen"),
        (being_a_link, "a link to a folder"),
    ],
)
def test_what_nobody_can_vouch_for_is_refused(project, change, reason):
    options = accept_everything(project)
    change(project / "cdktf.out" / "stacks" / "pay-qa")
    result = run(*options)

    assert 2 == result.exit_code
    assert reason in result.stderr
    assert [] == state(project)


@NEEDS_TERRAFORM
@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_a_deployment_that_is_interrupted_keeps_its_state(project, name):
    """Terraform is asked once, and ends in its own time: it saves its state and takes its lock."""
    stack = project / "cdktf.out" / "stacks" / "pay-qa"
    provisioner = [{"local-exec": {"command": "touch ../../../started; sleep 30"}}]
    write(
        stack,
        {
            "terraform_data": {
                "first": {"input": "made"},
                "slow": {"depends_on": ["terraform_data.first"], "provisioner": provisioner},
            }
        },
    )
    options = accept_everything(project)
    process = subprocess.Popen(
        [sys.executable, "-m", "scripts", "deploy", "qa", "--house", "house.toml", *options],
        env={**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(project / "tmp")},
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    while not (project / "started").exists():
        assert process.poll() is None, process.communicate()
        time.sleep(0.1)
    process.send_signal(getattr(signal, name))
    _, said = process.communicate(timeout=60)

    assert 4 == process.returncode, said
    assert "first" in {resource["name"] for resource in state(project)}
    assert not list(stack.glob(".*lock.info"))
    assert not list((project / "tmp").glob("pci-gate-*"))
    assert deployment(project)["stacks"][0]["started_at"]
    assert deployment(project)["stacks"][0]["applied_at"] is None


@NEEDS_TERRAFORM
def test_the_reasons_against_a_deployment_come_before_any_plan(project):
    stack = project / "cdktf.out" / "stacks" / "pay-qa"
    write(
        stack,
        {"terraform_data": {"record": {"input": "arn:aws:iam::111122223333:root"}}},
        variable={"first": {"type": "string"}, "second": {"default": "set"}},
        locals={"domain": "payments.example.com"},
    )
    result = run()

    assert 2 == result.exit_code
    assert [
        "111122223333 is a value of documentation, at resource.terraform_data.record.input",
        "payments.example.com is a value of documentation, at locals.domain",
        "the variable first has no value",
    ] == re.findall(r"^pci-gate: pay-qa: (.+); ", result.stderr, re.MULTILINE)
    assert 3 == len(result.stderr.splitlines())
    assert not (stack / ".terraform").exists()


@NEEDS_TERRAFORM
@pytest.mark.parametrize(
    ("variable", "value", "line"),
    [
        ("TF_CLI_ARGS_plan", "-destroy", "TF_CLI_ARGS_plan is set, which changes"),
        ("TF_WORKSPACE", "other", "TF_WORKSPACE is set, which changes"),
        ("PATH", "/nowhere", "there is no terraform on PATH"),
    ],
)
def test_what_bends_terraform_is_refused(project, monkeypatch, variable, value, line):
    monkeypatch.setenv(variable, value)
    result = run()

    assert 4 == result.exit_code
    assert 1 == len(result.stderr.splitlines())
    assert result.stderr.startswith(f"pci-gate: {line}")


@NEEDS_TERRAFORM
def test_an_unknown_environment_is_named(project):
    result = run(environment="prod")

    assert 2 == result.exit_code
    assert "pci-gate: there is no environment prod; the house names qa\n" == result.stderr


@NEEDS_TERRAFORM
def test_a_file_in_terraforms_own_language_is_refused(project):
    """Terraform would read it, and the gate cannot."""
    options = accept_everything(project)
    (project / "cdktf.out" / "stacks" / "pay-qa" / "more.tf").write_text(
        'resource "terraform_data" "more" {}'
    )
    result = run(*options)

    assert 2 == result.exit_code
    assert "more.tf" in result.stderr
    assert [] == state(project)


@NEEDS_TERRAFORM
def test_a_stack_that_was_not_synthesized_is_named(project):
    shutil.rmtree(project / "cdktf.out" / "stacks" / "pay-qa")
    result = run()

    assert 2 == result.exit_code
    assert "pci-gate: cdktf.out: there is no stack pay-qa; synthesize it first\n" == result.stderr


@NEEDS_TERRAFORM
def test_what_terraform_says_is_passed_on(project):
    write(
        project / "cdktf.out" / "stacks" / "pay-qa",
        {"terraform_data": {"record": {"no_such_argument": 1}}},
    )
    result = run()

    assert 4 == result.exit_code
    assert result.stderr.splitlines()[1].startswith("pci-gate: pay-qa: terraform ")
    assert "no_such_argument" in result.stderr


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("arn:aws:iam::111122223333:root", ["111122223333"]),
        ("9111122223333", []),
        ("payments-dev.example.com", ["payments-dev.example.com"]),
        ("alerts@example.org", ["alerts@example.org"]),
        ("counterexample.commerce", []),
        ("api.payments.test", ["api.payments.test"]),
        ("Z00000000EXAMPLE", ["Z00000000EXAMPLE"]),
        ("an EXAMPLE of a note", []),
    ],
)
def test_values_of_documentation_are_told_from_others(text, found):
    assert found == list(placeholders({"a": [text]}))


def test_the_platform_as_it_ships_is_not_deployable(synthesized):
    document = json.loads((synthesized / "stacks" / "financial-dev" / "cdk.tf.json").read_text())

    assert {
        "111122223333",
        "Z00000000EXAMPLE",
        "alerts@example.com",
        "payments-dev.example.com",
    } == set(placeholders(document))

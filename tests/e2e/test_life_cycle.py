"""Plan, apply, plan again, judge, break, judge again, destroy: once, in this order."""

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import repeat
from pathlib import Path
from typing import Any

import pymysql
import pytest
import yaml
from click.testing import CliRunner

from scripts.__main__ import cli
from tests.conftest import ROOT
from tests.e2e import live_evidence
from tests.e2e.conftest import STACKS
from tests.e2e.terraform import Workspace

USER = "ledger_owner"
PLAN = ("plan", "-input=false", "-no-color")

each_stack = pytest.mark.parametrize("stack", STACKS)


@dataclass(frozen=True)
class Life:
    """What the life of a stack left: folders with its documents, and what was printed."""

    workspace: Workspace
    printed: str
    """What Terraform said when it planned again."""

    deployed: Path
    """The stack, with the plan after the apply and the state."""

    second: Any
    """The plan after the apply."""


@dataclass(frozen=True)
class Deployment:
    """What ``pci-gate deploy`` said and kept."""

    output: str
    record: Path


def deploy(checkout, workspaces, record, *more):
    """Deploy dev, both stacks of it, the way that ``make deploy`` does; return what it says."""
    arguments = ["deploy", "dev", "--house", ROOT / "house.toml", *more]
    others = ["--fresh", "bootstrap_password", "--synthesis", checkout / "cdktf.out"]
    run = CliRunner(env=workspaces["financial-dev"].environment).invoke(
        cli, [*map(str, arguments), *map(str, others), "--record", str(record)]
    )
    [kept] = (record / "dev").iterdir()
    return run, kept


@pytest.fixture(scope="module")
def refusal(checkout, workspaces, tmp_path_factory):
    """Return what blocks a deployment of which nothing is waived."""
    run, kept = deploy(checkout, workspaces, tmp_path_factory.mktemp("refused"))
    assert 1 == run.exit_code, run.output
    findings = json.loads((kept / "results.json").read_text())["findings"]
    return [finding for finding in findings if finding["blocks"]]


@pytest.fixture(scope="module")
def deployment(checkout, workspaces, waivers, tmp_path_factory):
    """Deploy dev with what is waived."""
    record = tmp_path_factory.mktemp("record")
    run, kept = deploy(checkout, workspaces, record, "--waivers", waivers)
    assert 0 == run.exit_code, run.output
    return Deployment(run.output, kept)


@pytest.fixture(scope="module")
def lives(deployment, workspaces, tmp_path_factory):
    """Return the lives of both stacks after their deployment."""
    folder = tmp_path_factory.mktemp("documents")
    return dict(zip(workspaces, at_once(live, workspaces.values(), repeat(folder)), strict=True))


def at_once(function, *arguments):
    """Call *function* for both stacks at the same time."""
    with ThreadPoolExecutor() as pool:
        return list(pool.map(function, *arguments))


def live(workspace, folder):
    """Plan again; the password that the deployment made is gone, and another one will do."""
    workspace.environment["TF_VAR_bootstrap_password"] = "another"
    printed = workspace.run(*PLAN, "-out=second.tfplan")
    second = workspace.show("second.tfplan")
    state = workspace.show()
    there = documents(workspace, folder, {"plan.json": second, "state.json": state})
    return Life(workspace, printed, there, second)


@pytest.fixture(scope="module")
def deployed(lives):
    """Return the life of the platform's own stack."""
    return lives["financial-dev"]


def documents(workspace, folder, others):
    """Return a folder with the stack as it is, and *others* beside it."""
    stack = folder / workspace.folder.name
    stack.mkdir(parents=True)
    for path in workspace.folder.iterdir():
        if path.name.endswith((".tf.json", "source-map.json")):
            shutil.copy(path, stack)
    for name, content in others.items():
        (stack / name).write_text(json.dumps(content))
    return stack


@pytest.fixture(scope="module")
def waivers(refusal, tmp_path_factory):
    """Return a file that accepts one deviation, in the open: this is an emulator."""
    assert {"intake.endpoints"} == {finding["policy"] for finding in refusal}
    today = datetime.now(UTC).date()
    path = tmp_path_factory.mktemp("waivers") / "waivers.yaml"
    waiver = {
        "policy": "intake.endpoints",
        "kind": "provided elsewhere",
        "resources": {finding["resource"]: finding["fingerprint"] for finding in refusal},
        "accepts": sorted({message for finding in refusal for message in finding["messages"]}),
        "definition": "A test applies the platform to an emulator on loopback.",
        "reference": "docs/emulation.md",
        "owner": "test",
        "approved_by": "reader of the test",
        "approved_on": today,
        "expires_on": today + timedelta(days=1),
    }
    path.write_text(yaml.safe_dump([waiver]))
    return path


def check(*arguments):
    arguments = ["check", *map(str, arguments), "--house", str(ROOT / "house.toml")]
    run = CliRunner().invoke(cli, [*arguments, "--format", "json"])
    return run.exit_code, json.loads(run.stdout)


def blocking(report):
    return {(f["policy"], f["resource"], f["stage"]) for f in report["findings"] if f["blocks"]}


@each_stack
def test_a_second_plan_changes_nothing(lives, stack):
    life = lives[stack]
    changes = {tuple(change["change"]["actions"]) for change in life.second["resource_changes"]}

    assert {("no-op",)} == changes
    assert "No changes." in life.printed


def test_the_plans_that_were_applied_had_passed(deployment):
    report = json.loads((deployment.record / "results.json").read_text())
    kept = json.loads((deployment.record / "deployment.json").read_text())

    assert {"design", "planned"} == {document["stage"] for document in report["documents"]}
    assert 0 == kept["blocking"]
    assert list(STACKS) == [stack["stack"] for stack in kept["stacks"]]
    assert all(stack["applied_at"] for stack in kept["stacks"])


def test_what_is_deployed_passes_but_for_the_emulator(lives, waivers):
    folders = [life.deployed for life in lives.values()]
    code, report = check(*folders)
    accepted, waived = check(*folders, "--waivers", waivers)

    assert 1 == code
    assert {"intake.endpoints"} == {policy for policy, _, _ in blocking(report)}
    assert (0, set()) == (accepted, blocking(waived))
    assert {"design", "planned", "deployed"} == {d["stage"] for d in report["documents"]}


@each_stack
@pytest.mark.parametrize("name", ["plan.json", "state.json"])
def test_what_is_deployed_is_judged_alone_as_well(lives, stack, name):
    """Both know every value: nothing is left unknown but what only the stack could explain."""
    file = lives[stack].deployed / name
    run = CliRunner().invoke(cli, ["check", str(file), "--format", "json"])
    summary = json.loads(run.stdout)["summary"]

    assert 0 == summary["fail"] == summary["error"]


def test_a_plan_of_another_stack_is_refused(deployed, tmp_path):
    folder = tmp_path / "financial-dev"
    shutil.copytree(deployed.deployed, folder)
    path = folder / "cdk.tf.json"
    path.write_text(
        path.read_text().replace('"retention_in_days": 90', '"retention_in_days": 91', 1)
    )
    run = CliRunner().invoke(cli, ["check", str(folder)])

    assert 2 == run.exit_code
    assert "made from another stack, which differs in aws_cloudwatch_log_group." in run.stderr


def test_the_password_stands_in_no_file(deployed, deployment, emulation, checkout):
    """The control: a name that does stand there is found by the same search."""
    folders = (checkout, deployed.deployed, deployment.record)
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    texts = {path: path.read_bytes() for path in files if ".terraform" not in path.parts}
    password = emulation.first_password

    assert not [path for path, text in texts.items() if password.encode() in text]
    assert password not in deployment.output + deployed.printed
    assert sum(USER.encode() in text for text in texts.values()) > 3


def test_the_password_was_rotated_at_once(deployed, database, emulation):
    secret = emulation.client("secretsmanager").get_secret_value(
        SecretId="financial-database-secret-dev"
    )
    rotated = json.loads(secret["SecretString"])["password"]
    log = emulation.log.read_text()
    steps = [line for line in log.splitlines() if line.startswith("function ")]

    assert [
        "function createSecret: 0",
        "function setSecret: 0",
        "function testSecret: 0",
        "function finishSecret: 0",
    ] == steps[:4]
    assert rotated not in log
    assert emulation.first_password not in log
    database.login(USER, rotated).close()
    for refused, tls in ((emulation.first_password, True), (rotated, False)):
        with pytest.raises(pymysql.err.OperationalError):
            database.login(USER, refused, tls=tls)


def test_what_is_there_is_what_was_judged(lives, emulation):
    """The properties, read back; build/live-evidence.txt keeps them, labelled as emulated."""
    properties = list(live_evidence.read_back(emulation.client))
    evidence = ROOT / "build" / "live-evidence.txt"
    evidence.parent.mkdir(exist_ok=True)
    evidence.write_text(live_evidence.table(properties, "emulated, not AWS"))

    assert [] == [each for each in properties if not each.holds]
    assert len(properties) > 50


def test_a_change_behind_terraforms_back_is_found(deployed, emulation, waivers, tmp_path):
    state = deployed.workspace.show()["values"]["root_module"]["resources"]
    ids = {resource["address"]: resource["values"] for resource in state}
    group = next(v for a, v in ids.items() if a.startswith("aws_security_group.") and "_db_" in a)
    template = next(v for a, v in ids.items() if a.startswith("aws_launch_template."))
    ec2 = emulation.client("ec2")
    world = {"CidrIp": "0.0.0.0/0", "Description": "opened by hand"}
    permission = {"IpProtocol": "tcp", "FromPort": 3306, "ToPort": 3306, "IpRanges": [world]}
    ec2.authorize_security_group_ingress(GroupId=group["id"], IpPermissions=[permission])
    emulation.client("logs").put_retention_policy(
        logGroupName="financial-application-dev", retentionInDays=7
    )
    ec2.create_launch_template_version(
        LaunchTemplateId=template["id"],
        SourceVersion="1",
        LaunchTemplateData={"MetadataOptions": {"HttpTokens": "optional"}},
    )
    deployed.workspace.run("apply", "-refresh-only", "-auto-approve", "-input=false", "-no-color")
    folder = documents(deployed.workspace, tmp_path, {"state.json": deployed.workspace.show()})
    code, report = check(folder, "--waivers", waivers)
    found = {f["policy"]: f for f in report["findings"] if f["blocks"]}

    assert 1 == code
    for policy, file in (
        ("security_groups.database_ingress", "infra/security_groups.py"),
        ("audit_logs.retention", "infra/log_groups.py"),
        ("compute.imdsv2", "infra/compute.py"),
    ):
        assert "deployed" == found[policy]["stage"]
        assert file == found[policy]["source"]["file"]


def test_destroy(lives, emulation):
    """What protects the platform is lifted by hand first, as it would be on AWS."""
    emulation.client("rds").modify_db_cluster(
        DBClusterIdentifier="financial-aurora-dev", DeletionProtection=False
    )
    elb = emulation.client("elbv2")
    [balancer] = elb.describe_load_balancers()["LoadBalancers"]
    elb.modify_load_balancer_attributes(
        LoadBalancerArn=balancer["LoadBalancerArn"],
        Attributes=[{"Key": "deletion_protection.enabled", "Value": "false"}],
    )
    empty(emulation.client("s3"))
    at_once(destroy, [life.workspace for life in lives.values()])

    for life in lives.values():
        assert "values" not in life.workspace.show()


def empty(s3):
    """Delete what access logging wrote; it stops first, and the policies that refuse it go."""
    buckets = [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]
    for bucket in buckets:
        s3.put_bucket_logging(Bucket=bucket, BucketLoggingStatus={})
    for bucket in buckets:
        s3.delete_bucket_policy(Bucket=bucket)
        for version in s3.list_object_versions(Bucket=bucket).get("Versions", []):
            s3.delete_object(Bucket=bucket, Key=version["Key"], VersionId=version["VersionId"])


def destroy(workspace):
    """Take down what the stack made."""
    workspace.run("destroy", "-auto-approve", "-input=false", "-no-color")

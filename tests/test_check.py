"""``pci-gate check``, as its users meet it."""

import json
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from click.testing import CliRunner

from scripts.__main__ import cli
from tests.conftest import ROOT

HOUSE = str(ROOT / "house.toml")


def check(*arguments):
    return CliRunner().invoke(cli, ["check", *map(str, arguments)])


def results(*arguments):
    run = check(*arguments, "--format", "json")
    return run.exit_code, json.loads(run.stdout)


@pytest.fixture
def stack(synthesized, tmp_path):
    """Return a copy of one stack's folder, to be broken."""
    folder = tmp_path / "financial-dev"
    shutil.copytree(synthesized / "stacks" / "financial-dev", folder)
    return folder


def break_stack(folder, change):
    path = folder / "cdk.tf.json"
    document = json.loads(path.read_text())
    change(document["resource"])
    path.write_text(json.dumps(document))


def the(resources, type, number=0):
    return list(resources[type].values())[number]


def open_database(resources):
    group = next(name for name in resources["aws_security_group"] if "_db_" in name)
    rule = the(resources, "aws_vpc_security_group_ingress_rule")
    resources["aws_security_group_rule"] = {
        "opened": {
            "type": "ingress",
            "security_group_id": f"${{aws_security_group.{group}.id}}",
            "protocol": "tcp",
            "from_port": 3306,
            "to_port": 3306,
            "cidr_blocks": ["0.0.0.0/0"],
            "description": rule["description"],
        }
    }


def wildcard_action(resources):
    role_policy = the(resources, "aws_iam_role_policy")
    document = json.loads(role_policy["policy"])
    document["Statement"][0]["Action"] = ["*"]
    role_policy["policy"] = json.dumps(document)


def setting(type, key, value, number=0):
    def change(resources):
        the(resources, type, number)[key] = value

    return change


def optional_tokens(resources):
    the(resources, "aws_launch_template")["metadata_options"]["http_tokens"] = "optional"


def no_tls_policy(resources):
    for listener in resources["aws_lb_listener"].values():
        listener.pop("ssl_policy", None)


BREAKS = {
    "http_tokens optional": (optional_tokens, "compute.imdsv2", "infra/compute.py"),
    "storage_encrypted false": (
        setting("aws_rds_cluster", "storage_encrypted", False),
        "database.encryption",
        "infra/database.py",
    ),
    "3306 open to the world, in a rule of its own": (
        open_database,
        "security_groups.internet_ingress",
        None,
    ),
    "retention 30": (
        setting("aws_cloudwatch_log_group", "retention_in_days", 30),
        "audit_logs.retention",
        "infra/log_groups.py",
    ),
    "key rotation off": (
        setting("aws_kms_key", "enable_key_rotation", False),
        "keys.rotation",
        "infra/keys.py",
    ),
    "subnets overlap": (
        setting("aws_subnet", "cidr_block", "10.0.10.0/24"),
        "network.disjoint_subnets",
        "infra/network.py",
    ),
    "a wrong name": (
        setting("aws_sns_topic", "name", "alerts"),
        "house.naming",
        "infra/monitoring.py",
    ),
    "TLS policy missing": (no_tls_policy, "load_balancer.tls_policy", "infra/load_balancer.py"),
    "a database instance public": (
        setting("aws_rds_cluster_instance", "publicly_accessible", True),
        "database.public_access",
        "infra/database.py",
    ),
    "a wildcard action": (wildcard_action, "permissions.administration", "infra/"),
}


@pytest.mark.parametrize(("change", "policy", "file"), BREAKS.values(), ids=BREAKS)
def test_a_broken_platform_is_stopped_and_the_line_is_named(stack, change, policy, file):
    before, _ = results(stack, "--house", HOUSE)
    break_stack(stack, change)
    after, report = results(stack, "--house", HOUSE)
    blocking = [finding for finding in report["findings"] if finding["blocks"]]
    found = next(finding for finding in blocking if finding["policy"] == policy)

    assert (0, 1) == (before, after)
    assert "fail" == found["verdict"]
    if file:
        source = found["source"]
        line = (ROOT / source["file"]).read_text().splitlines()[source["line"] - 1]
        assert source["file"].startswith(file)
        assert line.rstrip().endswith("(")
        text = check(stack, "--house", HOUSE).stdout
        assert f"  mend at   {source['file']}:{source['line']}" in text.splitlines()


def test_a_rule_that_stands_alone_names_what_it_opens(stack):
    """A resource that infra did not make has no line; its address leads to it."""
    break_stack(stack, open_database)

    assert "  resource  financial-dev/aws_security_group_rule.opened" in check(stack).stdout


def test_the_example_in_the_readme_is_what_the_gate_says(stack):
    readme = (ROOT / "README.md").read_text()
    [example] = re.findall(r"^    FAIL  .*\n(?:    .*\n)+", readme, re.MULTILINE)

    def open_to_the_world(resources):
        rules = resources["aws_vpc_security_group_ingress_rule"]
        rule = next(rule for name, rule in rules.items() if "app_to_db" in name)
        rule["cidr_ipv4"] = "0.0.0.0/0"

    break_stack(stack, open_to_the_world)

    assert textwrap.dedent(example) in check(stack).stdout


def test_the_platform_passes(synthesized):
    run = check(synthesized, "--house", HOUSE, "--waivers", ROOT / "waivers.yaml")

    assert 0 == run.exit_code, run.output
    assert run.stdout.splitlines()[0].endswith(": nothing blocks")


def test_the_json_report_has_its_form(synthesized):
    code, report = results(synthesized, "--house", HOUSE)
    finding = next(f for f in report["findings"] if f["policy"] == "keys.rotation")

    assert 0 == code
    assert "1" == report["schema_version"]
    assert {"pass", "fail", "unknown", "error", "not_applicable"} == set(report["summary"])
    assert sum(report["summary"].values()) == len(report["findings"])
    assert [{"path", "sha256", "kind", "stack", "stage"}] * 6 == [
        set(d) for d in report["documents"]
    ]
    assert {path.name for path in (synthesized / "stacks").iterdir()} == {
        document["stack"] for document in report["documents"]
    }
    assert "design" == finding["stage"]
    assert ["3.7.4"] == finding["requirements"]
    assert finding["document"].endswith("cdk.tf.json")
    assert {"file", "line"} == set(finding["source"])
    assert 280 == sum(len(ids) for ids in report["requirements"].values())


def test_without_a_house_its_policies_are_not_passed(synthesized):
    code, report = results(synthesized)

    assert 0 == code
    assert "house.naming" in report["not_evaluated"]
    assert not [f for f in report["findings"] if f["policy"].startswith("house.")]
    assert "Not evaluated without --house" in check(synthesized).stdout


def test_one_environment_does_not_excuse_another(synthesized, tmp_path):
    folder = tmp_path / "cdktf.out"
    shutil.copytree(synthesized, folder)
    break_stack(
        folder / "stacks" / "financial-prod", lambda resources: resources.pop("aws_flow_log")
    )
    code, report = results(folder)

    assert 1 == code
    assert {"financial-prod"} == {
        finding["resource"].partition("/")[0] for finding in report["findings"] if finding["blocks"]
    }


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "no such file or folder"),
        ("", "empty"),
        ('{"resource": {', "Expecting"),
        ('{"hello": "world"}', "neither a synthesized stack"),
    ],
)
def test_bad_input_is_one_line_and_no_report(tmp_path, content, reason):
    path, output = tmp_path / "input.json", tmp_path / "results.json"
    output.write_text("an old pass")
    if content is not None:
        path.write_text(content)
    run = check(path, "--output", output)

    assert 2 == run.exit_code
    assert "" == run.stdout
    assert 1 == len(run.stderr.splitlines())
    assert run.stderr.startswith(f"pci-gate: {path}: ")
    assert reason in run.stderr
    assert not output.exists()


def test_an_empty_folder_is_refused(tmp_path):
    run = check(tmp_path)

    assert 2 == run.exit_code
    assert f"pci-gate: {tmp_path}: no Terraform JSON in it" in run.stderr


@pytest.mark.parametrize("option", ["--waivers", "--house"])
def test_an_unreadable_file_of_rules_is_refused(synthesized, tmp_path, option):
    path = tmp_path / "rules"
    for content, reason in ((None, "no such file"), ("\x00", ""), ("]", "")):
        if content is not None:
            path.write_text(content)
        run = check(synthesized, option, path)

        assert 2 == run.exit_code
        assert 1 == len(run.stderr.splitlines())
        assert run.stderr.startswith(f"pci-gate: {path}: {reason}")


def test_reports_are_written_as_json_and_as_text(synthesized, tmp_path):
    as_json, as_text = tmp_path / "build" / "r.json", tmp_path / "build" / "r.txt"
    run = check(synthesized, "--output", as_json, "--output", as_text)

    assert 0 == run.exit_code
    assert run.stdout == as_text.read_text()
    assert 0 == json.loads(as_json.read_text())["blocking"]
    assert {as_json, as_text} == set(as_json.parent.iterdir())


@pytest.mark.skipif(not Path("/proc").exists(), reason="there is no /proc to write below")
def test_a_report_that_cannot_be_written_ends_with_3(synthesized):
    run = check(synthesized, "--output", "/proc/nowhere/results.json")

    assert 3 == run.exit_code
    assert "pci-gate: /proc/nowhere/results.json: " in run.stderr
    assert "" == run.stdout


def test_wrong_usage_takes_the_old_report_away(tmp_path):
    output = tmp_path / "results.json"
    output.write_text("an old pass")
    run = check("--output", output, "--format", "xml")

    assert 2 == run.exit_code
    assert not output.exists()


@pytest.mark.parametrize("name", ["cdk.tf.json", "plan.json"])
def test_an_input_is_no_output(tmp_path, name):
    path = tmp_path / name
    path.write_text("{}")
    run = check("--output", path)

    assert 2 == run.exit_code
    assert "is the name of an input" in run.stderr
    assert path.exists()


def test_a_report_behind_a_link_is_replaced_where_it_is(synthesized, tmp_path):
    target, link = tmp_path / "kept.json", tmp_path / "latest.json"
    target.write_text("an old pass")
    link.symlink_to(target)
    run = check(synthesized, "--output", link)

    assert 0 == run.exit_code
    assert 0 == json.loads(target.read_text())["blocking"]


def test_an_environment_that_is_left_out_is_missed(synthesized, tmp_path):
    folder = tmp_path / "cdktf.out"
    shutil.copytree(synthesized, folder)
    shutil.rmtree(folder / "stacks" / "financial-staging")
    manifest = json.loads((folder / "manifest.json").read_text())
    del manifest["stacks"]["financial-staging"]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    code, report = results(folder, "--house", HOUSE)

    assert 1 == code
    assert ["financial-staging"] == [
        finding["resource"]
        for finding in report["findings"]
        if finding["policy"] == "house.environments"
    ]
    assert 0 == results(folder / "stacks" / "financial-dev", "--house", HOUSE)[0]


def test_one_fault_is_told_once_with_all_its_resources(stack):
    def shorten(resources):
        for group in resources["aws_cloudwatch_log_group"].values():
            group["retention_in_days"] = 30

    break_stack(stack, shorten)
    resources = json.loads((stack / "cdk.tf.json").read_text())["resource"]
    groups = len(resources["aws_cloudwatch_log_group"])
    _, *told = check(stack).stdout.split("FAIL  ")
    [retention] = [finding for finding in told if finding.startswith("audit_logs.retention ")]

    assert groups == retention.count("aws_cloudwatch_log_group.") > 8


def test_hostile_names_steer_no_terminal(stack):
    name = "x\x1b[2J\u202e"
    break_stack(stack, lambda resources: resources["aws_sns_topic"].update({name: {"name": name}}))
    run = check(stack, "--house", HOUSE)

    assert 1 == run.exit_code
    assert "\x1b" not in run.stdout
    assert "\u202e" not in run.stdout
    assert r"x\x1b[2J\u202e" in run.stdout


def test_an_error_of_our_own_never_looks_like_a_verdict(tmp_path):
    script = "import scripts.judge as j, scripts.__main__ as m; import scripts.check as c\n"
    script += "def broken(*a, **k): raise KeyError('x')\nc.judge = broken\nm.main()"
    run = subprocess.run(
        [sys.executable, "-c", script, "check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert 70 == run.returncode
    assert "" == run.stdout
    assert "pci-gate: internal error: KeyError: 'x'\n" == run.stderr


@pytest.mark.parametrize("arguments", [["check", "--sideways"], ["explane"], ["explain"]])
def test_wrong_usage_is_refused(arguments):
    assert 2 == CliRunner().invoke(cli, arguments).exit_code


def test_the_policies_are_listed():
    text = CliRunner().invoke(cli, ["policies"]).stdout
    listed = json.loads(CliRunner().invoke(cli, ["policies", "--format", "json"]).stdout)
    rotation = next(policy for policy in listed if policy["id"] == "keys.rotation")

    assert len(listed) == len(text.splitlines())
    assert [{"id": "3.7.4", "strength": "direct"}] == rotation["requirements"]
    assert "keys.rotation " in text


def test_every_policy_can_be_explained():
    listed = json.loads(CliRunner().invoke(cli, ["policies", "--format", "json"]).stdout)
    for policy in listed:
        run = CliRunner().invoke(cli, ["explain", policy["id"]])

        assert 0 == run.exit_code, run.output
        assert run.stdout.startswith(policy["id"])
        assert "<function" not in run.stdout
        assert "object at 0x" not in run.stdout


def test_a_policy_that_is_misspelt_is_suggested():
    run = CliRunner().invoke(cli, ["explain", "keys.rotaton"])

    assert 2 == run.exit_code
    assert (
        "pci-gate: keys.rotaton: there is no such policy; did you mean keys.rotation?\n"
        == run.stderr
    )


def test_the_help_says_what_the_exit_codes_mean():
    text = CliRunner().invoke(cli, ["--help"]).stdout

    for code in (
        "0  nothing blocks",
        "1  something blocks",
        "2  the input",
        "3  a report",
        "70  an error",
    ):
        assert code in text


def test_a_command_that_lacks_its_libraries_says_how_to_get_them():
    program = (
        "import sys; sys.modules['jinja2'] = None; sys.argv[1:] = ['report']\n"
        "from scripts.__main__ import main; main()"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    reason = "there is no jinja2 here; pip install 'pci-gate[report]'"

    assert (2, f"pci-gate: report: {reason}\n") == (run.returncode, run.stderr)

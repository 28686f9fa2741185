import base64
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from infra import packaging
from tests.conftest import ROOT

STACKS = tuple(
    f"financial-{name}"
    for name in ("account-dev", "account-prod", "account-staging", "dev", "prod", "staging")
)


def document(synthesized, stack="financial-dev"):
    return json.loads((synthesized / "stacks" / stack / "cdk.tf.json").read_text())


def the(document, type):
    """Return the one resource of *type*."""
    [body] = document["resource"][type].values()
    return body


def files(folder):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_two_checkouts_synthesize_the_same_bytes(synthesized, tmp_path):
    checkout = tmp_path / "another" / "checkout"
    shutil.copytree(
        ROOT / "infra", checkout / "infra", ignore=shutil.ignore_patterns("__pycache__")
    )
    subprocess.run(
        [sys.executable, "-m", "infra"],
        cwd=checkout,
        env={**os.environ, "CDKTF_OUTDIR": "cdktf.out", "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo"},
        check=True,
    )

    assert files(synthesized) == files(checkout / "cdktf.out")


def test_every_environment_is_a_stack(synthesized):
    assert STACKS == tuple(sorted(p.name for p in (synthesized / "stacks").iterdir()))


def test_synthesis_says_nothing(tmp_path):
    process = subprocess.run(
        [sys.executable, "-m", "infra"],
        cwd=ROOT,
        env={**os.environ, "CDKTF_OUTDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert ("", "") == (process.stdout, process.stderr)


@pytest.mark.parametrize("stack", STACKS)
def test_every_resource_leads_back_to_a_line_of_infra(synthesized, stack):
    sources = json.loads((synthesized / "stacks" / stack / "source-map.json").read_text())
    resources = document(synthesized, stack)["resource"]
    addresses = {f"{type}.{name}" for type, named in resources.items() for name in named}

    assert addresses == set(sources)
    for lines in sources.values():
        file, _, number = lines[0].rpartition(":")
        line = (ROOT / file).read_text().splitlines()[int(number) - 1]

        assert re.search(r"\b[A-Z]\w+\(", line), f"{file}:{number}: {line}"
        composed_in = "account" if "account" in stack else "platform"
        assert f"infra/{composed_in}.py" in {each.rpartition(":")[0] for each in lines}


@pytest.mark.parametrize("stack", [stack for stack in STACKS if "account" not in stack])
def test_no_password_stands_in_what_is_synthesized(synthesized, stack):
    stack_document = document(synthesized, stack)
    cluster = the(stack_document, "aws_rds_cluster")
    version = the(stack_document, "aws_secretsmanager_secret_version")
    [variable] = stack_document["variable"].values()

    assert "${var.bootstrap_password}" == cluster["master_password_wo"]
    assert "master_password" not in cluster
    assert "secret_string" not in version
    assert "var.bootstrap_password" in version["secret_string_wo"]
    assert variable["ephemeral"] is True
    assert variable["sensitive"] is True
    assert "default" not in variable


def test_the_platform_is_what_was_asked_for(synthesized):
    """The components of the seed, in numbers."""
    stack = document(synthesized)
    counts = {type: len(named) for type, named in stack["resource"].items()}
    group = the(stack, "aws_autoscaling_group")
    scaling = the(stack, "aws_autoscaling_policy")["target_tracking_configuration"]
    schedules = stack["resource"]["aws_autoscaling_schedule"].values()
    cluster = the(stack, "aws_rds_cluster")

    assert 9 == counts["aws_subnet"]
    assert 3 == counts["aws_nat_gateway"]
    assert 2 == counts["aws_rds_cluster_instance"]
    assert (2, 3, 10) == (group["min_size"], group["desired_capacity"], group["max_size"])
    assert 70 == scaling["target_value"]
    assert {("0 8 * * MON-FRI", "America/New_York"), ("0 18 * * MON-FRI", "America/New_York")} == {
        (schedule["recurrence"], schedule["time_zone"]) for schedule in schedules
    }
    assert cluster["engine_version"].startswith("8.0.mysql_aurora.3.")
    assert 7 == cluster["backup_retention_period"]
    assert {"financial-archive-errors-dev"} == {
        log["name"]
        for log in stack["resource"]["aws_cloudwatch_log_group"].values()
        if log["retention_in_days"] != 90
    }
    rotation = the(stack, "aws_secretsmanager_secret_rotation")
    assert 30 == rotation["rotation_rules"]["automatically_after_days"]


def test_production_is_protected_from_deletion(synthesized):
    cluster = the(document(synthesized, "financial-prod"), "aws_rds_cluster")

    assert cluster["deletion_protection"] is True
    assert cluster["skip_final_snapshot"] is False
    assert "financial-aurora-final-prod" == cluster["final_snapshot_identifier"]


def test_an_unusable_environment_ends_in_one_line(tmp_path):
    checkout = tmp_path / "checkout"
    shutil.copytree(
        ROOT / "infra", checkout / "infra", ignore=shutil.ignore_patterns("__pycache__")
    )
    path = checkout / "infra" / "environment.py"
    path.write_text(path.read_text().replace('vpc_block="10.0.0.0/16"', 'vpc_block="10.0.0.0/24"'))
    process = subprocess.run(
        [sys.executable, "-m", "infra"], cwd=checkout, capture_output=True, text=True, check=False
    )

    assert 2 == process.returncode
    assert 1 == len(process.stderr.splitlines()), process.stderr
    assert "10.0.0.0/24: too small" in process.stderr
    assert not (checkout / "cdktf.out").exists()


def test_what_an_earlier_synthesis_left_is_removed(synthesized, tmp_path):
    output = tmp_path / "cdktf.out"
    (output / "stacks" / "financial-qa").mkdir(parents=True)
    subprocess.run(
        [sys.executable, "-m", "infra"],
        cwd=ROOT,
        env={**os.environ, "CDKTF_OUTDIR": str(output)},
        check=True,
    )

    assert files(synthesized) == files(output)


@pytest.mark.parametrize("stack", ["financial-dev", "financial-qa"])
def test_no_synthesis_takes_away_the_state_of_what_is_deployed(tmp_path, stack):
    """A stack that is no more has to be destroyed first; one that is keeps its state."""
    folder = tmp_path / "cdktf.out" / "stacks" / stack
    folder.mkdir(parents=True)
    state = json.dumps({"resources": [{"type": "aws_vpc"}]})
    (folder / "terraform.tfstate").write_text(state)
    process = subprocess.run(
        [sys.executable, "-m", "infra"],
        cwd=ROOT,
        env={**os.environ, "CDKTF_OUTDIR": str(tmp_path / "cdktf.out")},
        capture_output=True,
        text=True,
        check=False,
    )

    assert state == (folder / "terraform.tfstate").read_text()
    assert (2 if stack == "financial-qa" else 0) == process.returncode
    if process.returncode:
        assert process.stderr.startswith("infra/environment.py: financial-qa is no stack any more")


@pytest.mark.parametrize(
    ("environments", "reason"),
    [
        ("()", "environments: there is none"),
        ("(dev, dev)", "dev and dev share the suffix dev: give each its own"),
        (
            '(dev, replace(dev, suffix="qa"))',
            "dev and qa share the account_id 111122223333: give each its own",
        ),
    ],
)
def test_no_environment_replaces_another(tmp_path, environments, reason):
    checkout = tmp_path / "checkout"
    shutil.copytree(
        ROOT / "infra", checkout / "infra", ignore=shutil.ignore_patterns("__pycache__")
    )
    path = checkout / "infra" / "environment.py"
    text = path.read_text()
    path.write_text(text.replace("return (dev, staging, prod)", f"return {environments}"))
    process = subprocess.run(
        [sys.executable, "-m", "infra"], cwd=checkout, capture_output=True, text=True, check=False
    )

    assert 2 == process.returncode
    assert f"infra/environment.py: {reason}\n" == process.stderr


def test_the_bindings_are_loaded_lazily():
    """Otherwise synthesis still works, and takes eight times as long."""
    script = (
        "import sys, infra.platform; "
        "print(sum(m.startswith('cdktf_cdktf_provider_aws.') for m in sys.modules))"
    )
    process = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert int(process.stdout) < 200


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="there is no /proc here")
def test_node_loads_lazily_as_well():
    """Node is started by the first import of CDKTF, and has to be told before that."""
    script = (
        "import infra, pathlib; "
        "from jsii._runtime import kernel; "
        "pid = kernel.provider._process._process.pid; "
        "print('lazy_index.cjs' in pathlib.Path(f'/proc/{pid}/environ').read_text())"
    )
    process = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert "True\n" == process.stdout


def test_the_archive_of_the_rotation_function_never_varies(tmp_path, monkeypatch):
    first = packaging.rotation_archive().read_bytes()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    again = packaging.rotation_archive()

    assert tmp_path in again.parents
    assert first == again.read_bytes()


def test_the_archive_holds_what_the_function_imports():
    with zipfile.ZipFile(packaging.rotation_archive()) as archive:
        names = archive.namelist()

        assert {(1980, 1, 1, 0, 0, 0)} == {entry.date_time for entry in archive.infolist()}
    assert {"rotation/handler.py", "rotation/__init__.py", "rotation/rds-ca.pem"} <= set(names)
    assert "pymysql/__init__.py" in names
    assert not [name for name in names if "__pycache__" in name]
    assert names == sorted(names)


def test_the_boot_script_is_valid_and_holds_no_placeholder(synthesized, tmp_path):

    template = the(document(synthesized), "aws_launch_template")
    script = base64.b64decode(template["user_data"]).decode()
    path = tmp_path / "user_data.sh"
    path.write_text(script)

    assert script.startswith("#!/bin/bash\n")
    assert not re.search(r"\$(region|secret_name|log_group|port)\b", script)
    assert "proxy_set_header Host $host;" in script
    subprocess.run(["bash", "-n", str(path)], check=True)


def test_the_cdktf_command_finds_the_program():
    assert "python -m infra" == json.loads(Path(ROOT, "cdktf.json").read_text())["app"]

"""The rules of the design that an import can break."""

import ast
import subprocess
import sys

import pytest

from tests.conftest import ROOT

LIGHT = {"click", "msgspec", "yaml", "policies", "scripts"}
EVIDENCE = {
    "cryptography", "jinja2", "junitparser", "markupsafe", "rfc8785", "securesystemslib", "typst",
}  # fmt: skip
"""What the extra [report] brings."""
PURE = ["os", "subprocess", "socket", "time", "random"]


def imports(folder):
    """Yield each module below *folder* with the modules that it imports."""
    for path in sorted((ROOT / folder).rglob("*.py")):
        tree = ast.parse(path.read_text())
        names = {
            name
            for node in ast.walk(tree)
            for name in (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            )
        }  # fmt: skip
        yield path.relative_to(ROOT), names


def packages(names):
    return {name.partition(".")[0] for name in names}


@pytest.mark.parametrize(
    ("folder", "other"), [("infra", "policies"), ("policies", "infra"), ("scripts", "infra")]
)
def test_the_judge_shares_no_code_with_the_judged(folder, other):
    assert [] == [path for path, names in imports(folder) if other in packages(names)]


def test_the_gate_is_light():
    """Other repositories install it through pre-commit: no CDKTF in it, and no Checkov."""
    for folder in ("policies", "scripts"):
        for path, names in imports(folder):
            if "checkov_probe" not in path.parts:
                assert packages(names) <= LIGHT | EVIDENCE | sys.stdlib_module_names, path


@pytest.mark.parametrize("command", ["check", "deploy", "explain", "hook", "policies", "waive"])
def test_what_only_a_report_needs_is_imported_by_no_other_command(command):
    program = f"import sys, scripts.{command}; print(*sys.modules)"
    answer = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert set() == EVIDENCE & packages(answer.stdout.split())


def test_only_reading_touches_the_world():
    """Clock, environment, network and disk are for scripts/ and for reading."""
    allowed = {"policies/engine/read.py"}
    for path, names in imports("policies"):
        if path.as_posix() not in allowed:
            assert not packages(names) & set(PURE), path


def test_the_engine_knows_no_aws():
    for path, names in imports("policies/engine"):
        assert not [name for name in names if name.startswith("policies.aws")], path


def test_what_aws_means_knows_no_pci():
    for path in sorted((ROOT / "policies/aws").glob("*.py")):
        if path.name != "__init__.py":
            assert "PCI" not in path.read_text(), path


def test_nothing_below_the_program_reads_the_environment():
    allowed = {"infra/__main__.py", "infra/synth.py", "infra/rotation/handler.py"}
    for path, _ in imports("infra"):
        if path.as_posix() not in allowed:
            assert "environ" not in {
                node.attr
                for node in ast.walk(ast.parse((ROOT / path).read_text()))
                if isinstance(node, ast.Attribute)
            }, path

"""What the documentation says is what the code does."""

import re

import pytest
from click.testing import CliRunner

from docs.__main__ import pages
from docs.controls import controls
from policies import POLICIES
from policies.engine import waive
from policies.requirements import requirements
from scripts.__main__ import cli
from tests.conftest import ROOT

README = (ROOT / "README.md").read_text()


@pytest.mark.parametrize("name", ["controls.md", "pci-dss.md", "policies.md"])
def test_a_generated_page_is_current(name):
    assert pages()[name] == (ROOT / "docs" / name).read_text(), "run tox run -e docs"


@pytest.mark.parametrize(
    ("command", "help"),
    re.findall(r"<!-- pci-gate (.*?) --help -->\n```\n(.*?)```\n<!-- end -->", README, re.DOTALL),
)
def test_the_help_in_the_readme_is_what_the_command_prints(command, help):
    printed = (
        CliRunner()
        .invoke(cli, [*command.split(), "--help"], terminal_width=78, prog_name="pci-gate")
        .stdout
    )

    assert help == printed


def test_the_files_that_the_readme_names_are_there():
    for name in re.findall(
        r"\]\(([^):#]+)\)|`((?:infra|policies|scripts|docs|tests)/[\w./]*)`", README
    ):
        path = next(filter(None, name))
        assert (ROOT / path).exists(), path


def test_the_policies_that_prose_names_exist():
    known = {policy.id for policy in POLICIES}
    modules = {id.partition(".")[0] for id in known}
    for file in ("README.md", "CONTRIBUTING.md", "docs/decisions.md", "waivers.yaml"):
        for id in re.findall(r"\b([a-z_]+\.[a-z_0-9]+)\b", (ROOT / file).read_text()):
            if id.partition(".")[0] in modules and not id.endswith(
                (".md", ".py", ".svg", ".toml", ".yaml")
            ):
                assert id in known, f"{file}: {id}"


def test_every_control_names_policies_that_serve_its_requirements_or_says_why_not():
    policies = {policy.id: policy for policy in (*POLICIES, *waive.POLICIES)}
    known = {requirement.id for requirement in requirements()}
    for control in controls():
        claimed = {c.requirement for id in control.policies for c in policies[id].claims}

        assert bool(control.policies) is not bool(control.why_none), control.id
        for id in control.policies if control.requirements else ():
            served = {claim.requirement for claim in policies[id].claims}
            assert served & set(control.requirements), f"{control.id}: {id}"
        assert set(control.requirements) <= (claimed if control.policies else known), control.id


def test_no_report_calls_anything_compliant():
    texts = [path.read_text() for path in (ROOT / "policies" / "report").glob("*.py")]

    assert not re.search(r"(?i)\bcompliant\b|\bin place\b", "".join(texts))

"""``pci-gate deploy``: plan, judge that very plan, and apply it only if nothing blocks."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import msgspec

from policies.engine.house import House, parse_house
from policies.engine.model import Report
from policies.engine.read import (
    OTHER_LANGUAGES,
    PLAN_FILE,
    SOURCE_MAP,
    STACK_SUFFIX,
    read,
    read_text,
)
from policies.engine.stack import Configuration
from policies.report import results, text
from scripts import options
from scripts.__main__ import Refusal
from scripts.exits import NOT_APPLIED, NOT_WRITTEN, ending
from scripts.files import WriteError, write_whole
from scripts.judge import REFUSALS, judge
from scripts.placeholders import placeholders
from scripts.sealed import Unsealed, digests
from scripts.terraform import Terraform, TerraformError, require_terraform

PASSWORD_BYTES = 24


class Unready(Exception):
    """What is not fit to be deployed: each reason in a line."""


class Changed(Exception):
    """What was judged is no longer what would be applied."""


@dataclass(frozen=True)
class Planned:
    """A plan of one stack, and the digests of all that an apply would read."""

    terraform: Terraform
    file: Path
    documents: Path
    """A folder with the stack, as it was judged, and the plan in JSON."""

    digests: dict[str, str]

    @property
    def stack(self) -> str:
        """The name of the stack."""
        return self.terraform.folder.name

    def require_unchanged(self) -> None:
        """
        Make sure that an apply would do what was judged.

        Raises:
            Changed: The plan, the stack, or a file that it deploys has changed.
        """
        _require_same(self.stack, self.digests, digests(self.terraform.folder, self.file))


def _require_same(stack: str, before: dict[str, str], after: dict[str, str]) -> None:
    changed = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
    if changed:
        raise Changed(f"{stack}: {', '.join(changed)} changed after it was read; deploy again")


@click.command("deploy")
@click.argument("environment")
@click.option(
    "--house",
    type=click.Path(path_type=Path),
    metavar="FILE",
    required=True,
    help="Your organisation's own rules (TOML): they name the environment's stacks.",
)
@options.waivers
@options.checkov
@click.option(
    "--synthesis",
    type=click.Path(path_type=Path),
    default=Path("cdktf.out"),
    metavar="FOLDER",
    help="What was synthesized; cdktf.out by default.",
)
@click.option(
    "--fresh",
    multiple=True,
    metavar="NAME",
    help="Give the ephemeral variable NAME a fresh password, which is written nowhere.",
)
@click.option(
    "--record",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("build/deployments"),
    metavar="FOLDER",
    help="Where to keep what was judged and applied; build/deployments by default.",
)
def command(
    environment: str,
    house: Path,
    waivers: Path | None,
    with_checkov: bool,
    synthesis: Path,
    fresh: tuple[str, ...],
    record: Path,
) -> None:
    """
    Deploy ENVIRONMENT: what is judged is what is applied.

    Plans every stack of the environment into a file, judges each stack together with its
    plan, and applies those very files. Nothing is applied where something blocks, where a
    file has changed since it was read, or where values of the documentation are left.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        require_terraform()
        folders = _stacks(environment, parse_house(read_text(house), str(house)), synthesis)
        stacks = _ready(folders, fresh)
        _require_legible(folders, waivers, house)
        with tempfile.TemporaryDirectory(prefix="pci-gate-") as private:
            planned = [_plan(stack, Path(private)) for stack in stacks]
            documents = [plan.documents for plan in planned]
            judged = judge(documents, waivers, house, with_checkov=with_checkov)
            report = _without(private, judged)
            kept = Record(_new_folder(record / environment), environment, planned, report)
            kept.documents()
            click.echo(text.render(report), nl=False)
            if ending(report):
                for reason in (*report.refusals, "nothing was applied"):
                    click.echo(f"pci-gate: {reason}", err=True)
                sys.exit(ending(report))
            for plan in planned:
                plan.require_unchanged()
            for plan in planned:
                _apply(plan, kept)
    except Unready as error:
        for line in str(error).splitlines():
            click.echo(f"pci-gate: {line}", err=True)
        sys.exit(Refusal.exit_code)
    except (*REFUSALS, Changed, Unsealed) as error:
        raise Refusal(*error.args) from error
    except (TerraformError, KeyboardInterrupt) as error:
        click.echo(f"pci-gate: {error or 'interrupted'}", err=True)
        sys.exit(NOT_APPLIED)
    except WriteError as error:
        click.echo(f"pci-gate: {error}", err=True)
        sys.exit(NOT_WRITTEN)


def _stacks(environment: str, house: House, synthesis: Path) -> list[Path]:
    """Return the folders of the environment's stacks, in the order of their deployment."""
    names = [stack for stack, belongs in house.stacks.items() if belongs == environment]
    if not names:
        known = ", ".join(house.environments)
        raise Unready(f"there is no environment {environment}; the house names {known}")
    folders = [(synthesis / "stacks" / name).absolute() for name in names]
    for folder in folders:
        if not folder.is_dir():
            raise Unready(f"{synthesis}: there is no stack {folder.name}; synthesize it first")
        if folder.is_symlink():
            raise Unready(f"{folder}: a link to a folder, which is not followed")
    return folders


def _ready(folders: Sequence[Path], fresh: Sequence[str]) -> list[Terraform]:
    """Return what runs the stacks in *folders*, their variables set."""
    stacks: list[Terraform] = []
    reasons: list[str] = []
    asked = set(fresh)
    for folder in folders:
        content = _configuration(folder)
        variables = {name: body for (name,), (body, *_) in content.get("variable", {}).items()}
        made = {name: secrets.token_urlsafe(PASSWORD_BYTES) for name in set(variables) & set(fresh)}
        asked -= set(made)
        stacks.append(Terraform(folder, made))
        reasons += _reasons_against(folder.name, content, variables, made)
    reasons += [f"--fresh {name}: no stack has such a variable" for name in sorted(asked)]
    if reasons:
        raise Unready("\n".join(reasons))
    return stacks


def _configuration(folder: Path) -> Configuration:
    """Return what the stack in *folder* configures, its override files included."""
    [reading] = [r for r in read([folder]) if r.document.kind == "stack"]
    if reading.document.stack != folder.name:
        raise Unready(f"{folder.name}: says that it is {reading.document.stack}")
    content: Configuration = reading.content
    return content


def _reasons_against(
    stack: str, content: Configuration, variables: dict[str, Any], made: dict[str, str]
) -> list[str]:
    reasons = [
        f"{stack}: {value} is a value of documentation, at {path}; fill in your own"
        for value, path in placeholders(content).items()
    ]
    reasons += [
        f"{stack}: the variable {name} is kept in the plan; make it ephemeral"
        for name in sorted(made)
        if variables[name].get("ephemeral") is not True
    ]
    reasons += [
        f"{stack}: the variable {name} has no value; set TF_VAR_{name}"
        for name, body in sorted(variables.items())
        if "default" not in body and name not in made and not os.environ.get(f"TF_VAR_{name}")
    ]
    return reasons


def _require_legible(folders: Sequence[Path], waivers: Path | None, house: Path) -> None:
    """Refuse, before anything is planned, a stack of which a plan would run what nobody sees."""
    report = judge(folders, waivers, house, with_checkov=False)
    if report.refusals:
        raise Unready("\n".join(report.refusals))
    opaque = [f for f in report.blocking if f.policy == "intake.opaque"]
    if opaque:
        raise Unready("\n".join(f"{f.resource}: {f.messages[0]}" for f in opaque))


def _plan(stack: Terraform, private: Path) -> Planned:
    """Plan *stack* into a file that nobody else can write, and read that file."""
    name = stack.folder.name
    file = private / f"{name}.tfplan"
    click.echo(f"planning {name}", err=True)
    digests(stack.folder)  # refuses what cannot be sealed before Terraform sees it
    stack.run("init", "-no-color")
    before = digests(stack.folder)
    stack.run("plan", "-no-color", f"-out={file}")
    after = digests(stack.folder, file)
    _require_same(name, before, {key: value for key, value in after.items() if key != file.name})
    documents = private / name
    documents.mkdir()
    for path in stack.folder.iterdir():
        if path.name.endswith((STACK_SUFFIX, *OTHER_LANGUAGES)) or path.name == SOURCE_MAP:
            shutil.copy(path, documents)
    plan = stack.run("show", "-json", str(file))
    (documents / PLAN_FILE).write_text(plan)
    planned = Planned(stack, file, documents, after)
    planned.require_unchanged()
    left = placeholders(json.loads(plan).get("variables", {}))
    if left:
        value, place = next(iter(left.items()))
        raise Unready(f"{name}: {value} is a value of documentation, in the variable {place}")
    return planned


def _apply(plan: Planned, kept: Record) -> None:
    """Apply the very file that was judged, and note when."""
    plan.require_unchanged()
    click.echo(f"applying {plan.stack}", err=True)
    kept.note(plan.stack, "started_at")
    plan.terraform.show("apply", "-no-color", str(plan.file))
    kept.note(plan.stack, "applied_at")


def _without(folder: str, report: Report) -> Report:
    """Return *report* with its documents named by stack, and not by a folder that will be gone."""
    return replace(
        report,
        documents=tuple(
            replace(document, path=document.path.removeprefix(f"{folder}/"))
            for document in report.documents
        ),
        findings=tuple(
            msgspec.structs.replace(finding, document=finding.document.removeprefix(f"{folder}/"))
            for finding in report.findings
        ),
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _new_folder(parent: Path) -> Path:
    """Make a folder for this run; what earlier runs kept stays."""
    try:
        parent.mkdir(parents=True, exist_ok=True)
        stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H%M%SZ-")
        return Path(tempfile.mkdtemp(prefix=stamp, dir=parent))
    except OSError as error:
        raise WriteError(f"{parent}: {error.strerror}") from error


class Record:
    """What was judged, by digest, and what became of it; readable by its owner alone."""

    def __init__(
        self, folder: Path, environment: str, planned: Sequence[Planned], report: Report
    ) -> None:
        self._folder = folder
        self._environment = environment
        self._planned = planned
        self._report = report
        self._times: dict[str, dict[str, str]] = {plan.stack: {} for plan in planned}

    def documents(self) -> None:
        """
        Keep the report, and beside it all that it is about.

        Raises:
            WriteError: That cannot be written.
        """
        try:
            for plan in self._planned:
                shutil.copytree(plan.documents, self._folder / plan.stack)
        except OSError as error:
            raise WriteError(f"{error.filename}: {error.strerror}") from error
        write_whole(self._folder / "results.json", results.render(self._report))
        self._write()

    def note(self, stack: str, event: str) -> None:
        """Keep when *event*, such as ``applied_at``, came to *stack*."""
        self._times[stack][event] = _now()
        self._write()

    def _write(self) -> None:
        stacks: list[dict[str, Any]] = [
            {
                "stack": plan.stack,
                "sha256": plan.digests,
                "started_at": self._times[plan.stack].get("started_at"),
                "applied_at": self._times[plan.stack].get("applied_at"),
            }
            for plan in self._planned
        ]
        deployment = {
            "schema_version": "1",
            "environment": self._environment,
            "commit": self._report.commit,
            "judged_at": self._report.generated_at.isoformat(timespec="seconds"),
            "blocking": len(self._report.blocking),
            "stacks": stacks,
        }
        write_whole(self._folder / "deployment.json", json.dumps(deployment, indent=2) + "\n")

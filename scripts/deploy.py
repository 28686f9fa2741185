"""``pci-gate deploy``: plan, judge that very plan, and apply it only if nothing blocks."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from policies.engine import strict_json
from policies.engine.house import House, parse_house
from policies.engine.model import Report
from policies.engine.read import (
    OTHER_LANGUAGES,
    PLAN_FILE,
    SOURCE_MAP,
    STACK_SUFFIX,
    read_text,
)
from policies.report import results, text
from scripts import options
from scripts.__main__ import Refusal
from scripts.exits import BLOCKED, NOT_APPLIED, NOT_WRITTEN
from scripts.files import WriteError, write_whole
from scripts.judge import REFUSALS, judge
from scripts.placeholders import placeholders
from scripts.terraform import Terraform, TerraformError, require_terraform

STACK = "cdk.tf.json"
PASSWORD_BYTES = 24
NOT_JUDGED = (".terraform", "terraform.tfstate", "terraform.tfstate.backup")
"""What Terraform keeps beside a stack and changes itself."""


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

    def require_unchanged(self) -> None:
        """
        Make sure that an apply would do what was judged.

        Raises:
            Changed: The plan, the stack, or a file that it deploys has changed.
        """
        now = _digests(self.terraform.folder, self.file)
        if now != self.digests:
            changed = sorted(
                name for name in {*now, *self.digests} if now.get(name) != self.digests.get(name)
            )
            raise Changed(
                f"{self.terraform.folder.name}: {changed[0]} has changed since it was judged"
            )


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
    help="Give the variable NAME a fresh password, which is written nowhere.",
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
    file has changed since it was judged, or where values of the documentation are left.
    """
    try:
        require_terraform()
        folders = _stacks(environment, parse_house(read_text(house), str(house)), synthesis)
        stacks = _ready(folders, fresh)
        with tempfile.TemporaryDirectory(prefix="pci-gate-") as private:
            planned = [_plan(stack, Path(private)) for stack in stacks]
            report = _without(
                private,
                judge(
                    [plan.documents for plan in planned], waivers, house, with_checkov=with_checkov
                ),
            )
            kept = record / environment
            _keep_documents(kept, planned, report)
            _keep(kept, environment, planned, report, applied={})
            click.echo(text.render(report), nl=False)
            if report.blocking:
                click.echo("pci-gate: nothing was applied", err=True)
                sys.exit(BLOCKED)
            for plan in planned:
                plan.require_unchanged()
            applied: dict[str, str] = {}
            for plan in planned:
                _apply(plan, applied)
                _keep(kept, environment, planned, report, applied=applied)
    except Unready as error:
        for line in str(error).splitlines():
            click.echo(f"pci-gate: {line}", err=True)
        sys.exit(Refusal.exit_code)
    except (*REFUSALS, Changed) as error:
        raise Refusal(str(error)) from error
    except TerraformError as error:
        click.echo(f"pci-gate: {error}", err=True)
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
    folders = [(synthesis / "stacks" / name).resolve() for name in names]
    for folder in folders:
        if not (folder / STACK).is_file():
            raise Unready(f"{synthesis}: there is no stack {folder.name}; synthesize it first")
    return folders


def _ready(folders: Sequence[Path], fresh: Sequence[str]) -> list[Terraform]:
    """Return what runs the stacks in *folders*, their variables set."""
    stacks: list[Terraform] = []
    reasons: list[str] = []
    for folder in folders:
        document = _document(folder / STACK)
        needed = _needed(document)
        made = {name: secrets.token_urlsafe(PASSWORD_BYTES) for name in needed & set(fresh)}
        stacks.append(Terraform(folder, made))
        reasons += [
            f"{folder.name}: {value} is a value of documentation, at {path}; fill in your own"
            for value, path in placeholders(document).items()
        ]
        reasons += [
            f"{folder.name}: the variable {name} has no value; set TF_VAR_{name}"
            for name in sorted(needed - set(made))
            if not os.environ.get(f"TF_VAR_{name}")
        ]
    if reasons:
        raise Unready("\n".join(reasons))
    return stacks


def _needed(document: Any) -> set[str]:
    """Return the variables of a stack that have no default."""
    variables = document.get("variable") or {}
    return {name for name, body in variables.items() if "default" not in body}


def _document(path: Path) -> Any:
    try:
        return strict_json.decode(read_text(path))
    except strict_json.JSONError as error:
        raise Unready(f"{path}: {error}") from error


def _plan(stack: Terraform, private: Path) -> Planned:
    """Plan *stack* into a file that nobody else can write, and read that file."""
    file = private / f"{stack.folder.name}.tfplan"
    click.echo(f"planning {stack.folder.name}", err=True)
    stack.run("init", "-no-color")
    before = _digests(stack.folder)
    stack.run("plan", "-no-color", f"-out={file}")
    digests = _digests(stack.folder, file)
    documents = private / stack.folder.name
    documents.mkdir(parents=True)
    for path in stack.folder.iterdir():
        if path.name.endswith((STACK_SUFFIX, *OTHER_LANGUAGES)) or path.name == SOURCE_MAP:
            shutil.copy(path, documents)
    (documents / PLAN_FILE).write_text(stack.run("show", "-json", str(file)))
    planned = Planned(stack, file, documents, digests)
    if before != {name: digest for name, digest in digests.items() if name != file.name}:
        raise Changed(f"{stack.folder.name}: a file changed while it was planned")
    planned.require_unchanged()
    return planned


def _apply(plan: Planned, applied: dict[str, str]) -> None:
    """Apply the very file that was judged, and note when."""
    plan.require_unchanged()
    name = plan.terraform.folder.name
    click.echo(f"applying {name}", err=True)
    click.echo(plan.terraform.run("apply", "-no-color", str(plan.file)).strip().splitlines()[-1])
    applied[name] = datetime.now(UTC).isoformat(timespec="seconds")


def _without(folder: str, report: Report) -> Report:
    """Return *report* with its documents named by stack, and not by a folder that will be gone."""
    return replace(
        report,
        documents=tuple(
            replace(document, path=document.path.removeprefix(f"{folder}/"))
            for document in report.documents
        ),
        findings=tuple(
            replace(finding, document=finding.document.removeprefix(f"{folder}/"))
            for finding in report.findings
        ),
    )


def _keep_documents(folder: Path, planned: Sequence[Planned], report: Report) -> None:
    """Keep the report, and beside it all that it is about; what an earlier run kept goes."""
    try:
        shutil.rmtree(folder, ignore_errors=True)
        for plan in planned:
            shutil.copytree(plan.documents, folder / plan.documents.name)
        folder.chmod(0o700)
    except OSError as error:
        raise WriteError(f"{error.filename}: {error.strerror}") from error
    write_whole(folder / "results.json", results.render(report))


def _keep(
    folder: Path,
    environment: str,
    planned: Sequence[Planned],
    report: Report,
    *,
    applied: dict[str, str],
) -> None:
    """Keep what was judged, by digest, and what was applied of it."""
    stacks: list[dict[str, Any]] = [
        {
            "stack": plan.terraform.folder.name,
            "sha256": plan.digests,
            "applied_at": applied.get(plan.terraform.folder.name),
        }
        for plan in planned
    ]
    deployment = {
        "schema_version": "1",
        "environment": environment,
        "commit": report.commit,
        "judged_at": report.generated_at.isoformat(timespec="seconds"),
        "blocking": len(report.blocking),
        "stacks": stacks,
    }
    write_whole(folder / "deployment.json", json.dumps(deployment, indent=2) + "\n")


def _digests(folder: Path, *others: Path) -> dict[str, str]:
    """Return the SHA-256 of every file that an apply in *folder* reads, by its name."""
    return {
        name: hashlib.sha256(path.read_bytes()).hexdigest()
        for name, path in sorted(_files(folder, *others))
    }


def _files(folder: Path, *others: Path) -> Iterator[tuple[str, Path]]:
    for path in folder.rglob("*"):
        parts = path.relative_to(folder).parts
        if path.is_file() and parts[0] not in NOT_JUDGED:
            yield "/".join(parts), path
    for path in others:
        yield path.name, path

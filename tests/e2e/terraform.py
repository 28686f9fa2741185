"""The real Terraform, with the provider from this machine where there is one."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROVIDER = Path("registry.terraform.io/hashicorp/aws/5.100.0")
ROOTS = ("/opt", "/usr/local/share", "/usr/share", "~/.terraform.d")
VARIABLE = "TF_PLUGIN_MIRROR"


def mirror() -> Path | None:
    """Return a folder with the provider in it: the variable's, or one of the usual places."""
    candidates = [Path(os.environ[VARIABLE])] if os.environ.get(VARIABLE) else []
    for root in map(Path, ROOTS):
        folder = root.expanduser()
        if folder.is_dir():
            candidates += [folder, *sorted(path for path in folder.iterdir() if path.is_dir())]
    return next((path for path in candidates if (path / PROVIDER).is_dir()), None)


def why_not() -> str | None:
    """Return why Terraform cannot run here, or None."""
    if shutil.which("terraform") is None:
        return "there is no terraform on PATH"
    if mirror() is None:
        return f"there is no mirror of the AWS provider; {VARIABLE} may name one"
    return None


@dataclass(frozen=True)
class Workspace:
    """A folder in which Terraform works."""

    folder: Path
    environment: dict[str, str]

    def run(self, *arguments: str) -> str:
        """
        Run ``terraform`` with *arguments*; return what it prints.

        Raises:
            AssertionError: It fails.
        """
        process = subprocess.run(
            ["terraform", *arguments],
            cwd=self.folder,
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            check=False,
        )
        assert process.returncode in {0, 2}, process.stdout + process.stderr
        return process.stdout + process.stderr

    def show(self, *file: str) -> Any:
        """Return a plan *file*, or the state, in JSON."""
        return json.loads(self.run("show", "-json", *file))


def workspace(folder: Path, settings: Path) -> Workspace:
    """Make *folder* one that Terraform can work in, with its own configuration in *settings*."""
    configuration = settings / "terraform.rc"
    found = mirror()
    configuration.write_text(
        f'provider_installation {{\n  filesystem_mirror {{ path = "{found}" }}\n}}\n'
    )
    made = Workspace(
        folder,
        {
            "AWS_ACCESS_KEY_ID": "emulated",
            "AWS_SECRET_ACCESS_KEY": "emulated",
            "TF_CLI_CONFIG_FILE": str(configuration),
            "TF_IN_AUTOMATION": "1",
            "CHECKPOINT_DISABLE": "1",
        },
    )
    made.run("init", "-input=false", "-no-color")
    return made

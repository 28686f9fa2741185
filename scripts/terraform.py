"""Terraform, run where a stack is, with nothing in its environment that bends a plan."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

BENDING = ("TF_CLI_ARGS", "TF_WORKSPACE", "TF_DATA_DIR")
"""Variables by which somebody else's options, state or data would take part."""


class TerraformError(Exception):
    """Terraform that is not there, is bent, or fails: one line, and its own words below."""


@dataclass(frozen=True)
class Terraform:
    """Terraform in the folder of one stack."""

    folder: Path
    variables: Mapping[str, str] = field(repr=False)
    """Values of the stack's variables; they are handed over in the environment only."""

    def run(self, *arguments: str) -> str:
        """
        Run ``terraform`` with *arguments*; return what it writes to standard output.

        Raises:
            TerraformError: It fails; the message holds what it said.
        """
        process = subprocess.run(
            ["terraform", *arguments],  # noqa: S607 - whichever Terraform the user has
            cwd=self.folder,
            env={
                **os.environ,
                **{f"TF_VAR_{name}": value for name, value in self.variables.items()},
                "TF_IN_AUTOMATION": "1",
                "TF_INPUT": "0",
            },
            capture_output=True,
            text=True,
            check=False,
        )
        if process.returncode:
            said = process.stderr.strip() or process.stdout.strip()
            raise TerraformError(f"{self.folder.name}: terraform {arguments[0]} failed\n{said}")
        return process.stdout


def require_terraform() -> None:
    """
    Make sure that Terraform can be run, and that nobody bends what it does.

    Raises:
        TerraformError: It is not on PATH, or a variable would change what it plans.
    """
    if shutil.which("terraform") is None:
        raise TerraformError("there is no terraform on PATH; install version 1.11 or newer")
    bent = sorted(name for name in os.environ if name.startswith(BENDING))
    if bent:
        raise TerraformError(f"{bent[0]} is set, which changes what Terraform does; unset it")

"""Terraform, run where a stack is, with nothing in its environment that bends a plan."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import click

BENDING = (
    "AWS_ENDPOINT_URL",
    "TF_CLI_ARGS",
    "TF_DATA_DIR",
    "TF_REATTACH_PROVIDERS",
    "TF_WORKSPACE",
)
"""Variables by which other options, data, providers or services would take part."""

OVERRIDDEN = "development overrides"
"""What Terraform says where its configuration puts another program in place of a provider."""


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
        process = self._start(*arguments, stderr=subprocess.PIPE)
        out, err = _patiently(process)
        if OVERRIDDEN in out + err:
            raise TerraformError(f"{self.folder.name}: {OVERRIDDEN} of a provider; remove them")
        if process.returncode:
            said = err.strip() or out.strip()
            raise TerraformError(f"{self.folder.name}: terraform {arguments[0]} failed\n{said}")
        return out

    def show(self, *arguments: str) -> None:
        """
        Run ``terraform`` with *arguments*, and pass on what it says while it says it.

        Raises:
            TerraformError: It fails.
        """
        with self._start(*arguments, stderr=subprocess.STDOUT) as process:
            for line in _lines(process):
                click.echo(line, nl=False, err=True)
        if process.returncode:
            raise TerraformError(f"{self.folder.name}: terraform {arguments[0]} failed")

    def _start(self, *arguments: str, stderr: int) -> subprocess.Popen[str]:
        """Start Terraform apart from our own terminal: who interrupts us is passed on, once."""
        return subprocess.Popen(
            ["terraform", *arguments],  # noqa: S607 - whichever Terraform the user has
            cwd=self.folder,
            env={
                **os.environ,
                **{f"TF_VAR_{name}": value for name, value in self.variables.items()},
                "TF_IN_AUTOMATION": "1",
                "TF_INPUT": "0",
            },
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            start_new_session=True,
        )


def _patiently(process: subprocess.Popen[str]) -> tuple[str, str]:
    """Wait for Terraform. Asked once to stop, it saves its state; asked twice, it does not."""
    with process:
        try:
            return process.communicate()
        except KeyboardInterrupt:
            process.send_signal(signal.SIGINT)
            return process.communicate()


def _lines(process: subprocess.Popen[str]) -> Iterator[str]:
    """Yield what Terraform says; when we are interrupted, ask it to stop, and hear it out."""
    assert process.stdout is not None  # noqa: S101 - it is a pipe
    asked = False
    while True:
        try:
            line = process.stdout.readline()
        except KeyboardInterrupt:
            if not asked:
                process.send_signal(signal.SIGINT)
            asked = True
            continue
        if not line:
            return
        yield line


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

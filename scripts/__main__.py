"""pci-gate: the command line, and what each way to end it means."""

from __future__ import annotations

import importlib
import sys
from typing import Any

import click

from scripts.exits import INTERNAL_ERROR, REFUSED

COMMANDS = {
    "check": "Judge synthesized stacks, plans and states; say yes or no.",
    "deploy": "Plan an environment, judge that very plan, and apply it.",
    "diff": "Say what one run found that another did not.",
    "explain": "Say what a policy holds, why, and what breaks it.",
    "history": "List the signed runs, and what changed.",
    "keygen": "Make a key to sign reports with.",
    "policies": "List the policies and their requirements.",
    "report": "Write the evidence for an assessor.",
    "verify": "Check a report: what is in it, who signed it.",
    "waive": "Draft a waiver of what was found, to fill in.",
}


class Refusal(click.ClickException):
    """Input, usage or a waiver file that is refused: a line for each reason, exit code 2."""

    exit_code = REFUSED

    def __init__(self, *reasons: object) -> None:
        super().__init__("\n".join(" ".join(str(each).split()) for each in reasons))

    def show(self, file: Any = None) -> None:
        """Print each reason in one line."""
        from policies.report.text import printable

        for reason in self.message.splitlines():
            click.echo(f"pci-gate: {printable(reason)}", err=True)


class Commands(click.Group):
    """The subcommands, each imported when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names, in the order of COMMANDS."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Return the command *name*, or None."""
        if name not in COMMANDS:
            return None
        try:
            command: click.Command = importlib.import_module(f"scripts.{name}").command
        except ModuleNotFoundError as error:
            raise Refusal(
                f"{name}: there is no {error.name} here; pip install 'pci-gate[report]'"
            ) from error
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="pci-gate", message="%(version)s")
def cli() -> None:
    """
    Judge infrastructure against PCI DSS v4.0.1 before it is deployed.

    pci-gate reads what Terraform is about to build: the JSON that CDKTF synthesizes,
    or a plan (terraform show -json). It names every resource that breaks a policy,
    the requirement behind it, and the line of Python to mend.

    \b
    Exit codes
       0  nothing blocks
       1  something blocks: a policy fails, cannot be decided, or a waiver is void
       2  the input, the usage or the waiver file is refused
       3  a report could not be written, or does not verify
       4  Terraform failed, or is not there
      70  an error of pci-gate itself
    """  # noqa: D301 - click's own mark for what it must not wrap


def main() -> None:
    """Run the command; an error that nobody foresaw never looks like a verdict."""
    try:
        cli.main(prog_name="pci-gate", standalone_mode=True)
    except Exception as error:  # noqa: BLE001 - whatever it is, the gate stays shut
        click.echo(f"pci-gate: internal error: {type(error).__name__}: {error}", err=True)
        sys.exit(INTERNAL_ERROR)


if __name__ == "__main__":
    main()

"""``pci-gate explain``: one policy, in full."""

from __future__ import annotations

import difflib

import click

from policies import POLICIES
from policies.engine import waive
from policies.report import explanation
from policies.requirements import requirements
from scripts.__main__ import Refusal


@click.command("explain")
@click.argument("policy")
def command(policy: str) -> None:
    """Say what POLICY holds, why, what breaks it, and which requirement it serves."""
    suite = {each.id: each for each in (*POLICIES, *waive.POLICIES)}
    if policy not in suite:
        near = difflib.get_close_matches(policy, suite, n=1)
        hint = f"did you mean {near[0]}?" if near else "pci-gate policies lists them"
        raise Refusal(f"{policy}: there is no such policy; {hint}")
    known = {requirement.id: requirement for requirement in requirements()}
    click.echo(explanation.render(suite[policy], known), nl=False)

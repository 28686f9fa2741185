"""``pci-gate policies``: the suite, one line a policy."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import click
import msgspec

from policies import POLICIES
from policies.engine import waive
from policies.engine.model import Policy
from policies.requirements import requirements, served

INDENT = 26 * " "


@click.command("policies")
@click.option(
    "--format",
    "format",
    type=click.Choice(("text", "json")),
    default="text",
    show_default=True,
    help="How to list.",
)
@click.option(
    "--coverage",
    is_flag=True,
    help="List the requirements of PCI DSS instead, and how much of each the suite covers.",
)
def command(format: str, coverage: bool) -> None:
    """List the policies and the requirements that they serve."""
    policies = (*POLICIES, *waive.POLICIES)
    if coverage:
        _list_requirements(policies, format)
        return
    if format == "json":
        listed = [_listed(policy) for policy in policies]
        click.echo(msgspec.json.format(msgspec.json.encode(listed), indent=1).decode())
        return
    width = max(len(policy.id) for policy in policies)
    for policy in policies:
        served = ", ".join(claim.requirement for claim in policy.claims) or "-"
        click.echo(f"{policy.id:{width}}  {policy.title}  [{served}]")


def _list_requirements(policies: Sequence[Policy], format: str) -> None:
    """Print every requirement, with its status, its policies, and why there is none."""
    serving = served(policies)
    rows = [
        {
            "requirement": requirement.id,
            "status": requirement.status,
            "title": requirement.title,
            "policies": [policy.id for policy in serving.get(requirement.id, ())],
            "notes": requirement.notes,
        }
        for requirement in requirements()
    ]
    if format == "json":
        click.echo(msgspec.json.format(msgspec.json.encode(rows), indent=1).decode())
        return
    for row in rows:
        click.echo(f"{row['requirement']:9} {row['status']:15} {row['title']}")
        for reason in filter(None, (", ".join(row["policies"]), row["notes"])):
            click.echo(
                textwrap.fill(str(reason), 96, initial_indent=INDENT, subsequent_indent=INDENT)
            )


def _listed(policy: Policy) -> dict[str, object]:
    return {
        "id": policy.id,
        "title": policy.title,
        "requirements": [{"id": c.requirement, "strength": c.strength} for c in policy.claims],
        "needs_house": policy.needs_house,
    }

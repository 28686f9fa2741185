"""``pci-gate policies``: the suite, one line a policy."""

from __future__ import annotations

import click
import msgspec

from policies import POLICIES
from policies.engine import waive
from policies.engine.model import Policy


@click.command("policies")
@click.option(
    "--format",
    "format",
    type=click.Choice(("text", "json")),
    default="text",
    show_default=True,
    help="How to list.",
)
def command(format: str) -> None:
    """List the policies and the requirements that they serve."""
    policies = (*POLICIES, *waive.POLICIES)
    if format == "json":
        listed = [_listed(policy) for policy in policies]
        click.echo(msgspec.json.format(msgspec.json.encode(listed), indent=1).decode())
        return
    width = max(len(policy.id) for policy in policies)
    for policy in policies:
        served = ", ".join(claim.requirement for claim in policy.claims) or "-"
        click.echo(f"{policy.id:{width}}  {policy.title}  [{served}]")


def _listed(policy: Policy) -> dict[str, object]:
    return {
        "id": policy.id,
        "title": policy.title,
        "requirements": [{"id": c.requirement, "strength": c.strength} for c in policy.claims],
        "needs_house": policy.needs_house,
    }

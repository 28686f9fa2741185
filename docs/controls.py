"""The controls that infrastructure code can show something of, beside the policies that do so."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from policies.engine.model import Policy
from policies.report.catalogue import HEADER, STRENGTHS, link

TABLE = Path(__file__).with_suffix(".toml")


@dataclass(frozen=True, kw_only=True)
class Control:
    """One thing that an assessor asks for, as far as infrastructure code can show it."""

    id: str
    requirements: tuple[str, ...]
    """Numbers of PCI DSS; none for hardening of our own."""

    proves: str
    policies: tuple[str, ...] = ()
    why_none: str = ""
    """Why no policy judges it."""


def controls() -> tuple[Control, ...]:
    """Return every control, in the order of the table."""
    return tuple(
        Control(
            id=id,
            requirements=tuple(row["requirements"]),
            proves=row["proves"],
            policies=tuple(row.get("policies", ())),
            why_none=row.get("why_none", ""),
        )
        for id, row in tomllib.loads(TABLE.read_text()).items()
    )


def page(policies: Iterable[Policy]) -> str:
    """Return a table of every control: its policies, or why it has none; and what is beside it."""
    rows, suite = controls(), {policy.id: policy for policy in policies}
    listed = {policy for control in rows for policy in control.policies}
    beside = [policy for policy in suite.values() if policy.claims and policy.id not in listed]
    judged = sum(bool(control.policies) for control in rows)
    parts = [
        HEADER,
        "# Controls, and the policies that judge them\n",
        f"{judged} of {len(rows)} controls are judged; beside the others stands why not.\n",
        STRENGTHS,
        "| control | PCI DSS | what it shows | policies, or why there is none |",
        "|---|---|---|---|",
        *(_row(control, suite) for control in rows),
        "\n## Beside these controls\n",
        "Policies on other services that hold account data, and on what is written around them:\n",
        *(f"- {link(policy.id)}: {policy.title}" for policy in beside),
    ]
    return "\n".join(parts) + "\n"


def _row(control: Control, suite: Mapping[str, Policy]) -> str:
    requirements = ", ".join(control.requirements) or "our own"
    judges = [f"{link(id)}{_strengths(suite[id], control)}" for id in control.policies]
    what = ", ".join(judges) or control.why_none
    return f"| {control.id} | {requirements} | {control.proves} | {what} |"


def _strengths(policy: Policy, control: Control) -> str:
    """Return how much of the control's requirements *policy* shows."""
    found = {c.strength.value for c in policy.claims if c.requirement in control.requirements}
    return f" ({', '.join(sorted(found))})" if found else ""

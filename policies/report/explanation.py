"""A Policy in, what it holds and how it is broken out, for people."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Mapping

from policies.engine.model import Claim, Policy, Requirement, Strength

MEANING = {
    Strength.DIRECT: "the technical condition that it names",
    Strength.PART: "one part of it",
    Strength.SUPPORT: "supporting evidence only",
}


def render(policy: Policy, requirements: Mapping[str, Requirement]) -> str:
    """Return what *policy* holds, why, what breaks it, and which requirement it serves."""
    return "\n".join(_lines(policy, requirements)) + "\n"


def _lines(policy: Policy, requirements: Mapping[str, Requirement]) -> Iterator[str]:
    yield policy.id
    yield from textwrap.wrap(policy.title, 88, initial_indent="  ", subsequent_indent="  ")
    if policy.why:
        yield ""
        yield from textwrap.wrap(policy.why, 88, initial_indent="  ", subsequent_indent="  ")
    yield "\nRequirements"
    for claim in policy.claims:
        yield f"  {_claim(claim, requirements)}"
    if not policy.claims:
        yield "  none: hardening, or a convention, of our own"
    yield "\nJudges"
    yield from (f"  {line}" for line in _subjects(policy))
    if policy.needs_house:
        yield "  over house.toml: evaluated only where --house names one"
    if policy.violated_by:
        yield "\nBroken by"
        yield from (f"  {mutation}" for mutation in policy.violated_by)
    if policy.example:
        yield "\nComplies"
        yield textwrap.indent(json.dumps(policy.example, indent=2), "  ")
    for link in policy.links:
        yield f"\nSee {link}"


def _claim(claim: Claim, requirements: Mapping[str, Requirement]) -> str:
    title = requirements[claim.requirement].title
    return f"{claim.requirement:8}  {title} ({MEANING[claim.strength]})"


def _subjects(policy: Policy) -> Iterator[str]:
    prohibited = () if callable(policy.prohibits) else policy.prohibits
    if policy.prohibits:
        yield f"every stack, for having no {', '.join(prohibited) or 'such resource'}"
    types = policy.types[: len(policy.types) - len(prohibited)]
    shown = types[:6]
    if shown:
        more = f" and {len(types) - len(shown)} more" if len(types) > len(shown) else ""
        yield f"each {', '.join(shown)}{more}"
    if policy.at_least:
        yield f"each stack of the house, for having at least {policy.at_least} that comply"

"""The suite in, its documentation out: docs/policies.md and docs/pci-dss.md."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from policies.engine.model import Mutation, Policy, Requirement, Status, Violation
from policies.report.explanation import MEANING
from policies.requirements import VERSION, served

HEADER = "<!-- Made by `tox run -e docs` from the policies themselves; do not edit. -->\n"


Broken = Callable[[Policy], Iterable[tuple[Mutation, tuple[Violation, ...]]]]
"""What breaks a policy, and what is told then."""


def policies_page(policies: Iterable[Policy], broken: Broken) -> str:
    """Return a section for each policy: what holds, why, for which requirement, broken by what."""
    policies = tuple(policies)
    parts = [HEADER, "# The policies\n", f"{len(policies)} policies, by subject.\n"]
    subject = None
    for policy in policies:
        if policy.id.partition(".")[0] != subject:
            subject = policy.id.partition(".")[0]
            parts.append(f"## {subject.replace('_', ' ').capitalize()}\n")
        parts.append("\n".join(_section(policy, broken)))
    return "\n".join(parts)


def _section(policy: Policy, broken: Broken) -> Iterator[str]:
    yield f"### {policy.id}\n"
    yield f"**{policy.title}** {policy.why}\n"
    claims = [f"{claim.requirement} ({MEANING[claim.strength]})" for claim in policy.claims]
    yield f"- Requirements: {', '.join(claims) or 'none; hardening, or a convention, of our own'}"
    if policy.needs_house:
        yield "- Evaluated only where `--house` names the organisation's rules"
    if policy.at_least:
        yield f"- With `--house`: at least {policy.at_least} must comply in each stack"
    for mutation, violations in broken(policy):
        told = "; ".join(f"`{each.at.base}{each.pointer}`: {each.message}" for each in violations)
        yield f"- Broken by: {str(mutation).replace('|', chr(92) + '|')}. Then: {told}"
    yield ""


def link(policy: str) -> str:
    """Return a link to the section of *policy* in policies.md."""
    return f"[{policy}](policies.md#{policy.replace('.', '')})"


def _strength(policy: Policy, requirement: str) -> str:
    return next(c.strength.value for c in policy.claims if c.requirement == requirement)


STATUSES = (
    "Automated: a policy judges the technical condition that the requirement names. "
    "Partial: policies judge a part of it, or support it. Manual: people, or other systems, "
    "show it. Inherited: AWS shows it. Not applicable: for some entities only.\n"
)
STRENGTHS = (
    f"Beside a policy: {'; '.join(f'{s.value}, {meaning}' for s, meaning in MEANING.items())}. "
    "Whether a requirement is met is for an assessor to say.\n"
)


def requirements_page(requirements: Sequence[Requirement], policies: Iterable[Policy]) -> str:
    """Return a table of every requirement: its status, its policies, or why it has none."""
    links = {
        id: [f"{link(policy.id)} ({_strength(policy, id)})" for policy in serving]
        for id, serving in served(policies).items()
    }
    parts = [
        HEADER,
        f"# PCI DSS v{VERSION}, requirement by requirement\n",
        "In our words: the standard's own are licensed.\n",
        STATUSES,
        STRENGTHS,
        ", ".join(
            f"{sum(r.status is status for r in requirements)} {status.value}" for status in Status
        )
        + f", of {len(requirements)}.\n",
        "| requirement | status | policies, or why there is none |",
        "|---|---|---|",
    ]
    for requirement in requirements:
        what = ", ".join(links.get(requirement.id, ()))
        notes = " ".join(filter(None, (what, requirement.notes)))
        parts.append(
            f"| {requirement.id} {requirement.title} | {requirement.status.value} | {notes} |"
        )
    return "\n".join(parts) + "\n"

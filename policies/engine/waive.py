"""Findings and waivers in, findings out. A waiver annotates a verdict, never changes it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Any

import msgspec
import yaml
from msgspec.structs import replace

from policies.engine.graph import Stage
from policies.engine.model import WAIVABLE, Finding, Policy, Verdict, Waiver

LONGEST_DAYS = 366
OF_STACKS = ("house.environments", "house.separation")
"""The policies whose findings are about a stack as a whole."""

EXPIRED = Policy(
    id="waivers.expired",
    title="Every waiver is within its time.",
    why="An accepted risk is looked at again at least once a year.",
)
UNMATCHED = Policy(
    id="waivers.unmatched",
    title="Every waiver waives something.",
    why="A waiver of what is mended, renamed, gone or changed would hide the next deviation.",
)
POLICIES = (EXPIRED, UNMATCHED)


class WaiverError(ValueError):
    """A waiver file that is refused: where, what, and what to do."""


def parse_waivers(text: str, name: str) -> tuple[Waiver, ...]:
    """
    Return the waivers in *text* (YAML), which stands in the file *name*.

    Raises:
        WaiverError: It is no list of waivers, or one of them is incomplete, endless,
            wide, double, or approved by its own owner.
    """
    try:
        content = yaml.load(text, Loader=_StrictLoader)  # noqa: S506 - a SafeLoader
        waivers = tuple(msgspec.convert(content, list[Waiver]))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise WaiverError(f"{name}: {' '.join(str(error).split())}") from error
    for waiver in waivers:
        _require_sound(name, waiver)
    _require_no_double(name, waivers)
    return waivers


class _StrictLoader(yaml.SafeLoader):
    """YAML without anchors, aliases and double keys: every waiver says all of itself."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise yaml.MarkedYAMLError(
                problem="anchors and aliases are refused: write it out",
                problem_mark=event.start_mark,
            )
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:  # noqa: FBT001, FBT002
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.MarkedYAMLError(
                    problem=f"key {key!r} stands twice", problem_mark=node.start_mark
                )
        return super().construct_mapping(node, deep)


TEXTS = (
    "policy",
    "constraints",
    "definition",
    "objective",
    "risk",
    "validation",
    "maintenance",
    "owner",
    "approved_by",
)
LISTS = {
    "resources": "name each address",
    "accepts": "say what was found, in the words of the report",
}


def _require_sound(name: str, waiver: Waiver) -> None:
    def refuse(reason: str) -> None:
        raise WaiverError(f"{name}: waiver of {waiver.policy}: {reason}")

    for reason in _empty(waiver):
        refuse(reason)
    for address in (waiver.policy, *waiver.resources):
        if not address.isascii() or any(mark in address for mark in "*?") or " " in address:
            refuse(f"{address!r} is no exact address")
    for address in waiver.resources:
        if "/" not in address and not waiver.policy.startswith(OF_STACKS):
            refuse(f"{address!r} names no stack; write financial-dev/{address}, for example")
    if _role(waiver.owner) == _role(waiver.approved_by):
        refuse("owner and approved_by are the same; another role approves")
    if waiver.expires_on < waiver.approved_on:
        refuse("expires_on is before approved_on")
    if (waiver.expires_on - waiver.approved_on).days > LONGEST_DAYS:
        refuse(f"longer than {LONGEST_DAYS} days; approve it again each year")


def _empty(waiver: Waiver) -> Iterator[str]:
    """Say of each field that nobody filled in that it is empty."""
    for field in TEXTS:
        if not _role(getattr(waiver, field)):
            yield f"{field} is empty"
    for field, wanted in LISTS.items():
        if not all([*map(_role, getattr(waiver, field))] or [""]):
            yield f"{field} is empty; {wanted}"


def _role(text: str) -> str:
    """Return what is left of a role's name when it is read aloud."""
    return "".join(c for c in text.casefold() if c.isalnum())


def _require_no_double(name: str, waivers: Sequence[Waiver]) -> None:
    seen = set()
    for waiver in waivers:
        for resource in waiver.resources:
            if (waiver.policy, resource) in seen:
                raise WaiverError(f"{name}: waiver of {waiver.policy}: {resource} stands twice")
            seen.add((waiver.policy, resource))


def waive(
    findings: Iterable[Finding],
    waivers: Iterable[Waiver],
    today: date,
    *,
    stacks: frozenset[str],
    skipped: tuple[str, ...],
    whole: bool = False,
) -> Iterator[Finding]:
    """
    Attach each waiver to the findings that it names, and report those that name none.

    *stacks* are those that this run judged; *skipped* are the ids, or the beginnings
    of ids, of policies that it did not evaluate. Nothing is said of waivers outside,
    unless the run was about the *whole* of a synthesis: then there is no other stack.
    """
    wanted = {(w.policy, address): w for w in waivers for address in w.resources}
    used, other = set(), {}
    for finding in findings:
        key = (finding.policy, finding.resource)
        waiver = wanted.get(key)
        if waiver and finding.verdict in WAIVABLE and _is_in_force(waiver, today):
            new = sorted(set(finding.messages) - set(waiver.accepts))
            if not new:
                yield replace(finding, waiver=waiver)
                used.add(key)
                continue
            other[key] = new[0]
        yield finding
    for (policy, resource), waiver in wanted.items():
        is_here = whole or resource.partition("/")[0] in stacks
        judged = is_here and not policy.startswith(skipped)
        if today < waiver.approved_on:
            message = f"the waiver of {policy} is approved on {waiver.approved_on} only"
            yield _idle(EXPIRED, resource, message)
        elif today > waiver.expires_on:
            yield _idle(EXPIRED, resource, f"the waiver of {policy} expired on {waiver.expires_on}")
        elif (policy, resource) in other:
            message = f"the waiver of {policy} does not accept: {other[policy, resource]}"
            yield _idle(UNMATCHED, resource, message)
        elif judged and (policy, resource) not in used:
            yield _idle(UNMATCHED, resource, f"the waiver of {policy} matches nothing to waive")


def _is_in_force(waiver: Waiver, today: date) -> bool:
    return waiver.approved_on <= today <= waiver.expires_on


def _idle(policy: Policy, resource: str, message: str) -> Finding:
    return Finding(
        policy=policy.id,
        resource=resource,
        stage=Stage.DESIGN,
        verdict=Verdict.FAIL,
        messages=(message,),
    )

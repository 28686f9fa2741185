"""Findings and waivers in, findings out. A waiver annotates a verdict, never changes it."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Sequence
from datetime import date
from typing import Any

import msgspec
import yaml
from msgspec.structs import replace

from policies.engine.graph import Stage
from policies.engine.model import TEXTS, WAIVABLE, Finding, Policy, Verdict, Waiver

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


ALL_TEXTS = {text for texts in TEXTS.values() for text in texts}
NAMES = ("policy", "owner", "approved_by")
_FINGERPRINT = re.compile(r"[0-9a-f]{16}")


def _require_sound(name: str, waiver: Waiver) -> None:
    for reason in (*_empty(waiver), *_wide(waiver), *_unapproved(waiver)):
        raise WaiverError(f"{name}: waiver of {waiver.policy}: {reason}")


def _wide(waiver: Waiver) -> Iterator[str]:
    """Say of each name that it may mean more than one thing, or something that changed."""
    for address in (waiver.policy, *waiver.resources):
        if not address.isascii() or any(mark in address for mark in "*?") or " " in address:
            yield f"{address!r} is no exact address"
    for address, fingerprint in waiver.resources.items():
        if "/" not in address and not waiver.policy.startswith(OF_STACKS):
            yield f"{address!r} names no stack; write financial-dev/{address}, for example"
        if not _FINGERPRINT.fullmatch(fingerprint):
            yield f"{address} has no fingerprint; pci-gate waive prints it"


def _unapproved(waiver: Waiver) -> Iterator[str]:
    if _role(waiver.owner) == _role(waiver.approved_by):
        yield "owner and approved_by are the same; another role approves"
    if waiver.expires_on < waiver.approved_on:
        yield "expires_on is before approved_on"
    if (waiver.expires_on - waiver.approved_on).days > LONGEST_DAYS:
        yield f"longer than {LONGEST_DAYS} days; approve it again each year"


def _empty(waiver: Waiver) -> Iterator[str]:
    """Say of each field that nobody filled in that it is empty, and of one that is of no use."""
    wanted = TEXTS[waiver.kind]
    for field in (*NAMES, *wanted):
        if not _role(getattr(waiver, field)):
            yield f"{field} is empty"
    for field in sorted(ALL_TEXTS - set(wanted)):
        if getattr(waiver, field):
            yield f"{field} is no part of a {waiver.kind}"
    if not waiver.resources:
        yield "resources is empty; name each address"
    if not all([*map(_role, waiver.accepts)] or [""]):
        yield "accepts is empty; say what was found, in the words of the report"


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
    findings = tuple(findings)
    wanted = {(w.policy, address): w for w in waivers for address in w.resources}
    written = _fingerprints(findings, wanted)
    used: set[tuple[str, str]] = set()
    other: dict[tuple[str, str], str] = {}
    for finding in findings:
        key = (finding.policy, finding.resource)
        waiver = wanted.get(key)
        if waiver and finding.verdict in WAIVABLE and _is_in_force(waiver, today):
            reason = _why_not(finding, waiver, written[key])
            if not reason:
                yield replace(finding, waiver=waiver)
                used.add(key)
                continue
            other[key] = reason
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
            yield _idle(UNMATCHED, resource, f"the waiver of {policy} {other[policy, resource]}")
        elif judged and (policy, resource) not in used:
            yield _idle(UNMATCHED, resource, f"the waiver of {policy} matches nothing to waive")


def _fingerprints(
    findings: Sequence[Finding], wanted: Container[tuple[str, str]]
) -> dict[tuple[str, str], str]:
    """Return the fingerprint of each finding that is *wanted*, by the earliest stage of it."""
    order = list(Stage)
    found: dict[tuple[str, str], str] = {}
    for finding in sorted(findings, key=lambda finding: order.index(finding.stage), reverse=True):
        key = (finding.policy, finding.resource)
        if key in wanted:
            found[key] = finding.fingerprint
    return found


def _why_not(finding: Finding, waiver: Waiver, fingerprint: str) -> str:
    """Return why *waiver* does not cover *finding*, or nothing."""
    new = sorted(set(finding.messages) - set(waiver.accepts))
    if new:
        return f"does not accept: {new[0]}"
    if waiver.resources[finding.resource] != fingerprint:
        return f"was approved for other values; their fingerprint is {fingerprint} now"
    return ""


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

"""The nouns of a judgement: what is claimed, what was found, what was waived."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from functools import cached_property
from typing import Any

import msgspec

from policies.engine.graph import Resource, ResourceGraph, Source, Stage
from policies.engine.observed import NOTHING, Observation


class Verdict(StrEnum):
    """What one policy established about one resource."""

    PASS = "pass"  # noqa: S105 - a verdict
    FAIL = "fail"
    NOT_APPLICABLE = "not_applicable"
    UNKNOWN = "unknown"
    ERROR = "error"


SETTLED = frozenset({Verdict.PASS, Verdict.NOT_APPLICABLE})
WAIVABLE = frozenset({Verdict.FAIL, Verdict.UNKNOWN})


class Strength(StrEnum):
    """How much of a requirement a policy covers."""

    DIRECT = "direct"
    """The technical condition that the requirement names."""

    PART = "part"
    """One part of it."""

    SUPPORT = "support"
    """Evidence that helps, and proves nothing of it alone."""


class Status(StrEnum):
    """How a requirement is met, as far as this suite is concerned."""

    AUTOMATED = "automated"
    PARTIAL = "partial"
    MANUAL = "manual"
    INHERITED = "inherited"
    NOT_APPLICABLE = "not applicable"


@dataclass(frozen=True)
class Violation:
    """What is wrong, and where it is to be mended."""

    message: str
    """Attribute and fact, in lower case."""

    at: Resource
    """The resource, or the block, to mend."""

    path: str = ""
    """Dotted path of the attribute inside it."""

    @property
    def pointer(self) -> str:
        """The attribute's place in the resource (RFC 6901)."""
        path = ".".join(filter(None, (self.at.within, self.path)))
        return "".join(f"/{step}" for step in path.split(".")) if path else ""


Check = Callable[[Resource, ResourceGraph], Iterator[Violation]]


@dataclass(frozen=True)
class Each:
    """A check that is called once for every block at a path."""

    path: str
    check: Check


@dataclass(frozen=True)
class Claim:
    """A requirement of PCI DSS v4.0.1, and how much of it a policy covers."""

    requirement: str
    strength: Strength


def direct(requirement: str) -> Claim:
    """Claim the technical condition that *requirement* names."""
    return Claim(requirement, Strength.DIRECT)


def part_of(requirement: str) -> Claim:
    """Claim one part of *requirement*."""
    return Claim(requirement, Strength.PART)


def supports(requirement: str) -> Claim:
    """Claim evidence that helps *requirement*."""
    return Claim(requirement, Strength.SUPPORT)


Mutation = Callable[[Resource, ResourceGraph], ResourceGraph]


def always(_subject: Resource) -> bool:
    """Apply to every resource of the type."""
    return True


@dataclass(frozen=True, kw_only=True)
class Policy:
    """A few small checks, and everything we claim about them."""

    checks: Check | Each | tuple[Check | Each, ...] = ()
    applies_to: str | tuple[str, ...] = ()
    """Terraform types of the resources that are judged."""

    when: Callable[[Resource], bool] = always
    """Which of them the policy is about."""

    unless: Callable[[Resource, ResourceGraph], bool] | None = None
    """Which of them it is not about, by what surrounds them."""

    prohibits: tuple[str, ...] | Callable[[Resource, ResourceGraph], bool | str] = ()
    """Terraform types of which a stack may have none, or what tells such a resource, and why."""

    verdict_if_found: Verdict = Verdict.FAIL
    """What a prohibited resource means: UNKNOWN where its effect cannot be seen."""

    found: str = "there must be none"
    """What is said of a prohibited resource."""

    at_least: int = 0
    """How many must comply in each stack that the house names."""

    account_wide: bool = False
    """Whether that is asked of the account's stack, where the house has one."""

    needs_house: bool = False
    """Whether the checks ask the house; without one they are not evaluated."""

    claims: tuple[Claim, ...] = ()
    """Requirements, each with a strength; none for hardening of our own."""

    title: str = ""
    """One sentence that holds; by default the first line of the first check's docstring."""

    why: str = ""
    """By default the rest of that docstring."""

    example: Mapping[str, Any] = field(default_factory=dict)
    """Terraform's JSON: the first resource complies, the others are not applicable."""

    violated_by: tuple[Mutation, ...] = ()
    links: tuple[str, ...] = ()
    id: str = ""
    """Its address, such as ``keys.rotation``; `collect` gives it."""

    @property
    def all_checks(self) -> tuple[Check | Each, ...]:
        """The checks, also where there is one."""
        return self.checks if isinstance(self.checks, tuple) else (self.checks,)

    @property
    def types(self) -> tuple[str, ...]:
        """The Terraform types that it looks at."""
        subject = (self.applies_to,) if isinstance(self.applies_to, str) else self.applies_to
        return subject if callable(self.prohibits) else subject + self.prohibits


class Kind(StrEnum):
    """How a requirement is met where it is not met as it stands."""

    COMPENSATING = "compensating control"
    """By something else that is as good (PCI DSS, Appendix C)."""

    CUSTOMIZED = "customized approach"
    """By a control of our own, for the same objective, after a targeted analysis of its risk."""

    ELSEWHERE = "provided elsewhere"
    """By something that this repository does not hold."""


class Waiver(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A deviation that was accepted: narrow, reasoned, dated."""

    policy: str
    resources: dict[str, str]
    """Exact addresses, each with its stack in front, and the fingerprint of what was approved."""

    accepts: tuple[str, ...]
    """What was found when it was accepted, in the gate's words; nothing else is covered."""

    kind: Kind = Kind.COMPENSATING
    constraints: str = ""
    """Why the requirement cannot be met as it stands."""

    definition: str = ""
    """What is done instead."""

    objective: str = ""
    """What the requirement is for."""

    risk: str = ""
    """What remains."""

    validation: str = ""
    """How it was seen that the control works."""

    maintenance: str = ""
    """How it is kept working."""

    risk_analysis: str = ""
    """Where the targeted risk analysis of a customized approach is."""

    reference: str = ""
    """Where, and by whom, it is provided elsewhere."""

    owner: str
    """The role that answers for the control."""

    approved_by: str
    """The role that accepted the risk: another one."""

    approved_on: date
    expires_on: date
    """The last day on which it counts, in UTC."""


WORKSHEET = ("constraints", "definition", "objective", "risk", "validation", "maintenance")
"""The six fields of the Compensating Controls Worksheet (PCI DSS, Appendix C)."""

TEXTS = {
    Kind.COMPENSATING: WORKSHEET,
    Kind.CUSTOMIZED: ("definition", "objective", "risk_analysis", "validation", "maintenance"),
    Kind.ELSEWHERE: ("definition", "reference"),
}
"""What a waiver of each kind has to say."""


class Finding(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The verdict of one policy on one resource at one stage."""

    policy: str
    resource: str
    """The address, with its stack in front: ``financial-dev/aws_vpc.main``."""

    stage: Stage
    verdict: Verdict
    messages: tuple[str, ...] = ()
    violations: tuple[Violation, ...] = ()
    source: Source | None = None
    document: str = ""
    waiver: Waiver | None = None
    observed: tuple[Observation, ...] = ()
    """What the verdict rests on, where the run wrote it down."""

    fingerprint: str = NOTHING
    """Of what can be waived: a digest of the resource, and of every one that is to be mended."""

    @property
    def blocks(self) -> bool:
        """Whether this finding alone stops a deployment."""
        return self.waiver is None and self.verdict not in SETTLED


@dataclass(frozen=True, kw_only=True)
class Requirement:
    """One requirement of PCI DSS v4.0.1, in our words."""

    id: str
    title: str
    status: Status
    notes: str = ""


@dataclass(frozen=True, kw_only=True)
class Document:
    """A file that was judged, identified so that the evidence can be checked."""

    path: str
    sha256: str
    kind: str
    """``stack``, ``plan`` or ``state``."""

    stack: str
    stage: Stage


class Component(msgspec.Struct, frozen=True, kw_only=True):
    """A resource of a judged document, as an inventory lists it."""

    address: str
    """With its stack in front."""

    type: str
    stack: str
    stage: Stage
    source: Source | None = None
    name: str = ""
    scope: str = ""
    """What its tag PciScope says."""

    cidr: str = ""
    zone: str = ""


@dataclass(frozen=True, kw_only=True)
class Report:
    """Everything that one run established."""

    documents: tuple[Document, ...]
    policies: tuple[Policy, ...]
    requirements: tuple[Requirement, ...]
    findings: tuple[Finding, ...]
    not_evaluated: tuple[str, ...]
    """Ids of the policies that need a house, where none was given."""

    unjudged: Mapping[str, int]
    """Terraform types that no policy looks at, and how many resources there are of each."""

    inventory: tuple[Component, ...]
    """Every resource, whether or not a policy is about it, where the run wrote them down."""

    waivers: tuple[Waiver, ...]
    """Those that were given, in force or not."""

    refusals: tuple[str, ...]
    """What was not judged, and why: this run says nothing about it, and does not pass."""

    remarks: tuple[str, ...]
    """What the reader of the report must know, such as a second opinion not asked for."""

    version: str
    """That of pci-gate."""

    generated_at: datetime
    commit: str | None

    @property
    def blocking(self) -> tuple[Finding, ...]:
        """The findings that stop a deployment."""
        return tuple(finding for finding in self.findings if finding.blocks)

    @cached_property
    def claims(self) -> dict[str, tuple[Claim, ...]]:
        """The requirements of each policy, by its id."""
        return {policy.id: policy.claims for policy in self.policies}

    @cached_property
    def by_policy(self) -> dict[str, tuple[Finding, ...]]:
        """The findings of each policy that found something, by its id."""
        found: dict[str, list[Finding]] = {}
        for finding in self.findings:
            found.setdefault(finding.policy, []).append(finding)
        return {id: tuple(findings) for id, findings in found.items()}

    def by_requirement(self) -> dict[str, tuple[Finding, ...]]:
        """Return the findings that say something about each requirement."""
        found: dict[str, list[Finding]] = {each.id: [] for each in self.requirements}
        for finding in self.findings:
            for claim in self.claims.get(finding.policy, ()):
                found[claim.requirement].append(finding)
        return {id: tuple(findings) for id, findings in found.items()}

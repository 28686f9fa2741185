"""Policies and a graph in, findings out. Skips nothing, swallows nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from types import ModuleType

from policies.engine.graph import Resource, ResourceGraph
from policies.engine.lifecycle import with_ignored_unknown
from policies.engine.model import (
    SETTLED,
    WAIVABLE,
    Check,
    Each,
    Finding,
    Policy,
    Verdict,
    Violation,
)
from policies.engine.observed import NOTHING, fingerprint, observations
from policies.engine.values import UnknownValue


def collect(*modules: ModuleType) -> tuple[Policy, ...]:
    """Return the policies written in *modules*, each with its address as its id."""
    return tuple(
        _named(policy, f"{module.__name__.rpartition('.')[2]}.{name.lower()}")
        for module in modules
        for name, policy in vars(module).items()
        if isinstance(policy, Policy)
    )


def _named(policy: Policy, id: str) -> Policy:
    first = policy.all_checks[0] if policy.all_checks else None
    check = first.check if isinstance(first, Each) else first
    title, _, why = ((check.__doc__ if check else "") or "").strip().partition("\n")
    prose = " ".join(why.split())
    return replace(policy, id=id, title=policy.title or title, why=policy.why or prose)


def evaluated(policies: Iterable[Policy], graph: ResourceGraph) -> tuple[Policy, ...]:
    """Return those of *policies* that can be evaluated: without a house, not the house's."""
    return tuple(each for each in policies if graph.house or not each.needs_house)


def evaluate(policies: Iterable[Policy], graph: ResourceGraph) -> Iterator[Finding]:
    """
    Judge every resource that each policy applies to, and say what there is too little of.

    Where Terraform is told to ignore what becomes of an attribute, what holds as it is
    written has to hold also where that is not known.
    """
    policies = evaluated(policies, graph)
    findings = _evaluate(policies, graph)
    changed = with_ignored_unknown(graph)
    yield from _worst(findings, _evaluate(policies, changed)) if changed else findings


def _evaluate(policies: Iterable[Policy], graph: ResourceGraph) -> Iterator[Finding]:
    for policy in policies:
        if policy.prohibits:
            yield from _census(policy, graph)
        elif policy.checks:
            yield from _each(policy, graph)
        yield from _never_created(policy, graph)


def _worst(written: Iterable[Finding], changed: Iterable[Finding]) -> Iterator[Finding]:
    """Yield what was found as it is *written*, unless that is settled and *changed* is not."""
    doubts = {(f.policy, f.resource): f for f in changed if f.verdict not in SETTLED}
    for finding in written:
        doubt = doubts.pop((finding.policy, finding.resource), finding)
        yield doubt if finding.verdict in SETTLED else finding
    yield from doubts.values()


def _each(policy: Policy, graph: ResourceGraph) -> Iterator[Finding]:
    subjects = graph.of_type(*policy.types)
    findings = [_judge(policy, subject, graph) for subject in subjects]
    yield from findings
    if policy.at_least and graph.house and graph.house.asks(graph.stack, policy.account_wide):
        yield from _too_few(policy, subjects, findings, graph)


def _judge(policy: Policy, subject: Resource, graph: ResourceGraph) -> Finding:
    violations: list[Violation] = []
    unknown: list[str] = []
    graph.begin()
    try:
        if not policy.when(subject) or (policy.unless and policy.unless(subject, graph)):
            return _finding(policy, subject, graph, Verdict.NOT_APPLICABLE)
        for check in policy.all_checks:
            _run(check, subject, graph, violations, unknown)
    except UnknownValue as reason:
        unknown.append(str(reason))
    except Exception as error:  # noqa: BLE001 - a policy that crashes proves nothing
        return _finding(policy, subject, graph, Verdict.ERROR, [_crash(error)])
    if violations:
        return _failed(policy, subject, graph, violations)
    return _finding(policy, subject, graph, Verdict.UNKNOWN if unknown else Verdict.PASS, unknown)


def _run(
    check: Check | Each,
    subject: Resource,
    graph: ResourceGraph,
    violations: list[Violation],
    unknown: list[str],
) -> None:
    """Run one check; what it finds wrong counts, also where it then meets an unknown."""
    try:
        if isinstance(check, Each):
            for block in subject.blocks(check.path):
                _run(check.check, block, graph, violations, unknown)
        else:
            for violation in check(subject, graph):
                violations.append(violation)  # noqa: PERF402 - kept where the check then stops
    except UnknownValue as reason:
        unknown.append(str(reason))


def _never_created(policy: Policy, graph: ResourceGraph) -> Iterator[Finding]:
    for resource in graph.absent:
        if resource.type in policy.types:
            yield _finding(policy, resource, graph, Verdict.NOT_APPLICABLE)


def _census(policy: Policy, graph: ResourceGraph) -> Iterator[Finding]:
    """Tell of each resource that must not be there; pass once where there is none."""
    types = policy.types
    suspects = graph.of_type(*types) if types else graph.resources
    found = [finding for r in suspects if (finding := _prohibited(policy, r, graph))]
    yield from found
    if not found:
        census = f"none among {len(graph.resources)} resources"
        yield _about_stack(policy, graph, policy.id, Verdict.PASS, census)


def _prohibited(policy: Policy, resource: Resource, graph: ResourceGraph) -> Finding | None:
    """Return the finding on *resource* where the policy prohibits it, or cannot tell."""
    graph.begin()
    try:
        is_prohibited = _is_prohibited(policy, resource, graph)
        if not is_prohibited:
            return None
    except UnknownValue as reason:
        return _finding(policy, resource, graph, Verdict.UNKNOWN, [str(reason)])
    except Exception as error:  # noqa: BLE001 - a policy that crashes proves nothing
        return _finding(policy, resource, graph, Verdict.ERROR, [_crash(error)])
    message = f"{resource.type} {resource.address}: {policy.found}"
    if isinstance(is_prohibited, str):
        message += f" {is_prohibited}"
    if policy.verdict_if_found is Verdict.FAIL:
        return _failed(policy, resource, graph, [Violation(message, resource)])
    return _finding(policy, resource, graph, policy.verdict_if_found, [message])


def _is_prohibited(policy: Policy, resource: Resource, graph: ResourceGraph) -> bool | str:
    return policy.prohibits(resource, graph) if callable(policy.prohibits) else True


def _too_few(
    policy: Policy, subjects: tuple[Resource, ...], findings: list[Finding], graph: ResourceGraph
) -> Iterator[Finding]:
    """Tell where less complies than there must be, for certain and in the stack's own account."""
    complying = [
        subject
        for subject, finding in zip(subjects, findings, strict=True)
        if finding.verdict is Verdict.PASS
    ]
    sure = [s for s in complying if not s.may_be_missing and not _is_elsewhere(s)]
    if len(sure) < policy.at_least:
        types = policy.types
        message = f"{len(sure)} of at least {policy.at_least} {' or '.join(types)} comply"
        enough = len(complying) >= policy.at_least
        verdict = Verdict.UNKNOWN if enough else Verdict.FAIL
        if enough:
            message += "; others may be missing, or in another account"
        yield _about_stack(policy, graph, types[0], verdict, message)


def _is_elsewhere(resource: Resource) -> bool:
    """Whether another provider, and so another account or region, makes *resource*."""
    told = resource.values if resource.syntax.templates else resource.expressions
    return bool(told.get("provider") or told.get("account_id"))


def _crash(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _about_stack(
    policy: Policy, graph: ResourceGraph, subject: str, verdict: Verdict, message: str
) -> Finding:
    return Finding(
        policy=policy.id,
        resource=f"{graph.stack}/{subject}" if graph.stack else subject,
        stage=graph.stage,
        verdict=verdict,
        messages=(message,),
        document=graph.document,
    )


def _failed(
    policy: Policy, subject: Resource, graph: ResourceGraph, violations: list[Violation]
) -> Finding:
    messages = [violation.message for violation in violations]
    return _finding(policy, subject, graph, Verdict.FAIL, messages, violations=tuple(violations))


def _finding(
    policy: Policy,
    subject: Resource,
    graph: ResourceGraph,
    verdict: Verdict,
    messages: Iterable[str] = (),
    *,
    violations: tuple[Violation, ...] = (),
) -> Finding:
    return Finding(
        policy=policy.id,
        resource=graph.address(subject),
        stage=graph.stage,
        verdict=verdict,
        messages=tuple(dict.fromkeys(messages)),
        violations=violations,
        source=subject.source,
        document=graph.document,
        observed=() if graph.journal is None else observations(graph.journal, subject),
        fingerprint=_guarded(subject, violations, graph) if verdict in WAIVABLE else NOTHING,
    )


def _guarded(subject: Resource, violations: Iterable[Violation], graph: ResourceGraph) -> str:
    """Return the fingerprint of *subject*, and of every resource that is to be mended."""
    addresses = dict.fromkeys([subject.address, *(each.at.address for each in violations)])
    return fingerprint(each for address in addresses for each in graph.named(address))

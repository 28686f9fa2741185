"""
Checkov as a second opinion: a copy for it to read, and findings out of its results.

Its silence is no evidence. It gets a copy of each stack without nulls and comments,
on which it cannot stumble; a probe beside its own checks proves that it saw every
resource; whatever else it says or leaves out is an ERROR.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from policies.engine.document import Reading
from policies.engine.model import Finding, Policy, Verdict
from policies.engine.observed import fingerprint

PREFIX = "checkov."
PROBE = "CKV_GATE_SEEN"
PROVIDER = "aws."
"""What Checkov calls the provider block, which is no resource."""

PROBE_FOLDER = Path(__file__).parent / "checkov_probe"

COVERAGE = Policy(
    id=f"{PREFIX}coverage",
    title="Checkov saw every resource, and finished.",
    why="It exits with 0 on what it cannot read, so a probe counts what it read.",
)


@dataclass(frozen=True)
class Copy:
    """A stack in the form that Checkov reads without loss."""

    text: str
    addresses: Mapping[int, str]
    """Address of the resource that begins on each line."""


def copy(reading: Reading) -> Copy:
    """Return the copy of a stack that Checkov is given."""
    resources = _named(reading.content["resource"])
    data = _named(reading.content.get("data", {}))
    document = {"resource": resources, "data": data} if data else {"resource": resources}
    text = json.dumps(document, indent=1)
    return Copy(text, dict(_beginnings(text, resources)))


def _named(blocks: Mapping[Any, Any]) -> dict[str, dict[str, Any]]:
    """Return the bodies of *blocks* by type and name, as Terraform's JSON has them."""
    named: dict[str, dict[str, Any]] = {}
    for (type, name), (body, *_) in blocks.items():
        named.setdefault(type, {})[name] = _stripped(body)
    return named


def _stripped(value: Any) -> Any:
    """Leave out nulls, which hide rules from Checkov, and comments, which can switch it off."""
    if isinstance(value, dict):
        return {k: _stripped(v) for k, v in value.items() if v is not None and k != "//"}
    if isinstance(value, list):
        return [_stripped(item) for item in value if item is not None]
    return value


def _beginnings(text: str, resources: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[int, str]]:
    addresses = (f"{type}.{name}" for type, named in resources.items() for name in named)
    lines = enumerate(text.splitlines(), start=1)
    for address in addresses:
        name = json.dumps(address.partition(".")[2])
        yield next(n for n, line in lines if line.startswith(f"   {name}: {{")), address


def findings(reading: Reading, prepared: Copy, results: Any, complaints: str) -> Iterator[Finding]:
    """
    Yield what Checkov found in one stack.

    *results* is its JSON report, *complaints* what it says beside it.
    """
    resources = {resource.address: resource for resource in reading.graph.resources}
    problems = [f"it complains: {line}" for line in complaints.split("\n")[:3] if line.strip()]
    try:
        checks = list(_checks(results, problems))
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        checks = []
        problems.append(f"its report has another form: {type(error).__name__} {error}")
    seen = set()
    for check in checks:
        address = prepared.addresses.get(check.line)
        if address is None:
            if not check.resource.startswith(PROVIDER):
                problems.append(f"it names {check.resource}, which is not in the stack")
        elif check.id == PROBE:
            seen.add(address)
        else:
            yield Finding(
                policy=PREFIX + check.id,
                resource=f"{reading.graph.stack}/{address}",
                stage=reading.graph.stage,
                verdict=check.verdict,
                messages=(check.name,),
                source=resources[address].source if address in resources else None,
                document=reading.document.path,
                fingerprint=fingerprint(filter(None, [resources.get(address)])),
            )
    if not any(check.id != PROBE for check in checks):
        problems.append("it ran no check of its own")
    problems += [
        f"it did not look at {address}"
        for address in sorted(set(prepared.addresses.values()) - seen)
    ]
    yield Finding(
        policy=COVERAGE.id,
        resource=f"{reading.graph.stack}/checkov",
        stage=reading.graph.stage,
        verdict=Verdict.ERROR if problems else Verdict.PASS,
        messages=tuple(problems),
        document=reading.document.path,
    )


@dataclass(frozen=True)
class _Check:
    """One line of Checkov's report."""

    id: str
    name: str
    resource: str
    line: int
    verdict: Verdict


def _checks(results: Any, problems: list[str]) -> Iterator[_Check]:
    """Yield what the report says, and note what it says that it could not do."""
    for report in _reports(results):
        found = report["results"]
        problems += [f"it could not parse {file}" for file in found["parsing_errors"]]
        problems += [f"it skipped {check['check_id']}" for check in found["skipped_checks"]]
        for key, verdict in (("failed_checks", Verdict.FAIL), ("passed_checks", Verdict.PASS)):
            for check in found[key]:
                yield _Check(
                    id=check["check_id"],
                    name=check["check_name"],
                    resource=check["resource"],
                    line=check["file_line_range"][0],
                    verdict=verdict,
                )


def _reports(results: Any) -> list[Any]:
    """Return the reports, one a framework; a scan that saw nothing leaves a summary only."""
    return [r for r in (results if isinstance(results, list) else [results]) if "results" in r]


def policies(found: Iterable[Finding]) -> Iterator[Policy]:
    """Yield the checks that appear in *found*, declared as policies."""
    yield COVERAGE
    titles = {f.policy: " ".join(f.messages) for f in found if f.policy != COVERAGE.id}
    for id, title in sorted(titles.items()):
        yield Policy(id=id, title=title)

"""A Report and the documents behind it in, the Report out with nothing secret in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import zip_longest
from typing import Any

from msgspec.structs import replace as with_fields

from policies.aws import credentials
from policies.engine.model import Finding, Report, Violation
from policies.engine.observed import Observation
from policies.secrets import SECRET_NAME

NO_SECRETS = frozenset({"http_tokens"})
"""What is named like a secret and is a setting."""

HIDDEN = "(secret)"
SHORTEST = 4
"""What is shorter is found in any word, and would hide what is said."""

MARKS = {
    "after": "after_sensitive",
    "before": "before_sensitive",
    "values": "sensitive_values",
}
"""Where Terraform says beside values which of them are secret."""


def redacted(report: Report, contents: Iterable[Any]) -> Report:
    """Return *report* without any text that is secret in the documents' *contents*."""
    if not any(finding.messages or finding.observed for finding in report.findings):
        return report
    pattern = _pattern({text for content in contents for text in secrets(content)})
    return replace(report, findings=tuple(_without(pattern, f) for f in report.findings))


def secrets(value: Any) -> Iterator[str]:
    """Yield each text in *value* that its name, or Terraform, calls a secret."""
    if isinstance(value, list):
        for item in value:
            yield from secrets(item)
    elif isinstance(value, Mapping):
        for name, item in value.items():
            if isinstance(item, str):
                if _is_secret(name):
                    yield item
            else:
                yield from secrets(item)
        for name, marks in MARKS.items():
            if name in value:
                yield from _marked(value[name], value.get(marks))
        if value.get("sensitive") is True:
            yield from _texts([value.get("value"), value.get("default")])


def _is_secret(name: Any) -> bool:
    return isinstance(name, str) and name not in NO_SECRETS and bool(SECRET_NAME.search(name))


def _marked(value: Any, marks: Any) -> Iterator[str]:
    if marks is True:
        yield from _texts(value)
    elif isinstance(marks, dict) and isinstance(value, Mapping):
        for key, mark in marks.items():
            yield from _marked(value.get(key), mark)
    elif isinstance(marks, list) and isinstance(value, list):
        for item, mark in zip_longest(value, marks):
            yield from _marked(item, mark)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(item)


def _pattern(secret: Iterable[str]) -> re.Pattern[str]:
    """Return what matches each of *secret*, also as it stands between quotation marks."""
    texts = {text for text in secret if len(text) >= SHORTEST and "${" not in text}
    written = texts | {repr(text)[1:-1] for text in texts}
    known = map(re.escape, sorted(written, key=lambda text: (-len(text), text)))
    return re.compile("|".join([*known, *(mark[1] for mark in credentials.CERTAIN.values())]))


def _without(pattern: re.Pattern[str], finding: Finding) -> Finding:
    if not (finding.messages or finding.observed):
        return finding
    return with_fields(
        finding,
        messages=tuple(pattern.sub(HIDDEN, message) for message in finding.messages),
        violations=tuple(_hidden(pattern, violation) for violation in finding.violations),
        observed=tuple(_seen(pattern, each) for each in finding.observed),
    )


def _seen(pattern: re.Pattern[str], observation: Observation) -> Observation:
    if _is_secret(observation.path.rpartition(".")[2]):
        return with_fields(observation, value=HIDDEN)
    return with_fields(observation, value=_blotted(pattern, observation.value))


def _blotted(pattern: re.Pattern[str], value: Any) -> Any:
    if isinstance(value, str):
        return pattern.sub(HIDDEN, value)
    if isinstance(value, Mapping):
        return {
            key: HIDDEN if _is_secret(key) and item else _blotted(pattern, item)
            for key, item in value.items()
        }
    return [_blotted(pattern, item) for item in value] if isinstance(value, list) else value


def _hidden(pattern: re.Pattern[str], violation: Violation) -> Violation:
    return replace(violation, message=pattern.sub(HIDDEN, violation.message))

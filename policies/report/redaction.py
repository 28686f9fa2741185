"""A Report and the documents behind it in, the Report out with nothing secret in it."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from itertools import zip_longest
from typing import Any

import msgspec
from msgspec.structs import replace as with_fields

from policies.aws import credentials
from policies.engine.model import SETTLED, Component, Finding, Report, Violation
from policies.engine.observed import Observation
from policies.secrets import SECRET_NAME

NO_SECRETS = frozenset({"http_tokens"})
"""What is named like a secret and is a setting."""

SCRIPTS = frozenset({"user_data", "user_data_base64", "container_definitions"})
"""What holds secrets in a form of its own: told by policies, and not shown."""

HIDDEN = "(secret)"
SHORTEST = 4
"""What is shorter is found in any word, and would hide what is said."""

MARKS = {
    "after": "after_sensitive",
    "before": "before_sensitive",
    "values": "sensitive_values",
}
"""Where Terraform says beside values which of them are secret."""


Hide = Callable[[str], str]


def hiding(contents: Iterable[Any]) -> Hide:
    """
    Return what takes out of a text whatever is secret in the documents' *contents*.

    They are looked through with the first text, and not where there is none.
    """

    @cache
    def pattern() -> re.Pattern[str]:
        return _pattern({text for content in contents for text in secrets(content)})

    return lambda text: pattern().sub(HIDDEN, text)


def redacted(report: Report, hide: Hide) -> Report:
    """Return *report* without any text that is secret."""
    return replace(
        report,
        findings=tuple(_without(hide, finding) for finding in report.findings),
        inventory=tuple(_listed(hide, component) for component in report.inventory),
    )


def _listed(hide: Hide, component: Component) -> Component:
    texts = {field: hide(getattr(component, field)) for field in ("name", "scope", "cidr", "zone")}
    return with_fields(component, **texts)


def secrets(value: Any) -> Iterator[str]:
    """Yield each text in *value* that its name, or Terraform, calls a secret."""
    if isinstance(value, list):
        for item in value:
            yield from secrets(item)
    elif isinstance(value, Mapping):
        for name, item in value.items():
            yield from _named(name, item)
        for name, marks in MARKS.items():
            if name in value:
                yield from _marked(value[name], value.get(marks))
        if value.get("sensitive") is True:
            yield from _texts([value.get("value"), value.get("default")])
        if _is_secret(value.get("name")):
            yield from _texts(value.get("value"))


def _named(name: Any, item: Any) -> Iterator[str]:
    """Yield *item* where its *name* is a secret's, and otherwise what is secret in it."""
    if not isinstance(item, str):
        yield from secrets(item)
    elif _is_secret(name):
        yield item
    elif item.startswith(("[", "{")):
        yield from _inside(item)


def _inside(text: str) -> Iterator[str]:
    """Yield the secrets of a document in a text, such as the definition of a container."""
    with contextlib.suppress(msgspec.DecodeError, RecursionError):
        yield from secrets(msgspec.json.decode(text))


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
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield str(value)
    elif isinstance(value, Mapping | list):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(item)


def _pattern(secret: Iterable[str]) -> re.Pattern[str]:
    """Return what matches each of *secret*, also as it stands between quotation marks."""
    texts = {text for text in secret if len(text) >= SHORTEST and "${" not in text}
    written = texts | {repr(text)[1:-1] for text in texts}
    known = map(re.escape, sorted(written, key=lambda text: (-len(text), text)))
    return re.compile("|".join([*known, *(mark[1] for mark in credentials.CERTAIN.values())]))


def _without(hide: Hide, finding: Finding) -> Finding:
    if finding.verdict in SETTLED and not finding.observed:
        return finding  # a census that found nothing repeats nothing
    return with_fields(
        finding,
        messages=tuple(hide(message) for message in finding.messages),
        violations=tuple(_hidden(hide, violation) for violation in finding.violations),
        observed=tuple(_seen(hide, each) for each in finding.observed),
    )


def _seen(hide: Hide, observation: Observation) -> Observation:
    attribute = observation.path.rpartition(".")[2]
    if _is_secret(attribute) or attribute in SCRIPTS:
        return with_fields(observation, value=HIDDEN)
    return with_fields(observation, value=_blotted(hide, observation.value))


def _blotted(hide: Hide, value: Any) -> Any:
    if isinstance(value, str):
        return hide(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value if hide(str(value)) == str(value) else HIDDEN
    if isinstance(value, Mapping):
        return {
            key: HIDDEN if (_is_secret(key) or key in SCRIPTS) and item else _blotted(hide, item)
            for key, item in value.items()
        }
    return [_blotted(hide, item) for item in value] if isinstance(value, list) else value


def _hidden(hide: Hide, violation: Violation) -> Violation:
    return replace(violation, message=hide(violation.message))

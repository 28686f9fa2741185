"""Terraform's values as policies see them: interpreted when read, unknown never silent."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from policies.engine import strict_json

_MARKERS = re.compile(r"\$\$\{|%%\{|\$\{|%\{")
_QUOTED = re.compile(r'"(?:[^"\\$]|\\.)*"')
_REFERENCE = re.compile(
    r"(?<![\w.])"
    r"((?:module\.[\w-]+(?:\[[^]]*\])?\.)*(?:data\.)?[a-z][a-z0-9]*(?:_[a-z0-9]+)+\.[A-Za-z_][\w-]*)"
)
_LEADING_REFERENCE = re.compile(
    r"\$\{\s*" + _REFERENCE.pattern + r"((?:\[[^]]*\])?(?:\.[\w-]+)*)\s*\}"
)


@dataclass(frozen=True)
class Unknown:
    """A value that this document does not say: known after apply, or an expression."""

    expression: str = "known after apply"
    references: tuple[str, ...] = ()
    """Addresses of the resources that the value is computed from."""

    @property
    def attribute(self) -> str | None:
        """The attribute, such as ``arn``, that the value is, or begins with."""
        leading = _LEADING_REFERENCE.match(self.expression)
        return leading[2].lstrip(".") if leading else None


class UnknownValue(Exception):
    """A policy read a value that this document does not say."""


@dataclass(frozen=True)
class Syntax:
    """How the strings of a document are to be read."""

    templates: bool
    """Whether ``${...}`` is an expression, as it is in a stack and not in a plan."""


STACK = Syntax(templates=True)
PLAIN = Syntax(templates=False)


def interpret(raw: Any, syntax: Syntax) -> Any:
    """Return what *raw* stands for: a literal, a view on a container, or an Unknown."""
    if isinstance(raw, str):
        return _interpret_text(raw, syntax)
    if isinstance(raw, dict):
        return Object(raw, syntax)
    if isinstance(raw, list):
        return Items(raw, syntax)
    return raw


def _interpret_text(raw: str, syntax: Syntax) -> Any:
    if raw.startswith(("{", "[")):
        try:
            return interpret(strict_json.decode(raw), syntax)
        except strict_json.DuplicateKey as error:
            return Unknown(f"JSON with {error}")
        except strict_json.JSONError:
            pass  # a text that begins like JSON and is none stays a text
    if not syntax.templates or not _MARKERS.search(raw):
        return raw
    if all(len(marker[0]) == 3 for marker in _MARKERS.finditer(raw)):  # noqa: PLR2004 - escaped
        return raw.replace("$${", "${").replace("%%{", "%{")
    return Unknown(raw, references_in(raw))


def references_in(expression: str) -> tuple[str, ...]:
    """Return the addresses that *expression* names, each once, in order."""
    return tuple(dict.fromkeys(_REFERENCE.findall(_QUOTED.sub('""', expression))))


def references_of(raw: Any, syntax: Syntax) -> Iterator[str]:
    """Yield the addresses that any expression inside *raw* names."""
    if isinstance(raw, Unknown):
        yield from raw.references
    elif isinstance(raw, str):
        if syntax.templates and "${" in raw:
            yield from references_in(raw)
    elif isinstance(raw, dict):
        for value in raw.values():
            yield from references_of(value, syntax)
    elif isinstance(raw, list):
        for value in raw:
            yield from references_of(value, syntax)


def known(value: Any, path: str) -> Any:
    """
    Return *value*.

    Raises:
        UnknownValue: It is an Unknown.
    """
    if isinstance(value, Unknown):
        raise UnknownValue(f"{path} is not known: {value.expression}")
    return value


class Object(Mapping[str, Any]):
    """A mapping whose values are interpreted when they are read."""

    def __init__(self, raw: dict[str, Any], syntax: Syntax) -> None:
        self._raw = raw
        self._syntax = syntax

    def __getitem__(self, key: str) -> Any:
        return known(self.peek(key), key)

    def peek(self, key: str) -> Any:
        """Return the value at *key*, which may be an Unknown."""
        return interpret(self._raw[key], self._syntax)

    def __contains__(self, key: object) -> bool:
        return key in self._raw

    def __iter__(self) -> Iterator[str]:
        return iter(self._raw)

    def __len__(self) -> int:
        return len(self._raw)

    def __repr__(self) -> str:
        return repr(self._raw)


class Items(Sequence[Any]):
    """
    A list whose elements are interpreted when they are read.

    It yields what is known before it raises for what is not, so that an unknown
    neighbour never hides a violation.
    """

    def __init__(self, raw: list[Any], syntax: Syntax) -> None:
        self._raw = raw
        self._syntax = syntax

    def peek(self) -> Iterator[Any]:
        """Yield every element, Unknown ones among them."""
        return (interpret(item, self._syntax) for item in self._raw)

    def __iter__(self) -> Iterator[Any]:
        unknown = None
        for item in self.peek():
            if isinstance(item, Unknown):
                unknown = unknown or item
            else:
                yield item
        known(unknown, "an element")

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return Items(self._raw[index], self._syntax)
        return known(interpret(self._raw[index], self._syntax), f"element {index}")

    def __len__(self) -> int:
        return len(self._raw)

    def __repr__(self) -> str:
        return repr(self._raw)

"""Text in, JSON values out: nothing that two readers could understand differently."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import msgspec

DEEPEST = 100
"""How many levels a document may have; Terraform's own have some twenty."""

MOST_VALUES = 50_000_000
"""How many values; a stack of 100,000 resources has some three million."""

LONGEST_TEXT = 16 * 1024 * 1024
"""How many characters one text may have."""


class JSONError(ValueError):
    """A text that is no JSON, or that two readers could understand differently."""


class DuplicateKey(JSONError):
    """An object names a key twice; which one counts depends on who reads it."""


class TooMuch(JSONError):
    """More levels, values or characters in one text than are read here."""


def decode(text: str) -> Any:
    """
    Decode *text*, one JSON document (RFC 8259).

    Raises:
        DuplicateKey: A key stands twice in one object.
        TooMuch: It has more levels, values or characters than are read here.
        JSONError: It is no JSON, or holds NaN, an infinite number or a lone surrogate.
    """
    try:
        document = _at_once(text)
    except _Doubtful:
        document = _step_by_step(text)
    _require_measure(document)
    return document


def _require_measure(document: Any) -> None:
    """Refuse what is too deep or too much, level by level, the same on every Python."""
    values, longest = 0, 0
    level = [document] if isinstance(document, dict | list) else []
    for _ in range(DEEPEST):
        below: list[Any] = []
        for container in level:
            below += container.values() if type(container) is dict else container
        values, level = values + len(below), []
        for value in below:
            kind = type(value)
            if kind is str:
                longest = max(longest, len(value))
            elif kind is dict or kind is list:
                level.append(value)
        if values > MOST_VALUES:
            raise TooMuch(f"more than {MOST_VALUES:,} values")
        if longest > LONGEST_TEXT:
            raise TooMuch(f"a text of more than {LONGEST_TEXT:,} characters")
        if not level:
            return
    raise TooMuch(f"nested more than {DEEPEST} levels deep")


class _Doubtful(Exception):
    """Whether a text is to be refused, and with what words, takes another look."""


def _at_once(text: str) -> Any:
    """
    Decode *text* with msgspec, which refuses all that we refuse but a key that stands twice.

    One that was dropped is missed by its quotation marks when the document is written again.

    Raises:
        _Doubtful: It is refused, or marks that are written as escapes cannot be counted.
    """
    try:
        document = msgspec.json.decode(text)
        written = msgspec.json.encode(document)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise _Doubtful from error
    if "\\u0022" in text or text.count('"') != written.count(b'"'):
        raise _Doubtful
    return document


def _step_by_step(text: str) -> Any:
    try:
        document = json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_constant,
            parse_float=_float,
        )
    except RecursionError:
        raise TooMuch(f"nested more than {DEEPEST} levels deep") from None
    except JSONError:
        raise
    except ValueError as error:
        raise JSONError(str(error)) from error
    _whole_characters(text, document)
    return document


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        keys = sorted(key for key, _ in pairs)
        twice = next(left for left, right in pairwise(keys) if left == right)
        raise DuplicateKey(f"key {twice!r} stands twice in one object")
    return result


def _constant(name: str) -> Any:
    raise JSONError(f"{name} is no JSON number")


def _float(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise JSONError(f"{text[:40]} is too large a number")
    return number


def _whole_characters(text: str, document: Any) -> None:
    r"""Refuse an escape such as ``\ud800`` that is half a character."""
    if "\\ud" in text or "\\uD" in text:
        for value in _strings(document):
            try:
                value.encode()
            except UnicodeEncodeError:
                raise JSONError("a string holds half a character (lone surrogate)") from None


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)

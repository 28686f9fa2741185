"""Text in, JSON values out: nothing that two readers could understand differently."""

from __future__ import annotations

import json
import math
from typing import Any


class DuplicateKey(ValueError):
    """An object names a key twice; which one counts depends on who reads it."""


def decode(text: str) -> Any:
    """
    Decode *text*, one JSON document (RFC 8259).

    Raises:
        DuplicateKey: A key stands twice in one object.
        ValueError: It is no JSON, or holds NaN, an infinite number, an integer too
            long to compare, a lone surrogate, or more levels than can be walked.
    """
    try:
        document = json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_constant,
            parse_float=_float,
        )
    except RecursionError:
        raise ValueError("nested too deeply") from None
    _whole_characters(text)
    return document


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))
        raise DuplicateKey(f"key {twice!r} stands twice in one object")
    return result


def _constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


def _float(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{text[:40]} is too large a number")
    return number


def _whole_characters(text: str) -> None:
    """Refuse an escape such as ``\\ud800`` that is half a character."""
    if "\\ud" in text or "\\uD" in text:
        for value in _strings(json.loads(text)):
            try:
                value.encode()
            except UnicodeEncodeError:
                raise ValueError("a string holds half a character (lone surrogate)") from None


def _strings(value: Any) -> Any:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)

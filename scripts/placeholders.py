"""Values of AWS's and the IETF's documentation: enough to judge with, and never to deploy."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

DOCUMENTATION = re.compile(
    r"(?<!\d)(?:111122223333|123456789012|444455556666|777788889999|999999999999|0{12})(?!\d)"
    r"|[\w.@-]*\bexample\.(?:com|net|org|edu)\b"
    r"|[\w@-][\w.@-]*\.(?:example|invalid|test)\b"
    r"|\b[A-Z0-9]{4,}EXAMPLE\b"
)
"""Account numbers, domains (RFC 2606) and ids that documentation uses."""


def placeholders(document: Any) -> dict[str, str]:
    """Return the documentation values in *document*, each with the path of its first place."""
    found: dict[str, str] = {}
    for path, text in _texts(document, ()):
        for match in DOCUMENTATION.finditer(text):
            found.setdefault(match.group(), ".".join(path))
    return found


def _texts(value: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, item in value.items():
            labels = key if isinstance(key, tuple) else (key,)
            yield from _texts(item, (*path, *labels))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _texts(item, (*path, str(index)) if len(value) > 1 else path)

"""A text in, the kinds of credentials in it out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from policies.engine.values import Unknown, UnknownValue

CERTAIN = {
    "an access key of AWS": (b"IA", r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),
    "a private key": (b"KEY-----", r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----"),
    "a token of GitHub": (b"gh", r"\bgh[pousr]_[A-Za-z0-9]{36,}\b"),
    "a token of GitLab": (b"glpat-", r"\bglpat-[\w-]{20,}"),
    "a token of Slack": (b"xox", r"\bxox[abprs]-[0-9A-Za-z-]{10,}"),
    "a key of Stripe": (b"k_live_", r"\b[rs]k_live_[0-9A-Za-z]{16,}\b"),
    "a key of Google": (b"AIza", r"\bAIza[\w-]{35}\b"),
    "a password in an address": (b"://", r"\b[a-z][a-z0-9+]*://[^\s:/@$<{]+:[^\s:/@$<{]{3,}@"),
}
"""What looks like nothing else: bytes that are in each, to look for first, and its pattern."""

GUESSED = "a password or token"
"""What is told by the word in front of it. A reference, such as ``$PASSWORD``, is none."""

_PATTERNS = {
    kind: (mark, re.compile(pattern.encode())) for kind, (mark, pattern) in CERTAIN.items()
}
_GUESS = re.compile(
    r"(?i)(?:password|passphrase|passwd|(?<![a-z])pass|(?<![a-z])pwd|secret|token|credentials?"
    r"|(?:api|access|private|secret|encryption)_?key(?P<id>_id)?)"
    r"[\"']?\s*[=:]\s*"
    r"[\"']?(?![/$<{%`\s\"']|\barn:|(?:true|false|none|null|(?:en|dis)abled|required|optional)\b)"
    r"(?:[^\s\"'$<{]|\$(?!\{)){5,}"
)
_ARN = re.compile(r"\barn:aws[\w-]*:[^\s\"']*")
_NAMES_A_PLACE = re.compile(r"(?i)(?:_name|_arn|_id|_path|_file)[\"']?\s*[=:]")


def found_in(text: str) -> Iterator[str]:
    """Yield each kind of credential that stands in *text*."""
    yield from certain_in(text.encode(errors="replace"))
    guesses = _GUESS.finditer(_ARN.sub("", text))
    if any(match["id"] or not _NAMES_A_PLACE.search(match[0]) for match in guesses):
        yield GUESSED


def in_setting(name: str, value: Any) -> Iterator[str]:
    """
    Yield each kind of credential that is written into the setting *name* with *value*.

    Raises:
        UnknownValue: After the others, where a part of it may be one: what is no plain
            attribute of a resource, or an attribute that is a secret.
    """
    if not isinstance(value, Unknown):
        yield from found_in(f"{name}={value}")
        return
    yield from found_in(f"{name}={value.expression}")
    if value.names is None or not all(map(is_no_secret, value.names)):
        raise UnknownValue(f"{name} is not known: {value.expression}")


_SECRET = re.compile(
    r"password|passphrase|secret(?!smanager)|token|credential|private|content|value|result|plaintext"
    r"|(?<!_)key$|string|auth"
)


def is_no_secret(reference: str) -> bool:
    """Whether *reference*, to an attribute of a resource of AWS, is to none that is a secret."""
    resource = reference.removeprefix("data.").split(".")
    return resource[0].startswith("aws_") and not _SECRET.search(".".join(resource[2:]))


def certain_in(data: bytes) -> Iterator[str]:
    """Yield each kind of credential in *data* that looks like nothing else."""
    for kind, (mark, pattern) in _PATTERNS.items():
        if mark in data and pattern.search(data):
            yield kind

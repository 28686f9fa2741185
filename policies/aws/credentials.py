"""A text in, the kinds of credentials in it out."""

from __future__ import annotations

import re
from collections.abc import Iterator

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
    r"(?i)(?:password|passphrase|passwd|pass|pwd|secret|token|api_?key|access_?key|credentials?)"
    r"[\"']?\s*[=:]\s*"
    r"[\"']?(?![$<{%\s\"']|\barn:)[^\s\"'$<{]{6,}"
)
_ARN = re.compile(r"\barn:aws[\w-]*:[^\s\"']*")
_NAMES_A_PLACE = re.compile(r"(?i)(?:_name|_arn|_id|_path|_file)[\"']?\s*[=:]")


def found_in(text: str) -> Iterator[str]:
    """Yield each kind of credential that stands in *text*."""
    yield from certain_in(text.encode(errors="replace"))
    guesses = _GUESS.finditer(_ARN.sub("", text))
    if any(not _NAMES_A_PLACE.search(match[0]) for match in guesses):
        yield GUESSED


def certain_in(data: bytes) -> Iterator[str]:
    """Yield each kind of credential in *data* that looks like nothing else."""
    for kind, (mark, pattern) in _PATTERNS.items():
        if mark in data and pattern.search(data):
            yield kind

"""A text in, the kinds of credentials in it out."""

from __future__ import annotations

import re
from collections.abc import Iterator

GUESSED = "a password or token"
"""The kind that is told by the word in front of it."""

KINDS = {
    "an access key of AWS": re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),
    "a private key": re.compile(r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----"),
    "a token of GitHub": re.compile(r"\bgh[pousr]_[A-Za-z0-9]{36,}\b"),
    "a token of GitLab": re.compile(r"\bglpat-[\w-]{20,}"),
    "a token of Slack": re.compile(r"\bxox[abprs]-[0-9A-Za-z-]{10,}"),
    "a key of Stripe": re.compile(r"\b[rs]k_live_[0-9A-Za-z]{16,}\b"),
    "a key of Google": re.compile(r"\bAIza[\w-]{35}\b"),
    "a password in an address": re.compile(r"\b[a-z][a-z0-9+]*://[^\s:/@$<{]+:[^\s:/@$<{]{3,}@"),
    GUESSED: re.compile(
        r"(?i)(?:password|passwd|pass|pwd|secret|token|api_?key|access_?key)[\"']?\s*[=:]\s*"
        r"[\"']?(?![$<{%\s\"']|\barn:)[^\s\"'$<{]{6,}"
    ),
}
"""What each looks like. A reference, such as ``$PASSWORD`` or an ARN, is none."""

MARKS = (
    b"AKIA",
    b"ASIA",
    b" KEY-----",
    b"ghp_",
    b"gho_",
    b"ghu_",
    b"ghs_",
    b"ghr_",
    b"glpat-",
    b"xox",
    b"k_live_",
    b"AIza",
    b"://",
)
"""What every other kind begins with, or holds."""

_ARN = re.compile(r"\barn:aws[\w-]*:[^\s\"']*")
_NAMES_A_PLACE = re.compile(r"(?i)(?:_name|_arn|_id|_path|_file)[\"']?\s*[=:]")


def found_in(text: str) -> Iterator[str]:
    """Yield each kind of credential that stands in *text*."""
    text = _ARN.sub("", text)
    for kind, pattern in KINDS.items():
        if any(not _NAMES_A_PLACE.search(match[0]) for match in pattern.finditer(text)):
            yield kind


def stand_in(data: bytes) -> bool:
    """Whether a credential that looks like nothing else stands in *data*, which is JSON."""
    if not any(mark in data for mark in MARKS):
        return False
    return any(kind != GUESSED for kind in found_in(data.decode()))

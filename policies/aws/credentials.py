"""A text in, the kinds of credentials in it out."""

from __future__ import annotations

import re
from collections.abc import Iterator

KINDS = {
    "an access key of AWS": re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),
    "a private key": re.compile(r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----"),
    "a token of GitHub": re.compile(r"\bgh[pousr]_[A-Za-z0-9]{36,}\b"),
    "a password in an address": re.compile(r"\b[a-z][a-z0-9+]*://[^\s:/@$<{]+:[^\s:/@$<{]{3,}@"),
    "a password or token": re.compile(
        r"(?i)(?:password|passwd|pass|pwd|secret|token|api_?key|access_?key)[\"']?\s*[=:]\s*"
        r"[\"']?(?![$<{%\s\"']|\barn:)[^\s\"'$<{]{6,}"
    ),
}
"""What each looks like. A reference, such as ``$PASSWORD`` or an ARN, is none."""

_ARN = re.compile(r"\barn:aws[\w-]*:[^\s\"']*")
_NAMES_A_PLACE = re.compile(r"(?i)(?:_name|_arn|_id|_path|_file)[\"']?\s*[=:]")


def found_in(text: str) -> Iterator[str]:
    """Yield each kind of credential that stands in *text*."""
    text = _ARN.sub("", text)
    for kind, pattern in KINDS.items():
        if any(not _NAMES_A_PLACE.search(match[0]) for match in pattern.finditer(text)):
            yield kind

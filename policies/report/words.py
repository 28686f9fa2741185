"""Texts that a document may hold in, the same out as each format can show them."""

from __future__ import annotations

import re

_INVISIBLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\ud800-\udfff\ufeff\ufff0-\uffff]"
)
"""What XML forbids, and what no reader sees: control characters, marks of direction."""

_PRINTED = re.compile(
    "[^\n\t\x20-\x7e\u00a0-\u00ac\u00ae-\u02ff\u0370-\u0377\u037a-\u037f\u0384-\u038a\u038c"
    "\u038e-\u03a1\u03a3-\u0482\u048a-\u04ff\u2010-\u2015\u2018-\u201f\u2020-\u2027\u2030-\u203e"
    "\u20ac\u2190-\u21ff\u2200-\u22ff\u2713\u2717]"
)
"""What the fonts of the PDF have no sign for."""

MOST = 400
"""More letters than this of the values behind a finding are in the tables only."""

_FORMULA = re.compile(r"\s*[=+\-@\uff1d\uff0b\uff0d\uff20]")


def visible(text: str) -> str:
    r"""Return *text* with everything invisible written out, as ``\u202e``."""
    return _INVISIBLE.sub(_written_out, text)


def printed(text: str) -> str:
    """Return *text* with everything written out that the fonts of the PDF cannot show."""
    return _PRINTED.sub(_written_out, text)


def cell(text: str) -> str:
    """Return *text* so that a spreadsheet takes it for text, and not for a formula."""
    shown = " ".join(visible(text).split())
    return f"'{shown}" if _FORMULA.match(shown) else shown


def line(text: str) -> str:
    """Return *text* in one line without blanks around it, and never empty (OSCAL)."""
    return " ".join(visible(text).split()) or "-"


def short(text: str) -> str:
    """Return *text*, of a long one its beginning."""
    return text if len(text) <= MOST else f"{text[:MOST]} …"


def _written_out(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"

"""Files and a Report in, the manifest out that names each by its digest; what deviates from it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, Literal

import msgspec

from policies.engine.model import Report
from policies.evidence.signing import canonical
from policies.requirements import VERSION

SCHEMA_VERSION = "1"
MANIFEST = "manifest.json"
ENVELOPE = "manifest.dsse.json"


def digest(content: bytes) -> str:
    """Return the SHA-256 of *content* in hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def suite() -> str:
    """Return one digest over every file of the installed suite of policies."""
    total = hashlib.sha256()
    for name, content in sorted(_contents(files("policies"), "")):
        total.update(f"{name}\0{len(content)}\0".encode() + content)
    return total.hexdigest()


def _contents(folder: Traversable, within: str) -> Iterator[tuple[str, bytes]]:
    for entry in folder.iterdir():
        if entry.is_dir() and entry.name != "__pycache__":
            yield from _contents(entry, f"{within}{entry.name}/")
        elif entry.is_file() and not entry.name.endswith(".pyc"):
            yield f"{within}{entry.name}", entry.read_bytes()


class ManifestRefused(ValueError):
    """A text that is no manifest of ours."""


class Tool(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What made the bundle."""

    name: str
    version: str


class Outcome(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the run ended."""

    blocking: int
    findings: int
    refusals: int


class Judged(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A document that was judged."""

    path: str
    sha256: str
    stack: str
    stage: str


class Archived(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A path that was judged, and where its copy stands."""

    path: str
    archived: str


class Replay(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What it takes to judge the archived documents again."""

    paths: tuple[Archived, ...]
    house: str | None
    waivers: str | None
    checkov: bool
    keyid: str
    changes: dict[str, Any] | None


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is said of a run: of every file that it leaves, and of all that it rests on."""

    schema_version: Literal["1"]
    standard: str
    tool: Tool
    suite: str
    commit: str | None
    generated_at: datetime
    outcome: Outcome
    documents: tuple[Judged, ...]
    files: dict[str, str]
    replay: Replay
    previous: str | None


def parsed(raw: bytes) -> Manifest:
    """
    Return the manifest in *raw*.

    Raises:
        ManifestRefused: It is none, or not in its canonical form.
    """
    try:
        is_canonical = canonical(json.loads(raw)) == raw
        told = msgspec.json.decode(raw, type=Manifest)
    except (ValueError, TypeError, RecursionError) as error:
        raise ManifestRefused("is no manifest") from error
    if not is_canonical:
        raise ManifestRefused("is not in its canonical form")
    return told


def manifest(
    report: Report,
    contents: Mapping[str, bytes],
    *,
    replay: Mapping[str, Any],
    previous: str | None,
) -> dict[str, Any]:
    """Return what is said of a run: of every file that it leaves, and of all that it rests on."""
    return {
        "schema_version": SCHEMA_VERSION,
        "standard": f"PCI DSS v{VERSION}",
        "tool": {"name": "pci-gate", "version": report.version},
        "suite": suite(),
        "commit": report.commit,
        "generated_at": report.generated_at.isoformat(timespec="seconds"),
        "outcome": {
            "blocking": len(report.blocking),
            "findings": len(report.findings),
            "refusals": len(report.refusals),
        },
        "documents": [
            {
                "path": document.path,
                "sha256": document.sha256,
                "stack": document.stack,
                "stage": document.stage.value,
            }
            for document in report.documents
        ],
        "files": {name: digest(content) for name, content in sorted(contents.items())},
        "replay": dict(replay),
        "previous": previous,
    }


def deviations(told: Manifest, found: Mapping[str, str]) -> Iterator[str]:
    """Say how each file deviates from what the manifest *told*; *found* are digests by name."""
    wanted = told.files
    for name in sorted(set(wanted) - set(found)):
        yield f"{name}: is missing"
    for name in sorted(set(found) - set(wanted)):
        yield f"{name}: is not in the manifest"
    for name in sorted(set(found) & set(wanted)):
        if found[name] != wanted[name]:
            yield f"{name}: was changed"

"""Files and a Report in, the manifest out that names each by its digest; what deviates from it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from policies.engine.model import Report
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


def deviations(told: Mapping[str, Any], found: Mapping[str, str]) -> Iterator[str]:
    """Say how each file deviates from what the manifest *told*; *found* are digests by name."""
    wanted = told["files"]
    for name in sorted(set(wanted) - set(found)):
        yield f"{name}: is missing"
    for name in sorted(set(found) - set(wanted)):
        yield f"{name}: is not in the manifest"
    for name in sorted(set(found) & set(wanted)):
        if found[name] != wanted[name]:
            yield f"{name}: was changed"

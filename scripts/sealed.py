"""All that an apply of a stack reads in, its digests out: what cannot be sealed is refused."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

DATA = ".terraform"
PROVIDERS = "providers"
"""Terraform checks them itself, against its lock file."""

STATE = ("terraform.tfstate", ".terraform.tfstate")
"""How the names begin of what Terraform changes itself: the state, its backup, its lock."""

LONGEST_PATH = 4096
ROOTS = ("${path.module}/", "${path.root}/", "./")


class Unsealed(Exception):
    """A file that an apply would read and nobody can vouch for: which, and what to do."""


def digests(folder: Path, *others: Path) -> dict[str, str]:
    """
    Return the SHA-256 of every file that an apply in *folder* reads, by its name.

    Raises:
        Unsealed: The folder holds a link, a workspace of its own is selected, or the
            stack names a file outside of the folder.
    """
    workspace = folder / DATA / "environment"
    if workspace.exists() and workspace.read_text().strip() != "default":
        raise Unsealed(f"{folder.name}: another workspace is selected; remove {workspace}")
    _require_inside(folder)
    found = {**dict(_files(folder)), **{path.name: path for path in others}}
    return {name: _sha256(path) for name, path in sorted(found.items())}


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    for path in folder.rglob("*"):
        parts = path.relative_to(folder).parts
        if parts[0].startswith(STATE) or parts[:2] == (DATA, PROVIDERS):
            continue
        if path.is_symlink():
            raise Unsealed(f"{path}: a link, which is not followed; put the file itself there")
        if path.is_file():
            yield "/".join(parts), path


def _require_inside(folder: Path) -> None:
    """Refuse a stack that names a file outside of its folder: nobody has hashed it."""
    for path in folder.glob("*.tf.json"):
        for text in _texts(json.loads(path.read_text())):
            plain = text
            for root in ROOTS:
                plain = plain.removeprefix(root)
            if not plain.startswith(("/", "../")) or len(plain) > LONGEST_PATH:
                continue
            named = folder / plain
            if named.is_file() and not named.resolve().is_relative_to(folder.resolve()):
                raise Unsealed(f"{path.name}: names {text}, outside of {folder.name}")


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)

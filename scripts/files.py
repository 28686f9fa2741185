"""Files and git, as the subcommands need them: whole, or not at all."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path


class WriteError(Exception):
    """A file that could not be written: which, and why."""


def write_whole(path: Path, content: str | bytes) -> None:
    """
    Write *content* to *path* so that no reader ever sees a part of it; texts in UTF-8.

    Raises:
        WriteError: The folder or the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, partial = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content.encode() if isinstance(content, str) else content)
                file.flush()
                os.fsync(file.fileno())
            os.chmod(partial, 0o644)
            os.replace(partial, path)
        except BaseException:
            os.unlink(partial)
            raise
    except OSError as error:
        raise WriteError(f"{path}: {error.strerror}") from error


def close_standard_output() -> None:
    """Lead standard output nowhere, so that Python does not try it once more when it ends."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def current_commit() -> str | None:
    """Return the commit that is checked out here, or None outside a repository."""
    try:
        answer = subprocess.run(
            ["git", "rev-parse", "HEAD"],  # noqa: S607 - whichever git the user has
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError:
        return None
    return answer.stdout.strip() or None if answer.returncode == 0 else None

"""Files of keys in, keys out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from policies.evidence.signing import KeyRefused

Key = TypeVar("Key")


def key_in(path: Path, parse: Callable[[bytes], Key]) -> Key:
    """
    Return what *parse* makes of the file *path*.

    Raises:
        KeyRefused: It cannot be read, or is no key.
    """
    try:
        return parse(path.read_bytes())
    except OSError as error:
        raise KeyRefused(f"{path}: {error.strerror}") from error
    except KeyRefused as error:
        raise KeyRefused(f"{path}: {error}") from error

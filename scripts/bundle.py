"""The folder of a run: written beside its name, renamed when it is whole, read back by digests."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from policies.engine.document import DocumentError, Reading
from policies.engine.read import MANIFEST as SYNTHESIS
from policies.engine.read import (
    PLAN_FILE,
    SILENCING_FILES,
    SOURCE_MAP,
    STACK_SUFFIX,
    STATE_FILE,
    attempted,
    content_of,
)
from scripts.files import WriteError

LATEST = "latest"
INPUTS = "inputs"
PARTIAL = re.compile(r"\.\d{4}-\d\d-\d\dT\d{6}Z-[0-9a-f]{8}\.(\d+)")
"""The folder of a run that is still being written, by the process of that number."""


class NoBundle(ValueError):
    """A folder that is none, or holds what no bundle holds."""


def take_away(root: Path) -> None:
    """
    Take the old `latest` away before anything else: no old pass ever looks current.

    What a killed run left half-written goes as well.

    Raises:
        WriteError: It cannot be taken away.
    """
    try:
        (root / LATEST).unlink(missing_ok=True)
        for partial in root.glob(".*") if root.is_dir() else ():
            match = PARTIAL.fullmatch(partial.name)
            if match and not _runs(int(match[1])):
                shutil.rmtree(partial)
    except OSError as error:
        raise WriteError(f"{root}: {error.strerror}") from error


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def write(
    root: Path, name: str, contents: Mapping[str, bytes], require_whole: Callable[[Path], None]
) -> Path:
    """
    Write *contents*, by name, into the new folder *name* in *root*, all of them or none.

    It gets its name once *require_whole* has found nothing against it.

    Raises:
        WriteError: It cannot be written, or is there already.
    """
    folder, partial = root / name, root / f".{name}.{os.getpid()}"
    try:
        root.mkdir(parents=True, exist_ok=True)
        partial.mkdir(mode=0o700)
        try:
            for file, content in contents.items():
                _write(partial / file, content)
            require_whole(partial)
            os.rename(partial, folder)  # noqa: PTH104 - fails where there is one that is not empty
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise
    except OSError as error:
        raise WriteError(f"{folder}: {error.strerror}") from error
    return folder


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def point(root: Path, folder: Path) -> None:
    """
    Make `latest` in *root* lead to *folder*, in one step.

    Raises:
        WriteError: It cannot be made.
    """
    link = root / f".{LATEST}.{os.getpid()}"
    try:
        link.symlink_to(folder.name)
        os.replace(link, root / LATEST)
    except OSError as error:
        raise WriteError(f"{root / LATEST}: {error.strerror}") from error


def found(folder: Path) -> dict[str, str]:
    """
    Return the SHA-256 of every file in *folder*, by name.

    Raises:
        NoBundle: It is no folder, or holds something that is neither a folder nor a file.
    """
    if not folder.is_dir():
        raise NoBundle("no such folder")
    digests, folders = {}, set()
    for path in sorted(folder.rglob("*")):
        name, kind = path.relative_to(folder).as_posix(), path.lstat().st_mode
        if stat.S_ISREG(kind):
            with path.open("rb") as file:
                digests[name] = hashlib.file_digest(file, "sha256").hexdigest()
        elif stat.S_ISDIR(kind):
            folders.add(name)
        else:
            raise NoBundle(f"{name}: is a link, or no file at all")
    for name in sorted(folders):
        if not any(file.startswith(f"{name}/") for file in digests):
            raise NoBundle(f"{name}: is a folder without a file")
    return digests


def archived(
    paths: Sequence[Path], house: Path | None, waivers: Path | None
) -> tuple[dict[str, bytes], dict[str, Any]]:
    """Return a copy of everything that was read, by name, and where it stands in the bundle."""
    contents: dict[str, bytes] = {}
    again = []
    for number, path in enumerate(paths):
        root = path if path.is_dir() else path.parent
        place = f"{INPUTS}/{number}/{root.resolve().name}"
        for file in _read_from(path) if path.is_dir() else (path, root / SOURCE_MAP):
            with contextlib.suppress(DocumentError):  # what was refused is not archived
                contents[f"{place}/{file.relative_to(root).as_posix()}"] = content_of(file)
        archived = place if path.is_dir() else f"{place}/{path.name}"
        again.append({"path": path.as_posix(), "archived": archived})
    replay: dict[str, Any] = {"paths": again}
    for name, rules in (("house", house), ("waivers", waivers)):
        replay[name] = f"{INPUTS}/{name}{rules.suffix}" if rules else None
        if rules:
            contents[f"{INPUTS}/{name}{rules.suffix}"] = content_of(rules)
    return contents, replay


def _read_from(folder: Path) -> Iterator[Path]:
    """Yield the files below *folder* that the gate reads, or looks for."""
    for name, folders, files in os.walk(folder):
        folders[:] = sorted(each for each in folders if not each.startswith("."))
        for file in sorted(files):
            ours = {PLAN_FILE, STATE_FILE, SOURCE_MAP, SYNTHESIS} | SILENCING_FILES
            if file in ours or (file.endswith(STACK_SUFFIX) and not file.startswith(".")):
                yield Path(name, file)


def documents(folder: Path, places: Iterable[str]) -> set[tuple[str, str, str]]:
    """
    Return stack, stage and digest of every document at *places* in the bundle *folder*.

    Raises:
        NoBundle: One leads out of the archive.
    """
    tried = attempted(folder / within(place) for place in places)
    return {
        (each.document.stack, each.document.stage.value, each.document.sha256)
        for each in tried
        if isinstance(each, Reading)
    }


def within(name: str) -> str:
    """
    Return *name*, the place of an archived file.

    Raises:
        NoBundle: It leads out of the archive.
    """
    parts = name.split("/")
    if parts[0] != INPUTS or {"", ".", ".."} & set(parts) or "\0" in name:
        raise NoBundle(f"{name}: is no place in the archive")
    return name

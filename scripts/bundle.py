"""The folder of a run: written beside its name, renamed when it is whole, read back by digests."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from policies.engine.read import MANIFEST as SYNTHESIS
from policies.engine.read import PLAN_FILE, SOURCE_MAP, STACK_SUFFIX, STATE_FILE
from policies.evidence.manifest import digest
from scripts.files import WriteError

LATEST = "latest"
INPUTS = "inputs"


class NoBundle(ValueError):
    """A folder that is none, or holds what no bundle holds."""


def take_away(root: Path) -> None:
    """
    Take the old `latest` away before anything else: no old pass ever looks current.

    Raises:
        WriteError: The folder cannot be written.
    """
    try:
        root.mkdir(parents=True, exist_ok=True)
        (root / LATEST).unlink(missing_ok=True)
    except OSError as error:
        raise WriteError(f"{root}: {error.strerror}") from error


def write(root: Path, name: str, contents: Mapping[str, bytes]) -> Path:
    """
    Write *contents*, by name, into the new folder *name* in *root*, all of them or none.

    Raises:
        WriteError: It cannot be written, or is there already.
    """
    folder, partial = root / name, root / f".{name}.{os.getpid()}"
    try:
        partial.mkdir(mode=0o700)
        try:
            for file, content in contents.items():
                _write(partial / file, content)
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


def found(folder: Path) -> dict[str, bytes]:
    """
    Return the content of every file in *folder*, by name.

    Raises:
        NoBundle: It is no folder, or holds something that is neither a folder nor a file.
    """
    if not folder.is_dir():
        raise NoBundle(f"{folder}: no such folder")
    contents = {}
    for path in sorted(folder.rglob("*")):
        kind = path.lstat().st_mode
        if stat.S_ISREG(kind):
            contents[path.relative_to(folder).as_posix()] = path.read_bytes()
        elif not stat.S_ISDIR(kind):
            raise NoBundle(f"{path.relative_to(folder).as_posix()}: is a link, or no file at all")
    return contents


def digests(contents: Mapping[str, bytes]) -> dict[str, str]:
    """Return the SHA-256 of each of *contents*."""
    return {name: digest(content) for name, content in contents.items()}


def archived(
    paths: Sequence[Path], house: Path | None, waivers: Path | None
) -> tuple[dict[str, bytes], dict[str, object]]:
    """Return a copy of everything that was read, by name, and where it stands in the bundle."""
    contents: dict[str, bytes] = {}
    again = []
    for number, path in enumerate(paths):
        place = f"{INPUTS}/{number}/{path.absolute().name}"
        if path.is_file():
            place = f"{INPUTS}/{number}/{path.absolute().parent.name}/{path.name}"
            contents[place] = path.read_bytes()
            sources = path.parent / SOURCE_MAP
            if sources.is_file():
                contents[f"{place.rpartition('/')[0]}/{SOURCE_MAP}"] = sources.read_bytes()
        else:
            for file in _read_from(path):
                contents[f"{place}/{file.relative_to(path).as_posix()}"] = file.read_bytes()
        again.append(place)
    replay: dict[str, object] = {"paths": again}
    for name, rules in (("house", house), ("waivers", waivers)):
        replay[name] = f"{INPUTS}/{name}{rules.suffix}" if rules else None
        if rules:
            contents[f"{INPUTS}/{name}{rules.suffix}"] = rules.read_bytes()
    return contents, replay


def _read_from(folder: Path) -> Iterator[Path]:
    """Yield the files below *folder* that the gate reads."""
    for name, folders, files in os.walk(folder):
        folders[:] = sorted(each for each in folders if not each.startswith("."))
        for file in sorted(files):
            ours = {PLAN_FILE, STATE_FILE, SOURCE_MAP, SYNTHESIS}
            if file in ours or (file.endswith(STACK_SUFFIX) and not file.startswith(".")):
                yield Path(name, file)

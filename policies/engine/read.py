"""Paths in, one Reading a document out. The only module here that touches a disk."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from policies.engine import strict_json
from policies.engine.document import DocumentError, Reading
from policies.engine.graph import Source, Stage
from policies.engine.plan import is_plan, plan_reading
from policies.engine.stack import configuration, override, stack_reading
from policies.engine.state import is_state, state_reading

PLAN_FILE = "plan.json"
STATE_FILE = "state.json"
SOURCE_MAP = "source-map.json"
MANIFEST = "manifest.json"

STACK_SUFFIX = ".tf.json"
OTHER_LANGUAGES = (".tf", ".tofu", ".tofu.json")
VARIABLES = re.compile(r"terraform\.tfvars(\.json)?|.+\.auto\.tfvars(\.json)?")
"""The files from which Terraform takes variables by itself."""

OVERRIDE = re.compile(r"(.*_)?override\.tf\.json")
SILENCING_FILES = frozenset({
    ".checkov.baseline", ".checkov.yaml", ".checkov.yml", ".kics.config", ".snyk",
    ".terrascan.toml", ".tfsecignore", ".trivyignore", ".trivyignore.yaml", "kics.config",
    "trivy.yaml",
})  # fmt: skip
SILENCING_MARKS = (
    b"bridgecrew:skip", b"checkov:skip", b"kics-scan", b"tfsec:ignore", b"trivy:ignore", b"ts:skip",
)  # fmt: skip
"""By which files, and which comments, other scanners are told to look away."""

LARGEST_BYTES = 512 * 1024 * 1024


def read(paths: Iterable[Path]) -> tuple[Reading, ...]:
    """
    Read every document at *paths*: files, the folders of stacks, or folders of those.

    Raises:
        DocumentError: A path is missing, holds nothing to judge, or something that
            cannot be understood in one way only.
    """
    readings = []
    for reading in attempted(paths):
        if isinstance(reading, DocumentError):
            raise reading
        readings.append(reading)
    return tuple(readings)


def attempted(paths: Iterable[Path]) -> Iterator[Reading | DocumentError]:
    """Read as `read` does; yield each refusal in place of what is refused, and go on."""
    seen: dict[tuple[str, Stage], str] = {}
    for reading in (reading for path in paths for reading in _read_path(path)):
        if isinstance(reading, DocumentError):
            yield reading
            continue
        document = reading.document
        key = (document.stack, document.stage)
        if key not in seen:
            seen[key] = document.path
            yield reading
        else:
            yield DocumentError(
                f"{document.path}: describes stack {document.stack} as {seen[key]} does; "
                "judge one of them"
            )


def is_synthesis(path: Path) -> bool:
    """Whether *path* is the whole output of a synthesis, and not one stack of it."""
    return (path / MANIFEST).exists()


Attempt = Iterator[Reading | DocumentError]


def _attempt(step: Callable[..., Attempt], *arguments: Any) -> Attempt:
    """Yield what *step* yields, and at the end why it went no further, where it did not."""
    try:
        yield from step(*arguments)
    except DocumentError as refusal:
        yield refusal


def _read_path(path: Path) -> Attempt:
    if path.is_dir():
        yield from _attempt(_read_folders, path)
    elif path.suffix == ".json" or not path.exists():
        yield from _attempt(_read_file, path)
    else:
        yield DocumentError(f"{path}: neither a folder nor a .json file")


def _read_folders(root: Path) -> Attempt:
    """Read each folder below *root* that holds Terraform's JSON, hidden ones left out."""
    found, refused = [], False
    for name, folders, files in os.walk(root, onerror=_refuse_folder):
        folder = Path(name)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for link in (folder / name for name in folders if (folder / name).is_symlink()):
            refused = True
            yield DocumentError(f"{link}: a link to a folder, which is not followed")
        visible = sorted(file for file in files if not file.startswith("."))
        for file in visible:
            for refusal in _attempt(_unreadable, folder / file):
                refused = True
                yield refusal
        if any(file.endswith(STACK_SUFFIX) for file in visible):
            found.append(folder)
            yield from _attempt(_read_stack_folder, folder, visible)
        elif {PLAN_FILE, STATE_FILE} & set(visible):
            found.append(folder)
            for file in sorted({PLAN_FILE, STATE_FILE} & set(visible)):
                yield from _attempt(_read_file, folder / file)
    if not found and not refused:
        yield DocumentError(f"{root}: no Terraform JSON in it (*.tf.json); synthesize first")
    yield from _attempt(_not_synthesized, root, found)


def _refuse_folder(error: OSError) -> None:
    raise DocumentError(f"{error.filename}: {error.strerror}") from error


def _unreadable(path: Path) -> Attempt:
    """Refuse what Terraform would read, or what is a plan under another name."""
    if _is_read_by_terraform(path.name) and not path.name.endswith(STACK_SUFFIX):
        yield DocumentError(
            f"{path}: not read here, but by Terraform; judge its plan: terraform show -json"
        )
    ours = {PLAN_FILE, STATE_FILE, SOURCE_MAP, MANIFEST}
    is_ours = path.name.endswith(STACK_SUFFIX) or path.name in ours
    if path.suffix == ".json" and not is_ours and "assets" not in path.parts:
        content, _ = _load(path)
        if is_plan(content) or is_state(content):
            wanted = PLAN_FILE if is_plan(content) else STATE_FILE
            yield DocumentError(f"{path}: not read under this name; call it {wanted}")


def _not_synthesized(root: Path, found: Sequence[Path]) -> Attempt:
    """Refuse the output of a synthesis that lacks a stack, or holds one of another synthesis."""
    if not is_synthesis(root):
        return
    manifest, _ = _load(root / MANIFEST)
    stacks = manifest.get("stacks") if isinstance(manifest, dict) else None
    if not isinstance(stacks, dict):
        raise DocumentError(f"{root / MANIFEST}: names no stacks; synthesize again")
    for name in sorted(set(stacks) - {folder.name for folder in found}):
        yield DocumentError(
            f"{root / MANIFEST}: names stack {name}, which is not there; synthesize again"
        )
    for folder in found:
        if folder.name not in stacks:
            yield DocumentError(f"{folder}: not of this synthesis; remove it, and synthesize again")


def _read_stack_folder(folder: Path, files: Sequence[str]) -> Attempt:
    parts = [file for file in files if file.endswith(STACK_SUFFIX)]
    regular = [file for file in parts if not OVERRIDE.fullmatch(file)]
    if not regular:
        raise DocumentError(f"{folder / parts[0]}: overrides a configuration that is not there")
    contents, digest = [], hashlib.sha256()
    for file in regular:
        content, sha256 = _load(folder / file)
        contents.append((folder / file, content))
        digest.update(sha256.encode())
    stack = configuration(contents)
    for file in sorted(set(parts) - set(regular)):
        content, sha256 = _load(folder / file)
        override(stack, configuration([(folder / file, content)]))
        digest.update(sha256.encode())
    sha256 = sha256 if len(parts) == 1 else digest.hexdigest()
    path = folder / (regular[0] if len(parts) == 1 else "")
    reading = stack_reading(path, sha256, stack, _sources(folder), folder.absolute().name)
    yield reading
    for name in (PLAN_FILE, STATE_FILE):
        if name in files:
            yield from _attempt(_read_beside, folder / name, reading)


def _read_beside(path: Path, design: Reading) -> Attempt:
    """Read the plan or the state at *path* of the stack that is the *design*."""
    content, sha256 = _load(path)
    read_document = plan_reading if path.name == PLAN_FILE else state_reading
    yield read_document(path, sha256, content, design.document.stack, design)


def _read_file(path: Path) -> Attempt:
    content, sha256 = _load(path)
    if is_plan(content):
        yield plan_reading(path, sha256, content, path.stem)
    elif is_state(content):
        yield state_reading(path, sha256, content, path.stem)
    elif path.name.endswith(STACK_SUFFIX):
        folder = path.absolute().parent
        for other in sorted(folder.iterdir()):
            if other.name != path.name and _is_read_by_terraform(other.name):
                raise DocumentError(f"{path}: Terraform reads {other.name} with it; judge {folder}")
        stack = configuration([(path, content)])
        yield stack_reading(path, sha256, stack, _sources(path.parent), folder.name)
    else:
        raise DocumentError(
            f"{path}: neither a synthesized stack (*.tf.json) "
            "nor a plan or state (terraform show -json)"
        )


def _is_read_by_terraform(name: str) -> bool:
    is_source = name.endswith((STACK_SUFFIX, *OTHER_LANGUAGES))
    return is_source or VARIABLES.fullmatch(name) is not None


def _sources(folder: Path) -> dict[str, Source]:
    """Return where infra/ makes each resource, from the map that synthesis leaves."""
    path = folder / SOURCE_MAP
    if not path.exists():
        return {}
    content, _ = _load(path)
    try:
        return {
            address: Source(line.rpartition(":")[0], int(line.rpartition(":")[2]))
            for address, (line, *_) in content.items()
        }
    except (AttributeError, TypeError, ValueError) as error:
        raise DocumentError(f"{path}: no source map; synthesize again") from error


def _load(path: Path) -> tuple[Any, str]:
    """Return the JSON in the file *path*, and the file's digest."""
    text = read_text(path)
    try:
        return strict_json.decode(text), hashlib.sha256(text.encode()).hexdigest()
    except strict_json.JSONError as error:
        raise DocumentError(f"{path}: {error}") from error


def read_text(path: Path) -> str:
    """
    Return the text in the file *path*.

    Raises:
        DocumentError: It cannot be read, is no regular file, too large, empty, or
            not UTF-8.
    """
    try:
        return content_of(path).decode()
    except UnicodeDecodeError as error:
        raise DocumentError(f"{path}: not UTF-8 at byte {error.start}") from error


def content_of(path: Path) -> bytes:
    """
    Return the content of *path*, a regular file of a size that can be read.

    Raises:
        DocumentError: It is none, too large, or empty.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise DocumentError(f"{path}: not a regular file")
            content = file.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise DocumentError(f"{path}: {_why_unread(path, error)}") from error
    if len(content) > LARGEST_BYTES:
        raise DocumentError(f"{path}: larger than {LARGEST_BYTES >> 20} MiB")
    if not content.strip():
        raise DocumentError(f"{path}: empty")
    return content


def _why_unread(path: Path, error: OSError) -> str | None:
    if isinstance(error, FileNotFoundError):
        return "no such file or folder"
    return "not a regular file" if path.is_symlink() else error.strerror


def suppressions(paths: Iterable[Path]) -> tuple[str, ...]:
    """Return what at *paths* tells other scanners to look away; none of it counts here."""
    return tuple(sorted({found for path in paths for found in _suppressions(path)}))


def _suppressions(path: Path) -> Iterator[str]:
    if not path.is_dir():
        yield from _marks(path)
        return
    for folder, _, files in os.walk(path):
        for file in files:
            if file in SILENCING_FILES:
                yield f"{folder}/{file}"
            elif file.endswith(".json") and not file.startswith("."):
                yield from _marks(Path(folder, file))


def _marks(path: Path) -> Iterator[str]:
    with contextlib.suppress(DocumentError):  # `attempted` tells what cannot be read
        content = content_of(path)
        yield from (f"{path} ({mark.decode()})" for mark in SILENCING_MARKS if mark in content)

"""Paths in, one ResourceGraph a document out. The only module that knows a file format."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from policies.engine import strict_json
from policies.engine.graph import Resource, ResourceGraph, Source, Stage
from policies.engine.model import Document
from policies.engine.values import PLAIN, STACK, Unknown

STACK_FILE = "cdk.tf.json"
PLAN_FILE = "plan.json"
STATE_FILE = "state.json"
SOURCE_MAP = "source-map.json"
MANIFEST = "manifest.json"

OVERRIDE = re.compile(r"(.*_)?override\.tf\.json")
PLAN_MAJOR = "1"
LARGEST_BYTES = 512 * 1024 * 1024

MODULE = "terraform.module"
PROVISIONER = "terraform.provisioner"
FORGET = "terraform.forget"
"""Types, in our graphs, of what Terraform runs and no document shows the effect of."""


class DocumentError(ValueError):
    """The input is no document that can be judged: which file, what, and what to do."""


@dataclass(frozen=True)
class Reading:
    """One document and what it describes."""

    document: Document
    graph: ResourceGraph
    content: Any
    """The document's own JSON, with the files of its folder merged."""


def read(paths: Iterable[Path]) -> tuple[Reading, ...]:
    """
    Read every document at *paths*: files, the folders of stacks, or folders of those.

    Raises:
        DocumentError: A path is missing, holds nothing to judge, or something that
            cannot be understood in one way only.
    """
    readings = [reading for path in paths for reading in _read_path(path)]
    _refuse_doubles(readings)
    return tuple(readings)


def _refuse_doubles(readings: Sequence[Reading]) -> None:
    seen: dict[tuple[str, Stage], str] = {}
    for reading in readings:
        document = reading.document
        key = (document.stack, document.stage)
        if key in seen:
            raise DocumentError(
                f"{document.path}: describes stack {document.stack} as {seen[key]} does; "
                "judge one of them"
            )
        seen[key] = document.path


def _read_path(path: Path) -> Iterator[Reading]:
    if path.is_dir():
        yield from _read_folders(path)
    elif path.suffix == ".json" or not path.exists():
        yield _read_file(path)
    else:
        raise DocumentError(f"{path}: neither a folder nor a .json file")


def _read_folders(root: Path) -> Iterator[Reading]:
    """Read each folder below *root* that holds Terraform's JSON, hidden ones left out."""
    found = set()
    for name, folders, files in os.walk(root, onerror=_refuse_folder):
        folders[:] = sorted(folder for folder in folders if not folder.startswith("."))
        folder = Path(name)
        visible = sorted(file for file in files if not file.startswith("."))
        for file in visible:
            if file.endswith(".tf"):
                raise DocumentError(
                    f"{folder / file}: HCL, which is not read here; "
                    "judge its plan: terraform show -json"
                )
        if any(file.endswith(".tf.json") for file in visible):
            found.add(folder.name)
            yield from _read_stack_folder(folder, visible)
    if not found:
        raise DocumentError(f"{root}: no Terraform JSON in it (*.tf.json); synthesize first")
    _require_every_stack(root, found)


def _refuse_folder(error: OSError) -> None:
    raise DocumentError(f"{error.filename}: {error.strerror}") from error


def _require_every_stack(root: Path, found: set[str]) -> None:
    """Refuse the output of a synthesis of which a stack is missing."""
    if not (root / MANIFEST).exists():
        return
    manifest, _ = _load(root / MANIFEST)
    stacks = manifest.get("stacks") if isinstance(manifest, dict) else None
    missing = sorted(set(stacks or ()) - found)
    if missing:
        raise DocumentError(
            f"{root / MANIFEST}: names stack {missing[0]}, which is not there; synthesize again"
        )


def _read_stack_folder(folder: Path, files: Sequence[str]) -> Iterator[Reading]:
    parts = [file for file in files if file.endswith(".tf.json")]
    regular = [file for file in parts if not OVERRIDE.fullmatch(file)]
    if not regular:
        raise DocumentError(f"{folder / parts[0]}: overrides a configuration that is not there")
    contents, digest = [], hashlib.sha256()
    for file in regular:
        content, sha256 = _load(folder / file)
        contents.append((folder / file, content))
        digest.update(sha256.encode())
    stack = _configuration(contents)
    for file in sorted(set(parts) - set(regular)):
        content, sha256 = _load(folder / file)
        _override(stack, _configuration([(folder / file, content)]))
        digest.update(sha256.encode())
    sha256 = sha256 if len(parts) == 1 else digest.hexdigest()
    path = folder / (regular[0] if len(parts) == 1 else "")
    reading = _stack(path, sha256, stack, _sources(folder))
    yield reading
    if STATE_FILE in files:
        raise DocumentError(f"{folder / STATE_FILE}: states are not read yet; move it away")
    if PLAN_FILE in files:
        content, sha256 = _load(folder / PLAN_FILE)
        sources = {r.address: r.source for r in reading.graph.resources if r.source}
        yield _plan(folder / PLAN_FILE, sha256, content, reading.document.stack, sources)


def _read_file(path: Path) -> Reading:
    content, sha256 = _load(path)
    if _is_plan(content):
        return _plan(path, sha256, content, path.stem, {})
    if path.name.endswith(".tf.json"):
        return _stack(path, sha256, _configuration([(path, content)]), _sources(path.parent))
    raise DocumentError(
        f"{path}: neither a synthesized stack (*.tf.json) nor a plan (terraform show -json)"
    )


def _is_plan(content: Any) -> bool:
    return isinstance(content, dict) and (
        "resource_changes" in content or "planned_values" in content
    )


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
        return _bytes(path).decode()
    except UnicodeDecodeError as error:
        raise DocumentError(f"{path}: not UTF-8 at byte {error.start}") from error


def _bytes(path: Path) -> bytes:
    """Return the content of *path*, a regular file of a size that can be read."""
    try:
        if not path.exists():
            raise DocumentError(f"{path}: no such file or folder")
        if not path.is_file() or path.is_symlink():
            raise DocumentError(f"{path}: not a regular file")
        if path.stat().st_size > LARGEST_BYTES:
            raise DocumentError(f"{path}: larger than {LARGEST_BYTES >> 20} MiB")
        content = path.read_bytes()
    except OSError as error:
        raise DocumentError(f"{path}: {error.strerror}") from error
    if not content.strip():
        raise DocumentError(f"{path}: empty")
    return content


# --- synthesized stacks ---------------------------------------------------------------

_BLOCKS = {
    "resource": 2,
    "data": 2,
    "module": 1,
    "variable": 1,
    "output": 1,
    "provider": 1,
    "locals": 0,
    "terraform": 0,
    "check": 1,
    "moved": 0,
    "removed": 0,
    "import": 0,
    "ephemeral": 2,
}
"""The blocks of Terraform's language, and how many labels each has."""

Labels = tuple[str, ...]
Configuration = dict[str, dict[Labels, list[dict[str, Any]]]]


def _configuration(contents: Sequence[tuple[Path, Any]]) -> Configuration:
    """Merge the files of one folder; each resource must stand once."""
    result: Configuration = {}
    origin: dict[tuple[str, Labels], Path] = {}
    for path, content in contents:
        for document in content if isinstance(content, list) else [content]:
            if not isinstance(document, dict):
                raise DocumentError(f"{path}: no Terraform configuration, but {_kind(document)}")
            for block, body in document.items():
                if block == "//":
                    result.setdefault("//", {}).setdefault((), []).append(
                        body if isinstance(body, dict) else {}
                    )
                    continue
                if block not in _BLOCKS:
                    raise DocumentError(f"{path}: {block!r} is no block of Terraform's language")
                for labels, inner in _labelled(path, block, body, _BLOCKS[block]):
                    known = result.setdefault(block, {}).setdefault(labels, [])
                    if known and block in {"resource", "data", "module", "variable"}:
                        first = origin[block, labels]
                        raise DocumentError(
                            f"{path}: {block} {'.'.join(labels)} stands twice, also in {first.name}"
                        )
                    origin[block, labels] = path
                    known.append(inner)
    if "resource" not in result:
        raise DocumentError(f"{contents[0][0]}: no resource in it, so nothing to judge")
    return result


def _labelled(
    path: Path, block: str, body: Any, labels: int, names: Labels = ()
) -> Iterator[tuple[Labels, dict[str, Any]]]:
    """Yield the blocks in *body* with their labels; any level may be a list (JSON syntax)."""
    if isinstance(body, list):
        for item in body:
            yield from _labelled(path, block, item, labels, names)
    elif not isinstance(body, dict):
        place = ".".join((block, *names))
        raise DocumentError(f"{path}: {place} is {_kind(body)}, and must be an object")
    elif labels == 0:
        yield names, body
    else:
        for name, inner in body.items():
            if name != "//":
                yield from _labelled(path, block, inner, labels - 1, (*names, name))


def _kind(value: Any) -> str:
    names = {
        dict: "an object",
        list: "an array",
        str: "a string",
        bool: "a boolean",
        type(None): "null",
    }
    return names.get(type(value), "a number")


def _override(stack: Configuration, changes: Configuration) -> None:
    """Replace, as Terraform does, each argument that an override file names."""
    for block, bodies in changes.items():
        if block == "//":
            continue
        for labels, inners in bodies.items():
            for body in stack.setdefault(block, {}).setdefault(labels, [{}])[:1]:
                for inner in inners:
                    body.update(inner)


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


def _stack(path: Path, sha256: str, content: Configuration, sources: dict[str, Source]) -> Reading:
    comments = content.get("//", {}).get((), [{}])
    metadata = comments[0].get("metadata")
    name = metadata.get("stackName") if isinstance(metadata, dict) else None
    folder = path if path.is_dir() else path.parent
    stack = name if isinstance(name, str) and name else folder.resolve().name
    present: list[Resource] = []
    absent: list[Resource] = []
    for resource in _written(content, sources):
        (absent if _is_never_created(resource) else present).append(resource)
    document = Document(
        path=path.as_posix(), sha256=sha256, kind="stack", stack=stack, stage=Stage.DESIGN
    )
    graph = ResourceGraph(tuple(present), stack, Stage.DESIGN, tuple(absent))
    return Reading(document, graph, content)


def _written(content: Configuration, sources: dict[str, Source]) -> Iterator[Resource]:
    for block, prefix in (("resource", ""), ("data", "data.")):
        for (type, name), (body, *_) in content.get(block, {}).items():
            address = f"{prefix}{type}.{name}"
            resource = Resource(address, f"{prefix}{type}", body, STACK, sources.get(address))
            yield resource
            yield from _provisioners(resource)
    for (name,), (body, *_) in content.get("module", {}).items():
        yield Resource(f"module.{name}", MODULE, body, STACK)


def _provisioners(resource: Resource) -> Iterator[Resource]:
    if resource.values.get("provisioner"):
        yield replace(
            resource, address=f"{resource.address}.provisioner", type=PROVISIONER, values={}
        )


def _is_never_created(resource: Resource) -> bool:
    return resource.values.get("count") in (0, "0")


# --- plans ----------------------------------------------------------------------------


def _plan(path: Path, sha256: str, content: Any, stack: str, sources: dict[str, Source]) -> Reading:
    try:
        _require_whole_plan(path, content)
        expressions = dict(_expressions(content["configuration"].get("root_module", {}), ""))
        present: list[Resource] = []
        absent: list[Resource] = []
        for change in content["resource_changes"]:
            resource = _planned(change, expressions, sources)
            actions = change["change"]["actions"]
            if actions == ["delete"]:
                absent.append(resource)
            elif actions == ["forget"]:
                present.append(replace(resource, type=FORGET))
            else:
                present.append(resource)
        _require_agreement(path, content["planned_values"], present)
    except (KeyError, TypeError, AttributeError) as error:
        raise DocumentError(
            f"{path}: no whole plan, {type(error).__name__} {error}; "
            "make it with terraform show -json"
        ) from error
    document = Document(
        path=path.as_posix(), sha256=sha256, kind="plan", stack=stack, stage=Stage.PLANNED
    )
    graph = ResourceGraph(tuple(present), stack, Stage.PLANNED, tuple(absent))
    return Reading(document, graph, content)


def _require_whole_plan(path: Path, content: Any) -> None:
    if str(content["format_version"]).partition(".")[0] != PLAN_MAJOR:
        raise DocumentError(f"{path}: plan format {content['format_version']} is not known here")
    _require_text(content["terraform_version"])
    if (
        content.get("errored")
        or content.get("complete") is False
        or content.get("deferred_changes")
    ):
        raise DocumentError(f"{path}: the plan is errored or incomplete; plan again")
    if not content["resource_changes"]:
        raise DocumentError(f"{path}: the plan holds no resource, so nothing to judge")
    addresses = [_require_text(change["address"]) for change in content["resource_changes"]]
    twice = {address for address in addresses if addresses.count(address) > 1}
    if twice:
        raise DocumentError(f"{path}: {min(twice)} stands twice in resource_changes")


def _require_text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise TypeError(f"{value!r} where a text belongs")
    return value


def _planned(change: Any, expressions: dict[str, Any], sources: dict[str, Source]) -> Resource:
    address, mode = change["address"], change["mode"]
    if mode not in {"managed", "data"}:
        raise TypeError(f"{address} with mode {mode!r}")
    actions, after = change["change"]["actions"], change["change"]["after"]
    values = change["change"]["before"] if actions in (["delete"], ["forget"]) else after
    values = _masked(values, change["change"].get("after_unknown", {}))
    if not isinstance(values, dict):
        raise TypeError(f"{address} without values")
    type = _require_text(change["type"])
    resource = Resource(address, f"data.{type}" if mode == "data" else type, values, PLAIN)
    return replace(
        resource,
        source=sources.get(resource.base),
        expressions=expressions.get(resource.base, {}),
    )


def _masked(values: Any, unknown: Any) -> Any:
    """Put an Unknown wherever *unknown* (``after_unknown``) is true."""
    if unknown is True:
        return Unknown()
    if isinstance(unknown, dict) and (values is None or isinstance(values, dict)):
        values = values or {}
        return {**values, **{key: _masked(values.get(key), u) for key, u in unknown.items() if u}}
    if isinstance(unknown, list) and isinstance(values, list):
        padded = unknown + [False] * (len(values) - len(unknown))
        return [_masked(value, u) for value, u in zip(values, padded, strict=False)]
    return values


def _expressions(module: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    """Yield the configuration's expressions by resource, those of child modules too."""
    for resource in module.get("resources", ()):
        yield prefix + resource["address"], resource.get("expressions", {})
    for name, call in module.get("module_calls", {}).items():
        yield from _expressions(call.get("module", {}), f"{prefix}module.{name}.")


def _require_agreement(path: Path, planned: Any, present: Sequence[Resource]) -> None:
    """Refuse a plan whose two accounts of the same resources differ."""
    told = dict(_planned_values(planned["root_module"]))
    changed = {r.address: r for r in present if r.type != FORGET and not r.type.startswith("data.")}
    for address in sorted(set(told) ^ set(changed)):
        raise DocumentError(f"{path}: planned_values and resource_changes differ on {address}")
    for address, values in told.items():
        if any(
            values[key] != value
            for key, value in changed[address].values.items()
            if key in values and not _holds_unknown(value)
        ):
            raise DocumentError(f"{path}: planned_values and resource_changes differ on {address}")


def _planned_values(module: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    for resource in module.get("resources", ()):
        if resource["mode"] == "managed":
            yield resource["address"], dict(resource["values"])
    for child in module.get("child_modules", ()):
        yield from _planned_values(child)


def _holds_unknown(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_holds_unknown, value.values()))
    if isinstance(value, list):
        return any(map(_holds_unknown, value))
    return isinstance(value, Unknown)

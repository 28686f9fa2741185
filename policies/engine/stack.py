"""The files of a synthesized stack in, its resources out, as Terraform would merge them."""

from __future__ import annotations

import contextlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from policies.engine import expansion, types
from policies.engine.document import (
    FORGET,
    LOCAL,
    MODULE,
    OUTPUT,
    PROVIDER,
    PROVISIONER,
    REQUIRED_PROVIDER,
    VARIABLE,
    DocumentError,
    Reading,
)
from policies.engine.expressions import Scope
from policies.engine.graph import Resource, ResourceGraph, Source, Stage
from policies.engine.hcl import Undecided
from policies.engine.model import Document
from policies.engine.values import Syntax

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

_TYPE = re.compile(r"[A-Za-z_][\w-]*", re.ASCII)

Labels = tuple[str, ...]
Configuration = dict[str, dict[Labels, list[dict[str, Any]]]]


def configuration(contents: Sequence[tuple[Path, Any]]) -> Configuration:
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
                    if known and _stands_once(block, inner):
                        first = origin[block, labels]
                        raise DocumentError(
                            f"{path}: {block} {'.'.join(labels)} stands twice, also in {first.name}"
                        )
                    if block in {"resource", "data"} and not _TYPE.fullmatch(labels[0]):
                        raise DocumentError(f"{path}: {labels[0]!r} is no type of Terraform's")
                    origin[block, labels] = path
                    known.append(inner)
    _require_one_of_each(result.get("locals", {}).get((), ()), contents)
    return result


def _require_one_of_each(bodies: Sequence[Mapping[str, Any]], contents: Sequence[Any]) -> None:
    names = Counter(name for body in bodies for name in body if name != "//")
    twice = [name for name, number in names.items() if number > 1]
    if twice:
        raise DocumentError(f"{contents[-1][0]}: local.{min(twice)} stands twice")


def _stands_once(block: str, body: Mapping[str, Any]) -> bool:
    """Whether a second one of the same name is an error to Terraform."""
    named = {"resource", "data", "module", "variable", "output"}
    return block in named or (block == "provider" and "alias" not in body)


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


def override(stack: Configuration, changes: Configuration) -> None:
    """Replace, as Terraform does, each argument that an override file names."""
    for block, bodies in changes.items():
        if block == "//":
            continue
        for labels, inners in bodies.items():
            known = stack.setdefault(block, {}).setdefault(labels, [{}])
            for inner in inners:
                if block == "locals":
                    for body in known:
                        _take_out(body, inner)
                _override_body(known[0], inner)


def _take_out(body: dict[str, Any], names: Iterable[str]) -> None:
    for name in names:
        body.pop(name, None)


def _override_body(body: dict[str, Any], changes: dict[str, Any]) -> None:
    """
    Replace each argument, and all blocks of a type of which *changes* have one.

    A dynamic block counts as one of the type that it makes.
    """
    made = expansion.recipes(body.get("dynamic"))
    given = expansion.recipes(changes.get("dynamic"))
    replaced = (set(changes) | set(given)) - {"dynamic"}
    merged = {**body.get("lifecycle", {}), **changes["lifecycle"]} if _merges(body, changes) else {}
    kept = {label: recipe for label, recipe in made.items() if label not in replaced}
    _take_out(body, replaced)
    body.update(changes)
    body.pop("dynamic", None)
    if kept or given:
        body["dynamic"] = {**kept, **given}
    if merged:
        body["lifecycle"] = merged


def _merges(body: dict[str, Any], changes: dict[str, Any]) -> bool:
    """Whether both say something of the lifecycle, of which Terraform keeps what is left out."""
    return all(isinstance(each.get("lifecycle"), dict) for each in (body, changes))


def stack_reading(
    path: Path, sha256: str, content: Configuration, sources: Mapping[str, Source], folder: str
) -> Reading:
    """
    Return the stack that *content* configures; it stands in the file or folder *path*.

    It bears the name that CDKTF gave it, or else that of its *folder*.
    """
    comments = content.get("//", {}).get((), [{}])
    metadata = comments[0].get("metadata")
    name = metadata.get("stackName") if isinstance(metadata, dict) else None
    stack = name if isinstance(name, str) and name else folder
    if not {"resource", "data", "module", "provider"} & content.keys():
        raise DocumentError(f"{path}: no resource in it, so nothing to judge")
    present: list[Resource] = []
    absent: list[Resource] = []
    try:
        for resource in _written(content, sources):
            (absent if _is_never_created(resource) else present).append(resource)
    except DocumentError as error:
        raise DocumentError(f"{path}: {error}") from error
    document = Document(
        path=path.as_posix(), sha256=sha256, kind="stack", stack=stack, stage=Stage.DESIGN
    )
    graph = ResourceGraph(
        tuple(present), stack, Stage.DESIGN, tuple(absent), document=document.path
    )
    return Reading(document, graph, content)


def bodies(content: Configuration) -> dict[str, dict[str, Any]]:
    """Return the body of each resource and data source, by address, as it is written."""
    return {
        f"{prefix}{type}.{name}": body
        for block, prefix in (("resource", ""), ("data", "data."))
        for (type, name), (body, *_) in content.get(block, {}).items()
    }


def _defaults(variables: Mapping[Labels, list[dict[str, Any]]]) -> Iterator[tuple[str, Any]]:
    """Yield the default of each variable that has one which can be told."""
    for (name,), (body, *_) in variables.items():
        if "default" in body:
            with contextlib.suppress(Undecided):
                yield name, types.converted(body.get("type"), body["default"])


def _scope(content: Configuration) -> Scope:
    """Return what the stack's expressions may name beside resources."""
    scope = Scope(
        variables=dict(_defaults(content.get("variable", {}))),
        locals={
            name: value
            for body in content.get("locals", {}).get((), ())
            for name, value in body.items()
        },
    )
    documents = {
        name: _document(body, scope)
        for (type, name), (body, *_) in content.get("data", {}).items()
        if type == "aws_iam_policy_document" and "for_each" not in body
    }
    return replace(scope, documents=documents)


def _document(body: Mapping[str, Any], scope: Scope) -> dict[str, Any]:
    """Return the body of a policy document, the dynamic blocks in it and its statements told."""
    whole = expansion.written_out(body, scope)
    statements = whole.get("statement", [])
    whole["statement"] = [
        expansion.written_out(each, scope) if isinstance(each, dict) else each
        for each in (statements if isinstance(statements, list) else [statements])
    ]
    return whole


def _written(content: Configuration, sources: Mapping[str, Source]) -> Iterator[Resource]:
    syntax = Syntax(templates=True, scope=_scope(content))
    for address, body in bodies(content).items():
        type = address.rpartition(".")[0]
        resource = Resource(address, type, body, syntax, sources.get(address))
        for instance in expansion.instances(resource):
            yield instance
            yield from _provisioners(instance)
    yield from _asked(content, syntax)
    yield from _named(content, syntax)


def _asked(content: Configuration, syntax: Syntax) -> Iterator[Resource]:
    """Yield what Terraform is asked for beside resources: modules, providers, to forget."""
    for (name,), (body, *_) in content.get("module", {}).items():
        yield Resource(f"module.{name}", MODULE, body, syntax)
    for (name,), configured in content.get("provider", {}).items():
        for number, body in enumerate(configured):
            yield Resource(f"provider.{name}.{number}", PROVIDER, body, syntax)
    for body in content.get("terraform", {}).get((), ()):
        yield from _required_providers(body)
    for body in content.get("removed", {}).get((), ()):
        if not _destroys(body.get("lifecycle")):
            yield Resource(f"removed.{body.get('from')}", FORGET, {}, syntax)
    for (name,), (body, *_) in content.get("check", {}).items():
        yield from _looked_up(name, body.get("data"), syntax)


def _destroys(lifecycle: Any) -> bool:
    """Whether what a ``removed`` block is about is deleted, and not only forgotten."""
    blocks = lifecycle if isinstance(lifecycle, list) else [lifecycle or {}]
    return all(isinstance(each, dict) and each.get("destroy", True) is True for each in blocks)


def _looked_up(check: str, data: Any, syntax: Syntax) -> Iterator[Resource]:
    """Yield the data sources that the block *check* has for itself."""
    for each in data if isinstance(data, list) else [data]:
        for type, named in each.items() if isinstance(each, dict) else ():
            values = named if isinstance(named, dict) else {}
            yield Resource(f"check.{check}.data.{type}", f"data.{type}", values, syntax)


def _named(content: Configuration, syntax: Syntax) -> Iterator[Resource]:
    """Yield the values that have names: variables, local values, outputs."""
    for kind, type in (("variable", VARIABLE), ("output", OUTPUT)):
        for (name,), (body, *_) in content.get(kind, {}).items():
            yield Resource(f"{kind}.{name}", type, body, syntax)
    for body in content.get("locals", {}).get((), ()):
        for name, value in body.items():
            yield Resource(f"local.{name}", LOCAL, {"value": value}, syntax)


def _required_providers(body: Mapping[str, Any]) -> Iterator[Resource]:
    """Yield which providers a stack asks for, and in which version."""
    required = body.get("required_providers") or {}
    for block in required if isinstance(required, list) else [required]:
        if not isinstance(block, dict):
            raise DocumentError(f"required_providers is {_kind(block)}, and must be an object")
        for name, wanted in block.items():
            if name != "//":
                values = wanted if isinstance(wanted, dict) else {"version": wanted}
                yield Resource(f"required_provider.{name}", REQUIRED_PROVIDER, values)


def _provisioners(resource: Resource) -> Iterator[Resource]:
    if resource.values.get("provisioner"):
        yield replace(
            resource, address=f"{resource.address}.provisioner", type=PROVISIONER, values={}
        )


def _is_never_created(resource: Resource) -> bool:
    if not {"count", "for_each"} & resource.values.keys():
        return False
    scope = resource.syntax.scope or Scope()
    count, each = (scope.resolved(resource.values.get(key)) for key in ("count", "for_each"))
    return count in (0, "0") or each in ({}, [])

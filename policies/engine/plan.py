"""A plan (``terraform show -json``) in, the resources that it leaves behind out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from policies.engine import binding, configuration
from policies.engine.configuration import Configured
from policies.engine.document import (
    FORGET,
    PROVIDER,
    PROVISIONER,
    REQUIRED_PROVIDER,
    DocumentError,
    Reading,
)
from policies.engine.graph import Resource, ResourceGraph, Stage
from policies.engine.masking import hidden, masked
from policies.engine.model import Document
from policies.engine.stack import bodies
from policies.engine.values import PLAIN, Explained, Unknown

PLAN_MAJOR = "1"


def is_plan(content: Any) -> bool:
    """Whether *content* means to be a plan."""
    return isinstance(content, dict) and (
        "resource_changes" in content or "planned_values" in content
    )


def plan_reading(
    path: Path, sha256: str, content: Any, stack: str, design: Reading | None = None
) -> Reading:
    """
    Return the plan in *content*, which stands in the file *path*.

    Where the *design* that it was made from is there, it explains what the plan does
    not know yet; what the plan knows, it says itself.

    Raises:
        DocumentError: It is no whole plan, contradicts itself, or was made from
            another stack.
    """
    written = _written(design) if design else {}
    try:
        _require_whole_plan(path, content)
        root = content["configuration"].get("root_module", {})
        if design:
            binding.require_same(path, root, bodies(design.content))
        expressions = dict(_expressions(root, ""))
        blocks = configuration.shows_every_block(content)
        present = [*_provisioners(root, ""), *_providers(content["configuration"])]
        absent: list[Resource] = []
        for change in content["resource_changes"]:
            resource = _planned(change, expressions, written, blocks=blocks)
            actions = change["change"]["actions"]
            if actions == ["delete"] or change.get("deposed"):
                absent.append(resource)
            elif actions == ["forget"]:
                present.append(replace(resource, type=FORGET))
            else:
                present.append(resource)
        _require_agreement(path, content["planned_values"], present)
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DocumentError(
            f"{path}: no whole plan, {type(error).__name__} {error}; "
            "make it with terraform show -json"
        ) from error
    document = Document(
        path=path.as_posix(), sha256=sha256, kind="plan", stack=stack, stage=Stage.PLANNED
    )
    graph = ResourceGraph(
        tuple(present), stack, Stage.PLANNED, tuple(absent), document=document.path
    )
    return Reading(document, graph, content)


def _written(design: Reading) -> dict[str, Resource]:
    """Return the resources of the *design* by address, and by what expressions name them."""
    resources = (*design.graph.resources, *design.graph.absent)
    return {**{r.base: r for r in resources}, **{r.address: r for r in resources}}


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
    changes = [change for change in content["resource_changes"] if not change.get("deposed")]
    addresses = [_require_text(change["address"]) for change in changes]
    twice = [address for address, number in Counter(addresses).items() if number > 1]
    if twice:
        raise DocumentError(f"{path}: {min(twice)} stands twice in resource_changes")


def _require_text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise TypeError(f"{value!r} where a text belongs")
    return value


def _planned(
    change: Any, expressions: dict[str, Any], written: Mapping[str, Resource], *, blocks: bool
) -> Resource:
    address, mode = change["address"], change["mode"]
    if mode not in {"managed", "data"}:
        raise TypeError(f"{address} with mode {mode!r}")
    actions, after = change["change"]["actions"], change["change"]["after"]
    values = change["change"]["before"] if actions in (["delete"], ["forget"]) else after
    type = _require_text(change["type"])
    resource = Resource(address, f"data.{type}" if mode == "data" else type, {}, PLAIN)
    design = written.get(address) or written.get(resource.base)
    unknown = change["change"].get("after_unknown", {})
    if design:
        values = masked(values, unknown, design.values, design.syntax)
    elif mode == "managed" and "create" in actions and resource.base in expressions:
        said = Configured.of(type, expressions[resource.base], blocks=blocks)
        values = said.masked(values, unknown)
    else:
        values = hidden(values, unknown)
    if not isinstance(values, dict):
        raise TypeError(f"{address} without values")
    return replace(
        resource,
        values=values,
        source=design.source if design else None,
        expressions=expressions.get(resource.base, {}),
    )


def _expressions(module: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    """Yield the configuration's expressions by resource, those of child modules too."""
    for resource in module.get("resources", ()):
        yield prefix + resource["address"], _prefixed(resource.get("expressions", {}), prefix)
    for name, call in module.get("module_calls", {}).items():
        yield from _expressions(call.get("module", {}), f"{prefix}module.{name}.")


def _provisioners(module: Any, prefix: str) -> Iterator[Resource]:
    """Yield what runs a program during apply, in child modules too."""
    for resource in module.get("resources", ()):
        if resource.get("provisioners"):
            yield Resource(f"{prefix}{resource['address']}.provisioner", PROVISIONER, {}, PLAIN)
    for name, call in module.get("module_calls", {}).items():
        yield from _provisioners(call.get("module", {}), f"{prefix}module.{name}.")


BUILT_IN = "terraform.io/builtin/terraform"
"""The provider that Terraform itself brings, in its own version."""


def _providers(configuration: Any) -> Iterator[Resource]:
    """Yield what Terraform asks, with what is configured of it."""
    for name, provider in configuration.get("provider_config", {}).items():
        values = dict.fromkeys(provider.get("expressions", {}), Unknown("of the provider"))
        yield Resource(f"provider.{name}", PROVIDER, values, PLAIN)
        inherits = {"alias", "module_address"} & provider.keys()
        if not inherits and provider.get("full_name") != BUILT_IN:
            wanted = {"version": provider.get("version_constraint")}
            yield Resource(f"required_provider.{name}", REQUIRED_PROVIDER, wanted, PLAIN)


def _prefixed(expression: Any, prefix: str) -> Any:
    """Put the module's path in front of what its expressions name."""
    if isinstance(expression, list):
        return [_prefixed(item, prefix) for item in expression]
    if not isinstance(expression, dict):
        return expression
    return {
        key: [f"{prefix}{name}" for name in value]
        if key == "references"
        else _prefixed(value, prefix)
        for key, value in expression.items()
    }


def _require_agreement(path: Path, planned: Any, present: Sequence[Resource]) -> None:
    """Refuse a plan whose two accounts of the same resources differ."""
    told = dict(_planned_values(planned["root_module"]))
    other = ("data.", "terraform.")
    changed = {r.address: r for r in present if not r.type.startswith(other)}
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
    return isinstance(value, Unknown | Explained)

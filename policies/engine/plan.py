"""A plan (``terraform show -json``) in, the resources that it leaves behind out."""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from policies.engine import binding, configuration
from policies.engine.configuration import Configured
from policies.engine.data_sources import policy_document
from policies.engine.document import (
    DRIFT,
    FORGET,
    OUTPUT,
    PROVIDER,
    PROVISIONER,
    REQUIRED_PROVIDER,
    VARIABLE,
    DocumentError,
    Reading,
)
from policies.engine.graph import Resource, ResourceGraph, Stage
from policies.engine.hcl import Undecided
from policies.engine.masking import hidden, masked
from policies.engine.model import Document
from policies.engine.stack import bodies
from policies.engine.values import PLAIN, Explained, Unknown

PLAN_MAJOR = "1"
DOCUMENT = "aws_iam_policy_document"
ACTIONS = frozenset({"no-op", "create", "read", "update", "delete", "forget"})


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
        explanations = _Explanations(
            written, dict(configuration.expressions(root)), content
        ).with_documents()
        present = [
            *_provisioners(root, ""),
            *_providers(content["configuration"], content["resource_changes"]),
            *_outputs(root, content["planned_values"].get("outputs", {})),
            *_drifted(content),
            *_invoked(content),
            *explanations.looked_up(content.get("prior_state", {}).get("values", {})),
        ]
        absent: list[Resource] = []
        for change in content["resource_changes"]:
            resource = explanations.planned(change)
            actions = _actions(change)
            if actions == ["delete"] or change.get("deposed"):
                absent.append(resource)
            elif actions != ["forget"]:
                present.append(resource)
            if "forget" in actions:
                present.append(replace(resource, type=FORGET))
        _require_agreement(path, content["planned_values"], present)
    except DocumentError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise DocumentError(
            f"{path}: no whole plan, {type(error).__name__} {error}; "
            "make it with terraform show -json"
        ) from error
    document = Document(
        path=path.as_posix(), sha256=sha256, kind="plan", stack=stack, stage=Stage.PLANNED
    )
    graph = ResourceGraph(
        tuple(map(_undigested, present)),
        stack,
        Stage.PLANNED,
        tuple(absent),
        document=document.path,
    )
    return Reading(document, graph, content)


def _actions(change: Any) -> list[str]:
    """
    Return what becomes of the resource of *change*.

    Raises:
        TypeError: It is something that we have not heard of.
    """
    actions: list[str] = change["change"]["actions"]
    if not actions or not set(actions) <= ACTIONS:
        raise TypeError(f"{change['address']} with actions {actions}")
    return actions


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


@dataclass(frozen=True)
class _Explanations:
    """What explains the values that a plan does not know."""

    written: Mapping[str, Resource]
    """The resources of the stack that it was made from, where that is there."""

    expressions: Mapping[str, Any]
    """Its own configuration, by resource."""

    content: Any = field(repr=False)
    """The plan."""

    documents: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def blocks(self) -> bool:
        """Whether its configuration shows every block."""
        return configuration.shows_every_block(self.content)

    def planned(self, change: Any) -> Resource:
        """Return the resource that *change* leaves behind."""
        address, mode = change["address"], change["mode"]
        if mode not in {"managed", "data"}:
            raise TypeError(f"{address} with mode {mode!r}")
        type = _require_text(change["type"])
        resource = Resource(address, f"data.{type}" if mode == "data" else type, {}, PLAIN)
        design = self.written.get(address) or self.written.get(resource.base)
        values = self._values(change, resource, design)
        if not isinstance(values, dict):
            raise TypeError(f"{address} without values")
        return replace(
            resource,
            values=values,
            source=design.source if design else None,
            expressions=self.expressions.get(resource.base, {}),
        )

    def _values(self, change: Any, resource: Resource, design: Resource | None) -> Any:
        actions, after = change["change"]["actions"], change["change"]["after"]
        values = change["change"]["before"] if actions in (["delete"], ["forget"]) else after
        unknown = change["change"].get("after_unknown", {})
        if design:
            return masked(values, unknown, design.values, design.syntax)
        written = self.expressions.get(resource.base)
        if written is None or not {"create", "read"} & set(actions):
            return hidden(values, unknown)
        is_made = "create" in actions
        return Configured(
            written,
            configuration.filled_in(resource.type, blocks=self.blocks) if is_made else frozenset(),
            ordered=not is_made,
            documents=self.documents,
        ).masked(values, unknown)

    def looked_up(self, state: Any) -> Iterator[Resource]:
        """Yield the policy documents that were made while it was planned."""
        for module in _modules(state.get("root_module", {})):
            for made in module.get("resources", ()):
                if made["type"] == DOCUMENT and made["mode"] == "data":
                    resource = Resource(made["address"], f"data.{DOCUMENT}", {}, PLAIN)
                    yield replace(
                        resource,
                        values=made["values"],
                        expressions=self.expressions.get(resource.base, {}),
                    )

    def with_documents(self) -> _Explanations:
        """Return them with the policy documents that data sources make."""
        documents = {}
        for change in self.content["resource_changes"]:
            if change["type"] == DOCUMENT and change["mode"] == "data":
                made = self.planned(change)
                try:
                    documents[f"{made.base}.json"] = policy_document(dict(made.values))
                except Undecided:
                    continue
        return replace(self, documents=documents)


def _undigested(resource: Resource) -> Resource:
    """Return *resource* with the texts that its configuration has, where it has their digests."""
    texts = {
        key: _text(value, resource.expressions.get(key))
        for key, value in resource.values.items()
        if _DIGEST.fullmatch(str(value))
    }
    return replace(resource, values={**resource.values, **texts}) if texts else resource


def _text(value: str, expression: Any) -> str:
    written = expression.get("constant_value") if isinstance(expression, dict) else None
    if not isinstance(written, str):
        return value
    return written if value in map(_digest, (written.encode(), _decoded(written))) else value


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return b""


def _digest(text: bytes) -> str:
    return hashlib.sha1(text, usedforsecurity=False).hexdigest()


_DIGEST = re.compile(r"[0-9a-f]{40}")
"""What the provider shows of a boot script: its SHA-1."""


def _provisioners(module: Any, prefix: str) -> Iterator[Resource]:
    """Yield what runs a program during apply, in child modules too."""
    for resource in module.get("resources", ()):
        if resource.get("provisioners"):
            yield Resource(f"{prefix}{resource['address']}.provisioner", PROVISIONER, {}, PLAIN)
    for name, call in module.get("module_calls", {}).items():
        yield from _provisioners(call.get("module", {}), f"{prefix}module.{name}.")


def _outputs(root: Any, planned: Any) -> Iterator[Resource]:
    """Yield what is given to others, by what it is or is made of, and what is asked for."""
    for name, output in root.get("outputs", {}).items():
        references = output.get("expression", {}).get("references")
        made = Unknown(references=tuple(references)) if references else None
        values = {
            "value": planned.get(name, {}).get("value", made),
            "sensitive": output.get("sensitive", False),
        }
        yield Resource(f"output.{name}", OUTPUT, values, PLAIN)
    for name, variable in root.get("variables", {}).items():
        yield Resource(f"variable.{name}", VARIABLE, dict(variable), PLAIN)


def _invoked(content: Any) -> Iterator[Resource]:
    """Yield what is run around the changes, by the actions of newer versions of Terraform."""
    for number, action in enumerate(content.get("action_invocations", ())):
        address = action.get("address") if isinstance(action, dict) else None
        yield Resource(str(address or f"action.{number}"), PROVISIONER, {}, PLAIN)


def _drifted(content: Any) -> Iterator[Resource]:
    """Yield what was changed behind Terraform's back, and the plan says no more of."""
    planned = {change["address"] for change in content["resource_changes"]}
    for drift in content.get("resource_drift", ()):
        if _require_text(drift["address"]) not in planned:
            yield Resource(drift["address"], DRIFT, {}, PLAIN)


BUILT_IN = "terraform.io/builtin/terraform"
"""The provider that Terraform itself brings, in its own version."""


def _providers(configuration: Any, changes: Iterable[Any]) -> Iterator[Resource]:
    """Yield what Terraform asks, with what is configured of it, and who makes each resource."""
    for name, provider in configuration.get("provider_config", {}).items():
        values = {
            key: expression["constant_value"]
            if isinstance(expression, dict) and "constant_value" in expression
            else Unknown("of the provider")
            for key, expression in provider.get("expressions", {}).items()
        }
        yield Resource(f"provider.{name}", PROVIDER, values, PLAIN)
        inherits = {"alias", "module_address"} & provider.keys()
        source = provider.get("full_name")
        if not inherits and source != BUILT_IN:
            wanted = {"version": provider.get("version_constraint"), "source": source}
            yield Resource(f"required_provider.{name}", REQUIRED_PROVIDER, wanted, PLAIN)
    for source in sorted({str(c["provider_name"]) for c in changes if c.get("provider_name")}):
        yield Resource(f"provider.{source}", PROVIDER, {"source": source}, PLAIN)


def _require_agreement(path: Path, planned: Any, present: Sequence[Resource]) -> None:
    """Refuse a plan whose two accounts of the same resources differ."""
    every = list(_planned_values(planned["root_module"]))
    told = {address: values for (address, _), values in every}
    other = ("data.", "terraform.")
    changed = {r.address: r for r in present if not r.type.startswith(other)}
    said = Counter(key for key, _ in every)
    said.update((resource.address, resource.type) for resource in changed.values())
    for (address, _), times in sorted(said.items()):
        if times != 2:  # noqa: PLR2004 - once by each
            raise DocumentError(f"{path}: planned_values and resource_changes differ on {address}")
    for address, values in told.items():
        if any(
            values[key] != value
            for key, value in changed[address].values.items()
            if key in values and not _holds_unknown(value)
        ):
            raise DocumentError(f"{path}: planned_values and resource_changes differ on {address}")


def _planned_values(module: Any) -> Iterator[tuple[tuple[str, str], dict[str, Any]]]:
    """Yield the address and the type of each resource, and its values."""
    for each in _modules(module):
        for resource in each.get("resources", ()):
            if resource["mode"] == "managed":
                key = (_require_text(resource["address"]), _require_text(resource["type"]))
                yield key, dict(resource.get("values", {}))


def _modules(module: Any) -> Iterator[Any]:
    """Yield *module*, and the modules in it."""
    yield module
    for child in module.get("child_modules", ()):
        yield from _modules(child)


def _holds_unknown(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_holds_unknown, value.values()))
    if isinstance(value, list):
        return any(map(_holds_unknown, value))
    return isinstance(value, Unknown | Explained)

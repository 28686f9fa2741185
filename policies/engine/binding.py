"""A plan's configuration and a stack in: whether the one was made from the other."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from policies.engine.document import DocumentError

META = frozenset({
    "//", "connection", "count", "depends_on", "dynamic", "for_each", "lifecycle", "provider",
    "provisioner",
})  # fmt: skip
"""What Terraform keeps elsewhere than among the expressions."""

_TRAVERSAL = re.compile(r"(?<![\w.])(?:data\.)?[a-z][a-z0-9]*(?:_[a-z0-9]+)+\.[A-Za-z_][\w-]*")


def require_same(path: Path, root: Any, written: Mapping[str, Mapping[str, Any]]) -> None:
    """
    Refuse the plan in the file *path* beside a stack that it was not made from.

    *root* is the configuration of its root module, *written* the bodies of the
    stack's resources, by address.

    Raises:
        DocumentError: They differ: in a resource, a literal, or what an expression names.
    """
    planned = {resource["address"]: resource for resource in root.get("resources", ())}
    for address in sorted(set(written) ^ set(planned)):
        raise _other(path, address)
    for address in sorted(written):
        expressions = planned[address].get("expressions", {})
        for place in _differences(expressions, written[address]):
            raise _other(path, f"{address}.{place}")


def _other(path: Path, place: str) -> DocumentError:
    return DocumentError(f"{path}: made from another stack, which differs in {place}; plan again")


def _differences(expressions: Mapping[str, Any], body: Mapping[str, Any]) -> Iterator[str]:
    for key in sorted((set(expressions) | set(body)) - META):
        expression, raw = expressions.get(key), body.get(key)
        if isinstance(expression, list) or _is_blocks(expression):
            yield from (f"{key}.{place}" for place in _block_differences(expression, raw))
        elif not _is_same(expression, raw):
            yield key


def _is_blocks(expression: Any) -> bool:
    """Whether *expression* is that of a block, and not of an argument."""
    return isinstance(expression, dict) and not {"constant_value", "references"} & set(expression)


def _block_differences(expression: Any, raw: Any) -> Iterator[str]:
    blocks = expression if isinstance(expression, list) else [expression]
    bodies = [body for body in (raw if isinstance(raw, list) else [raw]) if body is not None]
    if isinstance(expression, dict) and not expression:
        return  # a function of constants, of which Terraform keeps nothing
    if len(blocks) != len(bodies):
        yield "number"
        return
    for block, body in zip(blocks, bodies, strict=True):
        if isinstance(body, Mapping):
            yield from _differences(block, body)
        else:
            yield "form"


def _is_same(expression: Any, raw: Any) -> bool:
    """Whether an argument's *expression* is what the stack has: *raw*."""
    if expression is None or raw is None:
        return expression in (None, {"constant_value": None}) and raw in (None, [], {})
    text = raw if isinstance(raw, str) else json.dumps(raw)
    if "references" in expression:
        references = set(expression["references"])
        named = set(_TRAVERSAL.findall(re.sub(r'"(?:[^"\\\\$]|\\\\.)*"', "", text)))
        return named <= references and all(name in text for name in references)
    return bool(_literal(expression.get("constant_value")) == _literal(raw))


def _literal(value: Any) -> Any:
    """Return *value* in the form in which Terraform compares: 1 and "1" are the same."""
    if isinstance(value, dict):
        return {key: _literal(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_literal(item) for item in value]
    if isinstance(value, str):
        return value.replace("$${", "${").replace("%%{", "%{")
    return json.dumps(value)

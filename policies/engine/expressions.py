"""
Terraform's expressions in, what can be told of them out.

A value comes back as Terraform's JSON would write it; where a part of it names a
resource, that part stays the expression that it was. Whatever cannot be told for
certain is Undecided, never a guess.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from policies.engine import data_sources
from policies.engine.functions import (
    FUNCTIONS,
    Encoded,
    Partial,
    Reference,
    as_list,
    comparable,
    escaped,
    known,
    number,
    plain,
    raw,
    short,
    text,
    truth,
)
from policies.engine.hcl import Node, Undecided, parsed

MOST = 100_000
"""How many values a local, or a document, is told of."""

SPACES = frozenset({"var", "local", "each", "count", "path", "terraform", "self", "module"})
"""Names that begin what is no resource."""

_DOCUMENT = re.compile(r"data\.aws_iam_policy_document\.([\w-]+)(?:\[0\])?\.(?:minified_)?json")


@dataclass(frozen=True)
class Scope:
    """What a stack's expressions may name beside resources."""

    variables: Mapping[str, Any] = field(default_factory=dict)
    """Defaults, as the stack has them; a variable without one is left out."""

    locals: Mapping[str, Any] = field(default_factory=dict)
    documents: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """The bodies of data.aws_iam_policy_document, by name."""

    iteration: Mapping[str, Any] = field(default_factory=dict)
    """``each``, ``count``, and the iterators of dynamic blocks: raw objects."""

    naming: frozenset[str] = frozenset()
    """The locals and documents that are being told, so that none is told by itself."""

    told: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)
    """The locals and documents that have been told, or why they cannot be."""

    def tell(self, template: str) -> Any:
        """
        Return what *template*, a string of Terraform's JSON, stands for, as raw JSON.

        What names a resource stays a template.

        Raises:
            Undecided: It cannot be told.
        """
        try:
            return raw(_told(template, self))
        except (
            ArithmeticError,
            AttributeError,
            LookupError,
            RecursionError,
            TypeError,
            ValueError,
        ) as error:
            raise Undecided(str(error)) from error

    def within(self, **iteration: Any) -> Scope:
        """Return the scope inside an instance or a dynamic block."""
        return replace(self, iteration={**self.iteration, **iteration})

    def resolved(self, value: Any) -> Any:
        """Return *value*, raw JSON, with every expression in it told that can be."""
        if isinstance(value, str):
            try:
                return self.tell(value) if "${" in value else value
            except Undecided:
                return value
        if isinstance(value, dict):
            return {key: self.resolved(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.resolved(item) for item in value]
        return value

    def naming_too(self, name: str) -> Scope:
        """
        Return the scope in which *name* is being told.

        Raises:
            Undecided: It is being told already, and so names itself.
        """
        if name in self.naming:
            raise Undecided(f"{name} names itself")
        return replace(self, naming=self.naming | {name})


def _told(template: str, scope: Scope) -> Any:
    return _value(parsed(template), scope)


def _read(value: Any, scope: Scope) -> Any:
    """Return what *value*, raw JSON, stands for: the way back from `raw`."""
    if isinstance(value, str):
        return _told_or_kept(value, scope)
    if isinstance(value, dict):
        if any("{" in key for key in value):
            raise Undecided("a key that is an expression")
        return {key: _read(item, scope) for key, item in value.items()}
    if isinstance(value, list):
        return [_read(item, scope) for item in value]
    return value


def _told_or_kept(template: str, scope: Scope) -> Any:
    """Return what *template* stands for, or the template itself, which then is not known."""
    if "{" not in template:
        return template
    try:
        return _told(template, scope)
    except Undecided:
        return Partial(template)


def _value(node: Node, scope: Scope) -> Any:
    return _KINDS[node[0]](node, scope)


def _template(node: Node, scope: Scope) -> Any:
    parts = node[1]
    if len(parts) == 1 and parts[0][0] == "interpolation":
        return _value(parts[0][1], scope)
    texts: list[str] = []
    partial = False
    for kind, content, *source in parts:
        if kind == "text":
            texts.append(escaped(content))
            continue
        try:
            value = _value(content, scope)
        except Undecided:
            value = Reference(source[0])
        partial = partial or isinstance(value, Reference | Partial)
        texts.append(raw(value) if isinstance(value, Reference | Partial) else escaped(text(value)))
    if any(part.endswith(("$", "%")) for part in texts[:-1]):
        raise Undecided("a text that would begin an expression")
    joined = short("".join(texts))
    return Partial(joined) if partial else joined.replace("$${", "${").replace("%%{", "%{")


def _root(node: Node, scope: Scope) -> Any:
    name = node[1]
    if name in scope.iteration:
        return _read(scope.iteration[name], scope)
    if name in SPACES:
        return _Space(name)
    return Reference(name)


@dataclass(frozen=True)
class _Space:
    """Where Terraform keeps names, before one of them is named."""

    name: str


def _step(node: Node, scope: Scope) -> Any:
    _, before, key, source = node
    value = _value(before, scope)
    if not isinstance(value, Reference):
        return _stepped(value, known(_value(key, scope)), scope)
    if source[0] == ".":
        return _attribute(value, source, scope)
    if value.is_splat:
        return value.chosen(_value(key, scope))
    return _attribute(value, _key(key, source, scope), scope)


def _key(key: Node, source: str, scope: Scope) -> str:
    """Return the key that chooses one of several instances, as it was written if it is unknown."""
    try:
        step = known(_value(key, scope))
    except Undecided:
        return source
    is_name = isinstance(step, str) and not re.search(r'["\\$%]', step)
    return f'["{step}"]' if is_name else f"[{number(step)}]"


def _stepped(value: Any, step: Any, scope: Scope) -> Any:
    if isinstance(value, _Space):
        return _in_space(value.name, str(step), scope)
    if isinstance(value, Encoded | Partial) or not isinstance(value, dict | list):
        raise Undecided("a step into a text")
    return value[int(step)] if isinstance(value, list) else value[step]


def _splat(node: Node, scope: Scope) -> Any:
    """Of a resource, of which it is not told how many there are, the splat stays one."""
    _, before, attributes, source = node
    value = _value(before, scope)
    if isinstance(value, Reference):
        return Reference(value.text + source)
    items = value if isinstance(value, list) else [] if value is None else [value]
    for attribute in attributes:
        items = [_stepped(item, attribute, scope) for item in items]
    return items


def _for(node: Node, scope: Scope) -> Any:
    _, names, collection, made, condition = node
    told = _value(collection, scope)
    if isinstance(told, dict):
        pairs: list[tuple[Any, Any]] = sorted((plain(key), told[key]) for key in told)
    else:
        pairs = list(enumerate(as_list(told)))
    result = []
    for key, item in pairs:
        named = {names[-1]: raw(item)} if len(names) == 1 else {names[0]: key, names[1]: raw(item)}
        inner = scope.within(**named)
        if condition is None or truth(_value(condition, inner)):
            result.append([_made(part, source, inner) for part, source in made])
    if len(made) == 1:
        return [item for [item] in result]
    keys = [text(key) for key, _ in result]
    if len(set(keys)) < len(keys):
        raise Undecided("two elements of one key")
    return dict(zip(keys, (item for _, item in result), strict=True))


def _made(node: Node, source: str, scope: Scope) -> Any:
    """Return what one element becomes, or what stands for it: no name that is not in here."""
    try:
        return _value(node, scope)
    except Undecided:
        return Reference(f"({source})")


def _attribute(value: Reference, source: str, scope: Scope) -> Any:
    reference = Reference(value.text + source)
    match = _DOCUMENT.fullmatch(reference.text)
    if match and match[1] in scope.documents:
        return _document(match[1], scope)
    return reference


def _document(name: str, scope: Scope) -> Encoded:
    """Return the policy document that the data source *name* makes, told once."""

    def tell(inner: Scope) -> Encoded:
        return Encoded(data_sources.policy_document(_read(scope.documents[name], inner)))

    document: Encoded = _once(f"data.{name}", tell, scope)
    return document


def _once(name: str, tell: Callable[[Scope], Any], scope: Scope) -> Any:
    """
    Return what *tell* says of *name*, or why it says nothing, asked once for the whole stack.

    It knows nothing of who asks. What doubles itself from name to name is told of none.
    """
    if name not in scope.told:
        try:
            value = tell(replace(scope.naming_too(name), iteration={}))
            scope.told[name] = _of_honest_size(value)
        except Undecided as reason:
            if name in scope.naming:
                raise
            scope.told[name] = reason
    told = scope.told[name]
    if isinstance(told, Undecided):
        raise told
    return told


def _of_honest_size(value: Any) -> Any:
    number, rest = 0, [value]
    while rest:
        item = rest.pop()
        number += 1
        if number > MOST:
            raise Undecided("a value without end")
        if isinstance(item, Encoded):
            rest.append(item.value)
        elif isinstance(item, dict):
            rest.extend(item.values())
        elif isinstance(item, list):
            rest.extend(item)
    return value


def _in_space(space: str, name: str, scope: Scope) -> Any:
    if space == "var" and name in scope.variables:
        return scope.variables[name]
    if space == "local" and name in scope.locals:
        return _local(name, scope)
    raise Undecided(f"{space}.{name}")


def _local(name: str, scope: Scope) -> Any:
    """Return what a local stands for."""
    return _once(f"local.{name}", lambda inner: _read(scope.locals[name], inner), scope)


def _condition(node: Node, scope: Scope) -> Any:
    _, test, yes, no = node
    return _value(yes if truth(_value(test, scope)) else no, scope)


def _unary(node: Node, scope: Scope) -> Any:
    _, symbol, operand = node
    value = _value(operand, scope)
    return not truth(value) if symbol == "!" else -number(value)


def _quotient(first: int, second: int) -> int:
    """Return a whole quotient; any other, Terraform counts with more digits than we do."""
    if first % second:
        raise Undecided("a number that is not whole")
    return first // second


ARITHMETIC: dict[str, Callable[[int, int], Any]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": _quotient,
    "%": lambda first, second: int(math.fmod(first, second)),
    "<": operator.lt, ">": operator.gt, "<=": operator.le, ">=": operator.ge,
}  # fmt: skip


def _binary(node: Node, scope: Scope) -> Any:
    _, symbol, left, right = node
    if symbol in {"&&", "||"}:
        return _logical(symbol, left, right, scope)
    first, second = known(_value(left, scope)), known(_value(right, scope))
    if symbol in {"==", "!="}:
        if first is None or second is None:
            return (first is second) == (symbol == "==")
        first, second = comparable(first), comparable(second)
        same = isinstance(first, bool) == isinstance(second, bool)
        return (same and first == second) == (symbol == "==")
    return ARITHMETIC[symbol](number(first), number(second))


def _logical(symbol: str, left: Node, right: Node, scope: Scope) -> bool:
    """Either side alone may settle it, also where the other one cannot be told."""
    settles = symbol == "||"
    undecided = None
    for side in (left, right):
        try:
            if truth(_value(side, scope)) is settles:
                return settles
        except Undecided as reason:
            undecided = reason
    if undecided:
        raise undecided
    return not settles


def _object(node: Node, scope: Scope) -> dict[str, Any]:
    return {text(_value(key, scope)): _kept(item, source, scope) for key, item, source in node[1]}


def _list(node: Node, scope: Scope) -> list[Any]:
    return [_kept(item, source, scope) for item, source in node[1]]


def _kept(node: Node, source: str, scope: Scope) -> Any:
    """Return the value of an element, or what it is written as: its neighbours are known."""
    try:
        value = _value(node, scope)
    except Undecided:
        return Reference(source)
    return Reference(source) if isinstance(value, _Space) else value


def _call(node: Node, scope: Scope) -> Any:
    _, name, arguments = node
    if name == "try":
        return _value(arguments[0][0], scope)
    if name not in FUNCTIONS:
        raise Undecided(f"the function {name}")
    return FUNCTIONS[name](*(_value(argument, scope) for argument, _ in arguments))


_KINDS: dict[str, Callable[[Node, Scope], Any]] = {
    "binary": _binary,
    "call": _call,
    "condition": _condition,
    "for": _for,
    "list": _list,
    "literal": lambda node, _scope: node[1],
    "object": _object,
    "root": _root,
    "splat": _splat,
    "step": _step,
    "template": _template,
    "unary": _unary,
}

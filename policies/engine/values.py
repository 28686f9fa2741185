"""Terraform's values as policies see them: interpreted when read, unknown never silent."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, TypeVar

from policies.engine import strict_json
from policies.engine.expressions import Scope
from policies.engine.hcl import SPLAT, Undecided, parsed

Answer = TypeVar("Answer")
Item = TypeVar("Item")

_MARKERS = re.compile(r"\$\$\{|%%\{|\$\{|%\{")
_MODULES = r"(?:module\.[\w-]+\.)*"
_TYPE = r"(?:data\.)?[a-z][a-z0-9]*(?:_[a-z0-9]+)+"
_ADDRESS = rf"{_MODULES}{_TYPE}\.[A-Za-z_][\w-]*"
_KEY = r"\[(?:\d+|\"[^\"$%]*\")\]|\.\d+"
_ONE = rf"{_ADDRESS}(?:{_KEY})?"
_TRAVERSAL = re.compile(
    rf"\$\{{\s*(tostring\()?({_ADDRESS})({_KEY}|{SPLAT.pattern})?((?:\.[\w-]+)*)(?(1)\))\s*\}}(?::\*)?"
)
"""
A reference alone: to a resource, one instance or every one of it.

Or the ARN of a log group and all that is in it.
"""

_LEADING = re.compile(rf"\$\{{\s*{_ONE}\.([\w-]+)\s*\}}")

_NAME = re.compile(r"\$\{\s*[A-Za-z_][\w-]*(?:\.[\w-]+|\[(?:\d+|\"[^\"]*\")\])+\s*\}")
"""An expression that names something, in the document or beside it, and no more."""

_COMPUTED = "${data.aws_iam_policy_document."
"""How a reference begins whose value the document itself may say."""

_INSTANCE = re.compile(r"\b(?:each|count|self|path|uuid|timestamp)\b")
"""What makes the same template stand for different values."""

SELF = frozenset({
    "allocation_id", "arn", "arn_suffix", "bucket", "bucket_domain_name",
    "bucket_regional_domain_name", "certificate_arn", "cluster_identifier",
    "fqdn", "function_name", "id", "identifier", "key_arn", "key_id", "name", "target_key_arn",
    "target_key_id", "zone_id",
})  # fmt: skip
"""The attributes by which AWS knows a resource: a reference to one is one to the resource."""


@dataclass(frozen=True)
class Unknown:
    """A value that this document does not say: known after apply, or an expression."""

    expression: str = "known after apply"
    references: tuple[str, ...] | None = None
    """In a plan: what the configuration's expression names, such as ``aws_vpc.main.id``."""

    quoted: bool = False
    """Whether it stands inside the text of a JSON document, which it may end."""

    @property
    def targets(self) -> tuple[str, ...] | None:
        """
        What the value is sure to be: attributes of these resources, and nothing else.

        None where that cannot be told: a variable, a condition, a function.
        """
        if self.references is not None:
            return _named_by(self.references)
        return _target(self.expression)

    @property
    def is_elsewhere(self) -> bool:
        """Whether nothing of it stands in this document: it names something, and no more."""
        if self.references is not None:
            return bool(self.references)
        return bool(_NAME.fullmatch(self.expression))

    @property
    def is_something(self) -> bool:
        """
        Whether it is sure not to be empty: one attribute, or a text that is partly written.

        All instances of a resource may be none.
        """
        if self.targets:
            return self.references is not None or not SPLAT.search(self.expression)
        return self.is_partly_written

    @property
    def is_partly_written(self) -> bool:
        """Whether it is a text of which a part stands in this document."""
        is_text = not self.targets and self.references is None and "%{" not in self.expression
        return is_text and bool(_around(self.expression))

    @property
    def names(self) -> tuple[str, ...] | None:
        """What every expression in it names; None where one is more than an attribute."""
        return self.targets if self.references is not None else _names(self.expression)

    @property
    def own(self) -> str | None:
        """The template, where it stands for the same in every resource of the document."""
        is_one = self.references is None and "{" in self.expression
        return self.expression if is_one and not _INSTANCE.search(self.expression) else None

    @property
    def attribute(self) -> str | None:
        """The attribute, such as ``arn``, that the value is, or begins with."""
        leading = _LEADING.match(self.written)
        return leading[1] if leading else None

    @property
    def written(self) -> str:
        """The expression; in a plan, which keeps no more, the one attribute that it names."""
        longest = set(_longest(self.references or ()))
        return f"${{{without_keys(longest.pop())}}}" if len(longest) == 1 else self.expression


@lru_cache(maxsize=1 << 16)
def _target(expression: str) -> tuple[str] | None:
    whole = _TRAVERSAL.fullmatch(expression)
    if not whole:
        return None
    return (identity(f"{whole[2]}{_instance(whole[3] or '')}{whole[4]}"),)


@lru_cache(maxsize=1 << 16)
def _names(template: str) -> tuple[str, ...] | None:
    try:
        parts = parsed(template)[1]
    except Undecided:
        return None
    found = [_target(f"${{{part[2]}}}") for part in parts if part[0] == "interpolation"]
    is_all_told = found and None not in found
    return tuple(name for names in found for name in names or ()) if is_all_told else None


def _instance(key: str) -> str:
    """Return *key* as addresses have it, nothing where it is about every instance."""
    if "*" in key:
        return ""
    return f"[{key[1:]}]" if key.startswith(".") else key


@lru_cache(maxsize=1 << 16)
def _bare(template: str) -> Unknown | None:
    """Return what a bare reference stands for, where *template* is one, and says no more."""
    told = template.startswith(_COMPUTED) or not _target(template)
    return None if told else Unknown(template)


def identity(reference: str) -> str:
    """Return the address of the resource that *reference* stands for, or *reference* itself."""
    address, _, attribute = reference.rpartition(".")
    is_self = attribute in SELF and re.fullmatch(_ADDRESS, without_keys(address))
    return address if is_self else reference


def type_of(reference: str) -> str | None:
    """Return the Terraform type of the resource that *reference* begins with."""
    match = re.match(rf"{_MODULES}({_TYPE})\.", reference)
    return match[1] if match else None


def _around(template: str) -> str:
    """Return what stands before the first expression in *template*, and behind the last one."""
    return template.partition("${")[0] + template.rpartition("}")[2] if "${" in template else ""


def without_keys(address: str) -> str:
    """Return *address* without the keys of instances."""
    return _INSTANCE_KEY.sub("", address) if "[" in address else address


_INSTANCE_KEY = re.compile(r"\[(?:\d+|\"(?:[^\"\\]|\\.)*\")\]")


def _longest(references: tuple[str, ...]) -> list[str]:
    """Return *references* without those that only begin another one."""
    return [
        name
        for name in references
        if not any(other.startswith((f"{name}.", f"{name}[")) for other in references)
    ]


def _named_by(references: tuple[str, ...]) -> tuple[str, ...] | None:
    """Return what a plan's *references* name."""
    longest = _longest(references)
    if not all(re.match(_ADDRESS, without_keys(name)) for name in longest):
        return None
    return tuple(map(identity, longest))


class UnknownValue(Exception):
    """A policy read a value that this document does not say."""


def in_each(items: Iterable[Item], judge: Callable[[Item], Iterable[Answer]]) -> Iterator[Answer]:
    """
    Yield what *judge* says of each of *items*; of what is not known, it is asked last.

    Raises:
        UnknownValue: After the others, where *items* or *judge* did.
    """
    given, unknown = drained(iter(items))
    for item in given:
        found, reason = drained(iter(judge(item)))
        yield from found
        unknown = unknown or reason
    if unknown:
        raise UnknownValue(unknown)


def drained(answers: Iterator[Answer]) -> tuple[tuple[Answer, ...], str]:
    """Return the *answers*, and why there are no more, where that cannot be told."""
    found: list[Answer] = []
    try:
        for answer in answers:
            found.append(answer)  # noqa: PERF402 - kept where the next one is not known
    except UnknownValue as reason:
        return tuple(found), str(reason)
    return tuple(found), ""


@dataclass(frozen=True)
class Explained:
    """What the stack says of a value that its plan does not know yet."""

    raw: Any
    syntax: Syntax = field(repr=False)


@dataclass(frozen=True)
class Syntax:
    """How the strings of a document are to be read."""

    templates: bool
    """Whether ``${...}`` is an expression, as it is in a stack and not in a plan."""

    scope: Scope | None = field(default=None, repr=False)
    """What expressions may name beside resources; without it, none is told."""

    quoted: bool = False
    """Whether its strings stand inside the text of a JSON document, between its quotation marks."""


STACK = Syntax(templates=True, scope=Scope())
TOLD = Syntax(templates=True)
PLAIN = Syntax(templates=False)


def interpret(raw: Any, syntax: Syntax) -> Any:
    """Return what *raw* stands for: a literal, a view on a container, or an Unknown."""
    kind = type(raw)
    if kind is str:
        return _interpret_text(raw, syntax)
    if kind is dict:
        return Object(raw, syntax)
    if kind is list:
        return Items(raw, syntax)
    return interpret(raw.raw, raw.syntax) if kind is Explained else raw


BLANKS = " \t\r\n"
JSON_BEGINS = f"{{[{BLANKS}"
"""What a text of JSON begins with, blanks among it where it is written over several lines."""


def _interpret_text(raw: str, syntax: Syntax) -> Any:
    if raw and raw[0] in JSON_BEGINS and raw.lstrip(BLANKS)[:1] in JSON_BEGINS[:2]:
        inner = replace(syntax, quoted=True) if syntax.templates and not syntax.quoted else syntax
        try:
            return interpret(_decoded(raw), inner)
        except (strict_json.DuplicateKey, strict_json.TooMuch) as error:
            return Unknown(f"JSON with {error}")
        except strict_json.JSONError:
            pass  # a text that begins like JSON and is none stays a text
    return _interpret_template(raw, syntax) if syntax.templates and "{" in raw else raw


def _interpret_template(raw: str, syntax: Syntax) -> Any:
    bare = _bare(raw)
    if bare or not _MARKERS.search(raw):
        return bare or raw
    if all(len(marker[0]) == 3 for marker in _MARKERS.finditer(raw)):  # noqa: PLR2004 - escaped
        return raw.replace("$${", "${").replace("%%{", "%{")
    value = _told(raw, syntax.scope) if syntax.scope else Unknown(raw)
    return _between_marks(value, raw) if syntax.quoted else value


def _between_marks(value: Any, template: str) -> Any:
    """
    Return *value*, which stands for *template* inside the text of a JSON document.

    Terraform fills in the template first, and then reads the JSON: a value with quotation
    marks of its own ends the string that it stands in.
    """
    is_text = isinstance(value, str) and not re.search(r'["\\\x00-\x1f]', value)
    is_plain = is_text or isinstance(value, bool | int)
    return value if is_plain else Unknown(template, quoted=True)


_decoded = lru_cache(maxsize=1 << 16)(strict_json.decode)
"""The documents inside texts, such as policies, which many policies read."""


def _told(template: str, scope: Scope) -> Any:
    """Return what *template* stands for."""
    try:
        return interpret(scope.tell(template), TOLD)
    except Undecided:
        return Unknown(template)


def known(value: Any, path: str) -> Any:
    """
    Return *value*.

    Raises:
        UnknownValue: It is an Unknown.
    """
    if isinstance(value, Unknown):
        raise UnknownValue(f"{path} is not known: {value.expression}")
    return value


class Object(Mapping[str, Any]):
    """A mapping whose values are interpreted when they are read."""

    def __init__(self, raw: dict[str, Any], syntax: Syntax) -> None:
        self._raw = raw
        self._syntax = syntax

    @property
    def raw(self) -> dict[str, Any]:
        """The mapping as the document has it."""
        return self._raw

    @property
    def syntax(self) -> Syntax:
        """How its strings are to be read."""
        return self._syntax

    def __getitem__(self, key: str) -> Any:
        return known(self.peek(key), key)

    def peek(self, key: str) -> Any:
        """Return the value at *key*, which may be an Unknown."""
        return interpret(self._raw[key], self._syntax)

    def __contains__(self, key: object) -> bool:
        return key in self._raw

    def __iter__(self) -> Iterator[str]:
        return iter(self._raw)

    def __len__(self) -> int:
        return len(self._raw)

    def __repr__(self) -> str:
        return repr(self._raw)


class Items(Sequence[Any]):
    """
    A list whose elements are interpreted when they are read.

    It yields what is known before it raises for what is not, so that an unknown
    neighbour never hides a violation.
    """

    def __init__(self, raw: list[Any], syntax: Syntax) -> None:
        self._raw = raw
        self._syntax = syntax

    @property
    def raw(self) -> list[Any]:
        """The list as the document has it."""
        return self._raw

    def peek(self) -> Iterator[Any]:
        """Yield every element, Unknown ones among them."""
        return (interpret(item, self._syntax) for item in self._raw)

    def __iter__(self) -> Iterator[Any]:
        unknown = None
        for item in self.peek():
            if isinstance(item, Unknown):
                unknown = unknown or item
            else:
                yield item
        known(unknown, "an element")

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return Items(self._raw[index], self._syntax)
        return known(interpret(self._raw[index], self._syntax), f"element {index}")

    def __len__(self) -> int:
        return len(self._raw)

    def __repr__(self) -> str:
        return repr(self._raw)

"""Terraform's functions, over what is known, and over what only names a resource."""

from __future__ import annotations

import ipaddress
import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from policies.engine import strict_json
from policies.engine.hcl import Undecided


@dataclass(frozen=True)
class Reference:
    """What is not known here, as the expression names it: an attribute of a resource."""

    text: str

    @property
    def template(self) -> str:
        """The expression as a template."""
        return f"${{{self.text}}}"


@dataclass(frozen=True)
class Partial:
    """A text with references in it, as a template."""

    template: str


@dataclass(frozen=True)
class Encoded:
    """What jsonencode was given: policies read JSON and its text alike."""

    value: Any


def raw(value: Any) -> Any:
    """Return *value* as Terraform's JSON would write it."""
    if isinstance(value, str):
        return escaped(value)
    if isinstance(value, dict):
        return {key: raw(item) for key, item in value.items()}
    if isinstance(value, list):
        return [raw(item) for item in value]
    if isinstance(value, Encoded):
        return raw(value.value)
    if isinstance(value, Reference | Partial):
        return value.template
    return known(value)


def escaped(literal: str) -> str:
    """Return *literal* as a template that stands for it."""
    return literal.replace("${", "$${").replace("%{", "%%{")


def known(value: Any) -> Any:
    """
    Return *value*, where all of it can be told.

    Raises:
        Undecided: A part of it is a resource's attribute.
    """
    if not (value is None or isinstance(value, str | int | float | dict | list)):
        raise Undecided("an attribute of a resource")
    if isinstance(value, dict):
        return {key: known(item) for key, item in value.items()}
    if isinstance(value, list):
        return [known(item) for item in value]
    return value


LONGEST = 1 << 20
"""How many characters a text is told of."""


def text(value: Any) -> str:
    """Return *value* as Terraform turns it into a string."""
    value = known(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None or isinstance(value, dict | list | float):
        raise Undecided("no text")
    return str(value)


def number(value: Any) -> int:
    """
    Return *value* as Terraform turns it into a number.

    Raises:
        Undecided: It is none, or no whole one: Terraform counts with more digits than we do.
    """
    value = known(value)
    is_written = isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,30}", value)
    if isinstance(value, float) and value.is_integer() and abs(value) < 1 << 53:
        return int(value)
    if isinstance(value, bool) or not (isinstance(value, int) or is_written):
        raise Undecided("no whole number")
    return int(value)


def comparable(value: Any) -> Any:
    """
    Return *value*, where it is the same to Terraform if it is the same to us.

    Raises:
        Undecided: It is a collection, which has a type, a number that is not whole, or a text
            with letters that Terraform may write otherwise (Unicode's normal form C).
    """
    value = known(value)
    if isinstance(value, dict | list):
        raise Undecided("collections, which are the same only if their types are")
    if isinstance(value, float):
        return number(value)
    return plain(value) if isinstance(value, str) else value


def plain(value: Any) -> str:
    """
    Return *value* as a text, each of whose letters is one to Terraform as well.

    Raises:
        Undecided: It is not all ASCII.
    """
    result = text(value)
    if not result.isascii():
        raise Undecided("a text that is not all ASCII")
    return result


def short(value: str) -> str:
    """
    Return *value*.

    Raises:
        Undecided: It is longer than anything honest.
    """
    if len(value) > LONGEST:
        raise Undecided("a text without end")
    return value


def truth(value: Any) -> bool:
    """Return *value* as Terraform turns it into a truth value."""
    value = known(value)
    if value in ("true", "false"):
        return bool(value == "true")
    if not isinstance(value, bool):
        raise Undecided("no truth value")
    return value


def _concat(*lists: Any) -> list[Any]:
    return list(itertools.chain.from_iterable(map(as_list, lists)))


def as_list(value: Any) -> list[Any]:
    """Return *value*, which has to be a list."""
    if not isinstance(value, list):
        raise Undecided("no list")
    return value


def as_object(value: Any) -> dict[str, Any]:
    """Return *value*, which has to be an object."""
    if not isinstance(value, dict):
        raise Undecided("no object")
    return value


def _merge(*objects: Any) -> dict[str, Any]:
    given = [as_object(each) for each in objects if each is not None]
    return {key: item for each in given for key, item in each.items()}


def _flatten(value: Any) -> list[Any]:
    if any(isinstance(item, Reference | Partial) for item in as_list(value)):
        raise Undecided("an element that may be a list")
    return [
        inner
        for item in as_list(value)
        for inner in (_flatten(item) if isinstance(item, list) else [item])
    ]


def _coalesce(*values: Any) -> Any:
    told = [value for value in map(known, values) if value not in (None, "")]
    if not told:
        raise Undecided("nothing but nothing")
    return told[0]


def _lookup(container: Any, key: Any, *default: Any) -> Any:
    for name in as_object(container):
        plain(name)
    return container.get(plain(key), *default) if default else container[plain(key)]


def _distinct(value: Any) -> list[str]:
    return list(dict.fromkeys(_texts(value)))


def _texts(value: Any) -> list[str]:
    """Return *value*, which has to be a list of texts: of others, Terraform changes the type."""
    items = as_list(known(value))
    if not all(isinstance(item, str) for item in items):
        raise Undecided("a list whose elements Terraform may convert")
    return [plain(item) for item in items]


def _contains(items: Any, item: Any) -> bool:
    return plain(item) in _texts(items) if isinstance(item, str) else _same(items, item)


def _same(items: Any, item: Any) -> bool:
    kinds = {type(each) for each in [*as_list(known(items)), known(item)]}
    if len(kinds) != 1 or kinds & {dict, list, float}:
        raise Undecided("values whose types differ")
    return known(item) in known(items)


def _toset(value: Any) -> list[str]:
    return sorted(set(_texts(value)))


def _one(items: Any) -> Any:
    if len(as_list(items)) > 1:
        raise Undecided("more than one")
    return items[0] if items else None


def _format(pattern: Any, *values: Any) -> str:
    remaining = iter(values)
    verbs = [verb for verb in re.findall(r"%.?", text(pattern)) if verb != "%%"]
    if set(verbs) - {"%s", "%d", "%v"} or len(verbs) != len(values):
        raise Undecided("a format")
    return re.sub(
        r"%[%sdv]",
        lambda verb: "%" if verb[0] == "%%" else text(next(remaining)),
        text(pattern),
    )


def _cidrsubnet(prefix: Any, bits: Any, index: Any) -> str:
    network = ipaddress.ip_network(text(prefix), strict=False)
    length = network.prefixlen + int(number(bits))
    if not 0 <= number(index) < 1 << int(number(bits)):
        raise Undecided("a subnet outside of its network")
    first = int(network.network_address)
    first += int(number(index)) << (network.max_prefixlen - length)
    return str(ipaddress.ip_network((first, length)))


def jsondecode(value: Any) -> Any:
    """Return what the JSON in *value* says."""
    return value.value if isinstance(value, Encoded) else strict_json.decode(text(value))


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "cidrsubnet": _cidrsubnet,
    "coalesce": _coalesce,
    "compact": lambda value: [x for x in _texts(value) if x],
    "concat": _concat,
    "contains": _contains,
    "distinct": _distinct,
    "element": lambda items, index: as_list(items)[int(number(index)) % len(items)],
    "flatten": _flatten,
    "format": _format,
    "join": lambda separator, items: short(text(separator).join(map(text, as_list(items)))),
    "jsondecode": jsondecode,
    "jsonencode": Encoded,
    "keys": lambda value: sorted(as_object(value)),
    "length": lambda value: len(plain(value) if isinstance(value, str) else known(value)),
    "lookup": _lookup,
    "lower": lambda value: plain(value).lower(),
    "max": lambda *values: max(map(number, values)),
    "merge": _merge,
    "min": lambda *values: min(map(number, values)),
    "one": _one,
    "sensitive": lambda value: value,
    "split": lambda separator, value: text(value).split(text(separator)),
    "tobool": truth,
    "tolist": as_list,
    "tomap": as_object,
    "tonumber": number,
    "toset": _toset,
    "tostring": lambda value: value if isinstance(value, Reference | Partial) else text(value),
    "trimspace": lambda value: plain(value).strip(),
    "upper": lambda value: plain(value).upper(),
    "values": lambda value: [item for _, item in sorted(as_object(value).items())],
}

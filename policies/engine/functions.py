"""Terraform's functions, over what is known, and over what only names a resource."""

from __future__ import annotations

import ipaddress
import itertools
import re
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from policies.engine import strict_json
from policies.engine.hcl import SPLAT, Undecided


@dataclass(frozen=True)
class Reference:
    """What is not known here, as the expression names it: an attribute of a resource."""

    text: str

    @property
    def template(self) -> str:
        """The expression as a template."""
        return f"${{{self.text}}}"

    @property
    def is_splat(self) -> bool:
        """Whether it stands for a list: one attribute of every instance."""
        return bool(SPLAT.search(self.text))

    def chosen(self, index: Any) -> Reference:
        """
        Return what it is of the instance *index*.

        Raises:
            Undecided: It is no splat, or the index is not known.
        """
        before, splat, after = SPLAT.sub("*", self.text).partition("*")
        if not splat or "*" in after:
            raise Undecided("no list")
        return Reference(f"{before}[{number(index)}]{after}")


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


LONGEST_RANGE = 1024
"""As Terraform has it."""

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
    if isinstance(items, Reference):
        return items.chosen(0)
    if len(as_list(items)) > 1:
        raise Undecided("more than one")
    return items[0] if items else None


def _element(items: Any, index: Any) -> Any:
    if isinstance(items, Reference):
        return items.chosen(index)
    return as_list(items)[int(number(index)) % len(items)]


def _join(separator: Any, items: Any) -> Any:
    if isinstance(items, Reference) and text(separator) == "":
        return items.chosen(0)
    return short(text(separator).join(map(text, as_list(items))))


def _replace(value: Any, old: Any, new: Any) -> Any:
    """What is replaced of an attribute is not told, but for the ARN of a log group."""
    pattern = plain(old)
    if isinstance(value, Reference) and pattern == ":*" and text(new) == "":
        return value
    if not pattern or pattern.startswith("/"):
        raise Undecided("a regular expression")
    return short(plain(value).replace(pattern, text(new)))


def _trimmed(value: Any, end: Any) -> Any:
    if isinstance(value, Reference) and plain(end) == ":*":
        return value
    return plain(value).removesuffix(plain(end))


def _coalescelist(*lists: Any) -> list[Any]:
    told = [items for items in map(as_list, lists) if items]
    if not told:
        raise Undecided("nothing but empty lists")
    return told[0]


def _zipmap(keys: Any, items: Any) -> dict[str, Any]:
    return dict(zip(_texts(keys), as_list(items), strict=True))


def _range(*bounds: Any) -> list[int]:
    start, limit = (0, *map(number, bounds))[-2:]
    if len(bounds) > 2 or not 0 <= limit - start <= LONGEST_RANGE:  # noqa: PLR2004 - a step
        raise Undecided("a range that goes down, in steps, or on and on")
    return list(range(start, limit))


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


def _encoded(value: Any) -> str:
    return b64encode(text(value).encode()).decode()


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "base64encode": _encoded,
    "cidrsubnet": _cidrsubnet,
    "coalesce": _coalesce,
    "coalescelist": _coalescelist,
    "compact": lambda value: [x for x in _texts(value) if x],
    "concat": _concat,
    "contains": _contains,
    "distinct": _distinct,
    "element": _element,
    "endswith": lambda value, end: text(value).endswith(text(end)),
    "flatten": _flatten,
    "format": _format,
    "join": _join,
    "jsondecode": jsondecode,
    "jsonencode": Encoded,
    "keys": lambda value: sorted(as_object(value)),
    "length": lambda value: len(plain(value) if isinstance(value, str) else known(value)),
    "lookup": _lookup,
    "lower": lambda value: plain(value).lower(),
    "max": lambda *values: max(map(number, values)),
    "merge": _merge,
    "min": lambda *values: min(map(number, values)),
    "nonsensitive": lambda value: value,
    "one": _one,
    "range": _range,
    "replace": _replace,
    "reverse": lambda items: as_list(items)[::-1],
    "sensitive": lambda value: value,
    "setunion": lambda *sets: _toset(_concat(*sets)),
    "sort": lambda items: sorted(_texts(items)),
    "split": lambda separator, value: text(value).split(text(separator)),
    "startswith": lambda value, start: text(value).startswith(text(start)),
    "tobool": truth,
    "tolist": as_list,
    "tomap": as_object,
    "tonumber": number,
    "toset": _toset,
    "tostring": lambda value: value if isinstance(value, Reference | Partial) else text(value),
    "trimprefix": lambda value, start: plain(value).removeprefix(plain(start)),
    "trimspace": lambda value: plain(value).strip(),
    "trimsuffix": _trimmed,
    "upper": lambda value: plain(value).upper(),
    "values": lambda value: [item for _, item in sorted(as_object(value).items())],
    "zipmap": _zipmap,
}

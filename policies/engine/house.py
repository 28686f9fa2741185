"""house.toml in, the organisation's own rules out: naming, addresses, tags, what must exist."""

from __future__ import annotations

import re
import tomllib
from functools import cached_property
from ipaddress import IPv4Network
from typing import Any

import msgspec


class HouseError(ValueError):
    """A house.toml that cannot be used."""


class Naming(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How resources are named."""

    pattern: str
    """With ``{resource}`` and ``{environment}``: ``financial-{resource}-{environment}``."""

    forced: tuple[str, ...] = ()
    """Forms that AWS itself wants around a name, such as ``alias/{name}``."""


class Addressing(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which addresses the platform may use."""

    vpc: str
    """IPv4 block of every VPC."""


class Tags(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which tags every resource carries."""

    required: tuple[str, ...]
    values: dict[str, tuple[str, ...]] = {}
    """For some of them, the only values that count."""


class House(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, dict=True):
    """One organisation's rules. They add to the suite; nothing here can relax it."""

    stack: str
    """With ``{environment}``: how stacks are named."""

    environments: tuple[str, ...]
    naming: Naming
    addressing: Addressing
    tags: Tags

    @cached_property
    def _stack(self) -> re.Pattern[str]:
        return _compiled(self.stack, environment="|".join(map(re.escape, self.environments)))

    def environment_of(self, stack: str) -> str | None:
        """Return the environment that *stack* is, or None where it is none of ours."""
        match = self._stack.fullmatch(stack)
        return match["environment"] if match else None

    def is_named(self, name: str, environment: str) -> bool:
        """Whether *name* follows the convention in *environment*, also in a forced form."""
        plain = (
            _compiled(
                self.naming.pattern,
                resource="[a-z0-9]+(?:-[a-z0-9]+)*",
                environment=re.escape(environment),
            ).pattern
            + "(?:-[0-9]+)?"
        )
        return any(
            _compiled(form, name=plain, part="[a-z]+").fullmatch(name)
            for form in ("{name}", *self.naming.forced)
        )


def parse_house(text: str, name: str) -> House:
    """
    Return the house's rules in *text* (TOML), which stands in the file *name*.

    Raises:
        HouseError: It says something that no house says.
    """
    try:
        house = msgspec.convert(tomllib.loads(text), House)
        IPv4Network(house.addressing.vpc)
        _require(house.stack, "{environment}")
        _require(house.naming.pattern, "{resource}", "{environment}")
    except (ValueError, RecursionError) as error:
        raise HouseError(f"{name}: {error}") from error
    return house


def _require(pattern: str, *placeholders: str) -> None:
    for placeholder in placeholders:
        if placeholder not in pattern:
            raise ValueError(f"pattern {pattern!r} lacks {placeholder}")


def _compiled(pattern: str, **parts: Any) -> re.Pattern[str]:
    text = re.escape(pattern)
    for name, part in parts.items():
        text = text.replace(re.escape(f"{{{name}}}"), f"(?P<{name}>{part})")
    return re.compile(text)

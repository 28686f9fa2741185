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

    account: str | None = None
    """Likewise: the stack of what an account has once, such as its trail."""

    environments: tuple[str, ...]
    entry_points: tuple[str, ...]
    """With ``{environment}``: the names of all that may face the Internet."""

    naming: Naming
    addressing: Addressing
    tags: Tags

    @cached_property
    def stacks(self) -> dict[str, str]:
        """The name of every stack that there must be, and the environment that it belongs to."""
        patterns = [pattern for pattern in (self.account, self.stack) if pattern]
        return {
            pattern.replace("{environment}", environment): environment
            for environment in self.environments
            for pattern in patterns
        }

    @cached_property
    def _accounts(self) -> frozenset[str]:
        pattern = self.account or ""
        return frozenset(pattern.replace("{environment}", each) for each in self.environments)

    def environment_of(self, stack: str) -> str | None:
        """Return the environment that *stack* belongs to, or None where it is none of ours."""
        return self.stacks.get(stack)

    def asks(self, stack: str, account_wide: bool) -> bool:  # noqa: FBT001 - which of the two
        """Whether what must exist, *account_wide* or not, must exist in *stack*."""
        return self.account is None or account_wide == (stack in self._accounts)

    def is_entry_point(self, name: str, environment: str) -> bool:
        """Whether what bears *name* in *environment* may face the Internet."""
        return name in {point.replace("{environment}", environment) for point in self.entry_points}

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
        _require_block(house.addressing.vpc)
        for stack in filter(None, (house.stack, house.account)):
            _require(stack, "{environment}")
        _require_apart(house)
        _require_known_tags(house)
        _require(house.naming.pattern, "{resource}", "{environment}")
    except (ValueError, RecursionError) as error:
        raise HouseError(f"{name}: {error}{_hint(str(error))}") from error
    return house


def _hint(error: str) -> str:
    """Say what belongs there where a key that was added later is missing."""
    if "`entry_points`" in error:
        return '; list all that may face the Internet, such as entry_points = ["alb-{environment}"]'
    return ""


def _require_apart(house: House) -> None:
    patterns = 2 if house.account else 1
    if len(house.stacks) < len(house.environments) * patterns:
        raise ValueError("environments, stack, account: two stacks would have one name")


def _require_block(text: str) -> None:
    try:
        IPv4Network(text)
    except ValueError as error:
        raise ValueError(f"addressing.vpc: {error}; write a block such as 10.0.0.0/16") from None


def _require_known_tags(house: House) -> None:
    for tag in house.tags.values:
        if tag not in house.tags.required:
            raise ValueError(f"tags.values has {tag}, which tags.required does not ask for")


def _require(pattern: str, *placeholders: str) -> None:
    for placeholder in placeholders:
        if placeholder not in pattern:
            raise ValueError(f"pattern {pattern!r} lacks {placeholder}")


def _compiled(pattern: str, **parts: Any) -> re.Pattern[str]:
    text = re.escape(pattern)
    for name, part in parts.items():
        text = text.replace(re.escape(f"{{{name}}}"), f"(?P<{name}>{part})")
    return re.compile(text)

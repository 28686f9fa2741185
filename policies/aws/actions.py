"""
The actions of AWS's services, and which of them can be bound to a resource.

actions.txt is made by ``tox run -e actions``: after its source, a service on each line,
with those of its actions that can be bound and change something, those that can be bound,
and those that cannot.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files

from policies.aws import iam
from policies.engine.values import UnknownValue


@dataclass(frozen=True)
class Service:
    """The actions of one service, in lower case, its prefix in front."""

    changing: frozenset[str]
    reading: frozenset[str]
    unbound: frozenset[str]


ON_EVERYTHING = frozenset({
    "ec2:assignprivateipaddresses", "ec2:createnetworkinterface", "ec2:deletenetworkinterface",
    "ec2:unassignprivateipaddresses", "ssm:listinstanceassociations",
    "ssm:updateinstanceinformation",
})  # fmt: skip
"""What AWS has workloads allowed on everything: to join a VPC, to be reached by Session Manager."""


@cache
def _table() -> dict[str, Service]:
    _source, *lines = files(__package__).joinpath("actions.txt").read_text().splitlines()
    return dict(map(_service, lines))


def _service(line: str) -> tuple[str, Service]:
    prefix, *kinds = line.split()
    return prefix, Service(
        *(
            frozenset(f"{prefix}:{name}" for name in kind.split(",") if name != "-")
            for kind in kinds
        )
    )


@lru_cache(maxsize=1 << 12)
def can_be_bound(pattern: str) -> bool:
    """
    Whether the action *pattern*, in lower case, names one that can be bound to a resource.

    Of a pattern with wildcards only those that change something count: what reads is named
    together with what can be asked of the whole account alone.

    Raises:
        UnknownValue: No action that we know of is meant.
    """
    services = list(_services(pattern))
    if pattern in ON_EVERYTHING:
        return False
    is_one = not set(pattern) & {"*", "?"}
    if any(
        pattern in each.changing or pattern in each.reading
        if is_one
        else iam.reaches(pattern, each.changing)
        for each in services
    ):
        return True
    if not any(iam.reaches(pattern, each.unbound | each.reading) for each in services):
        raise UnknownValue(f"{pattern} is no action that is known here")
    return False


def _services(pattern: str) -> Iterator[Service]:
    prefix = pattern.partition(":")[0]
    if set(prefix) & {"*", "?"}:
        yield from _table().values()
    elif prefix in _table():
        yield _table()[prefix]

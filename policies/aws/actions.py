"""
The actions of AWS's services that can be bound to a resource.

actions.txt is made by ``tox run -e actions``: after its source, a service on each line,
with those of its actions that change something and those that do not.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, lru_cache
from importlib.resources import files

from policies.aws import iam


@cache
def _table() -> dict[str, tuple[frozenset[str], frozenset[str]]]:
    """Return, by service, the actions that change something and the others."""
    _source, *lines = files(__package__).joinpath("actions.txt").read_text().splitlines()
    return dict(map(_service, lines))


def _service(line: str) -> tuple[str, tuple[frozenset[str], frozenset[str]]]:
    prefix, *kinds = line.split()
    changing, others = (
        frozenset(f"{prefix}:{name}" for name in kind.split(",") if name != "-") for kind in kinds
    )
    return prefix, (changing, others)


@lru_cache(maxsize=1 << 12)
def can_be_bound(pattern: str) -> bool:
    """
    Whether the action *pattern*, in lower case, names one that can be bound to a resource.

    Of a pattern with wildcards only those that change something count: what reads is named
    together with what can be asked of the whole account alone.
    """
    is_one = not set(pattern) & {"*", "?"}
    return any(
        pattern in changing | others if is_one else iam.reaches(pattern, changing)
        for changing, others in _services(pattern)
    )


def _services(pattern: str) -> Iterator[tuple[frozenset[str], frozenset[str]]]:
    prefix = pattern.partition(":")[0]
    if set(prefix) & {"*", "?"}:
        yield from _table().values()
    elif prefix in _table():
        yield _table()[prefix]

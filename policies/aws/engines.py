"""
What AWS still mends: runtimes of functions, engines of databases, versions of Kubernetes.

engines.toml is of one day; after a year it is stale, and tells nothing any more.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from typing import Any

from policies.engine.graph import ResourceGraph
from policies.engine.values import UnknownValue

FRESH = timedelta(days=366)


@cache
def _tables() -> dict[str, Any]:
    return tomllib.loads(files(__package__).joinpath("engines.toml").read_text())


def is_mended(table: str, version: str, graph: ResourceGraph, *, extended: bool = True) -> bool:
    """
    Whether *version* is mended on the day on which *graph* is judged.

    *table* is ``runtimes``, ``databases`` or ``clusters``; *extended* says whether the
    support counts that AWS gives after the standard one.

    Raises:
        UnknownValue: The table does not have it, or is stale.
    """
    found = _tables()[table].get(version)
    written_on, today = _tables()["written_on"], day(graph)
    if found is None and table == "clusters" and _is_older(version, _tables()[table]):
        return False
    if found is None:
        raise UnknownValue(f"{version} is none of the {table} known on {written_on}")
    ends = found if isinstance(found, list) else [found]
    if today > ends[-1 if extended else 0]:
        return False
    require_fresh(table, written_on, today)
    return True


def _is_older(version: str, known: Iterable[str]) -> bool:
    """Whether *version*, two numbers, is older than every one that is *known*."""
    numbers = [tuple(map(int, each.split("."))) for each in known]
    return bool(_TWO_NUMBERS.fullmatch(version)) and tuple(map(int, version.split("."))) < min(
        numbers
    )


_TWO_NUMBERS = re.compile(r"\d+\.\d+")


def database(engine: str, version: str) -> str:
    """
    Return the name that the table has for the *version* of an *engine* of RDS.

    Raises:
        UnknownValue: The version is none of that engine.
    """
    family = engine.partition("-")[0] if engine.startswith(("oracle", "sqlserver")) else engine
    _, is_aurora, after = version.partition("mysql_aurora.")
    if family == "aurora-mysql":
        minor = re.match(r"(\d+)\.(\d+)", after if is_aurora else "")
        if minor and minor[1] == "3":
            return f"{family} 3.{int(minor[2]):02}"
        major = {"5.7": "2", "8.0": "3"}.get(version[:3])
    else:
        wanted = r"\d+\.\d+" if family in {"aurora", "mariadb", "mysql"} else r"9\.\d+|\d+"
        found = re.match(wanted, version)
        major = found[0] if found else None
    if major is None:
        raise UnknownValue(f"engine_version {version} is none of {engine} known here")
    return f"{family} {major}"


def require_fresh(of: str, written_on: date, today: date) -> None:
    """
    Make sure that a table is not too old to tell anything.

    Raises:
        UnknownValue: It is.
    """
    if today > written_on + FRESH:
        raise UnknownValue(f"the table of {of} is of {written_on}, and stale: renew pci-gate")


def day(graph: ResourceGraph) -> date:
    """Return the day on which *graph* is judged."""
    if graph.today is None:
        raise LookupError("a policy that asks for the day was evaluated without one")
    return graph.today

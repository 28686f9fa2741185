"""
What AWS, or whoever made it, still mends: runtimes of functions, engines of databases.

Each table is of a day, from AWS's own pages; after a year it is stale, and tells nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from policies.engine.graph import ResourceGraph
from policies.engine.values import UnknownValue

FRESH = timedelta(days=366)


@dataclass(frozen=True)
class Table:
    """Until when each version of something is mended."""

    of: str
    """What it is about, in the plural."""

    written_on: date
    ends: Mapping[str, date]

    def is_mended(self, version: str, graph: ResourceGraph) -> bool:
        """
        Whether *version* is mended on the day on which *graph* is judged.

        Raises:
            UnknownValue: The table does not have it, or is stale.
        """
        today = day(graph)
        end = self.ends.get(version)
        if end is not None and end < today:
            return False
        require_fresh(self.of, self.written_on, today)
        if end is None:
            raise UnknownValue(f"{version} is none of the {self.of} known on {self.written_on}")
        return True


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

"""Signed runs in, their trend and their differences out: a small store beside the bundles."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FILE = "history.sqlite"
SCHEMA = """
CREATE TABLE IF NOT EXISTS runs (
    manifest TEXT PRIMARY KEY, generated_at TEXT NOT NULL, folder TEXT NOT NULL,
    "commit" TEXT, blocking INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS requirements (
    manifest TEXT NOT NULL REFERENCES runs, requirement TEXT NOT NULL, shows TEXT NOT NULL,
    PRIMARY KEY (manifest, requirement)
);
CREATE TABLE IF NOT EXISTS deviations (
    manifest TEXT NOT NULL REFERENCES runs, key TEXT NOT NULL, PRIMARY KEY (manifest, key)
);
"""


LONGEST_WAIT_SECONDS = 600
"""How long a run waits for those before it; each takes some seconds to be written."""


class HistoryDamaged(RuntimeError):
    """A file that is no history, was damaged, or cannot be written."""


@dataclass(frozen=True)
class Run:
    """One signed run."""

    manifest: str
    """The SHA-256 of its manifest: what the next run names as its previous one."""

    generated_at: str
    folder: str
    commit: str | None
    blocking: int


@contextmanager
def held(path: Path) -> Iterator[sqlite3.Connection]:
    """
    Keep every other run from the history at *path*, and from being its last, meanwhile.

    What is appended is there once all went well.

    Raises:
        HistoryDamaged: The file is no history, or cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        store = sqlite3.connect(path, timeout=LONGEST_WAIT_SECONDS, isolation_level=None)
    except (OSError, sqlite3.Error) as error:
        raise HistoryDamaged(f"{path}: {error}") from error
    with closing(store):
        try:
            store.executescript(SCHEMA)
            store.execute("BEGIN IMMEDIATE")
            with store:
                yield store
        except sqlite3.Error as error:
            raise HistoryDamaged(f"{path}: {error}") from error


def append(
    store: sqlite3.Connection, run: Run, shows: Mapping[str, str], deviations: Iterable[str]
) -> None:
    """Add *run* to the history that is held: what it *shows* by requirement, what deviates."""
    store.execute(
        "INSERT INTO runs VALUES (?, ?, ?, ?, ?)",
        (run.manifest, run.generated_at, run.folder, run.commit, run.blocking),
    )
    store.executemany(
        "INSERT INTO requirements VALUES (?, ?, ?)",
        [(run.manifest, requirement, told) for requirement, told in shows.items()],
    )
    store.executemany(
        "INSERT INTO deviations VALUES (?, ?)",
        [(run.manifest, key) for key in sorted(set(deviations))],
    )


def runs(path: Path) -> tuple[Run, ...]:
    """Return every run in the history at *path*, each after the one that it follows."""
    query = 'SELECT manifest, generated_at, folder, "commit", blocking FROM runs ORDER BY rowid'
    return tuple(Run(*row) for row in _asked(path, query))


def shown(path: Path, run: Run) -> dict[str, str]:
    """Return what *run* showed of each requirement."""
    query = "SELECT requirement, shows FROM requirements WHERE manifest = ?"
    return dict(_asked(path, query, run.manifest))


def deviating(path: Path, run: Run) -> frozenset[str]:
    """Return what deviated in *run*."""
    query = "SELECT key FROM deviations WHERE manifest = ?"
    return frozenset(key for (key,) in _asked(path, query, run.manifest))


def _asked(path: Path, query: str, *values: str) -> list[Any]:
    if not path.exists():
        return []
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as store:
            return store.execute(query, values).fetchall()
    except sqlite3.Error as error:
        raise HistoryDamaged(f"{path}: {error}") from error


def trend(path: Path, last: int) -> Iterator[tuple[str, list[str]]]:
    """Yield each requirement of which the *last* runs do not show the same, and what they show."""
    recent = runs(path)[-last:]
    told = [shown(path, run) for run in recent]
    for requirement in sorted({id for each in told for id in each}, key=_numbers):
        line = [each.get(requirement, "not judged") for each in told]
        if len(set(line)) > 1:
            yield requirement, line


def _numbers(requirement: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (0, part) for part in requirement.split(".")]

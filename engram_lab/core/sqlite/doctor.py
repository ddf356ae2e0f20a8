"""The doctor: finds what is wrong with a store, and rebuilds what can be derived."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import apsw

from engram_lab.core.metadata import leaves
from engram_lab.core.reports import CheckResult
from engram_lab.core.sqlite.indexing import metadata_value
from engram_lab.core.sqlite.rows import fetch, memory_of, select_columns

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engram_lab.core.sqlite.context import Context
    from engram_lab.core.types import Memory

__all__ = ["Doctor"]

_ORPHANS: Final = {
    "tags": "memory_tags WHERE pk NOT IN (SELECT pk FROM memories)",
    "metadata": "memory_metadata WHERE pk NOT IN (SELECT pk FROM memories)",
    "versions": "versions WHERE pk NOT IN (SELECT pk FROM memories)",
    "vectors": "vectors WHERE pk NOT IN (SELECT pk FROM memories)",
    "links": "links WHERE from_pk NOT IN (SELECT pk FROM memories) "
    "OR to_pk NOT IN (SELECT pk FROM memories)",
    "mentions": "mentions WHERE pk NOT IN (SELECT pk FROM memories)",
    "turns": "turns WHERE pk NOT IN (SELECT pk FROM memories)",
    "hits": "recall_hits WHERE pk NOT IN (SELECT pk FROM memories)",
}


class Doctor:
    """Check-ups of the store; for its owner alone."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def examine(self) -> list[CheckResult]:
        """Return what the doctor finds: pages, text index, tag and metadata indexes, orphans, log.

        Raises:
            AccessDeniedError: An agent asks.
        """
        self._context.access.check_owner("examine the store")
        with self._context.database.write() as connection:  # the FTS check is written as an insert
            return list(_examine(connection))

    def repair(self) -> list[CheckResult]:
        """Rebuild all that is derived from the memories, remove orphans, and examine again.

        Raises:
            AccessDeniedError: An agent asks.
        """
        self._context.access.check_owner("repair the store")
        with self._context.database.write() as connection:
            connection.execute("INSERT INTO memories_fts (memories_fts) VALUES ('rebuild')")
            connection.execute("DELETE FROM memory_tags; DELETE FROM memory_metadata")
            for pk, memory in _memories(connection):
                connection.executemany(
                    "INSERT OR IGNORE INTO memory_tags VALUES (?, ?)", _tag_entries(pk, memory)
                )
                connection.executemany(
                    "INSERT OR IGNORE INTO memory_metadata VALUES (?, ?, ?)",
                    _path_entries(pk, memory),
                )
            for rows in _ORPHANS.values():
                connection.execute(f"DELETE FROM {rows}")
            return list(_examine(connection))


def _memories(connection: apsw.Connection) -> Iterator[tuple[int, Memory]]:
    columns = select_columns("m", private=False)
    for row in connection.execute(f"SELECT {columns}, m.pk FROM memories AS m"):
        yield row[-1], memory_of(row)


def _tag_entries(pk: int, memory: Memory) -> Iterator[tuple[str, int]]:
    return ((tag, pk) for tag in memory.tags)


def _path_entries(pk: int, memory: Memory) -> Iterator[tuple[str, str | int | float | bytes, int]]:
    return ((path, metadata_value(value), pk) for path, value in leaves(memory.metadata))


def _examine(connection: apsw.Connection) -> Iterator[CheckResult]:
    found = [row[0] for row in fetch(connection, "PRAGMA integrity_check(20)")]
    yield CheckResult.of("file", [] if found == ["ok"] else found, "every page is sound")
    yield CheckResult.of("text index", _text_index(connection), "it holds what the memories say")
    yield _same(
        "tag index",
        {entry for pk, memory in _memories(connection) for entry in _tag_entries(pk, memory)},
        set(fetch(connection, "SELECT tag, pk FROM memory_tags")),
    )
    yield _same(
        "metadata index",
        {entry for pk, memory in _memories(connection) for entry in _path_entries(pk, memory)},
        set(fetch(connection, "SELECT path, value, pk FROM memory_metadata")),
    )
    orphans = [
        f"{count} of {name}"
        for name, rows in _ORPHANS.items()
        if (count := connection.execute(f"SELECT count(*) FROM {rows}").get)
    ]
    yield CheckResult.of("orphans", orphans, "every row belongs to a memory")
    yield CheckResult.of("change log", _gaps(connection), "its numbers have no gaps")
    yield CheckResult.of("vectors", [], _waiting(connection))


def _text_index(connection: apsw.Connection) -> list[str]:
    try:
        # A rank of 1 compares the index with the texts, not with itself alone.
        connection.execute(
            "INSERT INTO memories_fts (memories_fts, rank) VALUES ('integrity-check', 1)"
        )
    except apsw.CorruptError as error:
        return [str(error)]
    return []


def _same(
    name: str, expected: set[tuple[object, ...]], stored: set[tuple[object, ...]]
) -> CheckResult:
    problems = []
    if missing := len(expected - stored):
        problems.append(f"{missing} entries are missing")
    if surplus := len(stored - expected):
        problems.append(f"{surplus} entries are too many")
    return CheckResult.of(name, problems, "it holds what the memories say")


def _gaps(connection: apsw.Connection) -> list[str]:
    count, last = fetch(connection, "SELECT count(*), coalesce(max(seq), 0) FROM changes")[0]
    ahead: int = connection.execute("SELECT count(*) FROM memories WHERE seq > ?", (last,)).get
    problems = [] if count == last else [f"{last - count} numbers are missing"]
    return problems + ([f"{ahead} memories are ahead of it"] if ahead else [])


def _waiting(connection: apsw.Connection) -> str:
    """Tell how many memories wait for a vector: no fault, as embedding follows behind."""
    rows = fetch(
        connection,
        "SELECT e.fingerprint, (SELECT count(*) FROM memories AS m WHERE m.forgotten_at IS NULL "
        "AND NOT EXISTS (SELECT 1 FROM vectors AS v WHERE v.pk = m.pk AND v.embedder = e.number)) "
        "FROM embedders AS e ORDER BY 1",
    )
    waiting = [f"{count} memories wait for {name!r}" for name, count in rows if count]
    return ", ".join(waiting) or "no memory waits for one"

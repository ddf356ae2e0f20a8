"""The doctor: finds what is wrong with a store, and rebuilds what can be derived."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import apsw

from engram_lab.core.errors import StoreCorruptError
from engram_lab.core.metadata import leaves
from engram_lab.core.reports import CheckResult
from engram_lab.core.sqlite.faults import DAMAGE
from engram_lab.core.sqlite.indexing import metadata_value
from engram_lab.core.sqlite.reading import STATES
from engram_lab.core.sqlite.rows import fetch, memory_of, select_columns
from engram_lab.core.text import content_hash

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from engram_lab.core.sqlite.context import Context
    from engram_lab.core.types import Memory

__all__ = ["Doctor"]

_ORPHANS: Final = {
    "tags": "memory_tags WHERE pk NOT IN (SELECT pk FROM memories)",
    "metadata": "memory_metadata WHERE pk NOT IN (SELECT pk FROM memories)",
    "versions": "versions WHERE pk NOT IN (SELECT pk FROM memories)",
    "vectors": "vectors WHERE pk NOT IN (SELECT pk FROM memories) "
    "OR embedder NOT IN (SELECT number FROM embedders)",
    "waiting": "embedding_queue WHERE pk NOT IN (SELECT pk FROM memories) "
    "OR queue NOT IN (SELECT number FROM embedding_queues)",
    "links": "links WHERE from_pk NOT IN (SELECT pk FROM memories) "
    "OR to_pk NOT IN (SELECT pk FROM memories)",
    "mentions": "mentions WHERE pk NOT IN (SELECT pk FROM memories) "
    "OR entity_id NOT IN (SELECT id FROM entities)",
    "turns": "turns WHERE pk NOT IN (SELECT pk FROM memories) "
    "OR session_id NOT IN (SELECT id FROM sessions)",
    "hits": "recall_hits WHERE pk NOT IN (SELECT pk FROM memories) "
    "OR event_id NOT IN (SELECT id FROM recall_events)",
    "steps": "consolidation_runs WHERE run NOT IN (SELECT number FROM dream_runs)",
    "journals": "dream_journal WHERE run NOT IN (SELECT number FROM dream_runs)",
    "aliases": "identity_aliases WHERE identity_id NOT IN (SELECT id FROM identities)",
}


class Doctor:
    """Check-ups of the store; for its owner alone."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def examine(self) -> list[CheckResult]:
        """Return what the doctor finds: pages, contents, indexes, orphans, log.

        A check that the damage itself keeps from ending is a finding, too.

        Raises:
            AccessDeniedError: An agent asks.
            StoreError: Inside a transaction, or where the file cannot be written.
        """
        self._context.access.check_owner("examine the store")
        with self._context.database.outside_transaction() as connection:
            connection.execute("BEGIN IMMEDIATE")  # the check of the text index is an insert
            try:
                return list(_examine(connection))
            finally:
                connection.execute("ROLLBACK")  # a damaged index would not let it be committed

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
        return self.examine()


def _memories(connection: apsw.Connection) -> Iterator[tuple[int, Memory]]:
    columns = select_columns("m", private=False)
    try:
        for row in connection.execute(f"SELECT {columns}, m.pk FROM memories AS m"):
            yield row[-1], memory_of(row)
    except UnicodeDecodeError as error:
        raise StoreCorruptError(f"a memory holds bytes that are no text: {error}") from error


def _tag_entries(pk: int, memory: Memory) -> Iterator[tuple[str, int]]:
    return ((tag, pk) for tag in memory.tags)


def _path_entries(pk: int, memory: Memory) -> Iterator[tuple[str, str | int | float | bytes, int]]:
    return ((path, metadata_value(value), pk) for path, value in leaves(memory.metadata))


def _examine(connection: apsw.Connection) -> Iterator[CheckResult]:
    for name, (find, otherwise) in _CHECKS.items():
        try:
            problems = find(connection)
        except apsw.ReadOnlyError:
            raise  # the file's permissions say nothing of its health
        except (apsw.Error, StoreCorruptError, *DAMAGE) as error:
            problems = [f"it cannot be read: {error}"]
        yield CheckResult.of(name, problems, otherwise)
    yield CheckResult.of("vectors", [], _waiting(connection))


def _pages(connection: apsw.Connection) -> list[str]:
    found = [row[0] for row in fetch(connection, "PRAGMA integrity_check(20)")]
    return [] if found == ["ok"] else found


def _contents(connection: apsw.Connection) -> list[str]:
    """Read every state, past ones too: SQLite vouches for the pages, the hash for the letters."""
    columns = select_columns("m", private=True)
    states = map(memory_of, connection.execute(f"SELECT {columns} FROM {STATES} AS m"))
    altered = sum(content_hash(state.content) != state.content_hash for state in states)
    return [f"{altered} are not what was stored"] if altered else []


def _tags(connection: apsw.Connection) -> list[str]:
    return _compare(
        {entry for pk, memory in _memories(connection) for entry in _tag_entries(pk, memory)},
        set(fetch(connection, "SELECT tag, pk FROM memory_tags")),
    )


def _metadata(connection: apsw.Connection) -> list[str]:
    return _compare(
        {entry for pk, memory in _memories(connection) for entry in _path_entries(pk, memory)},
        set(fetch(connection, "SELECT path, value, pk FROM memory_metadata")),
    )


def _orphans(connection: apsw.Connection) -> list[str]:
    return [
        f"{count} of {name}"
        for name, rows in _ORPHANS.items()
        if (count := connection.execute(f"SELECT count(*) FROM {rows}").get)
    ]


def _text_index(connection: apsw.Connection) -> list[str]:
    try:
        # A rank of 1 compares the index with the texts, not with itself alone.
        connection.execute(
            "INSERT INTO memories_fts (memories_fts, rank) VALUES ('integrity-check', 1)"
        )
    except apsw.CorruptError as error:
        return [str(error)]
    return []


def _compare(expected: set[tuple[object, ...]], stored: set[tuple[object, ...]]) -> list[str]:
    problems = []
    if missing := len(expected - stored):
        problems.append(f"{missing} entries are missing")
    if surplus := len(stored - expected):
        problems.append(f"{surplus} entries are too many")
    return problems


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
    found = [
        f"{count} memories wait for {name!r}" if count else f"no memory waits for {name!r}"
        for name, count in rows
    ]
    return ", ".join(found) or "none was made"


_CHECKS: Final[dict[str, tuple[Callable[[apsw.Connection], list[str]], str]]] = {
    "file": (_pages, "every page is sound"),
    "contents": (_contents, "they are what was stored"),
    "text index": (_text_index, "it holds what the memories say"),
    "tag index": (_tags, "it holds what the memories say"),
    "metadata index": (_metadata, "it holds what the memories say"),
    "orphans": (_orphans, "every row belongs to a memory"),
    "change log": (_gaps, "its numbers have no gaps"),
}

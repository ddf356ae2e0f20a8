"""A connection goes back to the pool alone: no cursor of it is left with whoever borrowed it.

A cursor that is let go of while another thread uses its connection corrupts the memory of the
process, which then ends at some later statement.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

import apsw
import numpy as np
import pytest

from engram_lab.core.selection import Selection
from engram_lab.core.sqlite import SqliteStore, database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

CHOSEN = Selection.of({"tags": {"contains": "hot"}, "metadata.a": 1}, archived=True)


@pytest.fixture
def left(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Tell what was left of lent connections: the SQL of open cursors."""
    cursors: WeakSet[Any] = WeakSet()
    found: list[str] = []

    class Watched(database._Cursor):
        def __init__(self, connection: apsw.Connection) -> None:
            super().__init__(connection)
            cursors.add(self)

    def open_cursors(connection: apsw.Connection) -> Iterator[str]:
        for cursor in list(cursors):
            with suppress(apsw.CursorClosedError):
                if cursor.connection is connection:
                    yield repr(cursor)

    give_back = database.Database._give_back

    def watched(self: database.Database, connection: apsw.Connection) -> None:
        found.extend(open_cursors(connection))
        give_back(self, connection)

    monkeypatch.setattr(database, "_Cursor", Watched)
    monkeypatch.setattr(database.Database, "_give_back", watched)
    return found


@pytest.fixture
def filled(left: list[str], tmp_path: Path) -> Iterator[SqliteStore]:
    with closing(SqliteStore.open(str(tmp_path / "store.db"))) as store:
        ids = store.memories.remember_many(
            {"content": f"tea {number}", "tags": ["hot"], "metadata": {"a": number % 2}}
            for number in range(20)
        ).ids
        store.links.put(ids[0], ids[1])
        store.vectors.put("mine", ids, np.ones((20, 4), np.float32))
        session = store.sessions.start()
        store.sessions.add_turns(session.id, [{"speaker": "Ada", "content": "tea"}])
        left.clear()
        yield store


READS: dict[str, Callable[[SqliteStore], object]] = {
    "keys": lambda store: store.corpus.keys(CHOSEN),
    "hidden": lambda store: store.corpus.hidden(Selection()),
    "visible": lambda store: store.corpus.visible(store.corpus.alive(), Selection()),
    "visible, filtered": lambda store: store.corpus.visible(store.corpus.alive(), CHOSEN),
    "fetch": lambda store: store.corpus.fetch(store.corpus.alive(), Selection()),
    "fetch, filtered": lambda store: store.corpus.fetch(store.corpus.alive(), CHOSEN),
    "find": lambda store: store.corpus.find(["x"]),
    "last": lambda store: store.corpus.last(),
    "stamp": lambda store: store.corpus.stamp(3),
    "text changes": lambda store: store.corpus.text_changes(0),
    "all texts": lambda store: list(store.corpus.all_texts()),
    "vector changes": lambda store: store.corpus.vector_changes("mine", 0),
    "all vectors": lambda store: list(store.corpus.all_vectors("mine")),
    "links": lambda store: store.corpus.links(store.corpus.alive()),
    "turns": lambda store: store.corpus.turns(store.corpus.alive()),
    "turns around": lambda store: store.corpus.turns_around(store.corpus.alive(), 1),
    "select": lambda store: store.memories.select(CHOSEN, limit=3),
    "count": lambda store: store.memories.count(CHOSEN),
    "aggregate": lambda store: store.memories.aggregate(Selection(), "type"),
    "match text": lambda store: store.memories.match_text(["tea"], CHOSEN, 5),
    "highlights": lambda store: store.memories.match_text(["tea"], CHOSEN, 5, highlight=True),
    "vectors": lambda store: store.vectors.get("mine", ["x"]),
    "missing": lambda store: store.vectors.missing("other"),
    "queue": lambda store: store.embedding_queue.counts("other"),
    "claim": lambda store: store.embedding_queue.claim("mine", limit=1),
    "changes": lambda store: store.changes.since(0),
    "tables": lambda store: store.tables.counts(Selection()),
    "an agent": lambda store: store.as_agent("ada", "global").memories.select(CHOSEN),
}


@pytest.mark.parametrize("name", READS)
def test_nothing_of_a_lent_connection_is_left(
    filled: SqliteStore, left: list[str], name: str
) -> None:
    READS[name](filled)
    assert left == []


def test_what_is_left_is_seen(filled: SqliteStore, left: list[str]) -> None:
    with filled._context.database.read() as connection:
        cursor = connection.execute("SELECT 1")
    del cursor
    assert len(left) == 1


def test_reads_of_many_threads_leave_the_process_whole(tmp_path: Path) -> None:
    place = str(tmp_path / "store.db")
    for _ in range(10):
        with closing(SqliteStore.open(place)) as store:
            if not store.corpus.last():
                store.memories.remember_many({"content": f"tea {n}"} for n in range(100))

            def read(_: int, store: SqliteStore = store) -> None:
                for _ in range(10):
                    store.corpus.hidden(Selection())
                    store.corpus.visible(store.corpus.keys(Selection()), Selection())

            with ThreadPoolExecutor(8) as threads:
                list(threads.map(read, range(8)))

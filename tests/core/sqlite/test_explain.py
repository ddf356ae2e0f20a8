"""What a filter asks for is found through an index: SQLite tells how it would go about it."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from engram_lab.core.selection import Selection
from engram_lab.core.settings import StoreSettings
from engram_lab.core.sqlite import SqliteStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import apsw

CO_ROUTINE = re.compile(r"^CO-ROUTINE (\w+)", re.MULTILINE)
SCAN = re.compile(r"^SCAN (\w+)(?! VIRTUAL)", re.MULTILINE)
ID = "01890a5d-ac96-774b-bcce-b302099a8057"
KEYS = np.array([7, 9, 5_000])
Query = tuple[str, Any]


@pytest.fixture(scope="module")
def filled() -> Iterator[SqliteStore]:
    """A store large enough for a plan to matter."""
    store = SqliteStore.open(":memory:", settings=StoreSettings(seed=1))
    store.memories.remember_many(
        {
            "content": f"memory {number}",
            "tags": [f"t{number % 100}"],
            "metadata": {"n": number, "place": {"name": f"p{number % 100}"}},
            "session_id": f"s{number % 100}",
            "workspace": f"w{number % 20}",
            "scope": f"global/org:a{number % 20}",
        }
        for number in range(2_000)
    )
    store.links.put(*store.memories.remember_many([{"content": "a"}, {"content": "b"}]).ids)
    yield store
    store.close()


@contextmanager
def listening(store: SqliteStore) -> Iterator[list[Query]]:
    """Collect the queries that the store sends: behind the door, as nothing else shows them."""
    heard: list[Query] = []

    def hear(_cursor: apsw.Cursor, sql: str, values: Any) -> bool:
        heard.append((sql, values))
        return True

    connection = store._context.database._writer
    connection.exec_trace = hear
    try:
        yield heard
    finally:
        connection.exec_trace = None


def plan_of(store: SqliteStore, deed: Callable[[SqliteStore], Any]) -> str:
    with listening(store) as heard:
        deed(store)
    with store._context.database.read() as connection:
        return "\n".join(
            row[-1]
            for sql, values in heard
            if sql.lstrip().upper().startswith(("SELECT", "WITH"))
            for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", values)
        )


FILTERS: dict[str, tuple[dict[str, Any], str]] = {
    "tag": ({"tags": {"contains": "t7"}}, "memory_tags USING PRIMARY KEY (tag=?)"),
    "metadata": ({"metadata.n": 7}, "memory_metadata USING PRIMARY KEY (path=? AND value=?)"),
    "metadata in": (
        {"metadata.place.name": {"in": ["p1", "p2"]}},
        "memory_metadata USING PRIMARY KEY (path=? AND value=?)",
    ),
    "metadata range": (
        {"metadata.n": {"gte": 5, "lt": 9}},
        "memory_metadata USING PRIMARY KEY (path=? AND value",
    ),
    "metadata exists": (
        {"metadata.place.name": {"exists": True}},
        "memory_metadata USING PRIMARY KEY (path=?)",
    ),
    "metadata contains": (
        {"metadata.place.name": {"contains": "p7"}},
        "memory_metadata USING PRIMARY KEY (path=?)",
    ),
    "session": ({"session_id": "s7"}, "memories_by_session (session_id=?)"),
    "id": ({"id": ID}, "sqlite_autoindex_memories_1 (id=?)"),
    "ids": ({"id": {"in": [ID, ID]}}, "sqlite_autoindex_memories_1 (id=?)"),
    "workspace": ({"workspace": "w7"}, "memories_by_workspace (workspace=?)"),
    "tag and more": ({"tags": {"contains": "t7"}, "pinned": False}, "PRIMARY KEY (tag=?)"),
}


@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize("way", ["select", "count"])
def test_a_filter_is_answered_through_an_index(filled: SqliteStore, name: str, way: str) -> None:
    source, index = FILTERS[name]
    selection = Selection.of(source)
    plan = plan_of(filled, lambda store: getattr(store.memories, way)(selection))
    assert index in plan
    assert "SCAN m" not in plan
    assert "SEARCH m" in plan


def embed(store: SqliteStore) -> None:
    queue = store.embedding_queue
    claimed = queue.claim("e", limit=10)
    queue.complete("e", claimed, np.ones((len(claimed), 2), np.float32))
    assert queue.claim("e", limit=5_000)
    queue.counts("e")
    queue.last_error("e")


BY_KEY: dict[str, tuple[dict[str, Any], str | None]] = {
    "tag": ({"tags": {"contains": "t7"}}, "PRIMARY KEY (tag=? AND pk=?)"),
    "metadata": (
        {"metadata.n": 7, "metadata.place.name": {"in": ["p1", "p2"]}},
        "PRIMARY KEY (path=? AND value=? AND pk=?)",
    ),
    "not metadata": (
        {"not": {"or": [{"metadata.n": {"ne": 7}}, {"tags": {"not_contains": "t7"}}]}},
        "PRIMARY KEY (path=? AND value=? AND pk=?)",
    ),
    "metadata range": ({"metadata.n": {"gte": 5}}, None),
    "metadata exists": ({"or": [{"metadata.n": {"exists": True}}, {"type": "note"}]}, None),
    "metadata contains": ({"metadata.place.name": {"not_contains": "p7"}}, None),
}


@pytest.mark.parametrize("name", BY_KEY)
@pytest.mark.parametrize("way", ["visible", "fetch"])
def test_a_filter_of_a_few_keys_looks_at_them_alone(
    filled: SqliteStore, name: str, way: str
) -> None:
    source, index = BY_KEY[name]
    selection = Selection.of(source)
    plan = plan_of(filled, lambda store: getattr(store.corpus, way)(KEYS, selection))
    assert "SEARCH m USING INTEGER PRIMARY KEY (rowid=?)" in plan
    if index is None:  # it is judged in Python, as no index would find the row of a memory
        assert "memory_metadata" not in plan
    else:
        assert index in plan
        assert "LIST SUBQUERY" not in plan


DEEDS: dict[str, Callable[[SqliteStore], Any]] = {
    "workspace": lambda store: store.memories.select(Selection(workspace="w7")),
    "get": lambda store: store.memories.get_many([ID]),
    "history": lambda store: store.memories.history(first(store)),
    "links": lambda store: store.links.of(first(store)),
    "entities": lambda store: store.entities.of(first(store)),
    "vectors": lambda store: store.vectors.get("e", [first(store)]),
    "get as of": lambda store: store.memories.get(first(store), as_of=now(store)),
    "clean up": lambda store: store.memories.clean_up(),
    "duplicate": lambda store: store.memories.remember({"content": "memory 7"}, dedup="skip"),
    "words": lambda store: store.memories.match_text(["zebra"], Selection(), 10),
    "agent": lambda store: store.as_agent("x", "global/org:a7").memories.get_many([ID]),
    "fetch by key": lambda store: store.corpus.fetch(KEYS, Selection()),
    "visible by key": lambda store: store.corpus.visible(KEYS, Selection(workspace="w7")),
    "visible to an agent": lambda store: store.as_agent("x", "global/org:a7").corpus.visible(
        KEYS, Selection()
    ),
    "texts that changed": lambda store: store.corpus.text_changes(store.corpus.last() - 5),
    "vectors that changed": lambda store: store.corpus.vector_changes("e", store.corpus.last() - 5),
    "links by key": lambda store: store.corpus.links(KEYS),
    "turns by key": lambda store: store.corpus.turns(KEYS),
    "turns around keys": lambda store: store.corpus.turns_around(KEYS, 2),
    "keys by id": lambda store: store.corpus.find([ID]),
    "claim and complete": embed,
}


def first(store: SqliteStore) -> str:
    return store.changes.since(0, limit=1)[0].id


def now(store: SqliteStore) -> Any:
    return store._context.clock.now()


@pytest.mark.parametrize("name", DEEDS)
def test_what_is_asked_often_never_reads_every_memory(filled: SqliteStore, name: str) -> None:
    plan = plan_of(filled, DEEDS[name])
    # A co-routine called m is what was found in both tables by their indexes.
    names = {"memories", "versions", "h", "a", "b"} | ({"m"} - set(CO_ROUTINE.findall(plan)))
    full_reads = [name for name in SCAN.findall(plan) if name in names]
    assert plan
    assert full_reads == []

"""A purge leaves nothing: in no table, in no index, and not in the bytes of the files."""

from __future__ import annotations

from contextlib import closing, suppress
from random import Random
from typing import TYPE_CHECKING

import apsw
import numpy as np
import pytest

from engram_lab.core.clock import ManualClock
from engram_lab.core.errors import AccessDeniedError, NotFoundError
from engram_lab.core.selection import EVERYTHING
from engram_lab.core.settings import StoreSettings
from engram_lab.core.sqlite import SqliteStore
from engram_lab.core.types import RecalledMemory, RecallEvent

if TYPE_CHECKING:
    from pathlib import Path

    from engram_lab.core.types import Memory

WORD = "zyxwvutqponm"  # made of letters that no stemmer cuts
EVENT_ID = "01890a5d-ac96-774b-bcce-b302099a8057"


def traces_in_tables(path: Path, word: str) -> list[str]:
    """Return where the word stands, looked for in every column of every table there is."""
    found = []
    with closing(apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)) as connection:
        tables = connection.execute(
            "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view')"
        ).fetchall()
        for (table,) in tables:
            columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
            for column in columns:
                hits = connection.execute(
                    f"SELECT count(*) FROM {table} WHERE instr(lower(CAST({column} AS BLOB)), ?)",
                    (word.encode(),),
                ).get
                if hits:
                    found.append(f"{table}.{column}")
    return found


def traces_in_files(path: Path, word: str) -> list[str]:
    beside = [path.with_name(path.name + suffix) for suffix in ("", "-wal", "-shm")]
    return [
        each.name for each in beside if each.exists() and word.encode() in each.read_bytes().lower()
    ]


def tell_everything_about(store: SqliteStore, word: str) -> Memory:
    """Put the word wherever a memory can hold it, through versions, vectors, links and the rest."""
    memories = store.memories
    memory = memories.remember(
        {
            "content": f"the {word} <private>{word} again</private>",
            "type": f"type-{word}",
            "tags": [word],
            "metadata": {word: {"list": [word]}},
            "session_id": word,
            "source": word,
            "media_url": f"https://example.org/{word}",
        },
        reason=f"because of {word}",
    )
    other = memories.remember({"content": "something else"})
    memories.update(memory.id, {"content": f"more {word}", "tags": [f"{word}-2"]}, reason=word)
    memories.forget(memory.id, reason=f"no more {word}")
    memories.restore(memory.id, version=1, reason=f"{word} is back")
    store.links.put(memory.id, other.id, context=f"{word} leads there")
    store.vectors.put("e", [memory.id], np.ones((1, 8), dtype=np.float32))
    queue = store.embedding_queue
    queue.fail("f", queue.claim("f", limit=9), f"{word} is too long", retry_at=None)
    assert queue.last_error("f") == f"{word} is too long"
    store.entities.mention(memory.id, "somebody", source=word)
    hit = RecalledMemory(memory_id=memory.id, rank=1, score=1.0)
    at = memory.created_at
    store.events.record([RecallEvent(id=EVENT_ID, at=at, query="what is it", hits=(hit,))])
    return memory


def test_the_word_is_found_where_it_was_put(file_store: SqliteStore, path: Path) -> None:
    # The net must hold: else the next test would pass for nothing.
    tell_everything_about(file_store, WORD)
    tables = {each.split(".")[0] for each in traces_in_tables(path, WORD)}
    assert tables >= {
        "memories", "versions", "memory_tags", "memory_metadata", "links", "changes",
        "embedding_queue",
    }  # fmt: skip
    assert "memories_fts" in tables
    assert traces_in_files(path, WORD) != []


def test_a_purged_word_is_nowhere(file_store: SqliteStore, path: Path) -> None:
    memory = tell_everything_about(file_store, WORD)
    report = file_store.memories.purge([memory.id], reason="on request")

    assert report.ids == (memory.id,)
    assert report.erased
    assert traces_in_tables(path, WORD) == []
    assert traces_in_files(path, WORD) == []


def test_a_purged_word_is_nowhere_among_thousands(path: Path) -> None:
    # Pages that split and merge leave copies of what they held: these must go as well.
    chance = Random(1)  # noqa: S311 - a repeatable choice, not a secret
    words = [f"w{chance.getrandbits(60):x}q" for _ in range(1_500)]
    settings = StoreSettings(seed=1, synchronous="normal")
    with closing(SqliteStore.open(str(path), settings=settings, clock=ManualClock())) as store:
        ids = store.memories.remember_many(
            {"content": f"{word} " * chance.randint(1, 60), "tags": [word], "metadata": {"w": word}}
            for word in words
        ).ids
        for id_ in chance.sample(ids, 200):
            store.memories.update(id_, {"importance": chance.random()})
        gone = set(chance.sample(range(len(ids)), 300))
        assert store.memories.purge([ids[number] for number in gone]).erased
        stored = path.read_bytes()
        assert [words[number] for number in gone if words[number].encode() in stored] == []
        kept = [word for number, word in enumerate(words) if number not in gone]
        assert [word for word in kept if word.encode() not in stored] == []


def test_the_change_log_keeps_that_it_was_purged_and_has_no_gaps(store: SqliteStore) -> None:
    memory = tell_everything_about(store, WORD)
    link = store.links.of(memory.id)[0]
    last = store.changes.last()
    store.memories.purge([memory.id], author="ada", reason="on request")
    entries = store.changes.since(0)

    assert [entry.number for entry in entries] == list(range(1, last + 3))
    unlinked, purged = entries[-2:]
    assert ("unlink", "link", link.id) == (unlinked.action, unlinked.target, unlinked.id)
    assert ("purge", "memory", memory.id) == (purged.action, purged.target, purged.id)
    assert (purged.author, purged.reason) == ("ada", "on request")
    earlier = [entry.reason for entry in entries[:-1] if entry.id == memory.id]
    assert earlier == [None] * len(earlier)


def test_all_that_hung_on_it_is_gone(store: SqliteStore) -> None:
    memory = tell_everything_about(store, WORD)
    store.memories.purge([memory.id])
    counts = store.tables.counts(EVERYTHING)
    gone = ("links", "vectors", "mentions", "turns")
    assert [counts[table] for table in gone] == [0, 0, 0, 0]
    assert (counts["memories"], counts["versions"]) == (1, 1)
    (event,) = store.events.since()
    assert event.hits == ()


def test_a_forgotten_memory_can_be_purged(store: SqliteStore) -> None:
    memory = store.memories.remember({"content": "tea"})
    store.memories.forget(memory.id)
    store.memories.purge([memory.id])
    assert store.memories.count(EVERYTHING) == 0


def test_purging_many_is_all_or_nothing(store: SqliteStore) -> None:
    ids = store.memories.remember_many([{"content": "a"}, {"content": "b"}]).ids
    with pytest.raises(NotFoundError):
        store.memories.purge([*ids, EVENT_ID])
    assert store.memories.count(EVERYTHING) == 2
    assert ids == store.memories.purge([*ids, *ids]).ids
    assert store.memories.count(EVERYTHING) == 0
    assert store.memories.purge([]).ids == ()


def test_purging_twice_is_not_found(store: SqliteStore) -> None:
    memory = store.memories.remember({"content": "tea"})
    store.memories.purge([memory.id])
    with pytest.raises(NotFoundError):
        store.memories.purge([memory.id])


def test_its_number_is_never_used_again(store: SqliteStore) -> None:
    # Look behind the door: a derived index may still hold the row number of what was purged.
    memory = store.memories.remember({"content": "tea"})
    store.memories.purge([memory.id])
    store.memories.remember({"content": "coffee"})
    with store._context.database.read() as connection:
        assert connection.execute("SELECT pk FROM memories").fetchall() == [(3,)]


def test_inside_a_transaction_the_bytes_go_later(file_store: SqliteStore, path: Path) -> None:
    memory = file_store.memories.remember({"content": WORD})
    with file_store.transaction():
        assert not file_store.memories.purge([memory.id]).erased
    assert traces_in_tables(path, WORD) == []
    assert file_store.memories.purge([]).erased
    assert traces_in_files(path, WORD) == []


def test_a_purge_undone_with_its_transaction_is_no_purge(store: SqliteStore) -> None:
    memory = store.memories.remember({"content": WORD})
    with suppress(NotFoundError), store.transaction():
        store.memories.purge([memory.id])
        store.memories.get(memory.id)
    assert memory == store.memories.get(memory.id)
    assert store.changes.last() == 1


def test_an_agent_purges_in_its_own_scope_alone(store: SqliteStore) -> None:
    coder = store.as_agent("coder", "global/org:a")
    own = coder.memories.remember({"content": "x"})
    above = store.memories.remember({"content": "y"})
    with pytest.raises(AccessDeniedError, match="no admin access to 'global'"):
        coder.memories.purge([own.id, above.id])
    assert store.memories.count(EVERYTHING) == 2
    assert (own.id,) == coder.memories.purge([own.id]).ids


def test_a_name_known_from_a_purged_memory_alone_goes_with_it(store: SqliteStore) -> None:
    first, second = (store.memories.remember({"content": each}) for each in ("x", "y"))
    store.entities.mention(first.id, "Quillon", kind="person")
    for each in (first, second):
        store.entities.mention(each.id, "Harbour", kind="place")
    store.memories.purge([first.id])
    assert [each.name for each in store.entities.all()] == ["Harbour"]

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.core.clock import ManualClock
from engram_lab.core.errors import ConflictError, StoreBusyError, StoreClosedError
from engram_lab.core.recorder import Recorder
from engram_lab.core.sqlite import SqliteStore
from engram_lab.core.types import RecalledMemory, RecallEvent

if TYPE_CHECKING:
    from collections.abc import Sequence

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def store() -> Iterator[SqliteStore]:
    with closing(SqliteStore.open(":memory:", clock=ManualClock(NOON))) as store:
        yield store


def event(store: SqliteStore, query: str = "tea?", *, memory: str | None = None) -> RecallEvent:
    hits = (RecalledMemory(memory_id=memory, rank=1, score=1.0),) if memory else ()
    return RecallEvent(id=store.new_id(), at=NOON, query=query, hits=hits)


def stored(store: SqliteStore) -> list[str]:
    return [each.query for each in store.events.since()]


def test_events_wait_until_there_are_enough(store: SqliteStore) -> None:
    recorder = Recorder(store, batch=3)
    recorder.add(event(store, "one"))
    recorder.add(event(store, "two"))
    assert stored(store) == []
    recorder.add(event(store, "three"))
    assert stored(store) == ["one", "two", "three"]
    recorder.add(event(store, "four"))
    assert stored(store) == ["one", "two", "three"]


def test_a_flush_writes_those_that_wait_once(store: SqliteStore) -> None:
    recorder = Recorder(store, batch=10)
    recorder.add(event(store, "one"))
    recorder.flush()
    recorder.flush()
    assert stored(store) == ["one"]


def test_a_hit_is_an_access(store: SqliteStore) -> None:
    memory = store.memories.remember({"content": "tea"})
    recorder = Recorder(store, batch=1)
    recorder.add(event(store, memory=memory.id))
    recorder.add(event(store, memory=memory.id))
    seen = store.memories.get(memory.id)
    assert (seen.access_count, seen.last_accessed_at, seen.version) == (2, NOON, 1)


def test_what_cannot_be_written_goes_on_waiting(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = Recorder(store, batch=2)
    record, tries = store.events.record, []

    def fail_once(events: Sequence[RecallEvent]) -> None:
        tries.append([each.query for each in events])
        if len(tries) == 1:
            raise StoreBusyError("another writer held its lock")
        record(events)

    monkeypatch.setattr(store.events, "record", fail_once)
    for query in ("one", "two", "three"):
        recorder.add(event(store, query))  # whoever recalls is not troubled
    assert stored(store) == []
    recorder.add(event(store, "four"))

    assert tries == [["one", "two"], ["one", "two", "three", "four"]]
    assert stored(store) == ["one", "two", "three", "four"]


def test_a_flush_says_what_is_wrong_and_loses_nothing(store: SqliteStore) -> None:
    recorder = Recorder(store, batch=10)
    twice = event(store, "twice")
    store.events.record([twice])
    recorder.add(event(store, "before"))
    recorder.add(twice)
    with pytest.raises(ConflictError):
        recorder.flush()
    assert stored(store) == ["twice"]
    with pytest.raises(ConflictError):
        recorder.flush()


def test_a_closed_store_takes_no_events(store: SqliteStore) -> None:
    recorder = Recorder(store, batch=10)
    recorder.add(event(store))
    store.close()
    with pytest.raises(StoreClosedError):
        recorder.flush()


def test_an_event_is_recorded_through_the_view_that_asked(store: SqliteStore) -> None:
    recorder = Recorder(store, batch=10)
    agent = store.as_agent("coder", "global")
    recorder.add(event(store, "owner's"))
    recorder.add(event(store, "coder's"), through=agent)
    recorder.add(event(store, "owner's again"))
    recorder.flush()
    assert [(each.query, each.agent_id) for each in store.events.since()] == [
        ("owner's", None),
        ("coder's", "coder"),
        ("owner's again", None),
    ]


def test_threads_lose_nothing_and_write_nothing_twice(store: SqliteStore) -> None:
    recorder = Recorder(store, batch=7)
    with ThreadPoolExecutor(4) as threads:
        for each in [threads.submit(recorder.add, event(store, str(n))) for n in range(200)]:
            each.result()
    recorder.flush()
    assert sorted(map(str, range(200))) == sorted(stored(store))


def test_somebody_else_may_write_what_waits(store: SqliteStore) -> None:
    left: list[Callable[[], None]] = []
    recorder = Recorder(store, batch=2, aside=left.append)
    for query in ("one", "two", "three"):
        recorder.add(event(store, query))
    assert stored(store) == []
    (work,) = left
    work()
    assert stored(store) == ["one", "two", "three"]
    work()
    assert len(stored(store)) == 3


@given(score=st.floats(allow_nan=False, allow_infinity=False))
def test_a_score_comes_back_to_the_bit(score: float) -> None:
    with closing(SqliteStore.open(":memory:", clock=ManualClock(NOON))) as store:
        memory = store.memories.remember({"content": "tea"})
        hit = RecalledMemory(memory_id=memory.id, rank=1, score=score)
        store.events.record([RecallEvent(id=store.new_id(), at=NOON, query="tea?", hits=(hit,))])
        ((found,),) = [each.hits for each in store.events.since()]
        assert found.score == score

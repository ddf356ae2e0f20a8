from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.core.errors import ConflictError, EngramError, InvalidInputError
from engram_lab.core.ids import IdSource
from engram_lab.core.selection import EVERYTHING
from engram_lab.core.sqlite import SqliteStore
from engram_lab.core.types import RecalledMemory, RecallEvent

if TYPE_CHECKING:
    from engram_lab.core.clock import ManualClock
    from engram_lab.core.types import Memory

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
IDS = IdSource(1)
EVENT_IDS = [IDS.new(NOON) for _ in range(5)]


def event(number: int, *memory_ids: str, **fields: Any) -> RecallEvent:
    hits = tuple(
        RecalledMemory(memory_id=id_, rank=rank, score=1 / rank)
        for rank, id_ in enumerate(memory_ids, 1)
    )
    return RecallEvent(
        **{"id": EVENT_IDS[number], "at": NOON, "query": "q", "hits": hits, **fields}
    )


@pytest.fixture
def tea(store: SqliteStore) -> Memory:
    return store.memories.remember({"content": "tea"})


def test_an_event_comes_back_as_it_was_recorded(store: SqliteStore, tea: Memory) -> None:
    other = store.memories.remember({"content": "milk"})
    recorded = event(
        0,
        other.id,
        tea.id,
        query="what\nto <private>drink</private>?",
        workspace="kitchen",
        agent_id="coder",
        session_id="s",
        strategy="keyword",
        config_hash="ab",
    )
    store.events.record([recorded])
    assert [recorded] == store.events.since()


def test_events_are_in_the_order_of_their_ids_and_follow_one_another(store: SqliteStore) -> None:
    events = [event(number) for number in range(5)]
    store.events.record(events[3:])
    store.events.record(events[:3])
    assert events == store.events.since()
    assert events[:2] == store.events.since(limit=2)
    assert events[2:4] == store.events.since(EVENT_IDS[1], limit=2)
    assert store.events.since(EVENT_IDS[4]) == []


def test_a_hit_counts_as_an_access_and_is_no_change(
    store: SqliteStore, tea: Memory, clock: ManualClock
) -> None:
    clock.advance(hours=1)
    store.events.record([event(0, tea.id, at=NOON + timedelta(minutes=7)), event(1, tea.id)])
    accessed = store.memories.get(tea.id)
    assert accessed.access_count == 2
    assert accessed.last_accessed_at == NOON + timedelta(minutes=7)  # never back
    assert (accessed.version, accessed.updated_at) == (1, NOON)
    assert store.changes.last() == 1


def test_an_event_is_recorded_once(store: SqliteStore, tea: Memory) -> None:
    store.events.record([event(0, tea.id)])
    with pytest.raises(ConflictError):
        store.events.record([event(1, tea.id), event(0, tea.id)])
    assert [EVENT_IDS[0]] == [each.id for each in store.events.since()]
    assert store.memories.get(tea.id).access_count == 1


def test_hits_on_what_is_gone_are_left_out(
    store: SqliteStore, tea: Memory, clock: ManualClock
) -> None:
    milk = store.memories.remember({"content": "milk", "tier": "daily"})
    purged = store.memories.remember({"content": "x"})
    store.memories.purge([purged.id])
    store.events.record([event(0, tea.id, purged.id, milk.id)])
    (recorded,) = store.events.since()
    assert [hit.rank for hit in recorded.hits] == [1, 3]

    clock.advance(days=1)
    assert [tea.id] == [hit.memory_id for hit in store.events.since()[0].hits]
    rows = store.tables.scan("events", EVERYTHING).read_all().to_pylist()
    assert [tea.id] == [hit["memory_id"] for hit in rows[0]["hits"]]


def test_a_forgotten_hit_hides_and_comes_back(store: SqliteStore, tea: Memory) -> None:
    store.events.record([event(0, tea.id)])
    store.memories.forget(tea.id)
    assert store.events.since()[0].hits == ()
    store.memories.restore(tea.id)
    assert len(store.events.since()[0].hits) == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"id": "e1"},
        {"query": "\ud800"},
        {"query": None},
        {"workspace": ""},
        {"agent_id": "x" * 257},
        {"session_id": "a\x00"},
        {"strategy": 7},
        {"at": "2026-01-01T00:00"},
        {"at": datetime(2026, 1, 1)},  # noqa: DTZ001 - naive means UTC
        {"at": "soon"},
        {"at": None},
    ],
)
def test_an_event_is_stored_whole_or_refused(
    store: SqliteStore, tea: Memory, fields: dict[str, Any]
) -> None:
    try:
        store.events.record([event(0, tea.id, **fields)])
    except InvalidInputError:
        assert store.events.since() == []
        assert store.memories.get(tea.id).access_count == 0
    else:
        assert store.events.since()[0].at == datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("rank", "score"),
    [(1, math.nan), (1, math.inf), (1, -math.inf), (1, "x"), (1, None), ("1", 1.0), (0.5, 1.0)],
)
def test_a_hit_has_a_whole_rank_and_a_finite_score(
    store: SqliteStore, tea: Memory, rank: Any, score: Any
) -> None:
    hits = (RecalledMemory(memory_id=tea.id, rank=rank, score=score),)
    with pytest.raises(InvalidInputError):
        store.events.record([event(0, hits=hits)])
    assert store.events.since() == []


def test_two_hits_do_not_share_a_rank(store: SqliteStore, tea: Memory) -> None:
    hit = RecalledMemory(memory_id=tea.id, rank=1, score=1.0)
    with pytest.raises(EngramError):
        store.events.record([event(0, hits=(hit, hit))])
    assert store.memories.get(tea.id).access_count == 0


scores = st.floats(allow_nan=False, allow_infinity=False)


@given(st.lists(scores, max_size=5))
def test_scores_survive_to_the_last_bit(numbers: list[float]) -> None:
    store = SqliteStore.open(":memory:")
    tea = store.memories.remember({"content": "tea"})
    hits = tuple(
        RecalledMemory(memory_id=tea.id, rank=rank, score=score)
        for rank, score in enumerate(numbers)
    )
    store.events.record([event(0, hits=hits)])
    assert hits == store.events.since()[0].hits
    (row,) = store.tables.scan("events").read_all().to_pylist()
    assert numbers == [hit["score"] for hit in row["hits"]]
    store.close()

from __future__ import annotations

from collections import defaultdict
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.core.clock import ManualClock
from engram_lab.core.errors import InvalidInputError
from engram_lab.core.reports import AggregateRow
from engram_lab.core.selection import Selection
from engram_lab.core.sqlite import SqliteStore

if TYPE_CHECKING:
    from engram_lab.core.types import Memory

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
KEYS_OF: dict[str, Any] = {
    "type": lambda memory: [memory.type],
    "tag": lambda memory: memory.tags,
    "workspace": lambda memory: [memory.workspace],
    "scope": lambda memory: [memory.scope],
    "tier": lambda memory: [memory.tier],
    "lifecycle": lambda memory: [memory.lifecycle],
    "source": lambda memory: [memory.source],
    "agent": lambda memory: [memory.agent_id],
    "session": lambda memory: [memory.session_id],
    "day": lambda memory: [f"{memory.created_at:%Y-%m-%d}"],
    "week": lambda memory: [f"{memory.created_at:%G-W%V}"],
    "month": lambda memory: [f"{memory.created_at:%Y-%m}"],
}
names = st.sampled_from(["a", "b"])
drafts = st.fixed_dictionaries(
    {"content": st.just("x")},
    optional={
        "type": names,
        "tags": st.lists(names),
        "workspace": names,
        "scope": st.sampled_from(["global", "global/org:a"]),
        "tier": st.sampled_from(["permanent", "daily"]),
        "lifecycle": st.sampled_from(["active", "stale", "archived"]),
        "importance": st.sampled_from([0, 0.25, 1]),
        "source": names,
        "agent_id": names,
        "session_id": names,
    },
)


def by_hand(memories: list[Memory], by: str) -> list[AggregateRow]:
    groups: defaultdict[str | None, list[Memory]] = defaultdict(list)
    for memory in memories:
        for key in KEYS_OF[by](memory):
            groups[key].append(memory)
    rows = [
        AggregateRow(
            key=key,
            count=len(group),
            mean_importance=sum(memory.importance for memory in group) / len(group),
            total_accesses=sum(memory.access_count for memory in group),
            first_created_at=min(memory.created_at for memory in group),
            last_created_at=max(memory.created_at for memory in group),
        )
        for key, group in groups.items()
    ]
    return sorted(rows, key=lambda row: (-row.count, row.key is not None, row.key))


@given(st.lists(st.tuples(drafts, st.integers(0, 400)), max_size=10))
def test_an_aggregate_is_what_one_counts_by_hand(rows: list[tuple[dict[str, Any], int]]) -> None:
    clock = ManualClock(datetime(2025, 12, 27, tzinfo=UTC))
    with closing(SqliteStore.open(":memory:", clock=clock)) as store:
        for draft, hours in rows:
            store.memories.remember(draft)
            clock.advance(hours=hours / 10)
        for selection in (Selection(), Selection(archived=True), Selection.of({"type": "a"})):
            memories = list(store.memories.select(selection, limit=100))
            for by in KEYS_OF:
                assert by_hand(memories, by) == store.memories.aggregate(selection, by)


@pytest.mark.parametrize(
    ("at", "week"),
    [
        (datetime(2025, 12, 28, 23, 59, tzinfo=UTC), "2025-W52"),
        (datetime(2025, 12, 29, tzinfo=UTC), "2026-W01"),
        (datetime(2027, 1, 3, 23, 59, tzinfo=UTC), "2026-W53"),
        (datetime(1969, 12, 31, 23, 59, 59, 1, tzinfo=UTC), "1970-W01"),
        (datetime(1969, 12, 28, 23, 59, 59, 999_999, tzinfo=UTC), "1969-W52"),
    ],
)
def test_weeks_are_those_of_iso_8601(at: datetime, week: str) -> None:
    with closing(SqliteStore.open(":memory:", clock=ManualClock(at))) as store:
        store.memories.remember({"content": "x"})
        for by, expected in (("week", week), ("day", f"{at:%Y-%m-%d}"), ("month", f"{at:%Y-%m}")):
            assert [expected] == [row.key for row in store.memories.aggregate(Selection(), by)]


def test_nothing_has_no_groups(store: SqliteStore) -> None:
    assert store.memories.aggregate(Selection(), "type") == []


@pytest.mark.parametrize(
    "by", ["", "content", "m.content", "type; DROP TABLE memories", None, ["type"]]
)
def test_an_unknown_key_is_refused_with_the_known(store: SqliteStore, by: Any) -> None:
    with pytest.raises(InvalidInputError, match="allowed are type, tag, workspace"):
        store.memories.aggregate(Selection(), by)

"""A ranking within a selection: as many as are wanted come back, by the shortest way."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.core.errors import InvalidInputError
from engram_lab.core.selection import Selection
from engram_lab.retrieval.ranking import Ranking
from engram_lab.retrieval.within import ranked_within

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from engram_lab.core.clock import ManualClock
    from engram_lab.core.sqlite import SqliteStore


@dataclass
class Recorded:
    """Searches a ranking, and keeps what it was asked for: how many, among how many."""

    ranking: Ranking
    asked: list[tuple[int, int | None]] = field(default_factory=list)

    def __call__(self, k: int, *, allowed: NDArray[np.int64] | None = None) -> Ranking:
        self.asked.append((k, None if allowed is None else len(allowed)))
        if allowed is None:
            return self.ranking.top(k)
        return self.ranking.only(np.isin(self.ranking.keys, allowed)).top(k)


def filled(store: SqliteStore, count: int, *, every: int) -> Recorded:
    """Remember so many, each `every`-th of them tagged; rank them by rising key."""
    store.memories.remember_many(
        {"content": str(number), "tags": [] if number % every else ["chosen"]}
        for number in range(count)
    )
    keys = store.corpus.alive()
    return Recorded(Ranking.of(keys, -keys.astype(np.float64)))


CHOSEN = Selection.of({"tags": {"contains": "chosen"}})


def best(search: Recorded, store: SqliteStore, selection: Selection, k: int) -> list[int]:
    """Return by brute force what must come back."""
    wanted = set(store.corpus.keys(selection).tolist())
    return [key for key in search.ranking.keys.tolist() if key in wanted][:k]


@pytest.mark.parametrize(
    ("every", "asked"),
    [
        (1, [(10, None)]),  # all pass
        (2, [(10, None), (30, None)]),  # half do, so three times as many are looked at
        (4, [(10, None), (50, None)]),  # 3 of the first 10
        (50, [(10, None), (10, 8)]),  # few do, so they alone are searched
    ],
)
def test_the_more_is_left_out_the_closer_the_search_keeps_to_what_is_allowed(
    store: SqliteStore, every: int, asked: list[tuple[int, int | None]]
) -> None:
    search = filled(store, 400, every=every)
    found = ranked_within(search, store.corpus, CHOSEN, 10)
    assert found.keys.tolist() == best(search, store, CHOSEN, 10)
    assert search.asked == asked


def test_where_widening_is_not_enough_the_allowed_alone_are_searched(store: SqliteStore) -> None:
    search = filled(store, 400, every=100)  # 4 pass
    keys = np.sort(search.ranking.keys)
    first = np.concatenate([keys[::100], np.delete(keys, np.s_[::100])])
    search.ranking = Ranking.of(first, -np.arange(len(first), dtype=np.float64))
    found = ranked_within(search, store.corpus, CHOSEN, 10)
    assert found.keys.tolist() == keys[::100].tolist()
    assert [among for _, among in search.asked] == [None, None, 4]


def test_where_there_are_fewer_than_wanted_one_search_is_enough(store: SqliteStore) -> None:
    search = filled(store, 8, every=2)
    found = ranked_within(search, store.corpus, CHOSEN, 10)
    assert len(found) == 4
    assert search.asked == [(10, None)]


def test_a_few_that_are_hidden_are_made_up_for(store: SqliteStore, clock: ManualClock) -> None:
    search = filled(store, 100, every=1)
    first = store.corpus.fetch(search.ranking.keys[:3], Selection())
    for memory in first:
        assert memory is not None
        store.memories.update(memory.id, {"lifecycle": "archived"})
    hidden = store.corpus.hidden(Selection())
    assert hidden is not None
    found = ranked_within(search, store.corpus, Selection(), 10, hidden=hidden)
    assert found.keys.tolist() == search.ranking.keys[3:13].tolist()
    assert search.asked == [(10, None), (13, None)]
    everything = ranked_within(search, store.corpus, Selection(archived=True), 10)
    assert everything.keys.tolist() == search.ranking.keys[:10].tolist()


def test_the_past_is_refused(store: SqliteStore) -> None:
    search = filled(store, 3, every=1)
    with pytest.raises(InvalidInputError, match="leave out as_of"):
        ranked_within(search, store.corpus, Selection.of(as_of="2026-01-01"), 10)


@given(
    drafts=st.lists(
        st.fixed_dictionaries(
            {
                "content": st.sampled_from(["a", "b"]),
                "tags": st.sampled_from([["chosen"], [], ["other"]]),
                "lifecycle": st.sampled_from(["active", "archived"]),
                "workspace": st.sampled_from(["default", "notes"]),
            }
        ),
        min_size=1,
        max_size=40,
    ),
    chosen=st.fixed_dictionaries(
        {},
        optional={
            "filter": st.just({"tags": {"contains": "chosen"}}),
            "workspace": st.sampled_from(["default", "notes"]),
            "archived": st.booleans(),
        },
    ),
    k=st.integers(1, 12),
    shuffle=st.randoms(use_true_random=False),
)
def test_it_is_what_brute_force_finds(
    drafts: list[dict[str, Any]], chosen: dict[str, Any], k: int, shuffle: Any, make_store: Any
) -> None:
    with make_store() as store:
        store.memories.remember_many(drafts)
        keys = store.corpus.alive().tolist()
        scores = [float(shuffle.randrange(5)) for _ in keys]
        search = Recorded(Ranking.of(keys, scores))
        selection = Selection.of(**chosen)
        found = ranked_within(search, store.corpus, selection, k)
        assert found.keys.tolist() == best(search, store, selection, k)
        hidden = store.corpus.hidden(selection)
        assert found == ranked_within(search, store.corpus, selection, k, hidden=hidden)
        known = dict(zip(keys, scores, strict=True))
        assert found.scores.tolist() == [known[key] for key in found.keys.tolist()]

"""Times that follow the turns of a store are those that are read of it anew, and read once."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from engram_lab.retrieval.conversation import TurnIndex
from engram_lab.retrieval.times import TurnTimes, of_turns
from engram_lab.retrieval.times import following as module
from engram_lab.retrieval.times.following import TimesIndex, taken

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    import pytest

    from engram_lab.core.sqlite import SqliteStore

TEXTS = (
    "I went there yesterday, and last Friday too.",
    "Nothing to tell.",
    "See you in 2025!",
    "It took about three weeks.",
)
MOMENTS = (None, "2023-06-14T12:00:00Z", "2024-02-29T23:00:00Z")
STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.just("say"),
            st.lists(
                st.tuples(st.sampled_from(TEXTS), st.sampled_from(MOMENTS)), min_size=1, max_size=3
            ),
        ),
        st.tuples(st.sampled_from(["forget", "restore", "purge", "note"]), st.integers(0, 9)),
        st.tuples(
            st.just("edit"),
            st.tuples(st.integers(0, 9), st.sampled_from(TEXTS), st.sampled_from(MOMENTS)),
        ),
    ),
    max_size=8,
)


def as_lists(times: TurnTimes) -> dict[str, str]:
    """Return all that times hold as text: nan is then equal to nan."""
    return {each.name: repr(getattr(times, each.name).tolist()) for each in fields(TurnTimes)}


def act(store: SqliteStore, ids: list[str], verb: str, what: Any) -> None:
    if verb == "say":
        turns = store.sessions.add_turns(
            "one",
            [
                {"speaker": "Ada", "content": text}
                | ({} if moment is None else {"spoken_at": moment})
                for text, moment in what
            ],
        )
        ids += [turn.memory_id for turn in turns]
        return
    if verb == "note":
        store.memories.remember({"content": f"a note of {what}"})
        return
    at = what[0] if verb == "edit" else what
    if not ids:
        return
    chosen = ids[at % len(ids)]
    is_forgotten = store.memories.get(chosen, forgotten=True).forgotten_at is not None
    if verb == "purge":
        store.memories.purge([chosen])
        ids.remove(chosen)
    elif verb == "restore" and is_forgotten:
        store.memories.restore(chosen)
    elif verb == "forget" and not is_forgotten:
        store.memories.forget(chosen)
    elif verb == "edit" and not is_forgotten:
        store.memories.update(chosen, {"content": what[1], "event_at": what[2]})


@settings(max_examples=40)
@given(steps=STEPS)
def test_after_every_step_the_times_are_those_of_a_new_reading(
    steps: list[tuple[str, Any]], make_store: Callable[[], AbstractContextManager[SqliteStore]]
) -> None:
    with make_store() as store:
        store.sessions.start("one")
        turns, times = TurnIndex(store.corpus), TimesIndex()
        ids: list[str] = []
        for verb, what in steps:
            act(store, ids, verb, what)
            known = times.follow(turns.catch_up())
            fresh = TimesIndex().follow(TurnIndex(store.corpus).catch_up())
            assert as_lists(known) == as_lists(fresh)
            assert len(known.said) == len(turns.turns)


def test_only_what_is_new_is_read_be_its_time_known_or_not(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []

    def counted(texts: Any, moments: Any) -> TurnTimes:
        read.append(len(texts))
        return of_turns(texts, moments)

    monkeypatch.setattr(module, "of_turns", counted)
    store.sessions.start("one")
    turns, times = TurnIndex(store.corpus), TimesIndex()
    ids: list[str] = []
    for said in (TEXTS, TEXTS[:1], ()):
        if said:
            act(store, ids, "say", [(text, moment) for text in said for moment in MOMENTS[:2]])
        times.follow(turns.catch_up())
    act(store, ids, "forget", 3)
    times.follow(turns.catch_up())
    act(store, ids, "edit", (0, TEXTS[1], MOMENTS[2]))
    times.follow(turns.catch_up())
    assert read == [8, 2, 0, 1]
    times.close()
    times.follow(turns.catch_up())
    assert read[-1] == len(turns.turns) == 9


@given(
    counts=st.lists(st.integers(0, 3), min_size=1, max_size=6),
    chance=st.randoms(use_true_random=False),
)
def test_some_rows_of_times_are_taken_with_their_intervals(counts: list[int], chance: Any) -> None:
    n, m = len(counts), sum(counts)
    times = TurnTimes(
        said=np.arange(n, dtype=np.float64),
        starts=np.arange(m, dtype=np.float64),
        ends=np.arange(0.5, m),
        offsets=np.cumsum([0, *counts]),
        tells_time=np.arange(n) % 2 == 0,
        tells_length=np.arange(n) % 3 == 0,
    )
    rows = chance.sample(range(n), chance.randint(0, n))
    found = taken(times, np.array(rows, np.int64))
    assert found.said.tolist() == rows
    assert found.tells_time.tolist() == [row % 2 == 0 for row in rows]
    assert found.tells_length.tolist() == [row % 3 == 0 for row in rows]
    for at, row in enumerate(rows):
        here = slice(found.offsets[at], found.offsets[at + 1])
        there = slice(times.offsets[row], times.offsets[row + 1])
        assert found.starts[here].tolist() == times.starts[there].tolist()
        assert found.ends[here].tolist() == times.ends[there].tolist()

"""Whatever was put in and taken out, the holdings are those of what is alive."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.retrieval.lexical import holdings as room
from engram_lab.retrieval.lexical import tail
from engram_lab.retrieval.lexical.holdings import Holdings
from engram_lab.retrieval.lexical.segment import Rows, Segment

Bag = dict[int, int]
KEYS = st.integers(1, 30)
BAGS = st.dictionaries(st.integers(0, 6), st.integers(1, 3), max_size=4)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.dictionaries(KEYS, BAGS, max_size=6)),
        st.tuples(st.just("take out"), st.sets(KEYS, max_size=4)),
        st.tuples(st.just("snapshot"), st.none()),
    ),
    max_size=15,
)


def rows_of(texts: dict[int, Bag]) -> Rows:
    ordered = sorted(texts)
    pairs = [pair for key in ordered for pair in sorted(texts[key].items())]
    return Rows(
        keys=np.array(ordered, np.int64),
        lengths=np.array([sum(texts[key].values()) for key in ordered], np.int32),
        marks=np.array([sum(texts[key]) + 1 for key in ordered], np.uint64),
        row_ends=np.cumsum([0] + [len(texts[key]) for key in ordered]).astype(np.int64),
        row_terms=np.array([term for term, _ in pairs], np.int32),
        row_codes=np.array([code for _, code in pairs], np.uint32),
    )


def put(held: Holdings, texts: dict[int, Bag]) -> None:
    rows = rows_of(texts)
    held.put(rows, old=held.slots_of(rows.keys))


def standing(held: Holdings, term: int) -> Bag:
    """Return by key what code a term has there."""
    found = {}
    for start, stop, slots, codes in held.chunks(term):
        local = np.arange(stop - start) if slots is None else slots
        for slot, code in zip((local + start).tolist(), codes.tolist(), strict=True):
            if code and not held.dead[slot]:
                assert start <= slot < stop
                found[int(held.keys[slot])] = code
    return found


def check(held: Holdings, texts: dict[int, Bag]) -> None:
    asked = np.arange(0, 33)
    slots = held.slots_of(asked)
    assert held.count == len(texts)
    assert held.total == sum(sum(bag.values()) for bag in texts.values())
    assert held.live_keys.tolist() == sorted(texts)
    assert {
        key for key, slot in zip(asked.tolist(), slots.tolist(), strict=True) if slot >= 0
    } == set(texts)
    assert [held.keys[slot] for slot in slots if slot >= 0] == sorted(texts)
    marks = {key: sum(bag) + 1 for key, bag in texts.items()}
    assert held.marks_of(slots).tolist() == [marks.get(key, 0) for key in asked.tolist()]
    assert held.buried.tolist() == np.flatnonzero(held.dead).tolist()
    for term in range(8):
        expected = {key: bag[term] for key, bag in texts.items() if term in bag}
        assert standing(held, term) == expected
        assert held.df(term) == len(expected)
    for keys in (asked[::2], asked[5:9], asked[:0]):
        allowed = held.allowed_slots(keys)
        assert (np.diff(allowed) > 0).all()
        assert sorted(held.keys[allowed].tolist()) == sorted(set(keys.tolist()) & set(texts))


@given(
    first=st.dictionaries(KEYS, BAGS, max_size=30),
    steps=STEPS,
    full=st.sampled_from([1, 2, 5, 100]),
    at_once=st.sampled_from([0, 2, 100]),
    most=st.sampled_from([0, 10, 10**6]),
)
def test_they_answer_as_a_dictionary_does(
    first: dict[int, Bag], steps: list[tuple[str, Any]], full: int, at_once: int, most: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tail, "_MAX_TEXTS", full)
        patch.setattr(room, "_MAX_AT_ONCE", at_once)
        patch.setattr(room, "_MAX_MERGED", most)
        patch.setattr(room, "_MAX_CACHED", 3)
        texts = dict(first)
        held = Holdings(Segment.of(rows_of(first)))
        check(held, texts)
        for verb, what in steps:
            before = held.generation
            if verb == "put":
                put(held, what)
                texts |= what
            elif verb == "take out":
                slots = held.slots_of(np.array(sorted(what), np.int64))
                held.bury(slots[slots >= 0])
                texts = {key: bag for key, bag in texts.items() if key not in what}
            else:
                parts = held.snapshot()
                assert sorted(key for part in parts for key in part.keys.tolist()) == sorted(texts)
                assert held.generation == before
            check(held, texts)


def test_segments_stay_few_and_texts_are_copied_a_few_times(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    copied = []
    true = Segment.of

    def watched(rows: Rows) -> Segment:
        copied.append(len(rows))
        return true(rows)

    monkeypatch.setattr(Segment, "of", watched)
    held = Holdings()
    for key in range(1, 20_001):
        put(held, {key: {key % 5: 1}})

    assert len(held._segments) <= 6
    assert sum(copied) < 20_000 * 8


def test_a_merge_is_never_large_enough_to_be_felt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_MAX_MERGED", 500)
    held = Holdings(Segment.of(rows_of({key: {1: 1} for key in range(1, 401)})))
    for key in range(401, 2000):
        put(held, {key: {2: 1}})

    assert max(len(segment.row_terms) for segment in held._segments) <= 500
    assert len(held._segments) < 10

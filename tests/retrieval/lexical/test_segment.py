from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.retrieval.lexical.segment import Rows, Segment
from engram_lab.retrieval.lexical.tail import Tail

if TYPE_CHECKING:
    from engram_lab.retrieval.lexical.segment import Postings

Texts = dict[int, dict[int, int]]
"""By key, what code each term has there."""

TEXTS: st.SearchStrategy[Texts] = st.dictionaries(
    st.integers(1, 10**12),
    st.dictionaries(st.integers(0, 30), st.sampled_from([1, 2, 3, 70_000]), max_size=8),
    max_size=40,
)


def rows_of(texts: Texts) -> Rows:
    ends = np.cumsum([0, *map(len, texts.values())])
    pairs = [pair for bag in texts.values() for pair in sorted(bag.items())]
    return Rows(
        keys=np.array(list(texts), np.int64),
        lengths=np.array([sum(bag.values()) for bag in texts.values()], np.int32),
        marks=np.array([key * 3 for key in texts], np.uint64),
        row_ends=ends.astype(np.int64),
        row_terms=np.array([term for term, _ in pairs], np.int32),
        row_codes=np.array([code for _, code in pairs], np.uint32),
    )


def texts_of(rows: Rows) -> Texts:
    return {
        int(key): dict(
            zip(rows.row_terms[start:end].tolist(), rows.row_codes[start:end].tolist(), strict=True)
        )
        for key, start, end in zip(rows.keys, rows.row_ends[:-1], rows.row_ends[1:], strict=True)
    }


def found(postings: Postings | None) -> dict[int, int]:
    if postings is None:
        return {}
    slots = range(len(postings.codes)) if postings.slots is None else postings.slots.tolist()
    pairs = zip(slots, postings.codes.tolist(), strict=True)
    return {slot: code for slot, code in pairs if code}


@given(TEXTS)
def test_postings_say_where_each_term_stands(texts: Texts) -> None:
    segment = Segment.of(rows_of(texts))

    ordered = sorted(texts)
    assert segment.keys.tolist() == ordered
    assert texts_of(segment) == texts
    for term in range(32):
        expected = {i: texts[key][term] for i, key in enumerate(ordered) if term in texts[key]}
        assert found(segment.postings(term)) == expected
    assert segment.all_terms().tolist() == sorted({term for bag in texts.values() for term in bag})


@given(TEXTS)
def test_a_tail_says_the_same_in_the_order_of_coming(texts: Texts) -> None:
    tail = Tail()
    for key, bag in texts.items():
        tail.add(rows_of({key: bag}))

    assert texts_of(tail.rows()) == texts
    assert len(tail) == len(texts)
    for term in range(32):
        expected = {i: bag[term] for i, bag in enumerate(texts.values()) if term in bag}
        assert found(tail.postings(term)) == expected


def test_a_common_term_is_stored_for_every_text_and_a_rare_one_is_listed() -> None:
    segment = Segment.of(
        rows_of({key: {0: 1} | ({1: 2} if key % 9 == 0 else {}) for key in range(200)})
    )

    common, rare = segment.postings(0), segment.postings(1)

    assert common is not None
    assert common.slots is None
    assert rare is not None
    assert rare.slots is not None
    assert rare.slots.tolist() == list(range(0, 200, 9))


@pytest.mark.parametrize(("code", "width"), [((1 << 16) - 1, 2), (1 << 16, 4)])
def test_codes_take_the_room_they_need(code: int, width: int) -> None:
    segment = Segment.of(rows_of({1: {0: 1, 5: code}}))

    assert segment.codes.itemsize == width
    assert found(segment.postings(5)) == {0: code}


@given(TEXTS, TEXTS, st.data())
def test_rows_are_taken_and_joined_like_lists(
    first: Texts, second: Texts, data: st.DataObject
) -> None:
    slots = data.draw(
        st.lists(st.sampled_from(range(len(first))), unique=True) if first else st.just([])
    )
    keys = [list(first)[slot] for slot in slots]

    taken = rows_of(first).take(np.array(slots, np.int64))
    joined = Rows.joined([taken, rows_of(second)])

    assert texts_of(taken) == {key: first[key] for key in keys}
    assert joined.keys.tolist() == keys + list(second)
    assert texts_of(joined) == {key: first[key] for key in keys} | second
    assert joined.lengths.tolist() == taken.lengths.tolist() + rows_of(second).lengths.tolist()
    assert joined.marks.tolist() == [key * 3 for key in [*keys, *second]]


def test_nothing_joined_is_nothing() -> None:
    assert len(Rows.joined([])) == 0
    assert len(Segment.of(Rows.joined([]))) == 0


@given(TEXTS, st.lists(st.integers(1, 10**12)))
def test_slots_are_found_by_key(texts: Texts, others: list[int]) -> None:
    segment = Segment.of(rows_of(texts))
    ordered = sorted(texts)
    asked = sorted({*texts, *others})

    slots = segment.slots_of(np.array(asked, np.int64)).tolist()

    assert slots == [ordered.index(key) if key in texts else -1 for key in asked]


@given(TEXTS)
def test_terms_take_other_numbers_in_the_same_order(texts: Texts) -> None:
    numbers = np.arange(31, dtype=np.int32) * 2 + 5

    segment = Segment.of(rows_of(texts)).with_terms(numbers)

    assert texts_of(segment) == {
        key: {term * 2 + 5: code for term, code in bag.items()} for key, bag in texts.items()
    }
    for term in range(31):
        before = Segment.of(rows_of(texts)).postings(term)
        assert found(segment.postings(term * 2 + 5)) == found(before)

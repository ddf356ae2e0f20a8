from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.retrieval.times import TurnTimes, mentions, of_turns, together

NOON = datetime(2023, 6, 14, 12, tzinfo=UTC)
MIDNIGHT = datetime(2023, 6, 14, tzinfo=UTC).timestamp()
DAY = 86_400

TEXTS = [
    "I went there yesterday, and last Friday too.",
    "Nothing to tell.",
    "See you in 2025!",
    "It took about three weeks.",
]


def test_the_arrays_hold_when_each_text_was_said_and_what_it_mentions() -> None:
    times = of_turns(TEXTS, [NOON, NOON, None, NOON])
    assert times.said.tolist()[:2] == [MIDNIGHT, MIDNIGHT]
    assert np.isnan(times.said[2])
    assert times.offsets.tolist() == [0, 2, 2, 3, 3]
    assert times.starts[:2].tolist() == [MIDNIGHT - DAY, MIDNIGHT - 5 * DAY]
    assert times.ends[:2].tolist() == [MIDNIGHT, MIDNIGHT - 4 * DAY]
    assert times.starts[2] == datetime(2025, 1, 1, tzinfo=UTC).timestamp()
    assert times.tells_time.tolist() == [True, False, True, False]
    assert times.tells_length.tolist() == [False, False, False, True]


def test_a_time_that_nothing_fixes_is_told_but_has_no_interval() -> None:
    times = of_turns(["I went there yesterday."], [None])
    assert times.tells_time.tolist() == [True]
    assert times.offsets.tolist() == [0, 0]


@pytest.mark.parametrize(
    ("text", "tells"),
    [
        ("for three years", True),
        ("It lasted 2 hours.", True),
        ("a two-week holiday", True),
        ("we spent a week there", True),
        ("a few months", True),
        ("a couple of days", True),
        ("two weeks ago", True),
        ("three times a week", False),
        ("have a nice day", False),
        ("two dogs", False),
        ("two-faced", False),
        ("the year", False),
        ("99999999999 years", False),
        ("", False),
    ],
)
def test_a_length_of_time_is_a_number_and_a_unit(text: str, *, tells: bool) -> None:
    assert of_turns([text], [NOON]).tells_length.tolist() == [tells]


def test_there_is_one_time_for_each_text() -> None:
    with pytest.raises(ValueError, match="shorter"):
        of_turns(["a", "b"], [NOON])


def test_no_texts_give_empty_arrays() -> None:
    times = of_turns([], [])
    assert times.offsets.tolist() == [0]
    assert times.said.size == times.starts.size == times.tells_time.size == 0


def equal(one: TurnTimes, other: TurnTimes) -> bool:
    return all(
        np.array_equal(getattr(one, name), getattr(other, name), equal_nan=name == "said")
        and getattr(one, name).dtype == getattr(other, name).dtype
        for name in TurnTimes.__slots__
    )


@given(st.lists(st.tuples(st.sampled_from(TEXTS), st.none() | st.just(NOON))), st.integers(0, 9))
def test_a_store_that_grows_has_the_arrays_of_one_made_at_once(
    turns: list[tuple[str, datetime | None]], cut: int
) -> None:
    def made(part: list[tuple[str, datetime | None]]) -> TurnTimes:
        return of_turns([text for text, _ in part], [moment for _, moment in part])

    assert equal(together(made(turns[:cut]), made(turns[cut:])), made(turns))


@given(st.text())
def test_the_intervals_are_those_of_the_mentions(text: str) -> None:
    times = of_turns([text], [NOON])
    assert times.starts.tolist() == [each.start.timestamp() for each in mentions(text, anchor=NOON)]

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.retrieval.times import fit, fits, mentions, of_turns
from engram_lab.retrieval.times.fit import HALVES

START = datetime(2023, 1, 1, 12, tzinfo=UTC)
DAYS = 730
EVERY_DAY = of_turns(["Hello!"] * DAYS, [START + timedelta(days=day) for day in range(DAYS)])
ROWS = np.arange(DAYS)
NOW = START + timedelta(days=DAYS)

ASKED = [
    "7 May 2023",
    "in May 2023",
    "the week before 9 June 2023",
    "the summer of 2023",
    "in 2023",
    "from March to June 2023",
    "two weeks before August 11, 2023",
]


def scores(question: str) -> list[float]:
    return [float(each) for each in fit(mentions(question, anchor=NOW), EVERY_DAY, ROWS)]


def day(month: int, number: int, year: int = 2023) -> int:
    return (datetime(year, month, number, 12, tzinfo=UTC) - START).days


def test_the_day_asked_for_has_one_and_each_day_away_halves() -> None:
    found = scores("What did she say on 7 May 2023?")
    at = day(5, 7)
    assert found[at] == 1
    assert found[at + 1] == 1  # nothing lies between one day and the next
    assert found[at + 2] == found[at - 2] == 0.5
    assert found[at + 5] == 0.0625


def test_any_day_of_the_month_asked_for_has_one_and_a_month_away_halves() -> None:
    found = scores("in May 2023")
    assert set(found[day(5, 1) : day(6, 1)]) == {1.0}
    assert found[day(7, 1)] == 0.5
    assert found[day(3, 31)] == 0.5


@pytest.mark.parametrize("question", ["What did she say?", "", "Where may I sit?"])
def test_a_question_without_a_time_gives_nothing(question: str) -> None:
    assert scores(question) == [0.0] * DAYS


@given(st.sampled_from(ASKED))
def test_a_fit_lies_between_0_and_1_and_falls_on_both_sides(question: str) -> None:
    found = np.array(scores(question))
    assert found.min() >= 0
    assert found.max() == 1
    best = np.flatnonzero(found == 1)
    assert np.all(np.diff(best) == 1)
    assert np.all(np.diff(found[: best[0]]) >= 0)
    assert np.all(np.diff(found[best[-1] :]) <= 0)


def test_the_coarser_the_time_asked_for_the_slower_the_fall() -> None:
    grains = [scores(each)[day(7, 30)] for each in ("7 May 2023", "early May 2023", "in May 2023")]
    assert grains == sorted(grains)
    assert list(HALVES.values()) == sorted(HALVES.values())


def test_a_text_fits_by_what_it_mentions_too() -> None:
    texts = ["It was last Friday.", "It was in 2023.", "Nothing."]
    times = of_turns(texts, [datetime(2023, 6, 14, tzinfo=UTC)] * 3)
    found = fits(mentions("on 9 June 2023", anchor=None), times, np.arange(3))
    assert found.told.tolist() == [1, pytest.approx(1 / 365), 0]
    assert found.said.tolist() == [2**-4] * 3  # the 10th to the 13th lie between
    best = fit(mentions("on 9 June 2023", anchor=None), times, np.arange(3))
    assert best.tolist() == [1, 2**-4, 2**-4]


def test_a_text_that_names_a_finer_time_fits_the_coarser_one_asked_for() -> None:
    times = of_turns(["on 9 June 2023", "in June 2023", "in 2023"], [None] * 3)
    found = fits(mentions("in June 2023", anchor=None), times, np.arange(3))
    assert found.told.tolist() == [1, 1, pytest.approx(30 / 365)]


def test_of_several_times_the_best_counts() -> None:
    both = scores("7 May 2023 or 9 June 2023")
    assert both == np.maximum(scores("7 May 2023"), scores("9 June 2023")).tolist()


def test_a_time_whose_year_is_not_told_fits_in_every_year() -> None:
    found = scores("What did she do on May 7?")
    assert found[day(5, 7)] == found[day(5, 7, 2024)] == 1
    assert scores("last May")[day(5, 7)] < 1


def test_a_29th_of_february_is_tried_where_there_is_one() -> None:
    found = scores("February 29")
    assert found[day(2, 29, 2024)] == 1
    assert max(found[: day(12, 31)]) < 0.01


def test_a_text_of_an_unknown_day_that_tells_no_time_fits_nothing() -> None:
    times = of_turns(["Hello!", "on 7 May 2023"], [None, None])
    found = fit(mentions("7 May 2023", anchor=None), times, np.arange(2))
    assert found.tolist() == [0, 1]


@given(st.lists(st.integers(0, DAYS - 1)), st.sampled_from(ASKED))
def test_rows_are_chosen_in_any_order_and_more_than_once(rows: list[int], question: str) -> None:
    found = fit(mentions(question, anchor=NOW), EVERY_DAY, np.array(rows, np.int64))
    assert found.dtype == np.float64
    assert found.tolist() == [scores(question)[row] for row in rows]


PIECES = st.sampled_from(
    [
        "yesterday",
        "last week",
        "in May 2022",
        "7 May 2023",
        "hello",
        "a year ago",
        "in 2021",
        "May 9",
    ]
)
TURNS = st.lists(
    st.tuples(
        st.lists(PIECES, max_size=3).map("; ".join),
        st.none() | st.datetimes(datetime(2022, 1, 1), datetime(2024, 1, 1)),  # noqa: DTZ001
    ),
    max_size=8,
)


@given(TURNS, st.lists(PIECES, max_size=2).map(" or ".join))
def test_the_fit_is_that_of_each_pair_by_itself(
    turns: list[tuple[str, datetime | None]], question: str
) -> None:
    times = of_turns([text for text, _ in turns], [moment for _, moment in turns])
    asked = [each for each in mentions(question, anchor=NOW) if not each.yearly]
    found = fits(asked, times, np.arange(len(turns)))

    def pair(start: datetime, end: datetime, one: datetime, other: datetime, half: float) -> float:
        day = timedelta(days=1)
        gap = max((one - end) / day, (start - other) / day, 0)
        common = max((min(end, other) - max(start, one)) / day, 0)
        length = (other - one) / day
        share = common / length if common else min(1, (end - start) / day / length)
        return float(2 ** (-gap / half) * share)

    for at, (text, moment) in enumerate(turns):
        said, told = [0.0], [0.0]
        for each in asked:
            half = HALVES[each.grain]
            if moment is not None:
                one = moment.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=UTC)
                said.append(pair(each.start, each.end, one, one + timedelta(days=1), half))
            told += [
                pair(each.start, each.end, other.start, other.end, half)
                for other in mentions(text, anchor=moment)
            ]
        assert found.said[at] == pytest.approx(max(said), rel=1e-9)
        assert found.told[at] == pytest.approx(max(told), rel=1e-9)

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.retrieval.times.periods import (
    days,
    joined,
    last_such_day,
    month,
    moved,
    nearest_year,
    nth,
    part_of,
    unit_of,
    weekday_near,
    year,
)

DATES = st.dates(date(1600, 1, 1), date(3000, 1, 1))
UNITS = st.sampled_from(["day", "week", "weekend", "month", "year", "decade"])


@given(DATES, UNITS, st.integers(-100, 100))
def test_moving_is_the_calendar_arithmetic_of_numpy(day: date, unit: str, count: int) -> None:
    found = np.datetime64(date.fromordinal(moved(day.toordinal(), unit, count)))
    lengths = {"day": 1, "week": 7, "weekend": 7}
    if unit in lengths:
        assert found == np.datetime64(day) + count * lengths[unit]
        return
    months = {"month": 1, "year": 12, "decade": 120}[unit] * count
    first = np.datetime64(day, "M") + months
    last = (first + 1).astype("datetime64[D]") - 1
    assert found == min(first.astype("datetime64[D]") + day.day - 1, last)


@given(DATES, UNITS)
def test_units_tile_the_calendar(day: date, unit: str) -> None:
    here = unit_of(unit, day.toordinal())
    after = unit_of(unit, day.toordinal(), 1)
    if unit != "weekend":  # weekdays lie between
        assert here.start <= day.toordinal() < here.end == after.start
    assert unit_of(unit, here.start) == here
    assert unit_of(unit, after.start, -1) == here


@given(day=DATES, weekday=st.integers(0, 6), before=st.booleans(), strict=st.booleans())
def test_the_nearest_weekday_is_the_first_one_met(
    day: date,
    weekday: int,
    *,
    before: bool,
    strict: bool,
) -> None:
    step = timedelta(days=-1 if before else 1)
    at = day + step if strict else day
    while at.weekday() != weekday:
        at += step
    found = weekday_near(weekday, day.toordinal(), before=before, strict=strict)
    assert found == days(at.toordinal())


@given(DATES, st.integers(1, 31))
def test_the_last_such_day_is_the_first_one_met_going_back(day: date, in_month: int) -> None:
    at = day
    while at.day != in_month:
        at -= timedelta(days=1)
    assert last_such_day(in_month, day.toordinal()) == days(at.toordinal())


@given(DATES, st.integers(1, 12))
def test_the_nearest_month_begins_at_most_half_a_year_away(day: date, of_month: int) -> None:
    found = nearest_year(lambda each: month(each, of_month), day.toordinal())
    assert abs(found.start - day.toordinal()) <= 183
    assert found.yearly


def test_a_day_that_no_year_has_is_refused() -> None:
    with pytest.raises(ValueError, match="empty"):
        nearest_year(lambda each: days(date(each, 4, 31).toordinal()), 700_000)


@given(DATES, st.sampled_from(["week", "weekend", "day", "0", "6"]))
def test_the_first_lies_before_the_last_and_both_inside(day: date, unit: str) -> None:
    whole = unit_of("month", day.toordinal())
    first, last = nth(unit, whole, 1), nth(unit, whole, -1)
    assert first
    assert last
    assert whole.start <= first.start <= last.start < whole.end


def test_the_fifth_week_and_a_tenth_monday_lie_outside() -> None:
    assert nth("week", month(2023, 2), 5) is None
    assert nth("0", month(2023, 5), 10) is None


@given(DATES, st.sampled_from(["day", "week", "month", "year"]))
def test_thirds_lie_inside_in_order(day: date, unit: str) -> None:
    whole = unit_of(unit, day.toordinal())
    early, mid, late = (part_of(whole, part) for part in ("early", "mid", "late"))
    assert whole.start == early.start <= mid.start <= late.start
    assert late.end == whole.end


def test_what_would_end_before_it_begins_is_not_joined() -> None:
    assert joined(year(2023), year(2021)) is None
    assert joined(year(2021), year(2023)) == year(2021, count=3)

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.core.clock import ManualClock, SystemClock, from_us, parse_time, to_us
from engram_lab.core.errors import InvalidInputError

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
TWO_HOURS_EAST = timezone(timedelta(hours=2))


def test_the_machine_tells_an_aware_time_in_utc() -> None:
    assert SystemClock().now().tzinfo is UTC


def test_a_manual_clock_stands_still_until_it_is_told_to_move() -> None:
    clock = ManualClock(NEW_YEAR)
    assert [clock.now(), clock.now()] == [NEW_YEAR, NEW_YEAR]

    clock.advance(days=3, seconds=0.5)
    assert NEW_YEAR + timedelta(days=3, seconds=0.5) == clock.now()


def test_a_manual_clock_may_be_set_back() -> None:
    clock = ManualClock(NEW_YEAR)
    clock.advance(hours=-1)
    assert NEW_YEAR - timedelta(hours=1) == clock.now()


def test_a_ticking_clock_moves_on_at_each_reading() -> None:
    second = timedelta(seconds=1)
    clock = ManualClock(NEW_YEAR, tick=second)
    assert [NEW_YEAR, NEW_YEAR + second, NEW_YEAR + 2 * second] == [clock.now() for _ in range(3)]


def test_a_naive_start_is_taken_as_utc() -> None:
    assert ManualClock(datetime(2026, 1, 1)).now() == NEW_YEAR  # noqa: DTZ001 - naive on purpose


@pytest.mark.parametrize(
    ("moment", "microseconds"),
    [
        (datetime(1970, 1, 1, tzinfo=UTC), 0),
        (datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC), -1),
        (datetime(2026, 1, 1, 0, 0, 0, 7, tzinfo=UTC), 1_767_225_600_000_007),
        (datetime(1970, 1, 1, 2, tzinfo=TWO_HOURS_EAST), 0),
    ],
)
def test_microseconds_since_1970(moment: datetime, microseconds: int) -> None:
    assert microseconds == to_us(moment)
    assert moment == from_us(microseconds)


@given(st.datetimes(timezones=st.just(UTC)))
def test_no_microsecond_is_lost_on_the_way_and_back(moment: datetime) -> None:
    assert moment == from_us(to_us(moment))


@pytest.mark.parametrize(
    "given_time",
    [
        "2026-01-01T00:00:00Z",
        "2026-01-01T00:00:00",
        "2026-01-01",
        "2026-01-01T02:00:00+02:00",
        datetime(2026, 1, 1),  # noqa: DTZ001 - naive means UTC
        datetime(2026, 1, 1, 2, tzinfo=TWO_HOURS_EAST),
        NEW_YEAR,
    ],
)
def test_a_time_is_read_from_text_and_from_any_zone(given_time: object) -> None:
    parsed = parse_time(given_time, field="event_at")
    assert parsed == NEW_YEAR
    assert parsed.tzinfo is UTC


@pytest.mark.parametrize("given_time", ["", "tomorrow", "2026-13-01", "2026-01-01T25:00", "\ud800"])
def test_a_text_that_is_no_time_is_refused_with_an_example(given_time: str) -> None:
    with pytest.raises(InvalidInputError, match=r"event_at is .* such as 2026-05-01T12:00:00Z"):
        parse_time(given_time, field="event_at")


@pytest.mark.parametrize(
    "given_time", [0, 1.5, None, b"2026-01-01", NEW_YEAR.date(), pytest.param(10**5000, id="huge")]
)
def test_another_type_is_refused_by_name(given_time: object) -> None:
    with pytest.raises(InvalidInputError, match=f"valid_to is a {type(given_time).__name__}: give"):
        parse_time(given_time, field="valid_to")


def test_a_time_that_utc_cannot_say_is_refused() -> None:
    before_year_1 = datetime(1, 1, 1, tzinfo=TWO_HOURS_EAST)
    with pytest.raises(InvalidInputError, match="falls outside the years 1 to 9999"):
        parse_time(before_year_1, field="event_at")

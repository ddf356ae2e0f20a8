from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import RFC_4122, UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.core.clock import ManualClock, to_us
from engram_lab.core.errors import InvalidInputError
from engram_lab.core.ids import IdSource, check_id

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)

moments = st.datetimes(min_value=datetime(1, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
since_1970 = st.datetimes(min_value=datetime(1970, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def are_rising(ids: list[str]) -> bool:
    return all(earlier < later for earlier, later in pairwise(ids))


@given(since_1970, st.integers())
def test_the_layout_is_that_of_rfc_9562(at: datetime, seed: int) -> None:
    id_ = UUID(IdSource(seed).new(at))

    assert to_us(at) // 1000 == id_.int >> 80
    assert id_.version == 7
    assert id_.variant == RFC_4122


def test_the_text_is_the_canonical_one() -> None:
    id_ = IdSource(1).new(NEW_YEAR)
    assert str(UUID(id_)) == id_
    assert check_id(id_) == id_


def test_the_same_seed_and_clock_give_the_same_ids() -> None:
    one, two = IdSource(7), IdSource(7)
    times = [NEW_YEAR + number * MILLISECOND // 3 for number in range(100)]
    assert [one.new(at) for at in times] == [two.new(at) for at in times]


def test_another_seed_gives_other_ids() -> None:
    assert IdSource(7).new(NEW_YEAR) != IdSource(8).new(NEW_YEAR)
    assert IdSource().new(NEW_YEAR) != IdSource().new(NEW_YEAR)


def test_a_hundred_thousand_ids_of_one_millisecond_differ_and_rise() -> None:
    source = IdSource(1)
    ids = [source.new(NEW_YEAR) for _ in range(100_000)]
    assert len(set(ids)) == 100_000
    assert are_rising(ids)


@given(st.lists(moments, min_size=2, max_size=20))
def test_ids_rise_whatever_the_clock_does(times: list[datetime]) -> None:
    source = IdSource(1)
    assert are_rising([source.new(at) for at in times])


def test_ids_go_on_from_the_last_millisecond_when_the_clock_runs_back() -> None:
    clock, source = ManualClock(NEW_YEAR), IdSource(1)
    first = UUID(source.new(clock.now()))
    clock.advance(days=-30)
    second = UUID(source.new(clock.now()))
    assert first.int >> 80 == second.int >> 80


def test_a_full_counter_borrows_the_next_millisecond() -> None:
    source = IdSource(1)
    first = source.new(NEW_YEAR)
    source._counter = 2**30 - 1  # behind the door: to get here takes half a billion ids
    second = source.new(NEW_YEAR)

    assert first < second
    assert to_us(NEW_YEAR) // 1000 + 1 == UUID(second).int >> 80


@pytest.mark.parametrize(
    "value",
    [
        "",
        "memory-1",
        "01890A5D-AC96-774B-BCCE-B302099A8057",
        "{01890a5d-ac96-774b-bcce-b302099a8057}",
        "01890a5dac96774bbcceb302099a8057",
        "01890a5d-ac96-774b-bcce-b302099a8057\n",
        "01890a5d-ac96-774b-bcce-b302099a805\u0667",
        "\ud800",
        7,
        None,
        pytest.param(10**5000, id="huge"),
        UUID("01890a5d-ac96-774b-bcce-b302099a8057"),
    ],
)
def test_what_is_no_canonical_uuid_is_refused(value: object) -> None:
    with pytest.raises(InvalidInputError, match=r"memory_id is .* give a UUID in lower case"):
        check_id(value, field="memory_id")

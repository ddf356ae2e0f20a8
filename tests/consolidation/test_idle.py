"""A dream is due in quiet moments, not too often, and never for ever put off."""

from __future__ import annotations

from typing import Any

import pytest

from engram_lab.consolidation.idle import Idle
from engram_lab.core.clock import ManualClock
from engram_lab.core.errors import InvalidInputError


def test_the_first_one_waits_for_an_interval() -> None:
    idle, clock = Idle(interval_s=100, idle_s=10), ManualClock()
    assert not idle.due(clock.now(), 1)
    clock.advance(seconds=99)
    assert not idle.due(clock.now(), 1)
    clock.advance(seconds=1)
    assert idle.due(clock.now(), 1)


def test_a_write_puts_it_off_until_it_is_quiet_again() -> None:
    idle, clock = Idle(interval_s=100, idle_s=10), ManualClock()
    idle.due(clock.now(), 1)
    clock.advance(seconds=100)
    assert not idle.due(clock.now(), 2)
    clock.advance(seconds=9)
    assert not idle.due(clock.now(), 2)
    clock.advance(seconds=1)
    assert idle.due(clock.now(), 2)


def test_a_store_that_is_never_quiet_dreams_after_two_intervals() -> None:
    idle, clock = Idle(interval_s=100, idle_s=10), ManualClock()
    due = []
    for second in range(201):
        due.append(idle.due(clock.now(), second))
        clock.advance(seconds=1)
    assert due.index(True) == 200


def test_after_a_dream_the_interval_begins_anew_and_its_own_writes_are_no_noise() -> None:
    idle, clock = Idle(interval_s=100, idle_s=10), ManualClock()
    idle.due(clock.now(), 1)
    clock.advance(seconds=100)
    assert idle.due(clock.now(), 1)
    idle.dreamt(clock.now(), 5)
    assert not idle.due(clock.now(), 5)
    clock.advance(seconds=100)
    assert idle.due(clock.now(), 5)


def test_a_clock_that_is_set_back_begins_the_pause_anew() -> None:
    idle, clock = Idle(interval_s=0, idle_s=10), ManualClock()
    idle.due(clock.now(), 1)
    clock.advance(seconds=-5)
    assert not idle.due(clock.now(), 1)
    clock.advance(seconds=10)
    assert idle.due(clock.now(), 1)


@pytest.mark.parametrize("value", [-1.0, float("nan"), float("inf")])
@pytest.mark.parametrize("name", ["interval_s", "idle_s"])
def test_what_is_no_time_is_refused_by_name(name: str, value: float) -> None:
    given: dict[str, Any] = {"interval_s": 1.0, "idle_s": 1.0, name: value}
    with pytest.raises(InvalidInputError, match=name):
        Idle(**given)

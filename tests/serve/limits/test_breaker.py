from __future__ import annotations

from typing import TYPE_CHECKING

from engram_lab.serve.limits.breaker import Breaker

if TYPE_CHECKING:
    from tests.serve.limits.conftest import Timer


def test_it_tries_always_until_it_fails(timer: Timer) -> None:
    breaker = Breaker(timer)
    assert breaker.attempt() == breaker.attempt()
    assert not breaker.is_open
    assert breaker.remaining_s() == 0


def test_after_a_failure_one_may_try_when_the_time_has_come(timer: Timer) -> None:
    breaker = Breaker(timer, first_s=1)
    attempt = breaker.attempt()
    assert attempt is not None
    breaker.failed(attempt)
    assert breaker.is_open
    assert breaker.attempt() is None
    timer.now += 0.75
    assert breaker.remaining_s() == 0.25
    assert breaker.attempt() is None
    timer.now += 0.25
    assert breaker.attempt() is not None
    assert breaker.attempt() is None  # one is under way
    timer.now += 1
    assert breaker.attempt() is not None  # that one told nothing


def test_it_waits_longer_each_time_but_not_for_ever(timer: Timer) -> None:
    breaker = Breaker(timer, first_s=1, longest_s=5)
    waits = []
    for _ in range(5):
        attempt = breaker.attempt()
        assert attempt is not None
        breaker.failed(attempt)
        waits.append(breaker.remaining_s())
        timer.now += waits[-1]
    assert waits == [1, 2, 4, 5, 5]


def test_many_that_fail_at_once_count_as_one(timer: Timer) -> None:
    breaker = Breaker(timer, first_s=1)
    attempts = [breaker.attempt() for _ in range(50)]
    for attempt in attempts:
        assert attempt is not None
        breaker.failed(attempt)
    assert breaker.remaining_s() == 1


def test_a_success_closes_it_and_it_begins_anew(timer: Timer) -> None:
    breaker = Breaker(timer, first_s=1)
    for _ in range(3):
        attempt = breaker.attempt()
        assert attempt is not None
        breaker.failed(attempt)
        timer.now += 10
    assert breaker.attempt() is not None
    breaker.succeeded()
    assert not breaker.is_open
    attempt = breaker.attempt()
    assert attempt is not None
    breaker.failed(attempt)
    assert breaker.remaining_s() == 1

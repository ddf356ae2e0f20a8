from __future__ import annotations

import inspect
import threading
import time
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.core.errors import InvalidInputError
from engram_lab.serve.limits.bucket import PARTS, LocalBuckets, Rate

if TYPE_CHECKING:
    from collections.abc import Callable

RATES = st.builds(Rate, per_minute=st.integers(1, 5_000), burst=st.integers(1, 50))
# Steps of 1/64 s are exact as floating-point seconds and as microseconds; some are hours.
STEPS = st.one_of(st.integers(0, 200), st.integers(0, 10**6), st.integers(-500, -1))
TAKES = st.lists(
    st.tuples(STEPS, st.sampled_from(["a", "b"]), st.integers(1, 4)), min_size=1, max_size=60
)


class Oracle:
    """The rule in exact fractions of tokens, as one would say it."""

    def __init__(self, rate: Rate) -> None:
        self.rate = rate
        self.tokens = Fraction(rate.burst)
        self.at: Fraction | None = None

    def take(self, at: Fraction, tokens: int) -> bool:
        since = Fraction(0) if self.at is None else max(Fraction(0), at - self.at)
        gained = since * self.rate.per_minute / 60
        self.tokens = min(Fraction(self.rate.burst), self.tokens + gained)
        self.at = at
        if self.tokens < tokens:
            return False
        self.tokens -= tokens
        return True


@given(rate=RATES, takes=TAKES)
def test_every_decision_and_level_is_that_of_exact_arithmetic(
    rate: Rate, takes: list[tuple[int, str, int]]
) -> None:
    now = [10**7]
    buckets = LocalBuckets(timer=lambda: now[0] / 64)
    oracles = {"a": Oracle(rate), "b": Oracle(rate)}
    for step, key, tokens in takes:
        now[0] += step
        drawn = buckets.take(key, rate, tokens)
        assert drawn.allowed == oracles[key].take(Fraction(now[0], 64), tokens)
        assert Fraction(drawn.level, PARTS) == oracles[key].tokens


@given(rate=RATES, steps=st.lists(st.integers(0, 2_000), min_size=1, max_size=80))
def test_no_span_of_time_lets_more_through_than_a_burst_and_the_rate(
    rate: Rate, steps: list[int]
) -> None:
    now = [0]
    buckets = LocalBuckets(timer=lambda: now[0] / 64)
    passed: list[int] = []
    for step in steps:
        now[0] += step
        if buckets.take("a", rate).allowed:
            passed.append(now[0])
    for first in range(len(passed)):
        for last in range(first, len(passed)):
            span = Fraction(passed[last] - passed[first], 64)
            assert last - first + 1 <= rate.burst + span * rate.per_minute / 60


@given(
    rate=RATES,
    keys=st.lists(st.tuples(st.integers(0, 64), st.integers(0, 9)), min_size=1, max_size=80),
    most=st.integers(1, 5),
)
def test_eviction_gives_nobody_more_than_a_full_bucket(
    rate: Rate, keys: list[tuple[int, int]], most: int
) -> None:
    now = [0]
    small = LocalBuckets(most=most, timer=lambda: now[0] / 64)
    large = LocalBuckets(timer=lambda: now[0] / 64)
    evicted: set[int] = set()
    order: list[int] = []
    for step, key in keys:
        now[0] += step
        drawn, exact = small.take(key, rate), large.take(key, rate)
        if key in order:
            order.remove(key)
        order.append(key)
        if len(order) > most:
            evicted.add(order.pop(0))
        assert len(small) == len(order) <= most
        assert drawn.level <= (rate.burst - 1) * PARTS or not drawn.allowed
        if key not in evicted:  # who never was pushed out notices nothing
            assert drawn == exact


def test_time_that_runs_back_fills_nothing_up_and_locks_nobody_out() -> None:
    now = [5_000.0]
    buckets = LocalBuckets(timer=lambda: now[0])
    rate = Rate(per_minute=60, burst=2)
    assert [buckets.take("a", rate).allowed for _ in range(3)] == [True, True, False]
    now[0] -= 3_600
    assert not buckets.take("a", rate).allowed
    now[0] += 1
    assert buckets.take("a", rate).allowed


def test_the_clock_on_the_wall_plays_no_part() -> None:
    timer = inspect.signature(LocalBuckets).parameters["timer"].default
    assert timer in {time.perf_counter, time.monotonic}


def test_a_plan_that_changes_takes_effect_at_the_next_request() -> None:
    now = [0.0]
    buckets = LocalBuckets(timer=lambda: now[0])
    assert buckets.take("a", Rate(per_minute=60, burst=100)).level == 99 * PARTS
    assert buckets.take("a", Rate(per_minute=60, burst=10)).level == 9 * PARTS
    assert buckets.take("a", Rate(per_minute=60, burst=100)).level == 8 * PARTS


def test_more_than_a_bucket_holds_is_never_allowed() -> None:
    now = [0.0]
    buckets = LocalBuckets(timer=lambda: now[0])
    rate = Rate(per_minute=60, burst=3)
    for _ in range(3):
        now[0] += 1_000
        drawn = buckets.take("a", rate, 4)
        assert (drawn.allowed, drawn.level) == (False, 3 * PARTS)
    assert buckets.take("a", rate, 3).allowed


@pytest.mark.parametrize(("per_minute", "burst"), [(0, 1), (1, 0), (-1, 1), (10**9, 1), (1, 10**9)])
def test_a_rate_that_cannot_be_kept_is_refused(per_minute: int, burst: int) -> None:
    with pytest.raises(InvalidInputError):
        Rate(per_minute=per_minute, burst=burst)


def test_threads_never_share_a_token() -> None:
    buckets = LocalBuckets(timer=lambda: 0.0)
    rate = Rate(per_minute=1, burst=1_000)
    allowed: list[int] = []

    def take() -> None:
        allowed.append(sum(buckets.take("a", rate).allowed for _ in range(500)))

    run_all([take] * 4)
    assert sum(allowed) == 1_000


def run_all(works: list[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

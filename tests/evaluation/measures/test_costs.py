from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.core.errors import InvalidInputError
from engram_lab.evaluation.measures.costs import (
    Costs,
    bytes_per_memory,
    costs_of,
    quantile,
    readable_after,
)

times = st.lists(st.floats(0, 1e3), min_size=1, max_size=150)


@given(times, st.sampled_from([0.01, 0.25, 0.5, 0.95, 0.99, 1.0]))
def test_a_quantile_is_the_least_time_that_so_many_keep(seconds: list[float], share: float) -> None:
    found = quantile(seconds, share)
    assert found in seconds
    kept = [sum(each <= bound for each in seconds) / len(seconds) for bound in seconds]
    assert found == min(each for each, enough in zip(seconds, kept, strict=True) if enough >= share)


@given(times)
def test_it_is_numpys_inverse_of_the_distribution(seconds: list[float]) -> None:
    for share in (0.5, 0.95, 0.99):
        assert quantile(seconds, share) == np.quantile(seconds, share, method="inverted_cdf")


def test_percentiles_of_a_hundred_times() -> None:
    seconds = [number / 1000 for number in range(100, 0, -1)]
    assert costs_of(seconds) == {
        "latency_p50_ms": pytest.approx(50),
        "latency_p95_ms": pytest.approx(95),
        "latency_p99_ms": pytest.approx(99),
    }
    assert quantile([0.3, 0.1, 0.2], 0.99) == 0.3
    assert quantile([float(number) for number in range(1, 21)], 0.95) == 19


def test_what_was_not_measured_is_not_told() -> None:
    assert costs_of([]) == {}
    assert Costs(bytes_per_memory=2.0).known() == {"bytes_per_memory": 2.0}
    assert costs_of([], lags=[0.002, 0.001, 0.003], size=600, memories=4) == {
        "write_to_readable_ms": 2.0,
        "bytes_per_memory": 150.0,
    }


def test_a_write_that_never_shows_is_later_than_all_others() -> None:
    assert readable_after([0.1, 0.2, math.nan]) == 0.2
    assert math.isnan(readable_after([0.1, math.nan, math.nan]))
    assert math.isnan(readable_after([]))


def test_no_memory_takes_no_bytes_that_could_be_told() -> None:
    assert bytes_per_memory(1000, 8) == 125
    assert math.isnan(bytes_per_memory(1000, 0))
    assert math.isnan(quantile([], 0.5))


@pytest.mark.parametrize(
    ("seconds", "share", "said"),
    [
        ([1.0], 0.0, "share"),
        ([1.0], 1.5, "share"),
        ([-1.0], 0.5, "a time is"),
        ([math.nan], 0.5, "a time is"),
    ],
)
def test_what_is_no_time_or_share_is_refused(seconds: list[float], share: float, said: str) -> None:
    with pytest.raises(InvalidInputError, match=said):
        quantile(seconds, share)

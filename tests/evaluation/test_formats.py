"""Figures as people read them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.evaluation.formats import (
    cost_label,
    cost_text,
    counted,
    figure,
    interval,
    p_text,
    quantity,
    signed,
)


def test_a_measure_has_three_decimals() -> None:
    assert [figure(each) for each in (0.6123, 1, -0.25, None, math.nan)] == [
        "0.612",
        "1.000",
        "\N{MINUS SIGN}0.250",
        "\N{EN DASH}",
        "\N{EN DASH}",
    ]


def test_a_difference_has_a_sign_unless_it_rounds_to_nothing() -> None:
    assert [signed(each) for each in (0.0214, -0.0214, 0.0, -0.0001, 0.0001)] == [
        "+0.021",
        "\N{MINUS SIGN}0.021",
        "0.000",
        "0.000",
        "0.000",
    ]
    assert signed(-1.236, places=2) == "\N{MINUS SIGN}1.24"


def test_half_an_interval_is_none() -> None:
    assert interval(0.1, 0.25) == "[0.100, 0.250]"
    assert interval(-0.1, 0.25, sign=True) == "[\N{MINUS SIGN}0.100, +0.250]"
    assert interval(None, 0.25) == interval(0.1, math.nan) == ""


def test_a_small_p_is_never_zero() -> None:
    assert [p_text(each) for each in (0.0, 0.0009, 0.001, 0.05, math.nan)] == [
        "<0.001",
        "<0.001",
        "0.001",
        "0.050",
        "\N{EN DASH}",
    ]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0.0, "0"),
        (0.41, "0.410"),
        (2.25, "2.25"),
        (12.345, "12.3"),
        (1234.5, "1,234"),
        (0.00115, "0.001"),
        (-0.5, "\N{MINUS SIGN}0.500"),
        (math.inf, "\N{EN DASH}"),
    ],
)
def test_a_quantity_has_three_significant_digits(value: float, said: str) -> None:
    assert quantity(value) == said


@given(st.floats(0.1, 1e6))
def test_a_quantity_is_right_to_half_a_percent(value: float) -> None:
    assert float(quantity(value).replace(",", "")) == pytest.approx(value, rel=0.0051)


def test_costs_say_their_unit() -> None:
    assert cost_label("latency_p50_ms") == "latency p50"
    assert cost_text("latency_p50_ms", 3.41) == "3.41 ms"
    assert cost_label("bytes_per_memory") == "bytes per memory"
    assert cost_text("bytes_per_memory", 1948.4) == "1,948 B"
    assert cost_text("index_bytes", 5 * 1024**2) == "5.00 MiB"
    assert cost_text("anything", None) == "\N{EN DASH}"


def test_one_is_singular() -> None:
    assert counted(1, "query", "queries") == "1 query"
    assert counted(1540, "query", "queries") == "1,540 queries"
    assert counted(0, "check") == "0 checks"

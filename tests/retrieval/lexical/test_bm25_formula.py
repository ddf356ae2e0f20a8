from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.core.errors import InvalidInputError
from engram_lab.retrieval.lexical.bm25 import check_parameters, idf, saturation


def test_the_rarity_of_a_term_as_worked_out_by_hand() -> None:
    assert idf(1, 1) == pytest.approx(math.log(1 + 0.5 / 1.5))
    assert idf(2, 10) == pytest.approx(math.log(1 + 8.5 / 2.5))
    assert idf(58_000, 100_000) == pytest.approx(0.5447, abs=1e-4)


def test_the_share_of_a_text_as_worked_out_by_hand() -> None:
    # tf 1 in a text of average length: 1 / (1 + 1.2)
    assert saturation(np.array([1]), np.array([12]), 12.0)[0] == pytest.approx(1 / 2.2)
    # tf 3, twice the average: 3 / (3 + 1.2 · (0.25 + 0.75 · 2)) = 3 / 5.1
    assert saturation(np.array([3]), np.array([24]), 12.0)[0] == pytest.approx(3 / 5.1)
    # k1 = 0: that it is there is all; b = 0: length is nothing
    assert saturation(np.array([7]), np.array([99]), 12.0, k1=0.0)[0] == 1.0
    assert saturation(np.array([2]), np.array([99]), 12.0, b=0.0)[0] == pytest.approx(2 / 3.2)


@given(
    tf=st.integers(1, 50),
    length=st.integers(1, 500),
    average=st.floats(0.5, 300),
    n=st.integers(1, 10**7),
    data=st.data(),
)
def test_scores_rise_with_repetition_and_rarity_and_fall_with_length(
    tf: int, length: int, average: float, n: int, data: st.DataObject
) -> None:
    def share(tf: int, length: int) -> Any:
        return saturation(np.array([tf]), np.array([length]), average)[0]

    df = data.draw(st.integers(1, n))
    assert 0 < share(tf, length) < share(tf + 1, length) < 1
    assert share(tf, length + 1) < share(tf, length)
    assert 0 < idf(df + 1, n + 1) < idf(df, n + 1)


@given(st.lists(st.tuples(st.integers(1, 90), st.integers(1, 900)), min_size=1, max_size=70))
def test_a_number_alone_is_what_it_is_in_an_array_to_the_bit(pairs: list[tuple[int, int]]) -> None:
    tf, length = np.array(pairs).T
    together = saturation(tf, length, 11.3)

    alone = [saturation(tf[i : i + 1], length[i : i + 1], 11.3)[0] for i in range(len(pairs))]

    assert together.tolist() == alone
    assert together.tolist() == [
        t / (t + 1.2 * ((1.0 - 0.75) + 0.75 * (d / 11.3))) for t, d in pairs
    ]


@pytest.mark.parametrize(
    ("k1", "b"), [(-0.1, 0.5), (math.nan, 0.5), (math.inf, 0.5), (1, 1.1), (1, -1)]
)
def test_what_is_no_bm25_is_refused(k1: float, b: float) -> None:
    with pytest.raises(InvalidInputError, match="give a"):
        check_parameters(k1=k1, b=b)

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.retrieval.lexical.pairs import Pairs

PAIRS = st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9)), max_size=20)


@given(batches=st.lists(PAIRS, max_size=4), averages=st.lists(st.floats(0.1, 50), max_size=3))
def test_a_code_is_worth_what_the_formula_says_of_its_pair(
    batches: list[list[tuple[int, int]]], averages: list[float]
) -> None:
    pairs = Pairs(k1=1.2, b=0.75)
    codes: dict[tuple[int, int], int] = {}
    for batch in batches:
        given_pairs = np.array(batch, np.int64).reshape(-1, 2)
        numbers = pairs.codes(given_pairs[:, 0], given_pairs[:, 1]).tolist()
        for pair, code in zip(batch, numbers, strict=True):
            assert codes.setdefault(pair, code) == code
        for average in averages:
            table, greatest = pairs.table(average)
            for (tf, length), code in codes.items():
                assert table[code] == tf / (tf + 1.2 * (0.25 + 0.75 * (length / average)))
            assert table[0] == 0
            assert greatest == table.max()
    assert sorted(codes.values()) == list(range(1, len(codes) + 1))


def test_pairs_outlive_a_file() -> None:
    before = Pairs(k1=1.2, b=0.75)
    first = before.codes(np.array([1, 2, 1]), np.array([5, 5, 7]))
    frequencies, lengths = before.arrays()

    after = Pairs(k1=0.9, b=0.4, frequencies=frequencies, lengths=lengths)

    assert after.codes(np.array([1, 2, 1]), np.array([5, 5, 7])).tolist() == first.tolist()
    assert after.codes(np.array([9]), np.array([9])).tolist() == [4]
    assert after.table(6.0)[0][1] == 1 / (1 + 0.9 * (0.6 + 0.4 * (5 / 6)))

"""The laws of learning, against what they are made of: step by step, and from the books."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.consolidation.hebbian import RULES, Concordance, Counting
from engram_lab.consolidation.hebbian.activity import Activity, PairSums

if TYPE_CHECKING:
    from numpy.typing import NDArray

TABLES: st.SearchStrategy[NDArray[np.float64]] = st.lists(
    st.tuples(*[st.sampled_from([0.0, 0.25, 0.5, 1.0]) for _ in range(3)]), min_size=1, max_size=12
).map(np.array)
"""Activities of three memories, one row for each recall."""

ALL = [(0, 1), (0, 2), (1, 2)]


def activity(table: NDArray[np.float64]) -> Activity:
    events, rows = np.nonzero(table)
    return Activity(
        size=table.shape[1],
        events=events.astype(np.int64),
        rows=rows.astype(np.int64),
        values=table[events, rows],
        weights=np.ones(len(table)),
        found=(table > 0).sum(axis=0).astype(np.float64),
        recalls=float(len(table)),
    )


def sums(table: NDArray[np.float64]) -> PairSums:
    low, high = np.array(ALL).T
    both = (table[:, low] > 0) & (table[:, high] > 0)
    return PairSums(
        low=low,
        high=high,
        together=(table[:, low] * table[:, high]).sum(axis=0),
        times=both.sum(axis=0).astype(np.float64),
    )


def learned(
    rule: Concordance | Counting,
    table: NDArray[np.float64],
    before: float | NDArray[np.float64] = 0.0,
    rate: float = 0.1,
) -> NDArray[np.float64]:
    return rule.learned(np.zeros(3) + before, sums(table), activity(table), rate=rate)


@given(
    table=TABLES,
    before=st.floats(0, 1),
    rate=st.floats(0.001, 1),
    name=st.sampled_from(list(RULES)),
)
def test_weights_stay_between_0_and_1(
    table: NDArray[np.float64], before: float, rate: float, name: str
) -> None:
    after = learned(RULES[name](), table, before, rate)
    assert ((after >= 0) & (after <= 1)).all()


@given(table=TABLES, before=st.floats(0, 1), name=st.sampled_from(list(RULES)))
def test_both_of_a_pair_are_alike(table: NDArray[np.float64], before: float, name: str) -> None:
    turned = learned(RULES[name](), table[:, ::-1], before)
    assert learned(RULES[name](), table, before) == pytest.approx(turned[[2, 1, 0]], abs=1e-12)


@given(table=TABLES)
def test_concordance_comes_to_rest_where_lin_says(table: NDArray[np.float64]) -> None:
    rest = learned(Concordance(prior=2.0, least=0.0), table, 0.3, rate=1e9)
    padded = np.vstack([table, np.zeros((2, 3))])
    for place, (low, high) in enumerate(ALL):
        x, y = padded[:, low], padded[:, high]
        spread = x.var() + y.var() + (x.mean() - y.mean()) ** 2
        if spread > 1e-9:
            lin = 2 * np.mean((x - x.mean()) * (y - y.mean())) / spread
            rare = (1 - (x > 0).mean()) * (1 - (y > 0).mean())
            assert rest[place] == pytest.approx(max(0.0, lin) * rare, abs=1e-9)
        else:
            assert rest[place] == pytest.approx(0.3)


def test_of_presence_alone_it_is_cohens_kappa() -> None:
    # 20 recalls: 6 with both, 2 with the first alone, 4 with the second alone, 8 with neither.
    table = np.array([[1, 1, 0]] * 6 + [[1, 0, 0]] * 2 + [[0, 1, 0]] * 4 + [[0, 0, 0]] * 8, float)
    agreed, chance = 14 / 20, (8 / 20) * (10 / 20) + (12 / 20) * (10 / 20)
    kappa = (agreed - chance) / (1 - chance)
    often = (1 - 8 / 20) * (1 - 10 / 20)
    rule = Concordance(prior=0.0, least=0.0)
    assert learned(rule, table, rate=1e9)[0] == pytest.approx(kappa * often)


def test_it_is_the_law_of_small_steps_solved() -> None:
    table = np.array([[1, 0.5, 0], [0.5, 0.5, 1], [1, 0, 0], [0, 1, 1], [0, 0, 0.5]])
    low, high = np.array(ALL).T
    chance = table.sum(axis=0)[low] * table.sum(axis=0)[high] / (len(table) + 10)
    both = (table[:, low] * table[:, high]).sum(axis=0)
    alone = 0.5 * ((table[:, low] - table[:, high]) ** 2).sum(axis=0)
    beyond = np.maximum(0, both - chance)
    often = (table > 0).sum(axis=0) / (len(table) + 10)
    rest = beyond / (beyond + alone) * (1 - often[low]) * (1 - often[high])
    strength, steps = np.full(3, 0.2), 200_000
    for _ in range(steps):
        strength += 0.3 / steps * (rest - strength) * (beyond + alone)
    assert learned(Concordance(least=0.0), table, 0.2, 0.3) == pytest.approx(strength, abs=1e-5)


def test_what_is_in_every_answer_is_bound_to_nothing() -> None:
    pair = np.array([[1.0, 1.0, 1.0]] * 5 + [[0.0, 0.0, 1.0]] * 45)
    with_pair, first, second = learned(Concordance(), pair, rate=0.3)
    assert with_pair > 0.4
    assert first == second == 0.0
    counted = learned(Counting(), pair, rate=0.3)
    assert counted[0] == counted[1] == counted[2]  # the defect of counting alone


def test_a_link_weakens_where_one_is_active_without_the_other() -> None:
    alone = np.array([[1.0, 0.0, 0.0]] * 4)
    assert learned(Concordance(), alone, 0.5)[0] == pytest.approx(0.5 * np.exp(-0.1 * 0.5 * 4))


def test_what_comes_back_always_is_known_for_it_even_in_a_dream_of_one_recall() -> None:
    table = np.array([[1.0, 1.0, 1.0]])
    known = replace(activity(table), found=np.array([3.0, 4.0, 90.0]), recalls=100.0)
    pair, first, second = Concordance().learned(np.zeros(3), sums(table), known, rate=0.1)
    rare = (1 - 3 / 110) * (1 - 4 / 110)
    assert pair == pytest.approx(rare * (1 - np.exp(-0.1 * (1 - 4 / 110))))
    assert first == second == 0.0


def test_a_bond_below_the_least_counts_as_chance() -> None:
    table = np.array([[1.0, 1.0, 0.0]] * 2 + [[1.0, 0.0, 0.0]] * 9 + [[0.0, 0.0, 0.0]] * 50)
    assert learned(Concordance(least=0.2), table)[0] > 0
    assert learned(Concordance(least=0.4), table)[0] == 0
    assert 0 < learned(Concordance(least=0.4), table, 0.5)[0] < 0.5


@given(table=TABLES, other=TABLES, before=st.floats(0, 1))
def test_counting_is_the_same_however_recalls_are_dealt_out(
    table: NDArray[np.float64], other: NDArray[np.float64], before: float
) -> None:
    rule = Counting()
    once = learned(rule, np.vstack([table, other]), before)
    assert learned(rule, other, learned(rule, table, before)) == pytest.approx(once, abs=1e-12)


@given(table=TABLES, times=st.integers(2, 5), before=st.floats(0, 1))
def test_concordance_is_the_same_for_dreams_that_see_alike(
    table: NDArray[np.float64], times: int, before: float
) -> None:
    rule, parts = Concordance(prior=0.0, least=0.0), np.zeros(3) + before
    for _ in range(times):
        parts = learned(rule, table, parts)
    assert learned(rule, np.vstack([table] * times), before) == pytest.approx(parts, abs=1e-9)


@given(table=TABLES, other=TABLES, before=st.floats(0, 1))
def test_dreams_that_see_otherwise_differ_by_less_than_the_square_of_the_rate(
    table: NDArray[np.float64], other: NDArray[np.float64], before: float
) -> None:
    # Without chance, which is not the same within parts; evidence is at most 24 recalls.
    rule, rate = Concordance(prior=1e12, least=0.0), 1e-3
    once = learned(rule, np.vstack([table, other]), before, rate)
    parts = learned(rule, other, learned(rule, table, before, rate), rate)
    assert np.abs(once - parts).max() < (24 * rate) ** 2

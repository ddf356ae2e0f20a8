from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from engram_lab.core.errors import InvalidInputError
from engram_lab.evaluation.statistics.simulating import MEASURES, SimulatedData, simulated_pair

LOCOMO = SimulatedData()


def changed(noise: float) -> list[float]:
    """The share of each measure that differs between two systems of equal quality."""
    shares = []
    for seed in range(5):
        a, b = simulated_pair(LOCOMO, seed=seed, noise=noise)
        deltas = (b.select(MEASURES) - a.select(MEASURES)).to_numpy()
        shares.append((deltas != 0).mean(axis=0))
    return [float(each) for each in np.mean(shares, axis=0)]


def test_sizes_are_those_asked_for() -> None:
    a, b = simulated_pair(LOCOMO, seed=0)
    counts = dict(a.group_by("category").len().iter_rows())
    assert counts == {"1": 282, "2": 321, "3": 92, "4": 841, "5": 446}
    assert sorted(a.group_by("cluster").len()["len"]) == sorted(LOCOMO.conversations)
    assert a.select("query_id", "category", "cluster").equals(
        b.select("query_id", "category", "cluster")
    )


def test_values_are_about_those_of_bm25_on_locomo() -> None:
    a, _ = simulated_pair(LOCOMO, seed=0)
    found = a.filter(pl.col("category") != "5").select(pl.col(MEASURES).mean()).row(0)
    assert found == pytest.approx((0.572, 0.515, 0.385, 0.271), abs=0.04)
    assert (
        a.select((pl.col(MEASURES).min() >= 0) & (pl.col(MEASURES).max() <= 1)).row(0)
        == (True,) * 4
    )


def test_noise_moves_what_a_change_of_bm25_moves() -> None:
    assert changed(0.1)[0] == pytest.approx(0.010, abs=0.005)  # k1 = 1.0
    assert changed(0.1)[2] == pytest.approx(0.10, abs=0.03)
    assert changed(0.3)[0] == pytest.approx(0.034, abs=0.01)  # b = 0.5
    assert changed(0.3)[2] == pytest.approx(0.231, abs=0.03)
    assert changed(1.0)[0] == pytest.approx(0.099, abs=0.02)  # stemming


def test_a_loss_is_exactly_what_was_planted() -> None:
    data = SimulatedData()
    a, b = simulated_pair(data, seed=3, noise=0.0, lost={"4": 0.03})
    deltas = a.select("category").with_columns(delta=b["recall_any@10"] - a["recall_any@10"])
    sums = dict(deltas.group_by("category").agg(pl.col("delta").sum()).iter_rows())
    assert sums == {"1": 0, "2": 0, "3": 0, "4": -round(0.03 * 841), "5": 0}


def test_what_is_shared_moves_conversations_together() -> None:
    def spread(shared: float) -> float:
        means = []
        for seed in range(30):
            a, b = simulated_pair(LOCOMO, seed=seed, noise=0.3, shared=shared)
            deltas = a.select("cluster").with_columns(delta=b["nDCG@10"] - a["nDCG@10"])
            means += deltas.group_by("cluster").agg(pl.col("delta").mean())["delta"].to_list()
        return float(np.var(means))

    assert spread(0.15) > 2 * spread(0.0)


def test_a_seed_is_a_pair() -> None:
    one, same, other = (simulated_pair(LOCOMO, seed=each) for each in (1, 1, 2))
    assert one[0].equals(same[0])
    assert one[1].equals(same[1])
    assert not one[0].equals(other[0])


def test_sizes_that_disagree_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="10 questions and the categories 9"):
        SimulatedData(conversations=(5, 5), categories={"a": 9})

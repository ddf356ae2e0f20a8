from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest

from engram_lab.config import EngineConfig
from engram_lab.evaluation.consolidation.outcome import Outcome, Setting
from engram_lab.evaluation.consolidation.tasks.forecasting import (
    FORECASTERS,
    Forecasting,
    log_loss,
    reliability,
)


@pytest.fixture(scope="module")
def outcome() -> Outcome:
    return Forecasting().run(Setting(size=300, seed=1, config=EngineConfig()))


@pytest.fixture(scope="module")
def losses(outcome: Outcome) -> dict[tuple[str, str], float]:
    """Return the mean log-loss of each system on each trace."""
    found = defaultdict(list)
    for each in outcome.observed:
        found[each.unit.partition(" trace::")[0], each.system].append(each.value)
    return {key: float(np.mean(values)) for key, values in found.items()}


def test_log_loss_is_that_of_a_hand_computed_case() -> None:
    found = log_loss(np.array([0.8, 0.8, 0.0]), np.array([True, False, True]))

    np.testing.assert_allclose(found, [0.2231436, 1.6094379, 13.8155106], rtol=1e-6)


@pytest.mark.parametrize("law", ["exponential", "power", "act-r-exact"])
def test_a_law_comes_near_the_truth_on_its_own_trace_and_beats_the_base_rate(
    law: str, losses: dict[tuple[str, str], float]
) -> None:
    trace = law.removesuffix("-exact")

    assert losses[trace, law] == pytest.approx(losses[trace, "true_law"], abs=0.01)
    assert losses[trace, law] < losses[trace, "base_rate"] - 0.01


def test_where_nothing_can_be_known_no_law_beats_the_base_rate(
    losses: dict[tuple[str, str], float],
) -> None:
    for law in FORECASTERS:
        assert losses["poisson", law] > losses["poisson", "base_rate"] - 0.01


def test_every_system_is_judged_by_the_same_units(outcome: Outcome) -> None:
    units = defaultdict(list)
    for each in outcome.observed:
        units[each.system].append(each.unit)

    assert set(units) == {*FORECASTERS, "base_rate", "true_law"}
    assert all(some == units["true_law"] for some in units.values())
    assert len(set(units["true_law"])) == len(units["true_law"])


def test_reliability_bins_hold_what_came() -> None:
    chance = np.repeat([0.1, 0.6], 50)
    used = np.concatenate([np.arange(50) < 5, np.arange(50) < 30])

    curve = reliability("law", [(chance, used)])

    assert np.mean(curve.y[:5]) == pytest.approx(0.1)
    assert np.mean(curve.y[5:]) == pytest.approx(0.6)
    assert all(
        low <= y <= high for low, y, high in zip(curve.low, curve.y, curve.high, strict=True)
    )


def test_the_same_seed_gives_the_same_outcome(outcome: Outcome) -> None:
    assert Forecasting().run(Setting(size=300, seed=1, config=EngineConfig())) == outcome

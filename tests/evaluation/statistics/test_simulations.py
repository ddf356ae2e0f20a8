"""What the gate sees and what it does not; `evals/simulations/gate.py` has it at length."""

from __future__ import annotations

import pytest

from engram_lab.evaluation.statistics.comparing import compare
from engram_lab.evaluation.statistics.simulating import SimulatedData, simulated_pair
from engram_lab.evaluation.suite import HEADLINE, GateRules

PAIRS = 200
RULES = GateRules(measures=("recall_any@10", "nDCG@10"))


def groups_that_fail(seed: int, *, loss: float, shared: float = 0.0) -> set[str]:
    a, b = simulated_pair(
        SimulatedData(), seed=seed, noise=0.1, shared=shared, lost={"4": loss} if loss else None
    )
    found = compare(
        a,
        b,
        names=("baseline", "change"),
        measures=RULES.measures,
        apart=("5",),
        alternative="less",
        alpha=RULES.alpha,
        resamples=4_000,
        seed=RULES.seed,
    )
    return {
        each.group
        for each in found.contrasts
        if each.p_adjusted < RULES.alpha
        and each.delta < -(RULES.margin if each.group == HEADLINE else RULES.category_margin)
    }


@pytest.mark.slow
def test_three_points_lost_in_one_category_fail_the_gate() -> None:
    failed = [groups_that_fail(seed, loss=0.03) for seed in range(PAIRS)]
    assert sum(map(bool, failed)) >= 0.9 * PAIRS
    assert sum("4" in each for each in failed) >= 0.9 * PAIRS
    assert not set().union(*failed) - {HEADLINE, "4"}


@pytest.mark.slow
@pytest.mark.parametrize("shared", [0.0, 0.05])
def test_noise_alone_passes_the_gate(shared: float) -> None:
    failed = sum(bool(groups_that_fail(seed, loss=0.0, shared=shared)) for seed in range(PAIRS))
    assert failed <= 0.05 * PAIRS

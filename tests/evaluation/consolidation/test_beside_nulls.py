from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from engram_lab.evaluation.consolidation.contrasts import BesideNull, beside_nulls, verdicts
from engram_lab.evaluation.consolidation.outcome import Observed, Outcome
from engram_lab.evaluation.consolidation.results import frame_of
from engram_lab.evaluation.consolidation.suite import PHASES, kind_of
from tests.evaluation.consolidation.made_up import observed

if TYPE_CHECKING:
    import polars as pl


def _frame(*some: list[Observed]) -> pl.DataFrame:
    return frame_of([Outcome(task="t", observed=tuple(each for one in some for each in one))])


def test_a_system_that_is_better_on_the_same_units_is_told_so() -> None:
    rows = _frame(
        observed("dream", "current@1", share=0.95, seed=1),
        observed("no_dream", "current@1", share=0.3, seed=2),
    )

    (found,) = beside_nulls(rows, ["current@1"], seed=0)

    assert (found.system, found.null, found.n) == ("dream", "no_dream", 60)
    assert found.delta == pytest.approx(found.value - found.null_value)
    assert 0 < found.low <= found.delta <= found.high
    assert found.p < 0.01
    assert found.better


def test_of_a_measure_that_falls_less_is_better() -> None:
    rows = _frame(
        observed("dream", "stale@1", share=0.05, seed=1),
        observed("no_dream", "stale@1", share=0.9, seed=2),
        observed("cosine_latest", "stale@1", share=0.0, seed=2),
    )

    found = {each.null: each for each in beside_nulls(rows, ["stale@1"], seed=0)}

    assert found["no_dream"].delta < 0
    assert found["no_dream"].better
    assert not found["cosine_latest"].better


def test_what_is_the_same_is_not_better() -> None:
    rows = _frame(
        observed("dream", "current@1", share=0.5, seed=1),
        observed("lru", "current@1", share=0.5, seed=1),
    )

    (found,) = beside_nulls(rows, ["current@1"], seed=0)

    assert (found.delta, found.p, found.better) == (0.0, 1.0, False)


def test_systems_that_chose_their_units_are_compared_by_clusters() -> None:
    rows = _frame(
        observed("dream", "merge_precision", share=1.0, seed=1, units=90),
        observed("cosine_90", "merge_precision", share=0.5, seed=2, units=120, first=60),
    )

    (found,) = beside_nulls(rows, ["merge_precision"], seed=0)

    assert found.value == 1.0
    assert found.null_value == pytest.approx(0.5, abs=0.15)
    assert found.low <= found.delta <= found.high
    assert (found.better, found.n) == (True, 90)


def test_p_of_two_that_do_not_differ_is_seldom_small() -> None:
    ps = []
    for seed in range(40):
        rows = _frame(
            observed("dream", "merge_precision", share=0.7, seed=2 * seed, units=90),
            observed("cosine_90", "merge_precision", share=0.7, seed=2 * seed + 1, first=300),
        )
        ps += [each.p for each in beside_nulls(rows, ["merge_precision"], seed=seed)]

    assert np.mean(np.array(ps) < 0.05) <= 0.2
    assert 0.3 < np.mean(ps) < 0.7


def test_ceilings_are_neither_judged_nor_nulls() -> None:
    rows = _frame(
        observed("hebbian", "hebbian_lift", share=0.8, seed=1),
        observed("oracle", "hebbian_lift", share=1.0, seed=2),
        observed("no_edges", "hebbian_lift", share=0.0, seed=2),
    )

    assert [each.null for each in beside_nulls(rows, ["hebbian_lift"], seed=0)] == ["no_edges"]
    assert [kind_of(name) for name in ("oracle", "hebbian", "lru", "of-mine")] == [
        *("ceiling", "proposal", "null", "null")
    ]


def test_fading_must_beat_pruning_alone_too() -> None:
    rows = _frame(
        observed("fade", "retention_auc.prune", share=0.6, seed=1),
        observed("dream", "retention_auc.prune", share=0.6, seed=1),
        observed("lru", "retention_auc.prune", share=0.1, seed=2),
    )

    found = beside_nulls(rows, ["retention_auc.prune"], seed=0)

    assert {(each.system, each.null) for each in found} == {
        *(("fade", "lru"), ("fade", "dream"), ("dream", "lru")),
    }
    judged = {each.phase: each.verdict for each in verdicts(found, [])}
    assert judged["fade"] == "does not"


def _beside(measure: str, *, better: bool, system: str = "dream", null: str = "x") -> BesideNull:
    return BesideNull(
        measure=measure,
        system=system,
        null=null,
        value=1.0,
        null_value=0.0,
        delta=1.0,
        low=0.5,
        high=1.0,
        p=0.001,
        n=10,
        better=better,
    )


def test_a_step_must_beat_every_null_in_every_measure_of_its_own() -> None:
    beaten = [_beside("current@1", better=True), _beside("stale@1", better=True)]
    lost = _beside("stale@1", better=False, null="cosine_latest")

    won = {each.phase: each for each in verdicts(beaten, ["supersede"])}
    less = {each.phase: each for each in verdicts([*beaten, lost], ["supersede"])}

    assert (won["supersede"].verdict, won["supersede"].on) == ("beats", True)
    assert less["supersede"].verdict == "does not"
    assert "no better than cosine_latest" in less["supersede"].said
    assert (won["merge"].verdict, won["merge"].on) == ("not judged", False)
    assert list(won) == [each.name for each in PHASES]


def test_a_step_that_does_harm_does_not_beat_its_nulls() -> None:
    lift = _beside("hebbian_lift", better=True, system="hebbian", null="no_edges")
    harm = _beside("popular_wrong@1", better=False, system="hebbian", null="no_edges")
    (found,) = [each for each in verdicts([lift, harm], []) if each.phase == "hebbian"]
    (well,) = [each for each in verdicts([lift], []) if each.phase == "hebbian"]

    assert (found.verdict, well.verdict) == ("does not", "beats")
    assert found.said == "in popular_wrong@1 (less is better) worse than no_edges"

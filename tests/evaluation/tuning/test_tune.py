"""Tuning: the held-out figure is honest where the best value is not."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

from engram_lab.config import EngineConfig
from engram_lab.core.errors import EvaluationError
from engram_lab.evaluation.tuning.choosing import choose
from engram_lab.evaluation.tuning.folds import make_folds
from engram_lab.evaluation.tuning.search import Searching, search
from engram_lab.evaluation.tuning.space import parse_space, read_space
from engram_lab.evaluation.tuning.trials import Objective, Trials
from engram_lab.evaluation.tuning.tune import EXPLORING, Exploring, Plan, tune

if TYPE_CHECKING:
    from engram_lab.core.progress import Told


SHARE, B = "retrieval.dense_share", "retrieval.bm25_b"

SPACE = parse_space(
    {
        "parameters": [
            {"name": SHARE, "kind": "float", "low": 0, "high": 1},
            {"name": B, "kind": "float", "low": 0, "high": 1},
        ],
    },
    id="square",
)


def queries_of(clusters: int, each: int) -> pl.DataFrame:
    number = clusters * each
    return pl.DataFrame(
        {
            "query_id": [f"q{number:03}" for number in range(number)],
            "category": ["a", "b"] * (number // 2),
            "cluster": [f"c{number % clusters}" for number in range(number)],
        }
    )


QUERIES = queries_of(8, 14)
LEVEL = np.random.default_rng(5).normal(0, 0.1, QUERIES.height)


def hill(settings: Mapping[str, Any]) -> pl.DataFrame:
    away = (settings.get(SHARE, 0.5) - 0.2) ** 2 + (settings.get(B, 0.75) - 0.4) ** 2
    return QUERIES.with_columns(
        pl.Series("m", 0.8 - away + LEVEL), pl.Series("other", 1.0 - away + LEVEL)
    )


def plan(**changes: Any) -> Plan:
    return Plan(**{"space": SPACE, "measure": "m", "trials": 25, "resamples": 999, **changes})


def test_a_better_setting_is_found_and_shown_to_be_better_where_it_was_not_chosen() -> None:
    found = tune(hill, plan())
    assert found.finished
    assert found.warnings == ()
    assert found.best.settings[SHARE] == pytest.approx(0.2, abs=0.15)
    headline = found.comparison.contrasts[0]
    assert (headline.n, headline.wins, headline.losses) == (112, 112, 0)
    assert headline.delta == pytest.approx(found.held_out - found.trials[0].value)
    assert headline.p < 0.05
    assert found.config == EngineConfig.from_dict(
        {
            "retrieval": {
                "dense_share": found.best.settings[SHARE],
                "bm25_b": found.best.settings[B],
            }
        }
    )
    assert len(found.chosen.folds) == 8
    assert set(found.importance) == {SHARE, B}


def test_each_fold_is_judged_by_a_choice_that_was_made_without_it() -> None:
    """By hand: the means of what was tried, without the fold, and the first of the highest."""
    found = tune(hill, plan(trials=12))
    rows = {each.number: hill(each.settings) for each in found.trials}
    for fold in found.chosen.folds:
        inside = pl.col("cluster") == fold.fold
        outside = [
            rows[each]["m"].filter(rows[each].select(~inside)["cluster"]).mean() for each in rows
        ]
        assert fold.trial == int(np.argmax(np.array(outside)))
        assert fold.training == pytest.approx(outside[fold.trial])
        assert fold.held_out == pytest.approx(rows[fold.trial].filter(inside)["m"].mean())
        assert fold.default == pytest.approx(rows[0].filter(inside)["m"].mean())
        chosen = found.chosen.held_out.filter(inside)
        assert chosen.equals(
            rows[fold.trial].filter(inside)
        )  # all measures, not the tuned one alone
    assert found.chosen.held_out["query_id"].equals(QUERIES["query_id"])


def test_where_conversations_want_different_settings_nobody_is_fooled() -> None:
    """Settings that suit one conversation alone are worth nothing for the others."""
    spots = np.linspace(0, 1, 8)

    def spotted(settings: Mapping[str, Any]) -> pl.DataFrame:
        near = np.abs(spots - settings.get(SHARE, 0.5)) < 0.06
        chance = pl.Series("m", np.tile(near.astype(float), 14))
        return QUERIES.with_columns(chance)

    found = tune(spotted, plan(trials=40))
    assert found.best.value >= 1 / 8
    assert found.held_out < found.best.value / 2
    assert any("no evidence for changing anything" in each for each in found.warnings)


def test_a_best_value_at_the_end_of_its_range_is_pointed_at() -> None:
    def falling(settings: Mapping[str, Any]) -> pl.DataFrame:
        return hill({}).with_columns(m=pl.col("m") - settings.get(B, 1.0))

    def warned(low: float) -> tuple[str, ...]:
        parameter = {"name": B, "kind": "float", "low": low, "high": 1, "step": 0.25}
        return tune(falling, plan(space=parse_space({"parameters": [parameter]}, id="b"))).warnings

    assert any("bm25_b is best at 0.25, where its range ends" in each for each in warned(0.25))
    assert warned(0) == ()  # the engine allows no less


def test_nothing_is_changed_for_nothing() -> None:
    found = tune(lambda settings: hill({}), plan(trials=5))
    assert found.best.number == 0
    assert found.config == EngineConfig()
    assert all(each.trial == 0 for each in found.chosen.folds)
    assert found.comparison.contrasts[0].ties == 112


def test_apart_no_study_hears_of_the_fold_that_judges_it() -> None:
    """Values inside a fold may be anything: what is chosen without it stays the same."""

    def forged(settings: Mapping[str, Any]) -> pl.DataFrame:
        share = settings.get(SHARE, 0.5)
        lies = pl.when(pl.col("cluster") == "c3").then(100.0 * share).otherwise(pl.col("m"))
        return hill(settings).with_columns(m=lies)

    def chosen(evaluate: Objective, exploring: Exploring) -> Mapping[str, Any]:
        found = tune(evaluate, plan(trials=14, exploring=exploring))
        return next(each.settings for each in found.chosen.folds if each.fold == "c3")

    assert chosen(hill, "apart") == chosen(forged, "apart")
    assert chosen(hill, "blind") == chosen(forged, "blind")
    assert chosen(hill, "shared") != chosen(forged, "shared")


def test_apart_is_taken_up_where_it_was(tmp_path: Path) -> None:
    how = plan(trials=4, exploring="apart")

    def kept(told: Told) -> None:
        if told.done == 17:
            raise KeyboardInterrupt

    first = tune(hill, how, folder=tmp_path, progress=kept)
    assert not first.finished
    assert len(first.trials) == 17
    second = tune(hill, how, folder=tmp_path)
    assert second.finished
    assert len(second.trials) == 1 + 4 * 9
    assert [each.sampled for each in second.trials] == [
        each.sampled for each in tune(hill, how).trials
    ]
    with pytest.raises(EvaluationError, match="differs in folds"):
        tune(hill, plan(trials=4, exploring="apart", most=2), folder=tmp_path)


def test_categories_that_are_apart_count_neither_in_the_choice_nor_in_the_figure() -> None:
    def divided(settings: Mapping[str, Any]) -> pl.DataFrame:
        lies = pl.when(pl.col("category") == "b").then(settings.get(SHARE, 0.5) * 10)
        return hill(settings).with_columns(m=lies.otherwise(pl.col("m")))

    found = tune(divided, plan(apart=("b",)))
    assert found.best.settings[SHARE] == pytest.approx(0.2, abs=0.2)
    assert found.comparison.contrasts[0].n == 56
    assert sum(each.n for each in found.chosen.folds) == 56


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"trials": 0}, "0 trials"),
        ({"exploring": "alone"}, "shared, blind, apart"),
        ({"measure": "stale@10"}, "is better, and least where nothing is found"),
        ({"measure": "forbidden@10"}, "is better, and least where nothing is found"),
        ({"seed": -1}, "the seed is -1"),
    ],
)
def test_a_plan_that_means_nothing_is_refused(change: dict[str, Any], said: str) -> None:
    with pytest.raises(EvaluationError, match=said):
        plan(**change)
    assert set(EXPLORING) == {"shared", "blind", "apart"}


def estimates(
    exploring: Exploring, objective: Any, *, studies: int, trials: int
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return the best values and the held-out means of searches where nothing can be found."""
    best, held_out = [], []
    for seed in range(studies):
        evaluate = objective(np.random.default_rng(seed))
        kept = Trials(measure="m")
        how = Searching(
            space=SPACE, base=EngineConfig(), trials=trials, seed=seed, blind=exploring == "blind"
        )
        search(evaluate, how, kept)
        chosen = choose(kept, make_folds(kept.queries))
        best.append(chosen.best.value)
        held_out.append(float(chosen.held_out["m"].to_numpy().mean()))
    return np.array(best), np.array(held_out)


def noise(rng: np.random.Generator) -> Objective:
    """Every configuration is worth 0, and every measurement of it is noise."""
    return lambda settings: QUERIES.with_columns(pl.Series("m", rng.normal(0, 1, QUERIES.height)))


def smooth_noise(rng: np.random.Generator) -> Objective:
    """Likewise, but neighbouring settings measure alike: random Fourier features for each query."""
    waves = rng.normal(0, 3, (QUERIES.height, 8, 2))
    phases = rng.uniform(0, 2 * np.pi, (QUERIES.height, 8))

    def evaluate(settings: Mapping[str, Any]) -> pl.DataFrame:
        at = np.array([settings.get(SHARE, 0.5), settings.get(B, 0.75)])
        return QUERIES.with_columns(pl.Series("m", 0.5 * np.cos(waves @ at + phases).sum(1)))

    return evaluate


def z(values: np.ndarray[Any, Any]) -> float:
    return float(values.mean() / (values.std(ddof=1) / np.sqrt(len(values))))


def test_where_all_is_noise_the_best_value_flatters_and_the_held_out_one_does_not() -> None:
    best, held_out = estimates("shared", noise, studies=30, trials=10)
    assert z(best) > 10
    assert best.mean() > 0.1
    assert abs(z(held_out)) < 3


@pytest.mark.slow
def test_blind_is_unbiased_also_where_neighbours_measure_alike_and_shared_nearly_so() -> None:
    best, held_out = estimates("blind", smooth_noise, studies=150, trials=30)
    assert z(best) > 15
    assert abs(z(held_out)) < 3
    best, held_out = estimates("shared", smooth_noise, studies=150, trials=30)
    assert z(best) > 15
    # The proposals have seen all queries: what is left is a trace of what the best value claims.
    assert held_out.mean() < best.mean() / 3


def test_the_spaces_of_the_project_can_be_searched() -> None:
    found = tune(hill, plan(space=read_space("hybrid"), trials=15))
    assert found.finished

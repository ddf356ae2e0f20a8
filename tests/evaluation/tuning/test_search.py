"""The search: a known optimum is found, and an interruption changes nothing."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import optuna
import polars as pl
import pytest

from engram_lab.config import EngineConfig
from engram_lab.core.errors import EvaluationError, IncomparableError
from engram_lab.evaluation.tuning.search import Searching, importance, propose, search
from engram_lab.evaluation.tuning.space import Space, parse_space, read_space
from engram_lab.evaluation.tuning.trials import Trials

if TYPE_CHECKING:
    from engram_lab.core.progress import Told


SHARE, B = "retrieval.dense_share", "retrieval.bm25_b"

SPACE = parse_space(
    {
        "fixed": {"retrieval.strategy": "hybrid"},
        "parameters": [
            {"name": SHARE, "kind": "float", "low": 0, "high": 1},
            {"name": B, "kind": "float", "low": 0, "high": 1},
        ],
    },
    id="square",
)

QUERIES = pl.DataFrame(
    {
        "query_id": [f"q{number}" for number in range(20)],
        "category": ["a", "b"] * 10,
        "cluster": [f"c{number % 4}" for number in range(20)],
    }
)
LEVEL = np.random.default_rng(5).normal(0, 0.05, 20)


def hill(settings: Mapping[str, Any]) -> pl.DataFrame:
    """Highest, at 0.8, where dense_share is 0.3 and bm25_b is 0.4."""
    away = (settings.get(SHARE, 0.5) - 0.3) ** 2 + (settings.get(B, 0.75) - 0.4) ** 2
    return QUERIES.with_columns(pl.Series("m", 0.8 - away + LEVEL - LEVEL.mean()))


def searching(space: Space = SPACE, *, trials: int = 40, seed: int = 0) -> Searching:
    return Searching(space=space, base=EngineConfig(), trials=trials, seed=seed)


def searched(
    evaluate: Callable[[Mapping[str, Any]], pl.DataFrame] = hill,
    how: Searching | None = None,
    **options: Any,
) -> Trials:
    trials = Trials(measure="m", **options)
    assert search(evaluate, how or searching(), trials)
    return trials


def said(trials: Trials) -> list[Any]:
    return [(each.number, each.study, each.sampled, each.value) for each in trials.all]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_known_optimum_is_found(seed: int) -> None:
    best = max(searched(how=searching(trials=60, seed=seed)).all, key=lambda each: each.value)
    assert best.value == pytest.approx(0.8, abs=0.003)
    assert best.settings[SHARE] == pytest.approx(0.3, abs=0.07)
    assert best.settings[B] == pytest.approx(0.4, abs=0.07)


def test_what_was_found_guides_what_is_tried() -> None:
    guided = [each.value for each in searched().all[21:]]
    blind = Searching(space=SPACE, base=EngineConfig(), trials=40, seed=0, blind=True)
    drawn = [each.value for each in searched(how=blind).all[21:]]
    assert np.mean(guided) > np.mean(drawn) + 0.05


def test_the_default_comes_first_and_then_the_space_at_its_values() -> None:
    first, second, third = searched(how=searching(trials=2)).all
    assert (first.study, first.settings, first.sampled) == ("default", {}, {})
    assert second.settings == {"retrieval.strategy": "hybrid", SHARE: 0.5, B: 0.75}
    assert third.sampled != second.sampled


def test_the_same_seed_gives_the_same_search_and_another_one_another() -> None:
    assert said(searched()) == said(searched())
    assert said(searched()) != said(searched(how=searching(seed=1)))


def test_the_same_configuration_is_evaluated_once() -> None:
    asked: list[Any] = []

    def evaluate(settings: Mapping[str, Any]) -> pl.DataFrame:
        asked.append(settings)
        return hill(settings)

    fusions = ["adaptive", "weighted", "rrf"]
    choice = {"name": "retrieval.fusion", "kind": "choice", "choices": fusions}
    depends = {
        "name": "retrieval.normaliser",
        "kind": "choice",
        "choices": ["min-max", "tmm"],
        "when": {"retrieval.fusion": "weighted"},
    }
    space = parse_space({"parameters": [choice, depends]}, id="four")
    trials = searched(evaluate, searching(space, trials=30))
    assert len(trials.all) == 31
    assert len(asked) == 4  # the default is one of them
    assert sum(each.same_as is None for each in trials.all) == 4
    again = next(each for each in trials.all if each.same_as == 0)
    assert trials.frame(again) is trials.frame(trials.all[0])


class _Interrupted:
    def __init__(self, after: int) -> None:
        self.left = after

    def __call__(self, settings: Mapping[str, Any]) -> pl.DataFrame:
        if self.left == 0:
            raise KeyboardInterrupt
        self.left -= 1
        return hill(settings)


@pytest.mark.parametrize("after", [1, 2, 13])
def test_a_search_that_was_interrupted_goes_on_as_if_it_had_not_been(
    tmp_path: Path, after: int
) -> None:
    how = searching(trials=20)
    first = Trials(measure="m", folder=tmp_path)
    assert not search(_Interrupted(after), how, first)
    assert len(first.all) == after
    second = Trials(measure="m", folder=tmp_path)
    assert said(second) == said(first)
    heard: list[Told] = []
    assert search(hill, how, second, progress=heard.append)
    assert [each.done for each in heard if each.note] == [*range(after + 1, 22), 21]
    assert said(second) == said(searched(how=how))
    third = Trials(measure="m", folder=tmp_path)
    assert np.array_equal(third.values(third.all[7]), second.values(second.all[7]))


def test_nothing_found_is_an_interruption_for_the_caller(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        search(_Interrupted(0), searching(), Trials(measure="m", folder=tmp_path))


def test_a_line_that_was_cut_off_is_tried_again(tmp_path: Path) -> None:
    how = searching(trials=6)
    whole = searched(how=how, folder=tmp_path)
    kept = tmp_path / "trials.jsonl"
    kept.write_text(kept.read_text()[:-30])
    again = Trials(measure="m", folder=tmp_path)
    assert len(again.all) == 6
    search(hill, how, again)
    assert said(again) == said(whole)
    assert said(Trials(measure="m", folder=tmp_path)) == said(whole)


def test_a_trial_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    searched(how=searching(trials=3), folder=tmp_path)
    (tmp_path / "values" / "00002.parquet").write_bytes(b"no parquet")
    with pytest.raises(EvaluationError, match="on line 3 a trial that cannot be read"):
        Trials(measure="m", folder=tmp_path)
    kept = tmp_path / "trials.jsonl"
    kept.write_text("".join(kept.read_text().splitlines(keepends=True)[:1]) + '{"number": 1}\n')
    with pytest.raises(EvaluationError, match="on line 2 a trial that cannot be read"):
        Trials(measure="m", folder=tmp_path)


def test_more_trials_go_on_from_those_there_are(tmp_path: Path) -> None:
    searched(how=searching(trials=5), folder=tmp_path)
    more = searched(how=searching(trials=12), folder=tmp_path)
    assert said(more) == said(searched(how=searching(trials=12)))


def test_a_folder_of_another_search_is_refused(tmp_path: Path) -> None:
    searched(how=searching(trials=2), folder=tmp_path, identity={"data": "one", "seed": 3})
    with pytest.raises(EvaluationError, match="differs in data, seed"):
        Trials(measure="m", folder=tmp_path, identity={"data": "two", "seed": 4})
    with pytest.raises(EvaluationError, match="differs in measure"):
        Trials(measure="R@10", folder=tmp_path, identity={"data": "one", "seed": 3})


def test_progress_hears_of_each_trial() -> None:
    heard: list[Told] = []
    trials = Trials(measure="m")
    search(
        hill,
        searching(trials=3),
        trials,
        told=lambda queries: {"half": (queries["cluster"] < "c2").to_numpy()},
        progress=heard.append,
    )
    counts = [(each.done, each.total) for each in heard]
    assert counts == [(0, 4), (1, 4), *((number, 7) for number in range(2, 8)), (7, 7)]
    assert heard[-1].standing == "done"
    best = max(each.value for each in trials.all)
    assert heard[-1].note == f"best {best:.4g}"


def test_a_study_is_told_of_its_queries_alone() -> None:
    """The settings that suit half of the queries are found by the study that is told of them."""

    def divided(settings: Mapping[str, Any]) -> pl.DataFrame:
        share = settings.get(SHARE, 0.5)
        first = pl.col("cluster") < "c2"
        return QUERIES.with_columns(m=pl.when(first).then(1.0 - share).otherwise(share))

    trials = Trials(measure="m")
    search(
        divided,
        searching(trials=40),
        trials,
        told=lambda queries: {"low": (queries["cluster"] < "c2").to_numpy()},
    )
    tried = [each.settings[SHARE] for each in trials.all if each.study == "low"]
    assert np.median(tried[20:]) < 0.2
    assert min(tried) < 0.05
    # before a study was told much, all draw alike, so that these need no evaluation of their own
    assert [each.same_as is not None for each in trials.all[41:51]] == [True] * 10


def test_the_value_is_the_mean_of_what_counts() -> None:
    frame = QUERIES.with_columns(
        m=pl.when(pl.col("query_id") == "q0")
        .then(None)
        .when(pl.col("category") == "b")
        .then(9.0)
        .otherwise(pl.col("query_id").str.slice(1).cast(pl.Float64))
    )
    trials = searched(lambda settings: frame, searching(trials=1), apart=("b",))
    assert trials.all[0].value == np.mean([2, 4, 6, 8, 10, 12, 14, 16, 18])
    assert int(np.isnan(trials.values(trials.all[0])).sum()) == 11


def test_queries_without_a_category_count() -> None:
    frame = hill({}).with_columns(category=pl.lit(None, pl.String))
    assert not np.isnan(Trials(measure="m", apart=("b",)).measured(frame)).any()


def test_an_evaluation_that_says_nothing_is_refused() -> None:
    with pytest.raises(EvaluationError, match="no column 'm'"):
        searched(lambda settings: QUERIES)
    with pytest.raises(EvaluationError, match="no query is scored by m"):
        searched(lambda settings: QUERIES.with_columns(m=pl.lit(None, pl.Float64)))
    with pytest.raises(IncomparableError, match="other queries"):
        searched(lambda settings: hill(settings).reverse() if settings else hill(settings))


def test_the_parameter_that_matters_is_named() -> None:
    def one(settings: Mapping[str, Any]) -> pl.DataFrame:
        return QUERIES.with_columns(m=pl.lit(1.0 - abs(settings.get(SHARE, 0.5) - 0.2)))

    found = importance(SPACE, searched(one).all)
    assert found[SHARE] > 0.8
    assert sum(found.values()) == pytest.approx(1.0)
    assert importance(SPACE, searched(how=searching(trials=5)).all) == {}
    assert importance(SPACE, searched(lambda settings: hill({})).all) == {}


def test_proposals_lie_in_the_space_whatever_its_kinds() -> None:
    space = read_space("hybrid")
    history: list[tuple[Mapping[str, Any], float]] = []
    rng = np.random.default_rng(0)
    for _ in range(25):
        sampled = propose(space, history, seed=0)
        assert all(each.holds(sampled[each.name]) for each in space.parameters)
        EngineConfig.from_dict(
            {"retrieval": {name.partition(".")[2]: value for name, value in sampled.items()}}
        )
        history.append((sampled, float(rng.normal())))
    assert propose(space, history, seed=0) == propose(space, history, seed=0)
    left_out = [*history, (history[0][0], float("nan"))]
    assert all(each.holds(propose(space, left_out, seed=0)[each.name]) for each in space.parameters)


def test_optuna_says_nothing_and_its_loudness_is_as_before(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    before = optuna.logging.get_verbosity()
    with caplog.at_level(logging.DEBUG):
        searched(how=searching(trials=3))
    assert optuna.logging.get_verbosity() == before
    assert not [each for each in caplog.records if each.name.startswith("optuna")]
    assert capsys.readouterr() == ("", "")

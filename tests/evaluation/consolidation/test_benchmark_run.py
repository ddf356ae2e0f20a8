from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import jsonschema
import polars as pl
import pytest

from engram_lab.config import EmbeddingSettings, EngineConfig
from engram_lab.core.errors import ConflictError, EvaluationError, InvalidInputError
from engram_lab.evaluation.consolidation.benchmark import run_benchmark
from engram_lab.evaluation.consolidation.outcome import Observed, Outcome
from engram_lab.evaluation.consolidation.results import frame_of
from engram_lab.evaluation.consolidation.suite import MEASURES, TASKS, tasks_named
from engram_lab.evaluation.gating.baseline import baseline_of
from engram_lab.evaluation.gating.sides import compare_sides, side
from engram_lab.evaluation.measures.parsing import falls
from engram_lab.evaluation.shipped import shipped
from tests.evaluation.consolidation.made_up import UNITS, MadeUp

if TYPE_CHECKING:
    from engram_lab.evaluation.runs.results import RunFolder

BLIND = EngineConfig(embedding=EmbeddingSettings(model="none"))


def _run(out: Path, *, seed: int = 0, task: MadeUp | None = None, fresh: bool = False) -> RunFolder:
    return run_benchmark(
        out=out, size=500, seed=seed, tasks=[task or MadeUp()], config=BLIND, fresh=fresh
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return _run(tmp_path_factory.mktemp("benchmark") / "run")


def test_results_fit_the_schema(folder: RunFolder) -> None:
    schema = json.loads((shipped("schemas") / "results.schema.json").read_bytes())

    jsonschema.validate(folder.results, schema)


def test_each_measure_has_value_interval_and_number(folder: RunFolder) -> None:
    (dream,) = [each for each in folder.results["systems"] if each["name"] == "dream"]
    found = dream["measures"]["retention_auc"]

    assert list(dream["measures"]) == ["retention_auc", "current@1", "stale@1", "survival@30"]
    assert found["ci"][0] < found["mean"] < found["ci"][1]
    assert (found["n"], found["unscored"]) == (UNITS, 0)
    assert dream["categories"]["some"]["retention_auc"] == found


def test_placebos_are_floors_and_have_their_own_measures_alone(folder: RunFolder) -> None:
    (lru,) = [each for each in folder.results["systems"] if each["name"] == "lru"]

    assert lru["floor"]
    assert list(lru["measures"]) == ["retention_auc"]


def test_steps_are_judged_by_what_was_found(folder: RunFolder) -> None:
    phases = {each["phase"]: each["verdict"] for each in folder.results["benchmark"]["phases"]}

    assert phases["supersede"] == "does not"  # current@1 is that of no dream
    assert phases["hebbian"] == "not judged"


def test_every_system_has_a_row_for_every_unit(folder: RunFolder) -> None:
    sizes = folder.per_query.group_by("system").len()["len"].to_list()

    assert sizes == [UNITS] * 3
    assert folder.per_query.filter(system="lru")["stale@1"].null_count() == UNITS
    assert folder.queries.height == UNITS


def test_two_runs_of_one_seed_have_the_same_bytes_but_for_costs(tmp_path: Path) -> None:
    measured = [MadeUp(facts=(("made-up.seconds", s), ("made-up.count", 2.0))) for s in (1.0, 2.0)]
    first, second = (
        _run(tmp_path / name, task=task) for name, task in zip("ab", measured, strict=True)
    )
    for each in (first, second):
        costs = each.results["systems"][0]["costs"]
        assert set(costs) == {"made-up.seconds"}
        costs.clear()

    assert first.results == second.results
    assert _bytes(first, "per_query.parquet") == _bytes(second, "per_query.parquet")
    assert _bytes(first, "record.json") == _bytes(second, "record.json")


def test_no_result_tells_the_time_of_the_day(folder: RunFolder) -> None:
    assert folder.record["began_at"] is None
    assert "store.path" not in folder.record["config"]


def test_another_seed_has_other_data(tmp_path: Path, folder: RunFolder) -> None:
    other = _run(tmp_path / "other", seed=9)

    assert other.record["dataset"]["hash"] != folder.record["dataset"]["hash"]
    assert other.record["id"] != folder.record["id"]


def test_results_of_another_run_are_not_lost(tmp_path: Path) -> None:
    _run(tmp_path)

    with pytest.raises(ConflictError, match="another evaluation"):
        _run(tmp_path, seed=1)
    assert _run(tmp_path, seed=1, fresh=True).record["seed"] == 1


def test_a_run_can_be_compared_and_made_a_baseline(folder: RunFolder) -> None:
    found = compare_sides(
        side(f"{folder.path}:no_dream"), side(f"{folder.path}:dream"), measures=["stale@1"]
    )

    assert found.contrasts[0].falling
    assert found.contrasts[0].p < 0.01
    assert set(baseline_of(folder).systems) == set(folder.systems)


def test_measures_of_which_less_is_better_are_known() -> None:
    said = {name for name, text in MEASURES.items() if "less is better" in text}

    assert {name for name in MEASURES if falls(name)} == said
    assert falls("near_miss_overmerge.date")
    assert falls("stale@1.silent")
    assert not falls("merge_recall.exact")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"size": 199}, "the size is 199: give a whole number of memories from 200 to 100000"),
        ({"size": 100_001}, "the size is 100001"),
        ({"seed": -1}, "the seed is -1: give a whole number from 0"),
        ({"tasks": ["mergin"]}, "there is no task 'mergin' of the benchmark: known are merging, "),
        ({"tasks": ["linking", "linking"]}, "a task is named twice in linking, linking"),
    ],
)
def test_what_means_nothing_is_refused(given: dict[str, object], said: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=said):
        run_benchmark(out=tmp_path / "out", config=BLIND, **given)  # type: ignore[arg-type]
    assert not (tmp_path / "out").exists()


def test_tasks_run_in_their_order_however_they_are_named() -> None:
    assert [each.name for each in tasks_named(["costing", "linking"])] == ["linking", "costing"]


@pytest.mark.parametrize("name", list(TASKS))
def test_every_task_is_called_by_its_name(name: str) -> None:
    assert [each.name for each in tasks_named([name])] == [name]


def test_a_unit_judged_twice_or_of_two_clusters_is_an_error() -> None:
    once = Observed("dream", "b3_f1", "u", "c", 1.0)

    with pytest.raises(EvaluationError, match="given twice"):
        frame_of([Outcome(task="t", observed=(once, once))])
    with pytest.raises(EvaluationError, match="two clusters"):
        frame_of([Outcome(task="t", observed=(once, once._replace(cluster="d", system="lru")))])


def test_units_of_two_tasks_are_kept_apart() -> None:
    same = Observed("dream", "b3_f1", "u", "c", 1.0)

    rows = frame_of([Outcome(task=name, observed=(same,)) for name in ("one", "other")])

    assert rows["query_id"].to_list() == ["one/u", "other/u"]
    assert rows["category"].to_list() == ["one", "other"]
    assert rows.schema["b3_f1"] == pl.Float64


def _bytes(folder: RunFolder, name: str) -> bytes:
    return (folder.path / name).read_bytes()

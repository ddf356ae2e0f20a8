from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from engram_lab.config import EmbeddingSettings, EngineConfig
from engram_lab.evaluation.consolidation.benchmark import run_benchmark
from engram_lab.evaluation.shipped import shipped

if TYPE_CHECKING:
    from tests.cli.conftest import Engram

RUN = ("eval", "run", "consolidation", "--size", "200", "--task", "forecasting", "--no-cache")
BEGUN = "consolidation: 1 of 1: forecasting\nconsolidation: testing each against its nulls\n"
"""What tells somebody who has no terminal how far it is."""


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return what a run leaves, made once."""
    place = tmp_path_factory.mktemp("ran") / "done"
    blind = EngineConfig(embedding=EmbeddingSettings(model="none"))
    run_benchmark(out=place, size=200, tasks=["forecasting"], config=blind)
    return place


@pytest.fixture
def done(engram: Engram, ran: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a run, of which a command would make the same."""
    monkeypatch.setenv("ENGRAM_EMBEDDING_MODEL", "none")
    shutil.copytree(ran, "done")
    return Path("done")


def test_the_suite_is_listed_and_described(engram: Engram) -> None:
    listed = {each["name"]: each for each in engram.json("eval", "list")["suites"]}
    found = engram.json("eval", "show", "consolidation")

    assert listed["consolidation"]["state"] == "makes its own"
    assert "consolidation" in engram("eval", "list")
    assert found["suite"]["measures"][0] == "retention_auc"
    assert "reaccess_log_loss" in found["measures"]
    assert found["size"] == {"least": 200, "most": 100_000}
    assert "linking" in engram("eval", "show", "consolidation")


def test_a_run_prints_the_results_that_it_writes_and_they_are_the_same_each_time(
    engram: Engram, done: Path
) -> None:
    ran = engram.run(*RUN, "--out", "again", "--json")
    printed = ran.json
    schema = json.loads((shipped("schemas") / "results.schema.json").read_bytes())

    assert (ran.code, ran.err) == (0, BEGUN)
    assert printed == json.loads(Path("again/results.json").read_bytes())
    jsonschema.validate(printed, schema)
    assert printed["record"]["command"] == (
        "engram eval run consolidation --size 200 --seed 0 --task forecasting"
    )
    assert printed["record"]["dataset"]["variant"] == {"size": "200", "seed": "0"}
    assert _without_code(printed) == _without_code(json.loads((done / "results.json").read_bytes()))
    rows = (Path(name, "per_query.parquet").read_bytes() for name in ("done", "again"))
    assert next(rows) == next(rows)


def test_the_table_shows_each_figure_beside_its_null(engram: Engram, done: Path) -> None:
    ran = engram.run(*RUN, "--out", "out", "--report", "report.html")
    said = ran.out

    assert (ran.code, ran.err) == (0, BEGUN)
    assert "reaccess_log_loss power" in said
    assert "base_rate" in said
    assert "Not judged: merge, supersede" in said
    assert said.endswith(
        "out holds the values of each unit and the record, the report report.html\n"
    )
    assert "Laws of forgetting" in Path("report.html").read_text(encoding="utf-8")


def test_what_it_wrote_can_be_compared_and_reported(engram: Engram, done: Path) -> None:
    found = engram.json("eval", "compare", "done:base_rate", "done:power")
    engram("eval", "compare", "done:base_rate", "done:power", "--report", "compared.html")

    assert found["contrasts"][0]["falling"]
    assert engram("eval", "report", "done").strip() == "done/report.html"
    assert "done:power" in Path("compared.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("--size", "10"), "the size is 10: give a whole number of memories from 200 to 100000"),
        (("--size", "100001"), "the size is 100001"),
        (("--seed", "-1"), "the seed is -1: give a whole number from 0"),
        (("--task", "mergin"), "there is no task 'mergin' of the benchmark: known are merging"),
        (("--system", "bm25"), "--system means nothing to the suite 'consolidation'"),
        (("--data", "."), "--data means nothing to the suite 'consolidation'"),
        (("--allow-changed",), "--allow-changed means nothing to the suite 'consolidation'"),
    ],
)
def test_what_means_nothing_is_refused(given: tuple[str, ...], said: str, engram: Engram) -> None:
    assert engram.refused("eval", "run", "consolidation", *given).startswith(said)
    assert not Path("runs").exists()


@pytest.mark.parametrize("given", [("--size", "500"), ("--seed", "1"), ("--task", "linking")])
def test_other_suites_take_no_size(given: tuple[str, ...], engram: Engram) -> None:
    said = engram.refused("eval", "run", "tiny", *given)

    assert said.startswith(f"{given[0]} means nothing to the suite 'tiny'")


def _without_code(results: dict[str, Any]) -> dict[str, Any]:
    """Return results without what says of which sources they come."""
    record = {name: each for name, each in results["record"].items() if name not in {"id", "code"}}
    return {**results, "record": record}

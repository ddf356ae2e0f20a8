"""What a researcher does in a notebook, from frames to a report, through the public names alone."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import engram_lab.evaluation
from engram_lab import plots
from engram_lab.core.errors import (
    ConflictError,
    DatasetMissingError,
    InvalidInputError,
    InvalidRunError,
)
from engram_lab.evaluation import (
    Dataset,
    GateRules,
    Run,
    RunFolder,
    Suite,
    SystemSpec,
    baseline_of,
    compare,
    crosswalk,
    judge,
    load_dataset,
    load_system,
    read_results,
    run_suite,
    score,
    write_report,
)

PEOPLE = ("Ada", "Ben", "Cy", "Di", "Edda", "Finn", "Gwen", "Hal")
THINGS = ("violin", "lighthouse", "crane", "ferry", "kettle")


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    pairs = [(who, what) for who in PEOPLE for what in THINGS]
    memories = pl.DataFrame(
        {
            "id": [f"{who}-{what}" for who, what in pairs],
            "content": [f"{who} painted the {what} on a rainy Sunday" for who, what in pairs],
        }
    )
    queries = pl.DataFrame(
        {
            "id": [f"q-{who}-{what}" for who, what in pairs],
            "text": [f"which {what} did {who} paint?" for who, what in pairs],
            "category": [what for _, what in pairs],
            "cluster": [who for who, _ in pairs],
        }
    )
    qrels = pl.DataFrame(
        {"query_id": queries["id"], "memory_id": memories["id"], "relevance": [1] * len(pairs)}
    )
    return Dataset.from_frames(memories=memories, queries=queries, qrels=qrels, id="paintings")


@pytest.fixture(scope="module")
def folder(dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    suite = Suite(id="paintings", measures=("recall_any@5", "RR"), depth=10, resamples=500)
    systems = [load_system("random"), load_system("bm25")]
    out = tmp_path_factory.mktemp("run")
    return run_suite(suite, systems, out=out, dataset=dataset, guards=False)


def test_a_run_gives_a_row_for_each_query_of_each_system(folder: RunFolder) -> None:
    frame = folder.per_query
    assert frame.columns == ["system", "query_id", "category", "cluster", "recall_any@5", "RR"]
    assert frame.height == 2 * len(PEOPLE) * len(THINGS)
    means = dict(frame.group_by("system").agg(pl.col("RR").mean()).iter_rows())
    assert means["bm25"] == 1.0 > means["random"]
    assert read_results(folder.path).per_query.equals(frame)


def test_two_systems_are_compared_by_their_rows_alone(folder: RunFolder) -> None:
    found = compare(folder.of("random"), folder.of("bm25"), measures=folder.measures)
    assert (found.a, found.b, found.clusters) == ("random", "bm25", 8)
    assert {each.group for each in found.contrasts} == {"", *THINGS}
    headline = found.contrasts[0]
    assert headline.gain > 0
    assert headline.p_adjusted < found.alpha
    assert found.moved


def test_a_run_compares_its_systems_and_leaves_out_what_its_suite_keeps_apart(
    dataset: Dataset, folder: RunFolder, tmp_path: Path
) -> None:
    suite = Suite(
        id="paintings", measures=("recall_any@5", "RR"), depth=10, resamples=500, apart=("crane",)
    )
    run = run_suite(
        suite,
        [load_system("random"), load_system("bm25")],
        out=tmp_path,
        dataset=dataset,
        guards=False,
    )
    found = run.compare("random", "bm25", categories=False)
    assert (found.a, found.b) == ("random", "bm25")
    assert [(each.measure, each.n) for each in found.contrasts] == [("recall_any@5", 32)]
    by_hand = compare(
        run.of("random"), run.of("bm25"), measures=["RR"], apart=suite.apart, categories=False
    )
    assert run.compare("random", "bm25", measures=["RR"], categories=False) == by_hand
    assert folder.compare("random", "bm25", measures=["RR"]).contrasts[0].n == 40
    with pytest.raises(InvalidRunError, match="has no system 'bm26'"):
        run.compare("random", "bm26")


def test_figures_come_as_frames_that_plots_draw(folder: RunFolder) -> None:
    means = folder.to_polars()
    assert means.columns[:4] == ["system", "category", "measure", "mean"]
    assert set(means["system"]) == {"random", "bm25"}
    told = {each["name"]: each["measures"] for each in folder.results["systems"]}
    for system, measure, mean in means.select("system", "measure", "mean").iter_rows():
        assert told[system][measure]["mean"] == mean
    assert plots.forest(means, measure="RR").to_dict()
    assert set(folder.to_polars("categories")["category"]) == set(THINGS)
    assert "latency_p50_ms" in set(folder.to_polars("costs")["cost"])
    assert folder.to_polars("curves").is_empty()
    with pytest.raises(InvalidInputError, match="no table 'medians': allowed are means, cat"):
        folder.to_polars("medians")


def test_a_comparison_comes_as_frames_that_plots_draw(folder: RunFolder) -> None:
    found = folder.compare("random", "bm25", measures=["RR"])
    contrasts, moved = found.to_polars(), found.to_polars("moved")
    assert contrasts["delta"].to_list() == [each.delta for each in found.contrasts]
    assert contrasts["mde"].null_count() == sum(math.isnan(each.mde) for each in found.contrasts)
    assert moved["query"].to_list() == [each.query_id for each in found.moved]
    assert (moved["delta"] == moved["after"] - moved["before"]).all()
    assert plots.query_deltas(moved, measure="RR").to_dict()
    with pytest.raises(InvalidInputError, match="no table 'all': allowed are contrasts, moved"):
        found.to_polars("all")


def test_frames_that_do_not_name_their_system_are_a_and_b(folder: RunFolder) -> None:
    one, other = (folder.of(name).drop("system") for name in ("random", "bm25"))
    found = compare(one, other, measures=["RR"])
    assert (found.a, found.b) == ("A", "B")


def test_a_comparison_and_a_gate_make_a_page(folder: RunFolder, tmp_path: Path) -> None:
    found = compare(folder.of("random"), folder.of("bm25"), measures=folder.measures)
    gate = judge(folder, baseline_of(folder), GateRules(measures=("RR",), resamples=500))
    page = write_report(folder, tmp_path / "report.html", comparison=found, gate=gate)
    text = page.read_text(encoding="utf-8")
    assert "bm25 against random</h2>" in text
    assert "which violin did Ada paint?" in text
    assert gate.verdict == "pass"


def test_rankings_of_ones_own_are_scored_without_a_suite(dataset: Dataset) -> None:
    rankings = [
        (query, [("Ada-violin", 2.0), (query.removeprefix("q-"), 1.0)])
        for query in dataset.queries["id"]
        if query != "q-Ada-violin"
    ]
    run = Run.of("mine", rankings)
    values = score(run, dataset.qrels, ["RR", "recall_any@1"])
    assert values.columns == ["query_id", "RR", "recall_any@1"]
    assert values["query_id"].to_list() == dataset.queries["id"].to_list()
    assert values.row(0) == ("q-Ada-violin", 0.0, 0.0)  # which the run does not hold
    assert set(values[1:].select("RR", "recall_any@1").rows()) == {(0.5, 0.0)}
    table = crosswalk(run, dataset, cuts=[5])
    assert table.filter(pl.col("measure") == "recall_any@5")["mean"].item() == 39 / 40


def test_an_engine_with_settings_of_ones_own_is_a_system(
    dataset: Dataset, folder: RunFolder, tmp_path: Path
) -> None:
    suite = Suite(id="paintings", measures=("recall_any@5", "RR"), depth=10, resamples=500)
    flat = SystemSpec(
        name="bm25",
        settings={
            "retrieval": {"strategy": "keyword", "bm25_k1": 0.0},
            "embedding": {"model": "none"},
        },
    )
    run = run_suite(suite, [flat], out=tmp_path, dataset=dataset, guards=False)
    report = judge(run, baseline_of(folder), suite.gate, systems=["bm25"])
    assert suite.gate.measures == ("recall_any@5",)
    assert report.verdict == "pass"
    assert report.systems == ("bm25",)


def test_every_public_name_comes_at_its_first_use() -> None:
    public = engram_lab.evaluation
    assert set(public.__all__) <= set(dir(public))
    lazy = (
        "import sys, engram_lab.evaluation\n"
        "assert not {'polars', 'numpy', 'scipy', 'altair', 'ir_measures'} & set(sys.modules)\n"
        f"from engram_lab.evaluation import {', '.join(public.__all__)}\n"
        "assert not {'scipy', 'altair', 'ir_measures'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", lazy], check=True)
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        public.nothing  # noqa: B018


@pytest.mark.parametrize("systems", ["bm25", load_system("bm25"), ["bm25"]])
def test_a_system_may_be_one_or_a_name_and_a_place_may_be_text(
    tmp_path: Path, dataset: Dataset, systems: Any
) -> None:
    suite = Suite(id="paintings", measures=("R@1",))
    run = run_suite(suite, systems, out=str(tmp_path / "run"), dataset=dataset, guards=False)
    assert (run.path, run.systems) == (tmp_path / "run", ("bm25",))


@pytest.mark.parametrize(
    ("systems", "reason"),
    [("bm52", r"did you mean 'bm25'"), ([7], "a system is a int: give a SystemSpec")],
)
def test_what_is_no_system_is_told_what_would_be(
    tmp_path: Path, dataset: Dataset, systems: Any, reason: str
) -> None:
    with pytest.raises(InvalidInputError, match=reason):
        run_suite(Suite(id="x", measures=("R@1",)), systems, out=tmp_path, dataset=dataset)


def test_another_evaluation_in_the_folder_is_kept_and_both_ways_out_are_named(
    tmp_path: Path, dataset: Dataset
) -> None:
    for measure, fresh in (("R@1", False), ("R@5", True)):
        suite = Suite(id="paintings", measures=(measure,))
        run_suite(suite, "recency", out=tmp_path, dataset=dataset, guards=False, fresh=fresh)
    with pytest.raises(ConflictError, match=r"fresh=True, or --fresh at the command line"):
        run_suite(
            Suite(id="paintings", measures=("R@1",)), "recency", out=tmp_path, dataset=dataset
        )


def test_data_lie_where_a_text_says(tmp_path: Path) -> None:
    found = load_dataset("tiny", place=None)
    with pytest.raises(DatasetMissingError):
        load_dataset("tiny", place=str(tmp_path))
    assert found.queries.height

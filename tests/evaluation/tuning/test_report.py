"""What is written of a search, and that it can be run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from engram_lab.config import EngineConfig, load_config
from engram_lab.evaluation.tuning.plots import folds_plot, slices_plot, write_plots
from engram_lab.evaluation.tuning.report import (
    config_yaml,
    folds_frame,
    slices_frame,
    summary,
    trials_frame,
    write_tuned,
)
from engram_lab.evaluation.tuning.space import parse_space
from engram_lab.evaluation.tuning.tune import Plan, Tuned, tune

SHARE, FUSION, K = "retrieval.dense_share", "retrieval.fusion", "retrieval.rrf_k"

SPACE = parse_space(
    {
        "title": "three",
        "fixed": {"retrieval.strategy": "hybrid"},
        "parameters": [
            {"name": FUSION, "kind": "choice", "choices": ["weighted", "rrf"]},
            {"name": SHARE, "kind": "float", "low": 0, "high": 1, "step": 0.1,
             "when": {FUSION: "weighted"}},
            {"name": K, "kind": "int", "low": 1, "high": 100, "log": True, "when": {FUSION: "rrf"}},
        ],
    },
    id="three",
)  # fmt: skip

QUERIES = pl.DataFrame(
    {
        "query_id": [f"q{number:03}" for number in range(120)],
        "category": [None] * 120,
        "cluster": [f"c{number % 8}" for number in range(120)],
    },
    schema_overrides={"category": pl.String},
)
LEVEL = np.random.default_rng(5).normal(0, 0.1, 120)


def hill(settings: Mapping[str, Any]) -> pl.DataFrame:
    """Best at rrf with k 10."""
    if settings.get(FUSION) == "rrf":
        worth = 0.9 - abs(np.log10(settings[K]) - 1) / 10
    else:
        worth = 0.5 - abs(settings.get(SHARE, 0.5) - 0.7) / 10
    return QUERIES.with_columns(
        pl.Series("nDCG@10", worth + LEVEL), pl.Series("R@10", worth + LEVEL)
    )


BASE = EngineConfig.from_dict({"embedding": {"model": "hashing", "url": "http://${HOST}/v1"}})


@pytest.fixture(scope="module")
def tuned() -> Tuned:
    return tune(hill, Plan(space=SPACE, measure="nDCG@10", trials=25, base=BASE, resamples=999))


def test_trials_have_a_row_each_with_what_they_set(tuned: Tuned) -> None:
    frame = trials_frame(tuned)
    assert frame.columns == [
        "trial", "study", FUSION, SHARE, K, "value", "seconds", "same_as",
    ]  # fmt: skip
    assert frame["trial"].to_list() == list(range(26))
    by_rrf = frame.filter(pl.col(FUSION) == "rrf")
    assert by_rrf[SHARE].null_count() == by_rrf.height > 0
    assert frame.row(0, named=True)[FUSION] is None
    assert frame.filter(pl.col("same_as").is_not_null())["seconds"].max() == 0


def test_slices_tell_numbers_from_choices(tuned: Tuned) -> None:
    frame = slices_frame(tuned)
    assert frame.filter(pl.col("parameter") == FUSION)["number"].null_count() == 25
    assert frame.filter(pl.col("parameter") == K)["choice"].n_unique() == 1
    assert frame.filter(pl.col("parameter") == SHARE)["number"].is_between(0, 1).all()


def test_steps_add_up_to_round_numbers(tuned: Tuned) -> None:
    shares = trials_frame(tuned)[SHARE].drop_nulls()
    assert [round(each, 1) for each in shares] == shares.to_list()


def test_folds_show_what_was_chosen_and_what_it_was_worth(tuned: Tuned) -> None:
    frame = folds_frame(tuned)
    assert frame["fold"].to_list() == [f"c{number}" for number in range(8)]
    assert set(frame[FUSION]) == {"rrf"}
    assert (frame["held_out"] > frame["default"] + 0.2).all()


def test_the_summary_says_which_figure_flatters(tuned: Tuned) -> None:
    said = json.loads(json.dumps(summary(tuned)))
    assert said["best"]["value"] == tuned.best.value
    assert "held_out" in said["best"]["optimistic"]
    assert said["held_out"]["mean"] == pytest.approx(tuned.held_out)
    assert said["held_out"]["default"] == pytest.approx(tuned.trials[0].value)
    assert said["held_out"]["p"] < 0.05
    assert said["search"]["folds"] == "each of 8 clusters left out in turn"
    assert said["space"]["parameters"][1]["when"] == {FUSION: ["weighted"]}
    assert sum(said["importance"].values()) == pytest.approx(1)
    assert len(said["folds"]) == 8


def test_the_configuration_that_is_written_is_the_one_that_was_found(
    tuned: Tuned, tmp_path: Path
) -> None:
    write_tuned(tuned, tmp_path, about={"suite": "mine"})
    loaded = load_config(tmp_path / "config.yaml", environ={})
    assert loaded.config == tuned.config
    assert loaded.config.embedding.url == "http://${HOST}/v1"
    assert loaded.config.retrieval.fusion == "rrf"
    assert loaded.sources["store.path"] == "default"
    assert loaded.sources["retrieval.strategy"] == str(tmp_path / "config.yaml")
    text = (tmp_path / "config.yaml").read_text()
    assert text.startswith("# Tuned for nDCG@10 over the space 'three'.\n")
    assert f"{tuned.held_out:.4f}" in text


def test_what_is_written_can_be_read_as_any_results_are(tuned: Tuned, tmp_path: Path) -> None:
    write_tuned(tuned, tmp_path, about={"suite": "mine"})
    said = json.loads((tmp_path / "tuning.json").read_text())
    assert (said["suite"], said["format"]) == ("mine", 1)
    rows = pl.read_parquet(tmp_path / "per_query.parquet")
    assert rows.columns == ["system", "query_id", "category", "cluster", "nDCG@10", "R@10"]
    assert rows["system"].unique(maintain_order=True).to_list() == ["default", "tuned"]
    of_tuned = rows.filter(pl.col("system") == "tuned")
    assert of_tuned["query_id"].equals(QUERIES["query_id"])
    assert of_tuned["nDCG@10"].to_numpy().mean() == pytest.approx(tuned.held_out)
    assert pl.read_parquet(tmp_path / "trials.parquet").equals(trials_frame(tuned))


def test_a_note_is_a_comment_line_by_line(tuned: Tuned) -> None:
    assert config_yaml(tuned, note="one\n\ntwo").startswith("# one\n#\n# two\n")
    assert not config_yaml(tuned).startswith("#")


def test_the_plots_are_drawn(tuned: Tuned, tmp_path: Path) -> None:
    written = write_plots(tuned, tmp_path)
    assert [each.name for each in written] == ["history.svg", "slices.svg", "folds.svg"]
    texts = [each.read_text() for each in written]
    assert all(text.startswith("<svg") for text in texts)
    assert all(name in texts[1] for name in ("dense_share", "fusion", "rrf_k", "nDCG@10"))
    assert all(f">{fold.fold}<" in texts[2] for fold in tuned.chosen.folds)
    assert write_plots(tuned, tmp_path) == written
    assert [each.read_text() for each in written] == texts


def test_plots_take_what_is_empty() -> None:
    nothing = pl.DataFrame(
        {"fold": ["a"], "held_out": [float("nan")], "default": [0.5]},
    )
    assert folds_plot(nothing, measure="R@10").to_dict()
    one = pl.DataFrame(
        {"parameter": ["x"], "number": [0.5], "choice": [None], "value": [0.5]},
        schema_overrides={"choice": pl.String},
    )
    assert slices_plot(one, measure="R@10").to_dict()

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from rich.console import Console

from engram_lab.config import EmbeddingSettings, EngineConfig
from engram_lab.evaluation.consolidation.benchmark import run_benchmark
from engram_lab.evaluation.consolidation.outcome import Curve
from engram_lab.evaluation.reports.dream_plots import (
    curves_frame,
    curves_plot,
    reliability_plot,
)
from engram_lab.evaluation.reports.dream_tables import benchmark_tables
from engram_lab.evaluation.reports.dreams import verdict_lines
from engram_lab.evaluation.reports.html import write_report
from tests.evaluation.consolidation.made_up import MadeUp

if TYPE_CHECKING:
    from engram_lab.evaluation.runs.results import RunFolder

CURVES = (
    Curve("survival by night", "dream", (1.0, 2.0, 3.0), (1.0, 1.0, 1.0)),
    Curve("survival by night", "random_drop", (1.0, 2.0, 3.0), (0.9, 0.8, 0.7)),
    Curve("reliability", "power", (0.1, 0.9), (0.2, 0.8), (0.1, 0.7), (0.3, 0.9)),
    Curve("one of its own", "dream", (0.0, 5.0), (0.0, 5.0)),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    task = MadeUp(curves=CURVES, facts=(("made-up.full_seconds", 1.5), ("made-up.count", 3.0)))
    config = EngineConfig(embedding=EmbeddingSettings(model="none"))
    out = tmp_path_factory.mktemp("made-up") / "<run>"
    return run_benchmark(out=out, size=500, tasks=[task], config=config)


@pytest.fixture(scope="module")
def page(folder: RunFolder) -> str:
    return write_report(folder, folder.path / "report.html").read_text(encoding="utf-8")


def _console(width: int, results: dict[str, Any]) -> str:
    out = io.StringIO()
    Console(file=out, width=width, color_system=None).print(benchmark_tables(results))
    return out.getvalue()


def test_the_page_has_each_part_and_asks_nothing_of_a_network(page: str) -> None:
    headings = re.findall(r"<h2[^>]*>([^<]+)</h2>", page)

    assert headings == [
        *("Steps of a dream", "Every figure beside its null", "Survival by night", "Reliability"),
        *("One of its own", "All figures", "By category", "Costs and counts", "Record"),
    ]
    assert page.count("<svg") == 3
    assert not re.findall(r"(?:src|href)=\"https?:", page)


def test_the_page_says_which_steps_beat_their_nulls(page: str) -> None:
    assert "Not better than every null: supersede." in page
    assert "On by default all the same, and should not be: supersede." in page
    assert "in current@1 no better than no_dream" in page


def test_the_page_shows_a_figure_beside_its_null(page: str) -> None:
    text = re.sub(r"<[^>]+>", " ", page)

    assert re.search(r"retention_auc\s+dream\s+lru\s+0\.\d{3}\s+0\.\d{3}\s+\+0\.\d{3}", text)


def test_the_same_run_gives_the_same_page(folder: RunFolder, page: str) -> None:
    again = write_report(folder, folder.path / "again.html").read_text(encoding="utf-8")

    assert again == page


@pytest.mark.parametrize("width", [60, 80, 200])
def test_the_terminal_shows_all_of_it_within_its_width(width: int, folder: RunFolder) -> None:
    said = _console(width, folder.results)

    assert max(map(len, said.splitlines())) <= width
    for word in (
        "retention_auc dream",
        "lru",
        "survival@30 dream",
        "made-up.full_seconds",
        "1.50 s",
    ):
        assert word in said
    assert "supersede" in said


def test_verdicts_are_told_in_sentences() -> None:
    phases = [
        {"phase": "merge", "verdict": "beats", "on": True},
        {"phase": "fade", "verdict": "does not", "on": False},
        {"phase": "prune", "verdict": "not judged", "on": False},
    ]

    assert list(verdict_lines(phases)) == [
        *("Better than every null: merge.", "Not better than every null: fade."),
        "Not judged: prune.",
    ]


def test_a_curve_without_a_band_has_none() -> None:
    frame = curves_frame([each._asdict() for each in CURVES], frozenset({"random_drop"}))
    flat = frame.filter(pl.col("plot") == "survival by night")

    assert flat["low"].to_list() == flat["high"].to_list() == flat["y"].to_list()
    assert frame.filter("floor")["system"].unique().to_list() == ["random_drop"]
    assert frame.filter(pl.col("plot") == "reliability")["high"].to_list() == [0.3, 0.9]


@pytest.mark.parametrize("plot", ["survival by night", "reliability"])
def test_plots_are_what_their_grammar_allows(plot: str) -> None:
    frame = curves_frame([each._asdict() for each in CURVES], frozenset())
    some = frame.filter(pl.col("plot") == plot)
    chart = (
        reliability_plot(some) if plot == "reliability" else curves_plot(some, x="night", y="found")
    )

    assert json.loads(json.dumps(chart.to_dict()))["config"]["font"].startswith("Liberation Sans")


def test_a_run_of_nothing_but_costs_has_a_page(tmp_path: Path) -> None:
    from engram_lab.evaluation.consolidation.outcome import Outcome, Setting

    class Costs:
        name = "costs"

        def run(self, setting: Setting) -> Outcome:
            del setting
            return Outcome(task="costs", facts=(("costs.full_seconds", 2.0),))

    config = EngineConfig(embedding=EmbeddingSettings(model="none"))
    folder = run_benchmark(out=tmp_path, size=500, tasks=[Costs()], config=config)
    page = write_report(folder, tmp_path / "report.html").read_text(encoding="utf-8")

    assert "full seconds" in page
    assert "costs.full_seconds" in _console(80, folder.results)

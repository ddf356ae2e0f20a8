"""What a noun shows of itself at a prompt: one short line, whatever it holds."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab import Dataset, Engine, EngineConfig, Hit, Run, load_config
from engram_lab.config import EmbeddingSettings, RetrievalSettings, ServerConfig
from engram_lab.core.brief import MOST_CHARS, brief, counted, placed, quoted
from engram_lab.core.reports import RememberReport
from engram_lab.engine.whole_graph import MemoryClusters
from engram_lab.evaluation import RunFolder, Suite, baseline_of, judge, run_suite
from engram_lab.retrieval.hits import Explanation

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def engine() -> Engine:
    return Engine.open(":memory:")


@given(st.text(max_size=400), st.integers(1, 60))
def test_a_text_is_quoted_on_one_line_and_says_where_it_was_cut(text: str, most: int) -> None:
    said = quoted(text, most=most + 1)
    assert "\n" not in said
    if len(text) <= most and text == " ".join(text.split()):
        assert said == repr(text)
    assert len(" ".join(text[: 4 * most].split())) <= most + 1 or "…" in said


@given(st.lists(st.text(max_size=80), max_size=6))
def test_a_repr_is_never_longer_than_it_may_be(parts: list[str]) -> None:
    said = brief(RememberReport(ids=()), *parts)
    assert len(said) <= MOST_CHARS
    assert said.startswith("RememberReport(")
    assert said.endswith(")")


@given(st.text(max_size=200))
def test_of_a_long_path_the_end_is_shown(path: str) -> None:
    said = placed(path, most=30)
    assert said == repr(path if len(path) <= 30 else f"…{path[-29:]}")


def test_counts_are_told_in_words() -> None:
    said = (counted(1, "memory", "memories"), counted(5000, "row"))
    assert said == ("1 memory", "5,000 rows")


def test_a_memory_shows_its_id_and_the_beginning_of_its_text(engine: Engine) -> None:
    memory = engine.remember("Tea is served at four,\n" + "as it ever was. " * 500, type="fact")
    assert repr(memory) == (
        f"Memory('{memory.id}', 'Tea is served at four, as it ever …', type='fact')"
    )
    assert memory == replace(memory)
    assert memory != replace(memory, pinned=True)


def test_a_hit_a_page_and_a_neighbour_are_one_line_each(engine: Engine) -> None:
    one, other = engine.remember("a kettle"), engine.remember("a boat")
    engine.link(one.id, other.id, type="blocks", weight=0.25)
    hit = Hit(rank=2, score=1 / 3, memory=one, explanation=Explanation(arms=()))
    assert repr(hit) == f"Hit(#2: 0.3333, '{one.id}', 'a kettle')"
    assert repr(engine.select()) == "Page(2 memories, the last)"
    assert repr(engine.select(limit=1)).startswith("Page(1 memory, next_cursor='")
    [neighbour] = engine.neighbours(one.id)
    assert repr(neighbour) == f"Neighbour(depth=1, weight=0.25, 'blocks', '{other.id}', 'a boat')"
    [path] = engine.paths(one.id, other.id)
    assert repr(path) == "LinkPath(weight=0.25, 'a kettle' → 'a boat')"
    assert repr(engine.clusters()).startswith("MemoryClusters(modularity=")
    assert repr(MemoryClusters(members=(("a",) * 900,), modularity=math.nan)).endswith("900)")


def test_a_report_of_many_rows_says_how_many_of_each(engine: Engine) -> None:
    rows = [{"content": f"note {n}"} for n in range(3000)]
    report = engine.remember_many([*rows, {"content": ""}], keep_going=True)
    assert repr(report) == "RememberReport(3,000 new, 1 refused)"
    assert repr(RememberReport(ids=())) == "RememberReport(nothing)"
    purged = engine.purge(report.ids[:2])
    assert repr(purged) == f"PurgeReport(2 memories purged, erased={purged.erased})"


def test_an_import_says_what_became_of_the_rows(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "own.jsonl").write_text('{"content": "a"}\n{"content": ""}\n', encoding="utf-8")
    report = engine.import_(tmp_path / "own.jsonl", keep_going=True)
    assert repr(report) == "ImportReport(1 refused, 1 memories)"


def test_a_configuration_shows_what_differs_from_the_defaults_and_no_secret(
    tmp_path: Path,
) -> None:
    assert repr(EngineConfig()) == "EngineConfig()"
    assert repr(ServerConfig()) == "ServerConfig()"
    config = EngineConfig(
        retrieval=RetrievalSettings(k=3), embedding=EmbeddingSettings(api_key="hush")
    )
    assert repr(config) == "EngineConfig(embedding.api_key='***', retrieval.k=3)"
    assert config == EngineConfig.from_dict(config.to_dict())
    (tmp_path / "own.yaml").write_text("retrieval: {k: 3}\n", encoding="utf-8")
    loaded = load_config(tmp_path / "own.yaml", environ={})
    assert repr(loaded).startswith("LoadedConfig(retrieval.k by ")
    assert repr(load_config(environ={"HOME": str(tmp_path)})) == "LoadedConfig()"


def test_what_is_evaluated_shows_what_and_how_much(tmp_path: Path) -> None:
    words = ("tea", "boats", "kettles", "cranes")
    data = Dataset.from_frames(
        memories=pl.DataFrame({"id": words, "content": words}),
        queries=pl.DataFrame({"id": [f"q-{each}" for each in words], "text": words}),
        qrels=pl.DataFrame(
            {
                "query_id": [f"q-{each}" for each in words],
                "memory_id": words,
                "relevance": [1] * len(words),
            }
        ),
        id="things",
    )
    assert repr(data) == "Dataset('things', 4 memories, 4 queries, 4 judgements)"
    suite = Suite(id="things", measures=("R@1",))
    run = run_suite(suite, ["random", "bm25"], out=tmp_path / "run", dataset=data, guards=False)
    assert repr(run).endswith("run', things: random, bm25)")
    assert repr(RunFolder(tmp_path)).endswith(", no results)")
    assert repr(run.run("bm25")) == "Run('bm25', 4 queries, 4 hits)"
    assert repr(Run.of("none", [])) == "Run('none', 0 queries, 0 hits)"
    assert repr(run.compare("random", "bm25")).startswith("Comparison(random → bm25, R@1 +")
    baseline = baseline_of(run)
    assert repr(baseline) == "Baseline('things', 4 queries, random, bm25)"
    report = judge(run, baseline, suite.gate)
    assert repr(report).startswith(f"GateReport({report.verdict}, 0 of ")

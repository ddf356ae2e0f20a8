"""The page: it holds everything, runs nothing, loads nothing, and can be heard as well as seen."""

from __future__ import annotations

import html
import re
import sys
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.evaluation.reports.evidence import evidence_of
from engram_lab.evaluation.reports.html import write_report
from engram_lab.evaluation.reports.page import Head, Markup, element, join, table
from engram_lab.evaluation.runs.results import RunFolder

if TYPE_CHECKING:
    from pathlib import Path

    from engram_lab.evaluation.gating.verdict import GateReport
    from engram_lab.evaluation.statistics.contrast import Comparison

VOID = {"meta", "br", "hr", "img", "link"}


class Reader(HTMLParser):
    """Reads a page: tags are closed in order, and counted."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str, str | None]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(tag, name, value) for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.text.append(data)

    def all_of(self, name: str) -> list[str]:
        return [value or "" for _, each, value in self.attributes if each == name]


def read(text: str) -> Reader:
    reader = Reader()
    reader.feed(text)
    reader.close()
    assert reader.open == []
    return reader


@pytest.fixture(scope="module")
def page(
    run_folder: RunFolder,
    comparison: Comparison,
    gate: GateReport,
    tmp_path_factory: pytest.TempPathFactory,
) -> str:
    target = tmp_path_factory.mktemp("page") / "report.html"
    assert write_report(run_folder, target, comparison=comparison, gate=gate) == target
    return target.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def reader(page: str) -> Reader:
    return read(page)


def test_the_page_loads_nothing_and_runs_nothing(page: str, reader: Reader) -> None:
    assert set(reader.tags) & {"script", "link", "img", "iframe", "object", "base", "form"} == set()
    assert not [name for _, name, _ in reader.attributes if name.startswith("on")]
    assert all(each.startswith("#") for each in reader.all_of("href") + reader.all_of("xlink:href"))
    assert "@import" not in page
    assert set(re.findall(r"url\(([^)]*)\)", page)) <= {f"#{each}" for each in reader.all_of("id")}
    assert set(re.findall(r"https?://[^\"'\s<)]+", page)) <= {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }


def test_texts_of_others_are_shown_and_not_run(
    run_folder: RunFolder, comparison: Comparison, tmp_path: Path
) -> None:
    assert "<script>" in run_folder.queries["text"][0]
    moved = replace(comparison.moved[0], query_id="q000", category="<img src=x onerror=alert(1)>")
    path = write_report(
        run_folder, tmp_path / "r.html", comparison=replace(comparison, moved=(moved,), b="dense")
    )
    reader = read(path.read_text(encoding="utf-8"))
    assert reader.tags["script"] == reader.tags["img"] == 0
    assert run_folder.queries["text"][0] in "".join(reader.text)
    assert "<img src=x onerror=alert(1)>" in "".join(reader.text)


def test_everything_can_be_reached_by_headings_and_links(reader: Reader) -> None:
    ids = reader.all_of("id")
    assert len(ids) == len(set(ids))
    assert {each.removeprefix("#") for each in reader.all_of("href")} <= set(ids)
    assert set(reader.all_of("aria-labelledby")) <= set(ids)
    assert reader.tags["h1"] == reader.tags["main"] == 1
    assert [value for tag, name, value in reader.attributes if (tag, name) == ("html", "lang")] == [
        "en"
    ]


def test_tables_have_captions_and_heads_and_plots_have_names(reader: Reader) -> None:
    assert reader.tags["table"] == reader.tags["caption"] == reader.tags["thead"] > 5
    scopes = [value for tag, name, value in reader.attributes if (tag, name) == ("th", "scope")]
    assert len(scopes) == reader.tags["th"]
    named = [
        value for tag, name, value in reader.attributes if (tag, name) == ("svg", "aria-label")
    ]
    assert len(named) == reader.tags["svg"] == reader.tags["figcaption"] == 5
    assert len(set(named)) == 5


def test_the_verdict_and_what_led_to_it_come_first(page: str, gate: GateReport) -> None:
    assert re.search(r"<h1>Conversations that never were<span[^>]*>REGRESSION</span></h1>", page)
    body = page[page.index("<main>") :]
    assert body.index("Gate</h2>") < body.index("Results</h2>") < body.index("Record</h2>")
    order = [body.index(f">{word}</span>") for word in ("fail", "not judged", "pass")]
    assert order == sorted(order)
    for each in gate.checks:
        assert html.escape(each.said) in body


def test_a_gate_shows_the_comparison_of_what_failed_first(
    run_folder: RunFolder, comparison: Comparison, gate: GateReport, tmp_path: Path
) -> None:
    passed = replace(comparison, b="rrf", moved=())
    both = replace(gate, comparisons={"rrf": passed, "dense": comparison})
    text = write_report(run_folder, tmp_path / "r.html", gate=both).read_text("utf-8")
    assert re.findall(r">(\w+ against \w+)</h2>", text) == [
        "dense against weighted",
        "rrf against weighted",
    ]


def test_what_could_not_be_compared_and_what_could_not_fail_come_before_all_checks(
    run_folder: RunFolder, comparison: Comparison, gate: GateReport, tmp_path: Path
) -> None:
    blind = replace(comparison, blind=True, warnings=("600 tests share <0.05>",))
    told = replace(gate, comparisons={"dense": blind}, incomparable={"rrf": "other <data>"})
    text = write_report(run_folder, tmp_path / "new" / "r.html", gate=told).read_text("utf-8")
    body = text[text.index("Gate</h2>") :]
    for said in (
        "<p><b>rrf</b> could not be compared: other &lt;data&gt;.</p>",
        "<p><b>dense</b>: 600 tests share &lt;0.05&gt;.</p>",
    ):
        assert 0 < body.index(said) < body.index("<table")


def test_the_baseline_says_where_it_came_from(
    run_folder: RunFolder, gate: GateReport, tmp_path: Path
) -> None:
    baseline = {"suite": "made-up", "updated": {"reason": "a <better> key"}, "systems": {"a": {}}}
    told = replace(gate, baseline=baseline)
    text = write_report(run_folder, tmp_path / "r.html", gate=told).read_text("utf-8")
    assert "<dt>reason</dt><dd><code>a &lt;better&gt; key</code></dd>" in text


def test_every_figure_is_there_with_its_interval(page: str, run_folder: RunFolder) -> None:
    results = page[page.index('<section id="results"') : page.index('<section id="categories"')]
    for system in run_folder.results["systems"]:
        for found in system["measures"].values():
            low, high = found["ci"]
            assert re.search(rf">{found['mean']:.3f}.*?\[{low:.3f}, {high:.3f}\]", results)


def test_the_best_of_each_measure_is_bold_and_floors_are_quiet(
    page: str, run_folder: RunFolder
) -> None:
    results = page[page.index('<section id="results"') : page.index('<section id="categories"')]
    best = re.findall(r'<td class="n best">([\d.]+)', results)
    assert sorted(best) == sorted(
        f"{max(system['measures'][each]['mean'] for system in run_folder.results['systems']):.3f}"
        for each in run_folder.measures
    )
    assert re.findall(r'<tr class="floor"><th scope="row">(\w+)', results) == ["random", "recency"]


def test_more_columns_than_a_page_is_wide_go_below_each_other(tmp_path: Path) -> None:
    found = {"mean": 0.5, "ci": [0.25, 0.75], "n": 2, "unscored": 0}
    measures = {f"R@{k}": found for k in range(1, 17)}
    folder = made(tmp_path, [{"name": "one", "measures": measures}])
    text = write_report(folder, tmp_path / "r.html").read_text("utf-8")
    results = text[text.index('<section id="results"') : text.index("<figure")]
    heads = [re.findall(r'class="n">(R@\d+)', each) for each in results.split("<thead>")[1:]]
    assert [len(each) for each in heads] == [6, 6, 4]
    assert [name for each in heads for name in each] == list(measures)
    assert results.count("Measures, continued</caption>") == 2


def test_where_all_systems_are_alike_none_is_best(tmp_path: Path) -> None:
    systems = [
        {"name": name, "measures": {"RR": {"mean": 1.0, "ci": [None, None]}}, "floor": False}
        for name in ("one", "two")
    ]
    folder = made(tmp_path, systems)
    folder.__dict__["per_query"] = pl.concat(
        folder.per_query.with_columns(system=pl.lit(each["name"]), RR=1.0) for each in systems
    )
    text = write_report(folder, tmp_path / "r.html").read_text("utf-8")
    assert 'class="n best"' not in text


def test_the_summary_says_who_is_told_apart(page: str) -> None:
    lead = re.search(r'<p class="lead">(7 systems.*?)</p>', page)
    assert lead
    assert "7 systems on 300 queries in 10 clusters. Best in recall_any@10: " in lead[1]
    assert re.search(r"Significantly below \w+: .*dense", lead[1])


def test_marks_are_against_the_chosen_system(run_folder: RunFolder, tmp_path: Path) -> None:
    path = write_report(run_folder, tmp_path / "r.html", reference="dense")
    text = path.read_text(encoding="utf-8")
    assert "differs from dense" in text
    assert 'aria-label="above dense, p = ' in text
    assert "above weighted" not in text


def test_moved_queries_come_with_evidence_and_what_came_instead(
    page: str, run_folder: RunFolder, comparison: Comparison
) -> None:
    first = comparison.moved[0]
    card = page[page.index("<article") : page.index("</article>")]
    assert f"{first.query_id} · " in card
    assert "recall_any@10 1.000 → 0.000" in card
    wanted = run_folder.qrels.filter(pl.col("query_id") == first.query_id)["memory_id"].to_list()
    hits = run_folder.run("dense").hits.filter(pl.col("query_id") == first.query_id)
    evidence, came = card.split("First found by dense")
    assert re.findall(r"<b>(m\d+)</b>", evidence) == wanted
    assert re.findall(r"<b>(m\d+)</b>", came) == hits["memory_id"].head(3).to_list()
    assert run_folder.memories is not None
    content = run_folder.memories.filter(pl.col("memory_id") == wanted[0])["content"][0]
    assert content[:60] in evidence
    before = run_folder.run("weighted").hits.filter(
        pl.col("query_id") == first.query_id, pl.col("memory_id").is_in(wanted)
    )
    ranks = before["rank"].to_list()
    assert f"with weighted: rank {min(ranks)}" in evidence


def test_newly_failed_queries_come_before_all_others(page: str, comparison: Comparison) -> None:
    failed = sum(each.newly_failed for each in comparison.moved)
    rest = len(comparison.moved) - failed
    place = page.index(f"Newly failed: {failed} queries")
    assert place < page.index(f"Moved otherwise: {rest} queries")
    assert page.count("<article") == len(comparison.moved)


def test_more_moved_queries_than_a_page_bears_are_counted(
    run_folder: RunFolder, comparison: Comparison, tmp_path: Path
) -> None:
    many = replace(comparison, moved=comparison.moved * 3)
    text = write_report(run_folder, tmp_path / "r.html", comparison=many).read_text("utf-8")
    assert text.count("<article") == 200
    assert f"{len(many.moved) - 200} more queries moved" in text


def test_the_other_system_is_believed_only_with_the_values_that_were_compared(
    run_folder: RunFolder, comparison: Comparison
) -> None:
    assert evidence_of(run_folder, comparison).before is not None
    place = run_folder.path.name
    named = replace(comparison, a=f"{place}:weighted", b=f"{place}:dense")
    assert evidence_of(run_folder, named).before is not None
    assert evidence_of(run_folder, named).ranks
    for other in ("baseline", f"{place}:rrf", "elsewhere:weighted", "rrf"):
        assert evidence_of(run_folder, replace(comparison, a=other)).before is None


def test_a_run_without_texts_is_reported_by_ids(
    run_folder: RunFolder, comparison: Comparison, tmp_path: Path
) -> None:
    bare = RunFolder(run_folder.path)
    bare.__dict__["memories"] = None
    text = write_report(bare, tmp_path / "r.html", comparison=comparison).read_text("utf-8")
    card = text[text.index("<article") : text.index("</article>")]
    assert re.search(r"<li><b>m\d+</b> <span", card)


def test_costs_guards_and_what_was_skipped_are_there(page: str) -> None:
    assert re.search(r"latency p50</th>.*write to readable</th>", page, re.DOTALL)
    assert "0.410 ms" in page
    assert "1,948 B" in page
    assert "two runs are byte-identical" in page
    assert "bm25, dense, rrf" in page  # one row for all of which the same is said
    assert "the model &lt;MiniLM&gt; is not on this machine" in page


def test_the_record_says_how_to_do_it_again(page: str, run_folder: RunFolder) -> None:
    record = page[page.index('<section id="record"') :]
    for said in (
        "engram eval run made-up --system bm25 --out results",
        "9f2c" * 16,
        "ee12558",
        "A processor with 2 cores",
        "openblas 0.3.29",
        "polars 2.1.0",
        "made-up unit turn",
    ):
        assert said in record
    for system in run_folder.results["systems"]:
        assert system["spec"]["config_hash"] in record


def test_a_page_is_the_same_bytes_each_time(
    page: str, run_folder: RunFolder, comparison: Comparison, gate: GateReport, tmp_path: Path
) -> None:
    path = write_report(run_folder, tmp_path / "r.html", comparison=comparison, gate=gate)
    assert path.read_text(encoding="utf-8") == page
    assert b"\r" not in path.read_bytes()


def test_without_plots_the_figures_are_there_and_the_reason_is_said(
    run_folder: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "altair", None)
    text = write_report(run_folder, tmp_path / "r.html").read_text("utf-8")
    assert "<svg" not in text
    assert "Without plots: " in text
    assert "recall_any@10" in text


def made(tmp_path: Path, systems: list[dict[str, Any]]) -> RunFolder:
    """Return a run of two queries with nothing more than what must be there."""
    empty = {"suite": "bare", "record": {}, "systems": systems}
    folder = RunFolder(tmp_path)
    folder.__dict__["results"] = empty
    folder.__dict__["queries"] = pl.DataFrame(
        {
            "query_id": ["a", "b"],
            "text": ["?", "?"],
            "category": [None, None],
            "cluster": [None, None],
        }
    )
    folder.__dict__["per_query"] = pl.DataFrame(
        {"system": ["one"], "query_id": ["a"], "category": [None], "cluster": [None], "RR": [None]},
        schema_overrides={"RR": pl.Float64},
    )
    return folder


def test_a_run_of_nothing_makes_a_page(tmp_path: Path) -> None:
    text = write_report(made(tmp_path, []), tmp_path / "r.html").read_text("utf-8")
    assert "0 systems on 2 queries." in text
    read(text)


def test_a_system_without_any_value_makes_a_page(tmp_path: Path) -> None:
    values = {"RR": {"mean": None, "ci": [None, None], "n": 0, "unscored": 2}}
    system = {"name": "one", "measures": values, "categories": {"c": values}, "costs": {}}
    text = write_report(made(tmp_path, [system]), tmp_path / "r.html").read_text("utf-8")
    assert "RR: over 0 queries; 2 have no value" in text
    assert "<svg" not in text
    read(text)


DANGEROUS = st.text(st.sampled_from("<>&\"'a =/;#x")) | st.text()


@given(DANGEROUS, DANGEROUS)
def test_whatever_is_no_markup_is_escaped(text: str, value: str) -> None:
    made = element("p", text, title=value or None)
    reader = read(made.replace("\r", " "))
    assert dict(reader.tags) == {"p": 1}
    assert [name for _, name, _ in reader.attributes] == ["title"] * bool(value)
    assert "".join(reader.text) == text.replace("\r", " ")
    assert reader.all_of("title") == [value.replace("\r", " ")] * bool(value)
    assert join([Markup("<b>"), text]).startswith("<b>")


def test_a_row_as_long_as_its_heads_is_demanded() -> None:
    with pytest.raises(ValueError, match="zip"):
        table("caption", [Head(name="one"), Head(name="two")], [["only one"]])

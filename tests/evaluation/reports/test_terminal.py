"""What people read on a terminal: it fits, it says which is best, and nothing in it steers them."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from engram_lab.evaluation.gating.verdict import GateCheck, GateReport
from engram_lab.evaluation.reports.fitting import Cell, Column, blocks, one_line, plain
from engram_lab.evaluation.reports.terminal import (
    categories_table,
    comparison_table,
    gate_table,
    results_table,
)

if TYPE_CHECKING:
    from engram_lab.evaluation.runs.results import RunFolder
    from engram_lab.evaluation.statistics.contrast import Comparison


def printed(what: Any, *, width: int = 100, encoding: str = "utf-8", styled: bool = False) -> str:
    """Return what a console of some width shows."""
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding, write_through=True, newline="")
    console = Console(
        file=stream,
        width=width,
        force_terminal=styled,
        color_system="standard" if styled else None,
        legacy_windows=False,
        emoji=False,
        markup=False,
        highlight=False,
        _environ={},
    )
    console.print(what)
    stream.seek(0)
    return stream.read()


def lines(text: str, word: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith(word)]


@pytest.mark.parametrize("width", [60, 80, 100, 120, 160])
def test_every_report_fits_the_terminal(
    run_folder: RunFolder, comparison: Comparison, gate: GateReport, width: int
) -> None:
    for report in (
        results_table(run_folder.results),
        categories_table(run_folder.results, "nDCG@10"),
        comparison_table(comparison, queries=run_folder.queries),
        gate_table(gate, queries=run_folder.queries),
    ):
        text = printed(report, width=width)
        assert max(map(len, text.splitlines())) <= width
        # Cut short would be worse than too wide.
        assert "…" not in text.replace("… and", "")


def test_every_measure_of_every_system_is_shown_in_any_width(run_folder: RunFolder) -> None:
    means = [
        f"{found['mean']:.3f}"
        for system in run_folder.results["systems"]
        for found in system["measures"].values()
    ]
    for width in (60, 80, 120, 160):
        text = printed(results_table(run_folder.results), width=width)
        assert sorted(means) == sorted(
            word for word in text.split() if len(word) == 5 and word[1:2] == "." and word in means
        )


def test_an_interval_is_written_out_where_there_is_room(run_folder: RunFolder) -> None:
    found = run_folder.results["systems"][2]["measures"]["recall_any@10"]
    mean, (low, high) = found["mean"], found["ci"]
    wide = printed(results_table(run_folder.results), width=160)
    assert f"{mean:.3f} [{low:.3f}, {high:.3f}]" in wide
    narrow = printed(results_table(run_folder.results), width=80)
    assert f"{mean:.3f} ±{(high - low) / 2:.3f}" in narrow
    assert "[" not in lines(narrow, "bm25")[0]


def test_the_best_is_bold_and_floors_are_dim(run_folder: RunFolder) -> None:
    text = printed(results_table(run_folder.results, measures=["RR"]), styled=True)
    best = max(
        run_folder.results["systems"], key=lambda each: float(each["measures"]["RR"]["mean"])
    )
    bold = [line for line in text.splitlines() if "\x1b[1m0." in line]
    assert [line.split()[0] for line in bold] == [best["name"]]
    dim = [line.split()[0] for line in text.splitlines() if line.startswith("\x1b[2mr")]
    assert dim == ["\x1b[2mrandom", "\x1b[2mrecency"]


def test_of_a_measure_that_should_be_small_the_smallest_is_best() -> None:
    systems = [
        {
            "name": name,
            "measures": {"stale@10": {"mean": mean, "ci": [0, 1], "n": 9, "unscored": 0}},
        }
        for name, mean in (("one", 0.5), ("two", 0.25))
    ]
    text = printed(results_table({"suite": "s", "record": {}, "systems": systems}), styled=True)
    (bold,) = [line for line in text.splitlines() if "\x1b[1m0." in line]
    assert bold.startswith("two")


def test_a_system_that_differs_is_marked_and_the_mark_explained(run_folder: RunFolder) -> None:
    differences = pl.DataFrame(
        {
            "system": ["dense", "rrf"],
            "reference": ["weighted", "weighted"],
            "measure": ["RR", "RR"],
            "delta": [-0.2, 0.1],
            "alpha": [0.05, 0.05],
            "differs": [True, False],
        }
    )
    text = printed(results_table(run_folder.results, differences=differences, measures=["RR"]))
    assert lines(text, "dense")[0].rstrip().endswith("▼")
    assert not lines(text, "rrf")[0].rstrip().endswith(("▼", "▲"))
    assert "differs from weighted" in text


def test_what_was_not_scored_and_not_run_is_said(run_folder: RunFolder) -> None:
    text = printed(results_table(run_folder.results))
    assert "RR: over 299 queries; 1 has no value" in text
    assert "skipped neutral: the model <MiniLM> is not on this machine" in text


def test_a_system_without_a_value_has_a_dash() -> None:
    systems = [
        {
            "name": "none",
            "measures": {"RR": {"mean": None, "ci": [None, None], "n": 0, "unscored": 3}},
        },
        {"name": "some", "measures": {"RR": {"mean": 0.5, "ci": [None, None], "n": 3}}},
    ]
    text = printed(results_table({"suite": "s", "record": {}, "systems": systems}))
    assert lines(text, "none")[0].split() == ["none", "\N{EN DASH}"]
    assert lines(text, "some")[0].split() == ["some", "0.500"]
    assert "RR: queries without a value: none 3" in text


def test_a_run_without_systems_is_shown_all_the_same() -> None:
    assert printed(results_table({"suite": "s", "record": {}, "systems": []})).strip() == "system"


def test_categories_say_how_many_queries_they_have(run_folder: RunFolder) -> None:
    text = printed(categories_table(run_folder.results, "RR"))
    assert text.count("n = 60") == 4
    assert text.count("n = 59") == 1  # one query has no value


def test_a_comparison_shows_its_figures_and_the_queries_that_moved(
    run_folder: RunFolder, comparison: Comparison
) -> None:
    text = printed(comparison_table(comparison, queries=run_folder.queries, limit=2), width=120)
    first = comparison.contrasts[0]
    assert lines(text, first.measure)[0].split()[:3] == [
        first.measure,
        f"{first.mean_a:.3f}",
        f"{first.mean_b:.3f}",
    ]
    assert f"\N{MINUS SIGN}{abs(first.delta):.3f} [" in text
    assert f"{first.wins}/{first.ties}/{first.losses}" in text
    assert "Only 10 clusters" in text
    failed = sum(each.newly_failed for each in comparison.moved)
    assert f"{len(comparison.moved)} queries moved, {failed} newly failed" in text
    assert "1.000 → 0.000" in text
    assert f"… and {len(comparison.moved) - 2} more" in text
    query = comparison.moved[0].query_id
    assert run_folder.queries.filter(pl.col("query_id") == query)["text"][0] in text


def test_a_significant_loss_is_red_and_a_gain_is_green(comparison: Comparison) -> None:
    loss = replace(comparison.contrasts[0], delta=-0.1, p_adjusted=0.01)
    for contrast, colour in (
        (loss, "\x1b[1;31m"),
        (replace(loss, delta=0.1), "\x1b[1;32m"),
        (replace(loss, measure="stale@10", delta=0.1, falling=True), "\x1b[1;31m"),
    ):
        shown_as = printed(
            comparison_table(replace(comparison, contrasts=(contrast,), moved=())), styled=True
        )
        assert colour in shown_as
    quiet = replace(comparison, contrasts=(replace(loss, p_adjusted=0.05),), moved=())
    assert "\x1b[1;3" not in printed(comparison_table(quiet), styled=True)


def test_many_remarks_are_cut_short_and_counted(comparison: Comparison) -> None:
    warned = replace(comparison, moved=(), warnings=tuple(f"remark {n}" for n in range(9)))
    text = printed(comparison_table(warned))
    assert "remark 2" in text
    assert "remark 3" not in text
    assert "… and 6 remarks more" in text


def test_a_gate_shows_failures_last_above_the_verdict(gate: GateReport) -> None:
    text = printed(gate_table(gate), width=120)
    rows = [line.split()[:2] for line in text.splitlines() if line[:1] in set("✓✗\N{EN DASH}")]
    assert rows == [
        ["\N{EN DASH}", "context"],
        ["✓", "dense"],
        ["\N{EN DASH}", "dense"],
        ["✗", "dense"],
    ]
    assert "newly failed" in text
    assert text.splitlines()[-1].startswith("REGRESSION  made-up: 1 passed, 1 failed, 1 not judged")


def test_many_checks_that_passed_are_counted_and_failures_are_still_shown(gate: GateReport) -> None:
    good, bad, _ = gate.checks
    text = printed(gate_table(replace(gate, checks=(*[good] * 40, bad))), width=120)
    assert lines(text, "✓") == ["✓  40 checks passed"]
    assert len(lines(text, "✗")) == 1
    assert "40 passed, 1 failed" in text


def test_a_gate_that_passed_shows_no_query(gate: GateReport) -> None:
    checks = tuple(each for each in gate.checks if each.status == "pass")
    text = printed(gate_table(replace(gate, checks=checks)))
    assert "PASS" in text
    assert "newly failed" not in text


def test_a_gate_without_anything_to_compare_says_so() -> None:
    text = printed(gate_table(GateReport(suite="s", checks=(), skipped={"a": "no baseline"})))
    assert "NOTHING COMPARABLE" in text
    assert "no baseline" in text


def test_what_could_not_be_compared_is_said_with_its_reason(gate: GateReport) -> None:
    text = printed(gate_table(replace(gate, incomparable={"rrf": "other questions"})), width=120)
    assert [each.split() for each in lines(text, "?")] == [["?", "rrf", "other", "questions"]]


def test_a_gate_that_could_not_fail_says_so_above_its_verdict(
    gate: GateReport, comparison: Comparison
) -> None:
    blind = replace(comparison, blind=True, warnings=("600 tests share 0.05",))
    text = printed(gate_table(replace(gate, comparisons={"dense": blind})), width=120)
    assert text.splitlines()[-2] == "dense: 600 tests share 0.05"
    assert "share" not in printed(gate_table(gate))


def test_an_ascii_stream_gets_ascii(
    run_folder: RunFolder, comparison: Comparison, gate: GateReport
) -> None:
    queries = run_folder.queries.with_columns(text=pl.lit("Où est Émile? 東京"))
    for report in (
        results_table(run_folder.results),
        comparison_table(comparison, queries=queries),
        gate_table(gate, queries=queries),
    ):
        text = printed(report, encoding="ascii")
        assert text.isascii()
    assert "FAIL" in text
    assert "+/-" in printed(results_table(run_folder.results), encoding="ascii")


def test_a_text_that_steers_terminals_is_harmless(gate: GateReport) -> None:
    check = GateCheck(
        system="s", name="n", group="", kind="exact", status="fail", said="a\x1b[2Jb\r\nc\x07"
    )
    text = printed(gate_table(replace(gate, checks=(check,))))
    assert "a [2Jb c" in text
    assert not set(text) & {"\x1b", "\r", "\x07"}


@given(st.text())
def test_what_is_shown_is_one_line_and_plain_is_ascii(text: str) -> None:
    assert len(one_line(text).splitlines()) <= 1
    assert plain(text).isascii()


@given(
    widths=st.lists(st.integers(1, 30), max_size=12),
    room=st.integers(1, 200),
)
def test_blocks_keep_every_column_and_fit_where_they_can(widths: list[int], room: int) -> None:
    columns = [Column(name="", cells=(Cell(forms=("x" * each,)),)) for each in widths]
    found = blocks(columns, room=room, form=0)
    assert [each for block in found for each in block] == columns
    for block in found:
        assert len(block) == 1 or sum(each.width(0) + 2 for each in block) <= room

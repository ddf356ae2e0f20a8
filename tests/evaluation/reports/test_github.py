from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engram_lab.evaluation.gating.baseline import baseline_of
from engram_lab.evaluation.gating.gate import judge
from engram_lab.evaluation.gating.verdict import GateCheck, GateReport
from engram_lab.evaluation.reports.github import append_summary, github_summary
from engram_lab.evaluation.suite import GateRules

RULES = GateRules(measures=("recall_any@10",), resamples=500)


@pytest.fixture
def report(made_run: Callable[..., Path], found_at: Callable[..., Any]) -> GateReport:
    before = made_run("a", {"bm25": found_at(0.8), "rrf": found_at(0.8)})
    after = made_run("b", {"bm25": found_at(0.6), "rrf": found_at(0.8, n=100)})
    return judge(after, baseline_of(before), RULES)


def rows_of(text: str) -> list[list[str]]:
    """Return the cells of every row of every table."""
    return [
        [cell.strip() for cell in line.strip("|").split(" | ")]
        for line in text.splitlines()
        if line.startswith("| ") and "---" not in line
    ]


def test_it_says_the_verdict_and_what_failed_first(report: GateReport) -> None:
    lines = github_summary(report).splitlines()

    assert lines[0] == "## Retrieval gate: made-up"
    assert lines[2] == "Verdict: **regression**."
    assert lines[4].startswith("- bm25: recall\\_any@10 0.800 → 0.600, delta −0.200")  # noqa: RUF001
    assert any(line.startswith("- rrf: 100 queries") for line in lines)


def test_every_check_is_a_row_and_failures_come_first(report: GateReport) -> None:
    heads, *rows = [row for row in rows_of(github_summary(report)) if len(row) == 9]

    assert heads[:5] == ["", "system", "check", "before", "after"]
    marks = [row[0] for row in rows]
    assert marks == sorted(marks, key=["**fail**", "skip", "pass"].index)
    assert len(marks) == len(report.checks)
    assert rows[0][1:6] == ["bm25", "recall\\_any@10", "0.800", "0.600", "−0.200"]  # noqa: RUF001
    assert rows[0][8] == "0.01"


def test_newly_failed_queries_are_listed_with_category_and_values(report: GateReport) -> None:
    text = github_summary(report)

    assert "<details><summary>40 queries newly failed by bm25</summary>" in text
    lost = [row for row in rows_of(text) if row[0].startswith("q0")]
    assert len(lost) == 40
    assert all(row[2] == "1.000 → 0.000" for row in lost)
    assert {row[1] for row in lost} == {"single-hop", "temporal"}


def test_texts_are_shown_where_they_are_given(report: GateReport) -> None:
    first = report.comparisons["bm25"].moved[0].query_id

    text = github_summary(report, texts={first: "who | painted\n<b>the door</b>?"})

    (row,) = [line for line in text.splitlines() if line.startswith(f"| {first} ")]
    assert row.endswith("| who \\| painted &lt;b&gt;the door&lt;/b&gt;? |")


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("a|b", "a\\|b"),
        ("two\nlines", "two lines"),
        ("<img src=x>", "&lt;img src=x&gt;"),
        ("[link](http://x)", "\\[link\\](http://x)"),
        ("**bold** `code`", "\\*\\*bold\\*\\* \\`code\\`"),
        ("x" * 900, "x" * 599 + "…"),
    ],
)
def test_nothing_in_a_name_is_markup(given: str, shown: str) -> None:
    check = GateCheck(system="s", name="n", group="", kind="exact", status="fail", said=given)

    assert f"- s: {shown}" in github_summary(GateReport(suite="s", checks=(check,))).splitlines()


def test_it_says_where_the_baseline_came_from(report: GateReport) -> None:
    updated = {"at": "2026-05-01T12:00:00+00:00", "reason": "a better analyser"}

    text = github_summary(replace(report, baseline={**report.baseline, "updated": updated}))

    assert text.endswith("Baseline of 2026-05-01: a better analyser\n")


def test_a_pass_is_short(made_run: Callable[..., Path], found_at: Callable[..., Any]) -> None:
    run = made_run("a", {"bm25": found_at(0.8)})

    text = github_summary(judge(run, baseline_of(run), RULES))

    assert "Verdict: passed." in text
    assert "newly failed" not in text
    shown, folded = text.split("<details><summary>2 checks of categories passed</summary>")
    assert "single-hop" not in shown
    assert "single-hop" in folded


def test_it_is_appended_where_the_step_has_a_summary(report: GateReport, tmp_path: Path) -> None:
    file = tmp_path / "summary.md"
    file.write_text("before\n", encoding="utf-8")

    assert append_summary(report, environ={"GITHUB_STEP_SUMMARY": str(file)})
    assert not append_summary(report, environ={})

    text = file.read_text(encoding="utf-8")
    assert text.startswith("before\n## Retrieval gate")
    assert text.count("## Retrieval gate") == 1


def test_it_never_grows_beyond_what_a_step_may_say(made_run: Callable[..., Path]) -> None:
    names = [f"system-{n}" for n in range(30)]
    before = made_run("a", {name: {"m": [1.0] * 300} for name in names})
    after = made_run("b", {name: {"m": [0.0] * 300} for name in names})
    rules = GateRules(measures=("m",), resamples=99)

    text = github_summary(judge(after, baseline_of(before), rules))

    assert len(text.encode()) < 2**20
    assert "250 more are in `gate.json`" in text


def test_a_gate_that_could_not_fail_says_so_with_the_verdict(report: GateReport) -> None:
    blind = replace(report.comparisons["bm25"], blind=True, warnings=("600 tests share 0.05",))

    text = github_summary(replace(report, comparisons={"bm25": blind}))

    assert text.index("- **bm25**: 600 tests share 0.05") < text.index("| --- |")
    assert "- **bm25**" not in github_summary(report)

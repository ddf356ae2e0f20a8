from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.evaluation.gating.baseline import baseline_of
from engram_lab.evaluation.gating.gate import judge
from engram_lab.evaluation.gating.verdict import GateCheck, GateReport
from engram_lab.evaluation.reports.junit import junit_xml, write_junit
from engram_lab.evaluation.suite import GateRules

RULES = GateRules(measures=("recall_any@10", "R@3"), resamples=500)


@pytest.fixture
def report(made_run: Callable[..., Path], found_at: Callable[..., Any]) -> GateReport:
    before = made_run("a", {"bm25": found_at(0.8), "rrf": found_at(0.8), "old": found_at(0.8)})
    guard = {"determinism": {"status": "fail", "count": 3, "said": "3 answers differ"}}
    after = made_run(
        "b",
        {"bm25": found_at(0.6), "rrf": found_at(0.8, n=100), "new": found_at(0.8)},
        guards={"bm25": guard},
    )
    return judge(after, baseline_of(before), RULES)


def parsed(report: GateReport) -> ET.Element:
    return ET.fromstring(junit_xml(report))  # noqa: S314 - our own


def test_every_check_is_a_case_of_its_system(report: GateReport) -> None:
    root = parsed(report)

    suite = next(each for each in root if each.get("name") == "made-up.bm25")
    names = [each.get("name") for each in suite]
    assert names == [
        *("forbidden hits", "determinism", "R@3"),
        *("recall_any@10", "recall_any@10 [single-hop]", "recall_any@10 [temporal]"),
    ]
    assert {each.get("classname") for each in suite} == {"engram.made-up.bm25"}


def test_it_has_the_shape_that_ci_systems_read(report: GateReport) -> None:
    root = parsed(report)

    assert root.tag == "testsuites"
    kinds = {"failure": "failures", "error": "errors", "skipped": "skipped"}
    for suite in root:
        assert suite.tag == "testsuite"
        assert int(suite.attrib["tests"]) == len(suite.findall("testcase")) == len(suite)
        for case in suite:
            assert set(case.attrib) == {"classname", "name", "time"}
            assert [each.tag for each in case] in ([["system-out"], *([kind] for kind in kinds)])
            assert float(case.attrib["time"]) >= 0
        for kind, count in kinds.items():
            assert int(suite.attrib[count]) == len(suite.findall(f"testcase/{kind}"))
    for count in ("tests", "failures", "errors", "skipped"):
        assert int(root.attrib[count]) == sum(int(suite.attrib[count]) for suite in root)


def test_a_failure_says_the_sentence_and_the_queries_that_newly_failed(
    report: GateReport,
) -> None:
    root = parsed(report)

    (failure,) = root.findall(".//testcase[@name='recall_any@10']/failure")
    (check,) = [each for each in report.failed if each.name == "recall_any@10" and not each.group]
    assert failure.get("message") == check.said
    assert failure.get("type") == "statistical"
    assert failure.text is not None
    assert "40 queries newly failed" in failure.text
    assert ": 1.000 → 0.000" in failure.text
    category = root.find(".//testcase[@name='recall_any@10 [temporal]']/failure")
    assert category is not None
    assert category.text is not None
    assert "(temporal)" in category.text
    assert "(single-hop)" not in category.text
    (exact,) = root.findall(".//testcase[@name='determinism']/failure")
    assert (exact.get("message"), exact.get("type")) == ("3 answers differ", "exact")


def test_what_could_not_be_compared_is_an_error_and_the_rest_is_skipped(
    report: GateReport,
) -> None:
    root = parsed(report)

    (error,) = root.findall(".//error")
    assert error.get("message") == report.incomparable["rrf"]
    places = {each.get("classname") for each in root.findall(".//testcase[@name='comparison']")}
    assert places == {f"engram.made-up.{name}" for name in ("rrf", "old", "new")}
    assert root.find(".//testcase[@name='R@3']/skipped") is not None


def test_it_is_written_to_a_file(report: GateReport, tmp_path: Path) -> None:
    write_junit(report, tmp_path / "reports" / "gate.xml")

    root = ET.parse(tmp_path / "reports" / "gate.xml").getroot()  # noqa: S314 - our own
    assert root.get("failures") == str(len(report.failed))


@given(text=st.text(max_size=30))
def test_whatever_names_are_made_of_it_can_be_read(text: str) -> None:
    check = GateCheck(system=text, name=text, group=text, kind="exact", status="fail", said=text)
    report = GateReport(suite=text, checks=(check,), skipped={"other" + text: text})

    root = parsed(report)

    assert root.get("failures") == "1"


def test_a_report_of_nothing_is_a_file_of_nothing(report: GateReport) -> None:
    root = parsed(replace(report, checks=(), comparisons={}, skipped={}, incomparable={}))

    assert (len(root), root.get("tests")) == (0, "0")


def test_long_lists_of_queries_are_cut(
    made_run: Callable[..., Path],
) -> None:
    before = made_run("a", {"x": {"m": [1.0] * 120}}, categories=[None] * 120)
    after = made_run("b", {"x": {"m": [0.0] * 120}}, categories=[None] * 120)

    text = junit_xml(judge(after, baseline_of(before), GateRules(measures=("m",), resamples=99)))

    assert "120 queries newly failed" in text
    assert "and 70 more" in text
    assert text.count("(no category)") == 50

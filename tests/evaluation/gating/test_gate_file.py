from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engram_lab.core.checksums import json_sha256
from engram_lab.core.errors import InvalidRunError
from engram_lab.evaluation.gating.baseline import baseline_of
from engram_lab.evaluation.gating.gate import judge
from engram_lab.evaluation.gating.gate_file import (
    changed_since_gate,
    read_gate_report,
    report_as_json,
    write_gate_report,
)
from engram_lab.evaluation.gating.verdict import GateReport
from engram_lab.evaluation.suite import GateRules

Judged = tuple[Path, GateReport]


@pytest.fixture
def judged(made_run: Callable[..., Path], found_at: Callable[..., Any]) -> Judged:
    before = made_run("a", {"bm25": found_at(0.8), "gone": found_at(0.5)})
    after = made_run("b", {"bm25": found_at(0.6), "new": found_at(0.5)})
    rules = GateRules(measures=("recall_any@10", "R@5"), resamples=500)
    return after, judge(after, baseline_of(before), rules)


def test_a_verdict_comes_back_as_it_was_given(judged: Judged) -> None:
    run, report = judged

    file = write_gate_report(report, run)

    assert file == run / "gate.json"
    assert read_gate_report(run) == report
    assert read_gate_report(run).verdict == "regression"


def test_what_is_no_number_comes_back_as_such(judged: Judged) -> None:
    run, report = judged
    (first, *_) = [each for each in report.checks if each.contrast is not None]
    assert first.contrast is not None
    odd = replace(first, contrast=replace(first.contrast, mde=math.nan, effect=math.nan))

    write_gate_report(replace(report, checks=(odd,)), run)

    (back,) = read_gate_report(run).checks
    assert back.contrast is not None
    assert math.isnan(back.contrast.mde)
    assert math.isnan(back.contrast.effect)
    assert back.contrast.n == first.contrast.n


def test_as_json_it_says_the_verdict_over_all_and_over_each(judged: Judged) -> None:
    _, report = judged

    content = json.loads(json.dumps(report_as_json(report), allow_nan=False))

    assert content["verdict"] == "regression"
    assert content["verdicts"] == {"bm25": "regression"}
    assert set(content["skipped"]) == {"gone", "new"}


def test_results_that_changed_since_are_named(judged: Judged) -> None:
    run, report = judged
    write_gate_report(report, run)
    assert changed_since_gate(run) == ()

    (run / "results.json").write_bytes((run / "results.json").read_bytes() + b" ")
    assert changed_since_gate(run) == ("results.json",)
    (run / "per_query.parquet").unlink()
    assert changed_since_gate(run) == ("results.json", "per_query.parquet")


def test_a_verdict_that_was_edited_is_refused(judged: Judged) -> None:
    run, report = judged
    file = write_gate_report(report, run)
    file.write_text(file.read_text().replace('"fail"', '"pass"'))

    for read in (read_gate_report, changed_since_gate):
        with pytest.raises(InvalidRunError, match="edited by hand"):
            read(run)


def test_a_verdict_of_another_shape_is_refused(judged: Judged) -> None:
    run, report = judged
    file = write_gate_report(report, run)
    content = json.loads(file.read_text())
    del content["checksum"], content["checks"][0]["said"]
    file.write_text(json.dumps({**content, "checksum": json_sha256(content)}))

    with pytest.raises(InvalidRunError, match="lacks a part"):
        read_gate_report(run)


def test_where_there_is_none_that_is_said(judged: Judged) -> None:
    run, report = judged

    with pytest.raises(InvalidRunError, match="no such verdict: judge the run again"):
        read_gate_report(run)
    with pytest.raises(InvalidRunError, match="results cannot be read"):
        write_gate_report(report, run / "nowhere")

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest

from engram_lab.core.clock import ManualClock
from engram_lab.evaluation.gating.baseline import update_baseline
from engram_lab.evaluation.running.evaluate import run_suite
from engram_lab.evaluation.suites import load_suite
from engram_lab.evaluation.systems import load_system

if TYPE_CHECKING:
    from tests.cli.conftest import Engram

GATE = ("eval", "gate", "--run", "run", "--baseline", "base.json")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a run and the baseline that was made of it."""
    place = tmp_path_factory.mktemp("finished")
    run_suite(load_suite("tiny"), [load_system("bm25")], out=place / "run")
    update_baseline(place / "base.json", place / "run", reason="the first", clock=ManualClock())
    return place


@pytest.fixture
def run(engram: Engram, finished: Path) -> Path:
    """Return the folder of a run, judged by a baseline that is made of it."""
    shutil.copytree(finished, ".", dirs_exist_ok=True)
    return Path("run")


def _worsen(run: Path) -> None:
    """Take a fifth of what was found from every query."""
    values = pl.read_parquet(run / "per_query.parquet")
    values.with_columns(pl.col("R@10") * 0.8).write_parquet(run / "per_query.parquet")


def test_exit_codes_are_pass_regression_misuse_and_nothing_comparable(
    engram: Engram, run: Path
) -> None:
    passed = engram.run(*GATE, "--json")
    assert (passed.code, passed.json["verdict"], passed.err) == (0, "pass", "")
    assert "PASS" in engram(*GATE)

    _worsen(run)
    failed = engram.run(*GATE, "--json")
    assert (failed.code, failed.json["verdict"], failed.err) == (1, "regression", "")

    assert engram.run(*GATE, "--alpha", "2").code == 2

    results = json.loads((run / "results.json").read_bytes())
    results["suite"] = "another"
    (run / "results.json").write_text(json.dumps(results), encoding="utf-8")
    other = engram.run(*GATE, "--json")
    assert (other.code, other.json["verdict"], other.err) == (3, "incomparable", "")


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ("--margin nan", "margin is nan where a number from 0"),
        ("--margin -0.1", "margin is -0.1 where a number from 0"),
        ("--category-margin inf", "category_margin is inf"),
        ("--alpha 0", "alpha is 0.0 where a number between 0 and 1"),
        ("--update-baseline", "--reason go together"),
        ("--reason because", "--reason go together"),
        ("--other-data", "--reason go together"),
        ("--system nope", "has a system 'nope'"),
    ],
)
def test_a_rule_that_would_let_anything_pass_is_refused(
    engram: Engram, run: Path, flags: str, said: str
) -> None:
    before = Path("base.json").read_bytes()

    assert said in engram.refused(*GATE, *flags.split())
    assert not (run / "gate.json").exists()
    assert Path("base.json").read_bytes() == before


def test_a_baseline_of_other_data_is_replaced_only_where_that_is_said(
    engram: Engram, run: Path
) -> None:
    results = json.loads((run / "results.json").read_bytes())
    results["record"]["dataset"]["hash"] = "0" * 64
    (run / "results.json").write_text(json.dumps(results), encoding="utf-8")
    update = (*GATE, "--update-baseline", "--reason", "the data grew")

    assert "does not fit the baseline" in engram.refused(*update)
    engram(*update, "--other-data")

    baseline = json.loads(Path("base.json").read_bytes())
    assert baseline["data"] == "0" * 64
    assert [each["reason"] for each in baseline["history"]] == ["the first", "the data grew"]


def test_sides_of_other_data_are_nothing_to_compare(engram: Engram, run: Path) -> None:
    shutil.copytree(run, "other")
    results = json.loads(Path("other/results.json").read_bytes())
    results["record"]["dataset"]["hash"] = "0" * 64
    Path("other/results.json").write_text(json.dumps(results), encoding="utf-8")

    ran = engram.run("eval", "compare", "run:bm25", "other:bm25", "--json")

    assert (ran.code, ran.out) == (3, "")
    assert "was run on other data" in ran.err


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("results.json", b'{"suite": "tiny", "record": {}, "systems": []'),
        ("results.json", b'{"suite": "tiny", "record": [], "systems": []}'),
        ("results.json", b'{"suite": "tiny", "record": {}, "systems": [1]}'),
        ("results.json", b'{"suite": "tiny", "record": {}, "systems": []}'),
        ("results.json", b"\xff"),
        ("per_query.parquet", b"PAR1"),
        ("qrels.parquet", b""),
    ],
)
def test_a_damaged_run_is_named(engram: Engram, run: Path, file: str, content: bytes) -> None:
    (run / file).write_bytes(content)

    assert file in engram.refused(*GATE)


def test_only_what_passed_and_is_unchanged_is_promoted(engram: Engram, run: Path) -> None:
    promote = ("promote", "run", "--system", "bm25", "--out", "tuned.bundle")
    assert "no verdict lies beside the run" in engram.refused(*promote)

    engram(*GATE)
    results = (run / "results.json").read_text(encoding="utf-8")
    (run / "results.json").write_text(results + " ", encoding="utf-8")
    assert "results.json changed since the gate" in engram.refused(*promote)

    (run / "results.json").write_text(results, encoding="utf-8")
    assert engram.json(*promote)["system"] == "bm25"

    _worsen(run)
    assert engram.run(*GATE).code == 1
    assert "is regression" in engram.refused(*promote, "--overwrite")

"""The plug-in, in a project of its own: each session of pytest is a process, as it is for users."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from engram_lab.evaluation.gating.baseline import read_baseline
from engram_lab.evaluation.gating.gate_file import read_gate_report

TESTS = """
import pytest

OWN = dict(suite="frames", data="data", baseline="baselines/own.json", guards=False)


def test_by_fixture(engram_gate):
    report = engram_gate(system="good/words.yaml", **OWN)
    assert report.verdict == "pass"
    assert report.comparisons["words"].b == "words"


@pytest.mark.engram_gate(system="good/words.yaml", **OWN)
def test_by_marker():
    pass


@pytest.mark.engram_gate(system="good/words.yaml", **OWN)
@pytest.mark.parametrize("number", [1, 2])
def test_by_marker_and_parameter(number):
    assert number < 3


def test_without_a_gate():
    pass
"""

WORSE = """
import pytest

OWN = dict(suite="frames", data="data", baseline="baselines/own.json", guards=False)


@pytest.mark.engram_gate(system="bad/words.yaml", **OWN)
def test_worse():
    raise AssertionError("the body is not reached")


def test_worse_within_a_wide_margin(engram_gate):
    engram_gate(system="bad/words.yaml", margin=1.0, category_margin=1.0, **OWN)


def test_not_in_the_baseline(engram_gate):
    engram_gate(system="random", **OWN)


def test_missing_data(engram_gate):
    engram_gate(suite="locomo-turn", system="bm25", baseline="baselines/own.json")


def test_no_baseline(engram_gate):
    engram_gate(system="good/words.yaml", **{**OWN, "baseline": "baselines/none.json"})


def test_unknown_rule(engram_gate):
    engram_gate(system="good/words.yaml", magin=0.1, **OWN)


@pytest.mark.engram_gate("frames")
def test_marker_without_names():
    pass
"""

DEEDS = ("painting", "mending", "lifting", "cleaning", "opening", "filming")
THINGS = ("doors", "violins", "anchors", "lanterns", "engines", "baskets")
STEMS = {"painting": "painted", "mending": "mended", "lifting": "lifted", "cleaning": "cleaned"}
STEMS |= {"opening": "opened", "filming": "filmed"}


@dataclass(frozen=True)
class Project:
    """A project with data, two configurations and tests."""

    root: Path

    def pytest(self, *options: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """Run pytest in it, with our plug-in alone."""
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("ENGRAM", "GITHUB"))}
        return subprocess.run(
            [
                *(sys.executable, "-m", "pytest", "-p", "engram_lab.evaluation.pytest_plugin"),
                *("-q", "-p", "no:cacheprovider", "--basetemp", str(self.root / "temp")),
                *("-W", "error", "--strict-markers", *options),
            ],
            cwd=self.root,
            env={
                **inherited,
                "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
                "OMP_NUM_THREADS": "1",
                **environ,
            },
            capture_output=True,
            text=True,
            check=False,
        )


def write_lines(file: Path, rows: list[dict[str, object]]) -> None:
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A corpus that words alone answer, as long as they are brought to their stems."""
    root = tmp_path_factory.mktemp("project")
    for name in ("data", "good", "bad"):
        (root / name).mkdir()
    (root / "pytest.ini").write_text("[pytest]\n")
    (root / "test_gates.py").write_text(TESTS)
    (root / "worse.py").write_text(WORSE)
    common = "embedding: {model: none}\n"
    (root / "good" / "words.yaml").write_text(common)
    (root / "bad" / "words.yaml").write_text(common + "retrieval: {analyser: simple}\n")
    pairs = [(deed, thing) for deed in DEEDS for thing in THINGS]
    write_lines(
        root / "data" / "memories.jsonl",
        [
            {"id": f"m{n}", "content": f"Mirela {STEMS[deed]} the {thing[:-1]}"}
            for n, (deed, thing) in enumerate(pairs)
        ],
    )
    write_lines(
        root / "data" / "queries.jsonl",
        [{"id": f"q{n}", "text": f"{deed} {thing}"} for n, (deed, thing) in enumerate(pairs)],
    )
    write_lines(
        root / "data" / "qrels.jsonl",
        [{"query_id": f"q{n}", "memory_id": f"m{n}", "relevance": 1} for n in range(len(pairs))],
    )
    return Project(root)


@pytest.fixture(scope="module")
def updated(project: Project) -> subprocess.CompletedProcess[str]:
    return project.pytest("--engram-update-baseline", "--engram-reason", "the first")


def test_a_baseline_is_written_when_that_is_said(
    project: Project, updated: subprocess.CompletedProcess[str]
) -> None:
    assert updated.returncode == 0, updated.stdout + updated.stderr
    baseline = read_baseline(project.root / "baselines" / "own.json")
    assert [each["reason"] for each in baseline.history] == ["the first"]
    assert "--engram-update-baseline" in baseline.history[0]["command"]
    assert baseline.systems["words"].means()["Success@1"] == 1.0
    assert "frames-words is the baseline now" in updated.stdout


@pytest.mark.usefixtures("updated")
def test_what_is_no_worse_passes_and_is_run_once(project: Project, tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"

    done = project.pytest(
        *("--engram-out", str(tmp_path / "kept"), "--junit-xml", str(tmp_path / "all.xml")),
        GITHUB_STEP_SUMMARY=str(summary),
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "5 passed" in done.stdout
    assert done.stdout.count("frames-words: pass (") == 4
    assert [each.name for each in (tmp_path / "kept").iterdir()] == ["frames-words"]
    assert read_gate_report(tmp_path / "kept" / "frames-words").verdict == "pass"
    assert summary.read_text(encoding="utf-8").count("Verdict: passed.") == 4
    found = ET.parse(tmp_path / "all.xml").findall(".//property")  # noqa: S314 - our own
    assert {(each.get("name"), each.get("value")) for each in found} == {
        ("engram_gate frames-words", "pass")
    }


@pytest.mark.usefixtures("updated")
def test_what_is_worse_fails_and_says_what_to_see(project: Project) -> None:
    done = project.pytest("worse.py", "-rs")

    assert done.returncode == 1
    assert "1 passed" in done.stdout, done.stdout  # within the margin
    assert "1 skipped" in done.stdout
    assert "5 failed" in done.stdout
    parts = {
        part.split(" ", 1)[0]: part
        for part in done.stdout.split("\n_____")[1:]
        for part in [part.lstrip("_ ")]
    }
    worse = parts["test_worse"]
    assert "retrieval gate of frames: regression" in worse
    assert "nDCG@10 1.000 → " in worse
    assert "a significant loss beyond the margin of 0.01" in worse
    assert "newly failed, by R@10:" in worse
    assert "q0 (no category) 1.000 → 0.000: painting doors" in worse
    assert "the body is not reached" not in worse
    assert "Traceback" not in done.stdout
    assert "random: the baseline has no such system" in parts["test_not_in_the_baseline"]
    assert "there is no baseline" in parts["test_no_baseline"]
    assert "--engram-update-baseline" in parts["test_no_baseline"]
    assert parts["test_no_baseline"].count("there is no baseline") == 1
    assert "During handling of the above exception" not in done.stdout
    assert (
        "'magin' is no rule of a gate: known are alpha, categories," in parts["test_unknown_rule"]
    )
    assert "name what @pytest.mark.engram_gate is given" in parts["test_marker_without_names"]
    assert "locomo" in done.stdout.split("SKIPPED")[1]


def test_no_update_without_a_reason(project: Project) -> None:
    done = project.pytest("--engram-update-baseline")

    assert done.returncode == 4
    assert "needs --engram-reason" in done.stderr


def test_loading_it_imports_nothing_heavy() -> None:
    program = (
        "import sys; import engram_lab.evaluation.pytest_plugin; "
        "heavy = {'numpy', 'polars', 'pyarrow', 'faiss', 'apsw', 'duckdb', 'scipy'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "[]"

from __future__ import annotations

import gzip
import json
from pathlib import Path

import ir_measures
import jsonschema
import pytest

from engram_lab.core.errors import (
    ConflictError,
    IncomparableError,
    InvalidInputError,
    InvalidRunError,
)
from engram_lab.evaluation.running.evaluate import run_suite
from engram_lab.evaluation.running.judging import score_files
from engram_lab.evaluation.runs.results import read_results
from engram_lab.evaluation.shipped import shipped
from engram_lab.evaluation.suites import load_suite
from engram_lab.evaluation.systems import load_system

QRELS = "q1 0 a 1\nq1 0 b 1\nq2 0 c 1\nq3 0 d 1\n"
RUN = "q1 Q0 a 1 3.0 x\nq1 Q0 z 2 2.0 x\nq2 Q0 z 1 2.0 x\nq2 Q0 c 2 1.0 x\n"


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    (tmp_path / "qrels.trec").write_text(QRELS, encoding="utf-8")
    (tmp_path / "theirs.trec").write_text(RUN, encoding="utf-8")
    return tmp_path / "theirs.trec", tmp_path / "qrels.trec"


def _pairs(file: Path) -> dict[str, dict[str, float]]:
    """Read a file of TREC by its columns: 0 is the query, 2 the document; numbers 3 and 4."""
    found: dict[str, dict[str, float]] = {}
    for line in file.read_text(encoding="utf-8").splitlines():
        columns = line.split()
        number = int(columns[3]) if len(columns) == 4 else float(columns[4])
        found.setdefault(columns[0], {})[columns[2]] = number
    return found


def test_anyones_run_is_judged_as_ir_measures_judges_it(files: tuple[Path, Path]) -> None:
    run, qrels = files

    (found,) = score_files([run], qrels=qrels)["systems"]

    for name in ("nDCG@10", "R@10", "RR", "AP", "Success@1"):
        measure = ir_measures.parse_measure(name)
        theirs = ir_measures.calc_aggregate([measure], _pairs(qrels), _pairs(run))
        assert found["measures"][name]["mean"] == pytest.approx(theirs[measure])
    # q3 is not in the run: it counts as nothing found, and is scored.
    assert found["measures"]["R@10"] | {"ci": None} == {
        "mean": pytest.approx((1 / 2 + 1 + 0) / 3), "n": 3, "unscored": 0, "ci": None,
    }  # fmt: skip
    assert found["measures"]["recall_all@10"]["mean"] == pytest.approx(1 / 3)


def test_what_is_written_is_a_folder_that_can_be_compared(
    files: tuple[Path, Path], tmp_path: Path
) -> None:
    run, qrels = files

    results = score_files([run], qrels=qrels, measures=["RR", "R@2"], out=tmp_path / "out")

    schema = json.loads((shipped("schemas") / "results.schema.json").read_bytes())
    jsonschema.validate(json.loads((tmp_path / "out/results.json").read_bytes()), schema)
    folder = read_results(tmp_path / "out")
    assert folder.measures == ("RR", "R@2")
    assert folder.per_query["RR"].to_list() == [1.0, 0.5, 0.0]
    assert results["systems"][0]["name"] == "theirs"
    assert results["record"]["systems"]["theirs"]["kind"] == "file"


def test_a_run_in_published_ids_is_judged_by_a_suite(tmp_path: Path) -> None:
    suite = load_suite("tiny")
    folder = run_suite(suite, [load_system("bm25")], out=tmp_path / "out", guards=False)
    ours = folder.results["systems"][0]["measures"]

    theirs = score_files([folder.path / "runs/bm25.trec"], suite="tiny")["systems"][0]

    assert theirs["measures"] == ours


def test_a_run_of_other_data_is_refused(files: tuple[Path, Path], tmp_path: Path) -> None:
    run, qrels = files
    other = tmp_path / "other.trec"
    other.write_text("x9 Q0 a 1 1.0 x\n", encoding="utf-8")

    with pytest.raises(IncomparableError, match=r"other\.trec answers 1 queries.*'x9'"):
        score_files([other], qrels=qrels)
    with pytest.raises(IncomparableError, match=r"memories that the data have not, such as '\w'"):
        score_files([run], suite="tiny")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("q1 Q0 a 1 3.0\n", r"bad\.trec: line 1: "),
        (RUN + "q1 Q0 a 3 1.0 x\n", r"bad\.trec: .*'a'"),
        (RUN + "q1 Q0 b 3 nan x\n", r"bad\.trec: line 5: .*nan"),
        (RUN + "q1 Q0 b 3 high x\n", r"bad\.trec: line 5: .*high"),
    ],
)
def test_a_malformed_run_is_named_with_its_line(
    files: tuple[Path, Path], tmp_path: Path, text: str, said: str
) -> None:
    bad = tmp_path / "bad.trec"
    bad.write_text(text, encoding="utf-8")

    with pytest.raises(InvalidRunError, match=said):
        score_files([bad], qrels=files[1])


def test_a_run_is_called_after_its_file_without_endings(
    files: tuple[Path, Path], tmp_path: Path
) -> None:
    packed = tmp_path / "packed.trec.gz"
    packed.write_bytes(gzip.compress(RUN.encode()))

    results = score_files([packed], qrels=files[1], out=tmp_path / "out")

    assert results["systems"][0]["name"] == "packed"
    assert list(results["record"]["systems"]) == ["packed"]
    assert (tmp_path / "out/runs/packed.trec").is_file()


@pytest.mark.parametrize("name", ["a b.trec", ".hidden", "-.trec", "é.trec"])
def test_a_name_that_results_cannot_hold_is_refused(
    files: tuple[Path, Path], tmp_path: Path, name: str
) -> None:
    (tmp_path / name).write_text(RUN, encoding="utf-8")

    with pytest.raises(InvalidInputError, match="files are named after it"):
        score_files([tmp_path / name], qrels=files[1], out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_what_is_empty_is_named(files: tuple[Path, Path], tmp_path: Path) -> None:
    nothing = tmp_path / "nothing.trec"
    nothing.write_text("\n\n", encoding="utf-8")

    with pytest.raises(InvalidRunError, match=r"nothing\.trec: it finds nothing"):
        score_files([nothing], qrels=files[1])
    with pytest.raises(InvalidRunError, match=r"nothing\.trec: it judges nothing"):
        score_files([files[0]], qrels=nothing)


def test_other_results_in_the_folder_are_not_lost(files: tuple[Path, Path], tmp_path: Path) -> None:
    run, qrels = files
    out = tmp_path / "out"
    score_files([run], qrels=qrels, out=out)
    score_files([run], qrels=qrels, out=out)  # the same again
    before = (out / "results.json").read_bytes()
    run.rename(tmp_path / "mine.trec")

    with pytest.raises(ConflictError, match=r"replace them \(.*--fresh"):
        score_files([tmp_path / "mine.trec"], qrels=qrels, out=out)
    assert (out / "results.json").read_bytes() == before

    score_files([tmp_path / "mine.trec"], qrels=qrels, out=out, fresh=True)
    assert {each.stem for each in (out / "runs").iterdir()} == {"mine"}


def test_it_takes_one_kind_of_judgement(files: tuple[Path, Path]) -> None:
    with pytest.raises(InvalidInputError, match="give one of them"):
        score_files([files[0]])
    with pytest.raises(InvalidInputError, match="give one of them"):
        score_files([files[0]], qrels=files[1], suite="tiny")


def test_two_runs_of_one_name_are_refused(files: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    twin = tmp_path / "x" / "theirs.txt"
    twin.write_text(RUN, encoding="utf-8")

    with pytest.raises(InvalidInputError, match="two runs are called 'theirs'"):
        score_files([files[0], twin], qrels=files[1])

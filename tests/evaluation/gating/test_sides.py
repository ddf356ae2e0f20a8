from __future__ import annotations

from pathlib import Path

import pytest

from engram_lab.core.errors import IncomparableError, InvalidInputError, InvalidRunError
from engram_lab.evaluation.gating.sides import compare_sides, side
from engram_lab.evaluation.running.judging import score_files

QRELS = "".join(f"q{number} 0 a 1\n" for number in range(12))
GOOD = "".join(f"q{number} Q0 a 1 1.0 x\n" for number in range(12))
BAD = "".join(f"q{number} Q0 {'z' if number < 6 else 'a'} 1 1.0 x\n" for number in range(12))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in (("qrels", QRELS), ("good", GOOD), ("bad", BAD)):
        (tmp_path / f"{name}.trec").write_text(text, encoding="utf-8")
    runs = [tmp_path / "good.trec", tmp_path / "bad.trec"]
    score_files(runs, qrels=tmp_path / "qrels.trec", measures=["RR"], out=tmp_path / "out")
    return tmp_path / "out"


def test_two_systems_of_one_folder_are_compared(folder: Path) -> None:
    found = compare_sides(side(f"{folder}:good"), side(f"{folder}:bad"))

    (contrast,) = found.contrasts
    assert (contrast.measure, contrast.mean_a, contrast.mean_b) == ("RR", 1, 0.5)
    assert (contrast.wins, contrast.ties, contrast.losses) == (0, 6, 6)
    assert contrast.p == pytest.approx(2 / 2**6)  # exact: six pairs differ, all one way
    assert [each.newly_failed for each in found.moved] == [True] * 6


def test_a_folder_with_several_systems_wants_a_name(folder: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"with one of good, bad"):
        side(str(folder))
    with pytest.raises(InvalidInputError, match="has no system 'ugly'"):
        side(f"{folder}:ugly")


def test_what_is_no_folder_of_results_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidRunError, match=r"results\.json"):
        side(str(tmp_path))


def test_sides_of_different_data_are_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "other.trec").write_text(QRELS.replace(" a ", " b "), encoding="utf-8")
    score_files(
        [tmp_path / "good.trec"], qrels=tmp_path / "other.trec", measures=["RR"],
        out=tmp_path / "other",
    )  # fmt: skip

    with pytest.raises(IncomparableError, match="run on other data"):
        compare_sides(side(f"{folder}:good"), side(str(tmp_path / "other")))

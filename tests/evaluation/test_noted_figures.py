"""Figures that were known before this program was written come out of it, on the real files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from engram_lab.core.errors import DatasetMissingError
from engram_lab.evaluation.datasets.catalogue import load_dataset
from engram_lab.evaluation.running.evaluate import run_suite
from engram_lab.evaluation.suites import load_suite
from engram_lab.evaluation.systems import load_system

if TYPE_CHECKING:
    from engram_lab.evaluation.datasets.dataset import Dataset

ROOT = Path(__file__).resolve().parents[2]

NOTED = {
    "R@1": 0.306,
    "R@5": 0.536,
    "R@10": 0.609,
    "nDCG@10": 0.472,
    "RR": 0.460,
    "recall_any@10": 0.676,
}
"""BM25 over turns of LoCoMo, categories 1 to 4: bm25s, k1 1.2, English stemmer, judged by ranx."""


def published(name: str) -> Dataset:
    try:
        return load_dataset(name)
    except DatasetMissingError as error:
        pytest.skip(str(error))


def test_bm25_on_locomo_is_what_was_noted(tmp_path: Path) -> None:
    folder = run_suite(
        load_suite("locomo-turn"),
        [load_system("bm25")],
        out=tmp_path,
        dataset=published("locomo"),
        guards=False,
    )

    measures = folder.results["systems"][0]["measures"]
    assert measures["R@10"]["n"] == 1536
    assert {name: measures[name]["mean"] for name in NOTED} == pytest.approx(NOTED, abs=0.005)


def test_bm25_on_scifact_is_what_was_published(tmp_path: Path) -> None:
    folder = run_suite(
        load_suite("beir"),
        [load_system(str(ROOT / "evals/quality/systems/bm25-beir.toml"))],
        out=tmp_path,
        dataset=published("scifact"),
        guards=False,
    )

    measures = folder.results["systems"][0]["measures"]
    assert measures["nDCG@10"]["n"] == 300
    assert 0.665 - 0.01 <= measures["nDCG@10"]["mean"] <= 0.68 + 0.01

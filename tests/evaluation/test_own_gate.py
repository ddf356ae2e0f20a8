"""This project's own gate: no revision retrieves worse than the one whose figures are committed.

Where a change is meant to cost quality, renew the baseline and say why:

    engram eval run tiny --system evals/gate/words.toml --system evals/gate/hashing.toml \
        --system evals/gate/minilm.toml --out runs/gate --fresh
    engram eval gate --run runs/gate --baseline evals/baselines/tiny.json \
        --update-baseline --reason "…"
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from engram_lab.evaluation.gating.baseline import read_baseline
from engram_lab.retrieval.embedders.minilm import is_available

if TYPE_CHECKING:
    from engram_lab.evaluation.gating.verdict import GateReport

ROOT = Path(__file__).resolve().parents[2]
BASELINE = ROOT / "evals" / "baselines" / "tiny.json"
SYSTEMS = ("words", "hashing", "minilm")


@pytest.mark.parametrize("system", SYSTEMS)
def test_this_revision_is_no_worse_than_its_baseline(
    engram_gate: Callable[..., GateReport], system: str
) -> None:
    if system == "minilm" and not is_available(None):
        pytest.skip("MiniLM is not installed")

    report = engram_gate(
        suite="tiny", system=str(ROOT / f"evals/gate/{system}.toml"), baseline=BASELINE
    )

    assert report.verdict == "pass"
    assert {each.kind for each in report.checks} == {"exact", "statistical"}


def test_the_baseline_says_why_it_is_what_it_is() -> None:
    baseline = read_baseline(BASELINE)

    assert set(baseline.systems) == set(SYSTEMS)
    assert all(each["reason"] for each in baseline.history)

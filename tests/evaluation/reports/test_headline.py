"""What the headline of a run is over."""

from __future__ import annotations

from typing import Any

from engram_lab.evaluation.reports.headline import headline_lines


def results_of(suite: dict[str, Any], *, categories: dict[str, int], n: int) -> dict[str, Any]:
    def found(count: int, unscored: int = 0) -> dict[str, Any]:
        return {"mean": 0.5, "ci": None, "n": count, "unscored": unscored}

    system = {
        "name": "bm25",
        "measures": {"R@10": found(n), "stale@10": found(1, n - 1)},
        "categories": {name: {"R@10": found(count)} for name, count in categories.items()},
    }
    return {"record": {"suite": suite}, "systems": [system]}


def test_what_is_left_out_is_counted_by_its_category() -> None:
    suite = {"dataset": "tiny", "reader": None, "apart": ["adversarial", "unheard"]}
    found = results_of(suite, categories={"adversarial": 24, "name": 36}, n=1336)
    assert list(headline_lines(found)) == ["n = 1,336 queries; left out: 24 of adversarial"]


def test_data_of_ones_own_leave_nothing_out() -> None:
    found = results_of({"dataset": None, "reader": "frames"}, categories={"name": 1}, n=1)
    assert list(headline_lines(found)) == ["n = 1 query"]


def test_a_file_of_judgements_knows_less() -> None:
    (said,) = headline_lines(results_of({"dataset": None, "reader": None}, categories={}, n=360))
    assert said.startswith("n = 360 queries; judged by a file, which knows neither")
    assert said.endswith("intervals draw each query by itself")


def test_where_nothing_was_asked_nothing_is_said() -> None:
    assert list(headline_lines({"systems": []})) == []

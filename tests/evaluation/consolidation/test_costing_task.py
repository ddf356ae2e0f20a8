from __future__ import annotations

import pytest

from engram_lab.config import DreamSettings, EmbeddingSettings, EngineConfig
from engram_lab.evaluation.consolidation.outcome import Outcome, Setting
from engram_lab.evaluation.consolidation.results import frame_of, results_of
from engram_lab.evaluation.consolidation.suite import suite_of_seed
from engram_lab.evaluation.consolidation.tasks.costing import Costing


def _run() -> Outcome:
    config = EngineConfig(
        embedding=EmbeddingSettings(model="hashing", dim=64), dream=DreamSettings(steps="hebbian")
    )
    return Costing().run(Setting(size=200, seed=0, config=config))


@pytest.fixture(scope="module")
def facts() -> dict[str, float]:
    return dict(_run().facts)


def test_every_dream_tells_rows_seconds_bytes_and_tokens(facts: dict[str, float]) -> None:
    for kind in ("full", "idle", "incremental"):
        for what in ("memories", "rows", "seconds", "bytes", "tokens_before", "tokens_after"):
            assert facts[f"costing.{kind}_{what}"] >= 0
    assert facts["costing.full_memories"] == 200
    # a world ends with the story of an entity: a small one may be somewhat larger than asked for
    assert 50 <= facts["costing.incremental_memories"] < 80


def test_rates_are_for_a_thousand_memories(facts: dict[str, float]) -> None:
    for kind in ("full", "incremental"):
        thousands = facts[f"costing.{kind}_memories"] / 1000
        for what in ("rows", "seconds", "bytes"):
            rate = facts[f"costing.{kind}_{what}_per_1000"]
            assert rate * thousands == pytest.approx(facts[f"costing.{kind}_{what}"])


def test_a_dream_without_news_writes_less_than_the_first(facts: dict[str, float]) -> None:
    assert facts["costing.idle_rows"] < facts["costing.full_rows"]
    assert facts["costing.incremental_rows"] < facts["costing.full_rows"]


def test_what_the_machine_measured_stands_with_costs_and_what_it_counted_with_facts() -> None:
    outcome = _run()
    setting = Setting(size=200, seed=0, config=EngineConfig())
    results = results_of(
        [outcome], frame_of([outcome]), setting, record={"suite": {}, "id": suite_of_seed().id}
    )

    costs, counts = results["systems"][0]["costs"], results["benchmark"]["facts"]
    assert results["systems"][0]["name"] == "dream"
    assert {"costing.full_seconds", "costing.full_bytes_per_1000"} <= set(costs)
    assert {"costing.full_rows", "costing.full_tokens_after"} <= set(counts)
    assert set(costs).isdisjoint(counts)


def test_counts_are_the_same_each_time(facts: dict[str, float]) -> None:
    again = dict(_run().facts)

    for name, value in facts.items():
        if "second" not in name and "bytes" not in name:
            assert again[name] == value

from __future__ import annotations

from collections import defaultdict

import pytest

from engram_lab.config import DreamSettings, EmbeddingSettings, EngineConfig
from engram_lab.evaluation.consolidation.outcome import Outcome, Setting
from engram_lab.evaluation.consolidation.streams import make_stream
from engram_lab.evaluation.consolidation.tasks.linking import EDGE_SYSTEMS, Linking

SIZE = 60


def _run(**dream: object) -> Outcome:
    config = EngineConfig(
        embedding=EmbeddingSettings(model="hashing", dim=128),
        dream=DreamSettings(**{"hebbian_most": 3, **dream}),  # type: ignore[arg-type]
    )
    return Linking().run(Setting(size=SIZE, seed=0, config=config))


@pytest.fixture(scope="module")
def outcome() -> Outcome:
    return _run()


def _means(outcome: Outcome, measure: str) -> dict[str, float]:
    found = defaultdict(list)
    for each in outcome.observed:
        if each.measure == measure:
            found[each.system].append(each.value)
    return {name: sum(values) / len(values) for name, values in found.items()}


def test_every_edge_system_is_asked_every_probe(outcome: Outcome) -> None:
    probes = len(make_stream(SIZE, 0).probes)
    lifts = [each for each in outcome.observed if each.measure == "hebbian_lift"]

    assert {each.system for each in lifts} == set(EDGE_SYSTEMS)
    assert len(lifts) == probes * len(EDGE_SYSTEMS)


def test_without_links_nothing_is_lifted_and_the_truth_lifts_most(outcome: Outcome) -> None:
    lifts = _means(outcome, "hebbian_lift")

    assert lifts["no_edges"] == 0
    assert lifts["oracle"] == max(lifts.values())
    assert lifts["oracle"] > 0.5


def test_learned_links_find_partners_that_the_rewired_do_not(outcome: Outcome) -> None:
    lifts = _means(outcome, "hebbian_lift")

    assert lifts["hebbian"] > 0.3
    assert lifts["hebbian"] > lifts["shuffled_hebbian"] + 0.2
    assert lifts["hebbian"] > lifts["content_edges"] + 0.2


def test_nulls_have_as_many_links_as_were_learned(outcome: Outcome) -> None:
    facts = dict(outcome.facts)
    counts = {name: facts[f"linking.edges.{name}"] for name in EDGE_SYSTEMS}

    assert counts["no_edges"] == 0
    assert counts["hebbian"] == counts["shuffled_hebbian"] == counts["content_edges"] > 0
    assert counts["oracle"] == facts["linking.planted_pairs"]


def test_a_lift_is_what_was_found_less_what_was_found_without(outcome: Outcome) -> None:
    values = {(e.system, e.measure, e.unit): e.value for e in outcome.observed}

    for (system, measure, unit), value in values.items():
        if measure == "hebbian_lift":
            found, without = (
                values[name, "partner_recall@10", unit] for name in (system, "no_edges")
            )
            assert value == found - without


def test_one_that_learns_nothing_lifts_nothing() -> None:
    found = _run(hebbian_floor=1.0)

    assert dict(found.facts)["linking.edges.hebbian"] == 0
    assert _means(found, "hebbian_lift")["hebbian"] == 0
    assert _means(found, "hebbian_lift")["content_edges"] == 0


def test_the_same_seed_gives_the_same_outcome(outcome: Outcome) -> None:
    assert _run() == outcome

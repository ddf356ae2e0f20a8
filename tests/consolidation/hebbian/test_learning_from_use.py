"""From use to recall: what is asked for together finds each other, and nothing else does."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from engram_lab.config import EmbeddingSettings, EngineConfig
from engram_lab.consolidation.hebbian import COACTIVATION
from engram_lab.consolidation.shuffled import shuffled
from engram_lab.core.clock import ManualClock
from engram_lab.engine import Engine

if TYPE_CHECKING:
    from collections.abc import Sequence

PAIRS = 10
SIZE = 80
POPULAR = "General minutes: whatever was discussed, noted and decided."
FILLERS = (
    *("boiler", "violin", "bread", "fence", "comet", "rowing"),
    *("carpet", "cough", "bees", "press", "train", "gambit"),
)
CONFIG = EngineConfig(embedding=EmbeddingSettings(model="hashing"))


def names() -> list[str]:
    chance = np.random.default_rng(7)
    parts = [b + v + e for b in "bdfgklmprtvz" for v in "aeiou" for e in "nlrs"]
    return ["".join(parts[each] for each in chance.choice(len(parts), 3)) for _ in range(SIZE)]


def opened(config: EngineConfig = CONFIG) -> Engine:
    engine = Engine.open(":memory:", config=config, clock=ManualClock())
    for place, name in enumerate(names()):
        engine.remember(f"{name} {FILLERS[place % 12]} {FILLERS[place * 5 % 12]}")
    engine.remember(POPULAR)
    return engine


def taught() -> tuple[Engine, list[tuple[int, int, float]]]:
    """Ask for hidden pairs over five nights; return the links that were learned, by place."""
    engine, chance, told = opened(), np.random.default_rng(3), names()
    for _ in range(5):
        for pair in chance.permutation(PAIRS).tolist():
            noise = FILLERS[int(chance.integers(12))]
            engine.recall(f"discussed: {told[2 * pair]} and {told[2 * pair + 1]} {noise}")
            engine.recall(f"noted on {told[int(chance.integers(2 * PAIRS, SIZE))]}")
        engine.dream(steps=["hebbian"])
    links = engine.store.dreams.links("default", types=(COACTIVATION,))
    keys = engine.store.dreams.columns("default").keys
    ends = zip(
        np.searchsorted(keys, links.from_keys).tolist(),
        np.searchsorted(keys, links.to_keys).tolist(),
        links.weights.tolist(),
        strict=True,
    )
    return engine, list(ends)


def share_found(edges: Sequence[tuple[int, int, float]]) -> tuple[float, float]:
    """Return how many partners are among the first five, and how often the popular is before."""
    learning = replace(CONFIG.learning, record_recalls=False)
    config = replace(
        CONFIG, retrieval=replace(CONFIG.retrieval, spread_share=0.5), learning=learning
    )
    found = before = 0
    with opened(config) as engine:
        ids = engine.store.dreams.columns("default").ids
        for one, two, weight in edges:
            engine.store.links.put(ids[one], ids[two], type=COACTIVATION, weight=weight)
        for named in range(2 * PAIRS):
            hits = [ids.index(hit.id) for hit in engine.recall(f"tell of {names()[named]}", 5)]
            found += (named ^ 1) in hits
            before += SIZE in [*hits[: hits.index(named ^ 1)]] if (named ^ 1) in hits else 0
    return found / (2 * PAIRS), before / (2 * PAIRS)


@pytest.fixture(scope="module")
def learned() -> list[tuple[int, int, float]]:
    engine, edges = taught()
    engine.close()
    return edges


def test_partners_find_each_other_by_learned_links_alone(
    learned: list[tuple[int, int, float]],
) -> None:
    one, two, weights = (np.array(each) for each in zip(*learned, strict=True))
    rewired = [each.tolist() for each in shuffled(one, two, seed=1)]
    null = list(zip(*rewired, weights.tolist(), strict=True))
    with_links, popular_before = share_found(learned)
    assert with_links == 1.0
    assert popular_before == 0.0
    assert share_found([])[0] < 0.2
    assert share_found(null)[0] < 0.2


def test_the_strongest_link_of_each_is_its_partner(learned: list[tuple[int, int, float]]) -> None:
    for named in range(2 * PAIRS):
        ours = [(weight, one + two - named) for one, two, weight in learned if named in {one, two}]
        assert max(ours)[1] == named ^ 1


def test_what_is_in_most_answers_is_bound_to_none_by_much(
    learned: list[tuple[int, int, float]],
) -> None:
    engine, _ = taught()
    with engine:
        events = engine.store.events.since(limit=1000)
        popular = engine.store.dreams.columns("default").ids[SIZE]
    shares = [popular in {hit.memory_id for hit in event.hits} for event in events]
    assert np.mean(shares) > 0.5
    strongest = {key: max(w for a, b, w in learned if key in {a, b}) for key in range(2 * PAIRS)}
    bound = [weight for one, two, weight in learned if SIZE in {one, two}]
    assert len(bound) <= 2
    assert max(bound, default=0.0) < min(strongest.values()) / 2


def test_a_dream_of_links_can_be_undone() -> None:
    engine, edges = taught()
    with engine:
        for run in engine.dreams():
            engine.undo(run.id)
        assert edges
        assert not len(engine.store.dreams.links("default"))


def test_all_steps_that_link_run_on_a_store() -> None:
    with opened() as engine:
        chosen = ["hebbian", "link-semantic", "link-temporal", "link-sessions"]
        report = engine.dream(steps=chosen)
        assert {change.fields["type"] for change in report.changes} >= {"near_in_time"}
        assert not engine.dream(steps=chosen, full=True).changes

"""A world in an engine is as it was told: each memory at its time, with the recalls of the past."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from engram_lab.config import EmbeddingSettings, EngineConfig, LearningSettings
from engram_lab.evaluation.consolidation.filling import Play, Stage, played, staged
from engram_lab.evaluation.consolidation.outcome import Setting
from engram_lab.evaluation.consolidation.world.making import make_world

if TYPE_CHECKING:
    from collections.abc import Iterator

CONFIG = EngineConfig(
    embedding=EmbeddingSettings(model="hashing"), learning=LearningSettings(record_recalls=True)
)
WORLD = make_world(size=80, seed=2)


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with staged(Setting(size=80, seed=2, config=CONFIG)) as made:
        yield made


def rows(play: Play) -> list[object]:
    return list(play.engine.get_many([play.ids[each.key] for each in play.world.told]))


def test_each_memory_is_there_as_it_was_told_and_since_then(stage: Stage) -> None:
    for told in stage.first.world.told:
        memory = stage.first.engine.get(stage.first.ids[told.key])
        assert memory.content == told.text
        assert memory.created_at == told.recorded_at
        assert memory.event_at == told.event_at
        assert memory.valid_from == told.valid_from
        assert (memory.type, memory.importance) == (told.type, told.importance)
        assert memory.pinned is told.pinned


def test_the_recalls_of_the_past_are_events_and_accesses(stage: Stage) -> None:
    first = stage.first
    events = first.engine.store.events.since(limit=10_000)
    assert [(each.at, each.query) for each in events] == [
        (each.at, each.query) for each in WORLD.accesses
    ]
    hits = Counter(key for each in WORLD.accesses for key in each.hits)
    counts = {key: first.engine.get(id_).access_count for key, id_ in first.ids.items()}
    assert counts == {each.key: hits[each.key] for each in WORLD.told}


def test_asking_leaves_no_trace(stage: Stage) -> None:
    with stage.copy("asked") as play:
        before = rows(play), play.engine.store.corpus.last()
        play.engine.recall("What is the door code?", 10)
        play.engine.flush()
        assert (rows(play), play.engine.store.corpus.last()) == before


def test_a_copy_is_the_same_and_its_own(stage: Stage) -> None:
    with stage.copy("own") as play:
        assert rows(play) == rows(stage.first)
        assert play.clock.now() == play.world.now
        play.engine.forget(play.ids[WORLD.told[0].key])
        assert stage.first.engine.get(stage.first.ids[WORLD.told[0].key]) is not None
    assert list(stage.folder.glob("own*")) == []


def test_one_world_gives_the_same_ids_again(stage: Stage) -> None:
    with played(WORLD, ":memory:", config=CONFIG) as again:
        assert again.ids == stage.first.ids


def test_without_vectors_words_alone_are_asked_for() -> None:
    config = EngineConfig(embedding=EmbeddingSettings(model="none"))
    with staged(Setting(size=80, seed=2, config=config)) as stage:
        assert stage.embedder is None
        told = WORLD.told[0]
        hits = stage.first.engine.recall(told.text.strip(), 10)
        assert told.text in [hit.memory.content for hit in hits]

"""Recall of the past: what a copy of the store answers that was frozen at that moment."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.config.retrieval import STRATEGIES
from engram_lab.core.errors import (
    ConflictError,
    EmbedderError,
    InvalidInputError,
    NotFoundError,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from engram_lab import Engine, Hits, ManualClock

    Opened = Callable[..., Engine]

WORDS = ("tea", "cup", "sun", "gnu", "milk")
SETS: tuple[dict[str, Any], ...] = (
    {},
    {"archived": True},
    {"workspace": "kitchen"},
    {"filter": {"tags": {"contains": "hot"}}},
)


def seen(hits: Hits) -> list[tuple[int, str, int, Any]]:
    """Return what a person sees of hits: ranks, ids, versions, scores."""
    return [
        (hit.rank, hit.id, hit.memory.version, pytest.approx(hit.score, rel=1e-9, abs=1e-7))
        for hit in hits
    ]


def live(engine: Engine, chance: Any) -> None:
    """Let something happen."""
    ids = [memory.id for memory in engine.select(archived=True, forgotten=True)]
    text = " ".join(chance.choices(WORDS, k=chance.randint(1, 4)))
    chosen = chance.choice(ids) if ids else None
    match chance.choice(("remember", "remember", "update", "tags", "archive", "forget", "restore")):
        case "update" if chosen:
            _tolerant(lambda: engine.update(chosen, content=text))
        case "tags" if chosen:
            _tolerant(lambda: engine.update(chosen, tags=[chance.choice(WORDS)]))
        case "archive" if chosen:
            _tolerant(lambda: engine.update(chosen, lifecycle="archived"))
        case "forget" if chosen:
            _tolerant(lambda: engine.forget(chosen))
        case "restore" if chosen:
            _tolerant(lambda: engine.restore(chosen))
        case _:
            place = chance.choice(("default", "kitchen"))
            engine.remember(text, workspace=place, tags=chance.choice((["hot"], [])))


def _tolerant(act: Callable[[], Any]) -> None:
    """Do what may be refused, as a forgotten memory is not there to be updated."""
    with suppress(NotFoundError, ConflictError, InvalidInputError):
        act()


@given(chance=st.randoms(use_true_random=False), before=st.integers(1, 12), after=st.integers(0, 8))
def test_the_past_is_recalled_as_a_copy_of_it_is(
    chance: Any,
    before: int,
    after: int,
    opened: Opened,
    words: Any,
    make_clock: Callable[[], ManualClock],
) -> None:
    clock = make_clock()
    with TemporaryDirectory() as folder, opened(clock=clock, embedder=words()) as engine:
        for _ in range(before):
            clock.advance(hours=1)
            live(engine, chance)
        then = clock.now()
        engine.backup(Path(folder) / "copy.db")
        for _ in range(after):
            clock.advance(hours=1)
            live(engine, chance)
        with opened(Path(folder) / "copy.db", clock=clock, embedder=words()) as copy:
            for strategy in STRATEGIES:
                for chosen in SETS:
                    wanted = copy.recall("tea cup gnu", 50, strategy=strategy, **chosen)
                    hits = engine.recall("tea cup gnu", 50, strategy=strategy, as_of=then, **chosen)
                    assert seen(hits) == seen(wanted)
                    assert (hits.strategy, hits.reason) == (wanted.strategy, wanted.reason)
                    assert [hit.memory.content for hit in hits] == [
                        hit.memory.content for hit in wanted
                    ]


@pytest.fixture
def moment(clock: ManualClock) -> datetime:
    return clock.now()


def test_before_anything_there_was_nothing(
    opened: Opened, words: Any, clock: ManualClock, moment: datetime
) -> None:
    with opened(clock=clock, embedder=words()) as engine:
        clock.advance(hours=1)
        engine.remember("tea")
        for strategy in STRATEGIES:
            assert len(engine.recall("tea", strategy=strategy, as_of=moment)) == 0


def test_only_what_changed_since_is_embedded_anew(
    opened: Opened, words: Any, clock: ManualClock, moment: datetime
) -> None:
    embedder = words()
    with opened(clock=clock, embedder=embedder) as engine:
        engine.remember("tea")
        changed = engine.remember("milk")
        clock.advance(hours=1)
        engine.update(changed.id, content="sun")
        embedder.asked.clear()
        hits = engine.recall("tea", strategy="semantic", as_of=moment)
        assert {hit.memory.content for hit in hits} == {"tea", "milk"}
        assert embedder.documents == ["milk"]
        assert engine.store.vectors.embedders() == {"words/8": 8}


def test_a_past_that_cannot_be_embedded_is_searched_by_words(
    opened: Opened, words: Any, clock: ManualClock, moment: datetime
) -> None:
    embedder = words()
    with opened(clock=clock, embedder=embedder) as engine:
        changed = engine.remember("milk")
        clock.advance(hours=1)
        engine.update(changed.id, content="sun")

        def fault(_texts: Any) -> None:
            raise EmbedderError("the model is out of tea")

        embedder.fault = fault
        hits = engine.recall("milk", as_of=moment)
        assert [hit.memory.content for hit in hits] == ["milk"]
        assert (hits.strategy, hits.reason) == ("keyword", "the model is out of tea")
        with pytest.raises(EmbedderError, match="out of tea"):
            engine.recall("milk", strategy="semantic", as_of=moment)


def test_private_sections_of_the_past_are_neither_searched_nor_shown(
    opened: Opened, words: Any, clock: ManualClock, moment: datetime
) -> None:
    embedder = words()
    with opened(clock=clock, embedder=embedder) as engine:
        memory = engine.remember("tea <private>gin</private>")
        clock.advance(hours=1)
        engine.update(memory.id, content="milk")
        for private in (False, True):
            hits = engine.recall("tea", as_of=moment, private=private)
            assert ("gin" in hits[0].memory.content) == private
            assert len(engine.recall("gin", strategy="keyword", as_of=moment, private=private)) == 0
        assert not any("gin" in text for text in embedder.documents)


def test_an_agent_s_past_is_within_its_reach(
    opened: Opened, words: Any, clock: ManualClock, moment: datetime
) -> None:
    with opened(clock=clock, embedder=words()) as engine:
        engine.remember("tea", scope="global/org:b")
        mine = engine.remember("tea", scope="global/org:a")
        clock.advance(hours=1)
        engine.update(mine.id, content="milk")
        for strategy in STRATEGIES:
            hits = engine.recall(
                "tea", agent="ada", scope="global/org:a", strategy=strategy, as_of=moment
            )
            assert [(hit.id, hit.memory.content) for hit in hits] == [(mine.id, "tea")]


def test_with_links_and_rerankers_the_past_is_still_explained(
    opened: Opened, words: Any, clock: ManualClock, moment: datetime
) -> None:
    settings = {"spread_share": 0.5, "context_share": 0.5, "mmr_lambda": 0.5}
    with opened(clock=clock, embedder=words(), retrieval=settings) as engine:
        first, second = engine.remember("tea"), engine.remember("tea cup")
        engine.link(first.id, second.id)
        clock.advance(hours=1)
        engine.forget(first.id)
        hits = engine.recall("tea", as_of=moment)
        assert {hit.id for hit in hits} == {first.id, second.id}
        assert all(hit.explanation.score == hit.score for hit in hits)

"""A recall that is given what to look for as a vector, such as that of an image."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.core.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from engram_lab import Engine, Hits, ManualClock

    Opened = Callable[..., Engine]

TEXTS = ("green tea", "black coffee", "warm milk", "cold water", "tea with milk")


@pytest.fixture
def engine(opened: Opened, clock: ManualClock, words: Any) -> Iterator[Engine]:
    with opened(clock=clock, embedder=words()) as engine:
        engine.remember_many([{"content": text} for text in TEXTS])
        yield engine


def seen(hits: Hits) -> list[tuple[str, float]]:
    return [(hit.memory.content, hit.score) for hit in hits]


def vector_of(engine: Engine, text: str) -> Any:
    return engine.embedder.embed([text], kind="query")[0]


@pytest.mark.parametrize("text", TEXTS)
def test_the_vector_of_a_text_finds_what_the_text_finds(engine: Engine, text: str) -> None:
    asked = engine.recall(text, strategy="semantic")
    given_it = engine.recall("a picture", strategy="semantic", vector=vector_of(engine, text))
    assert [content for content, _ in seen(given_it)] == [content for content, _ in seen(asked)]
    scores = [score for _, score in seen(given_it)]
    assert scores == pytest.approx([score for _, score in seen(asked)], abs=1e-6)
    assert given_it.query == "a picture"
    assert given_it.embedder == "words/8"


def test_the_text_is_not_embedded(opened: Opened, words: Any) -> None:
    embedder = words()
    with opened(embedder=embedder) as engine:
        engine.remember("green tea")
        vector = vector_of(engine, "tea")
        before = list(embedder.asked)
        assert len(engine.recall("a picture", vector=vector)) == 1
        assert embedder.asked == before


def test_the_words_of_the_text_are_looked_for_beside_it(engine: Engine) -> None:
    hits = engine.recall("coffee", vector=vector_of(engine, "cold water"))
    assert hits.strategy == "hybrid"
    assert {arm.name for arm in hits[0].explanation.arms} == {"keyword", "semantic"}
    assert {hit.memory.content for hit in hits[:2]} == {"black coffee", "cold water"}


def test_what_a_vector_finds_is_within_the_selection(engine: Engine) -> None:
    engine.remember("tea elsewhere", workspace="other")
    hits = engine.recall("a picture", vector=vector_of(engine, "tea"), workspace="other")
    assert [hit.memory.content for hit in hits] == ["tea elsewhere"]


def test_an_agent_may_give_one_and_finds_what_it_may_see(engine: Engine) -> None:
    engine.remember("tea of Ada", scope="global/agent:ada")
    vector = vector_of(engine, "tea of Ada")
    of = {
        name: engine.recall("a picture", vector=vector, agent=name, scope=f"global/agent:{name}")
        for name in ("ada", "bert")
    }
    assert of["ada"][0].memory.content == "tea of Ada"
    assert "tea of Ada" not in {hit.memory.content for hit in of["bert"]}
    assert len(of["bert"]) == len(TEXTS)


def test_the_past_can_be_asked_by_a_vector(engine: Engine, clock: ManualClock) -> None:
    then = clock.now()
    clock.advance(hours=1)
    engine.remember("tea of today")
    vector = vector_of(engine, "tea of today")
    hits = engine.recall("a picture", vector=vector, as_of=then + timedelta(minutes=1))
    assert {hit.memory.content for hit in hits} == set(TEXTS)


def test_turns_are_ordered_by_the_vector_alone(engine: Engine) -> None:
    """The features of a conversation compare the text, which says nothing here."""
    engine.store.sessions.start("monday")
    turns = [{"speaker": "Ada", "content": text} for text in TEXTS]
    engine.store.sessions.add_turns("monday", turns)
    engine.embed()
    hits = engine.recall("a picture", vector=vector_of(engine, "black coffee"))
    assert hits.profile == "neutral"
    assert {hit.memory.content for hit in hits[:2]} == {"black coffee"}


@given(scale=st.floats(1e-6, 1e6))
def test_its_length_does_not_matter(opened: Opened, words: Any, scale: float) -> None:
    with opened(embedder=words()) as engine:
        engine.remember_many([{"content": text} for text in TEXTS])
        vector = vector_of(engine, "tea").astype(np.float64)
        asked, longer = (
            engine.recall("a picture", strategy="semantic", vector=each)
            for each in (vector, scale * vector)
        )
        assert [hit.id for hit in asked] == [hit.id for hit in longer]
        scores = [hit.score for hit in longer]
        assert scores == pytest.approx([hit.score for hit in asked], abs=1e-6)


@pytest.mark.parametrize(
    ("vector", "reason"),
    [
        ([1.0] * 7, r"the shape \[7\], and the embedder makes \[8\]"),
        ([[1.0] * 8], r"the shape \[1, 8\]"),
        (1.0, r"the shape \[\]"),
        ([np.nan] * 8, "points nowhere"),
        ([np.inf] + [0.0] * 7, "points nowhere"),
        ([0.0] * 8, "points nowhere"),
        (["a"] * 8, "no row of numbers"),
        ("a picture", "no row of numbers"),
    ],
)
@pytest.mark.parametrize("strategy", ["auto", "semantic", "hybrid"])
def test_what_points_nowhere_is_refused(
    engine: Engine, vector: Any, reason: str, strategy: Any
) -> None:
    with pytest.raises(InvalidInputError, match=reason):
        engine.recall("a picture", strategy=strategy, vector=vector)


def test_words_alone_cannot_be_asked_by_a_vector(engine: Engine) -> None:
    with pytest.raises(InvalidInputError, match="'keyword' compares none: say semantic or hybrid"):
        engine.recall("tea", strategy="keyword", vector=vector_of(engine, "tea"))


def test_without_an_embedder_words_alone_are_searched_and_it_is_told(opened: Opened) -> None:
    with opened(embedding={"model": "none"}) as engine:
        engine.remember("green tea")
        hits = engine.recall("tea", vector=[1.0] * 8)
        assert hits.strategy == "keyword"
        assert "embedding.model is 'none'" in hits.reason


def test_a_vector_of_an_image_that_is_put_beside_a_memory_is_kept_until_its_text_changes(
    engine: Engine,
) -> None:
    """What a memory of an image is: a text of its own, and the vector of what is to be seen."""
    mark = engine.embedder.fingerprint
    looks = vector_of(engine, "a red door")
    with engine.store.transaction():
        memory = engine.store.memories.remember({"content": "drawing 7"})
        engine.store.vectors.put(mark, [memory.id], looks[None])

    assert engine.embed().pending == 0
    assert engine.recall("a red door", k=1, strategy="semantic")[0].id == memory.id
    assert engine.recall("a picture", k=1, vector=looks)[0].id == memory.id

    engine.update(memory.id, content="drawing 7, framed")
    stored = engine.store.vectors.get(mark, [memory.id])[0]
    assert stored is not None
    assert stored.values.tolist() == vector_of(engine, "drawing 7, framed").tolist()

"""The past: read whole, and searched without an index."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from engram_lab.core.errors import EmbedderError
from engram_lab.core.selection import Selection
from engram_lab.retrieval.embedders.hashing import HashingEmbedder
from engram_lab.retrieval.lexical.analyser import Analyser
from engram_lab.retrieval.lexical.index import LexicalIndex
from engram_lab.retrieval.past import Bm25, Past
from engram_lab.retrieval.question import Question

if TYPE_CHECKING:
    from datetime import datetime

    from engram_lab.core.clock import ManualClock
    from engram_lab.core.sqlite import SqliteStore

ENGLISH = Analyser()
TEXTS = ("tea tea cup", "tea", "milk sun gnu cup", "sun", "gnu <private>tea</private>")


@pytest.fixture
def then(store: SqliteStore, clock: ManualClock) -> datetime:
    """Remember some texts, and let time go on."""
    store.memories.remember_many(
        {"content": text, "workspace": "kitchen" if "cup" in text else "default"} for text in TEXTS
    )
    moment = clock.now()
    clock.advance(hours=1)
    return moment


def past(store: SqliteStore, then: datetime, embedder: Any = None, **chosen: Any) -> Past:
    selection = Selection.of(as_of=then, **chosen)
    return Past.of(store, selection, Bm25(analyser=ENGLISH, k1=1.2, b=0.75), embedder)


def asked(text: str) -> Question:
    return Question.of(text, ENGLISH)


@pytest.mark.parametrize("query", ["tea", "tea cup sun", "gnu milk", "heron", "of the"])
@pytest.mark.parametrize("workspace", [None, "kitchen"])
def test_words_score_as_in_an_index_of_that_moment(
    store: SqliteStore, then: datetime, query: str, workspace: str | None
) -> None:
    lexical = LexicalIndex(store.corpus)
    lexical.catch_up()
    index = lexical.search(asked(query).terms, 100)
    known = dict(zip(index.keys.tolist(), index.scores.tolist(), strict=True))
    store.memories.forget(store.memories.select(Selection()).memories[0].id)

    there = past(store, then, workspace=workspace)
    found = there.by_words(asked(query), 100)

    ids = [there.memories[place - 1].id for place in found.keys.tolist()]
    scores = dict(zip(store.corpus.find(ids).tolist(), found.scores.tolist(), strict=True))
    within = {store.corpus.find([each.id]).tolist()[0] for each in there.memories}
    assert scores == {key: score for key, score in known.items() if key in within}
    assert len(there.by_words(asked(query), 1)) == min(1, len(found))


def test_meaning_is_the_cosine_of_what_was_said_then(store: SqliteStore, then: datetime) -> None:
    embedder = HashingEmbedder()
    first = store.memories.select(Selection()).memories[0]
    store.memories.update(first.id, {"content": "something else"})
    there = past(store, then, embedder)
    query = embedder.embed(["tea cup"], kind="query")[0]
    found = there.by_meaning(query, 100)
    texts = ["gnu " if "private" in text else text for text in TEXTS]
    wanted = np.vecdot(embedder.embed(texts, kind="document"), query)
    contents = [there.memories[place - 1].content for place in found.keys.tolist()]
    assert set(contents) == set(texts)
    for content, score in zip(contents, found.scores.tolist(), strict=True):
        assert score == wanted[texts.index(content)]


def test_vectors_are_those_of_texts_that_stand_unchanged(
    store: SqliteStore, then: datetime
) -> None:
    embedder = HashingEmbedder(dim=8)
    memories = store.memories.select(Selection()).memories
    store.memories.update(memories[0].id, {"content": "else"})
    ids = [memory.id for memory in memories]
    store.vectors.put(embedder.fingerprint, ids, np.eye(5, 8, dtype=np.float32))
    there = past(store, then, embedder)
    first, *others = there.vectors(there.memories)
    assert first is None
    assert [int(np.argmax(each)) for each in others if each is not None] == [1, 2, 3, 4]
    assert past(store, then).vectors(there.memories) == [None] * 5


def test_an_empty_past_has_nothing_to_say(store: SqliteStore, then: datetime) -> None:
    there = past(store, then, HashingEmbedder(), workspace="nowhere")
    assert len(there.by_words(asked("tea"), 5)) == 0
    assert len(there.by_meaning(np.ones(1024, np.float32), 5)) == 0


def test_a_vector_that_is_none_is_refused(store: SqliteStore, then: datetime) -> None:
    class Broken(HashingEmbedder):
        def embed(self, texts: Any, *, kind: Any) -> Any:
            return super().embed(texts, kind=kind) * np.nan

    there = past(store, then, Broken())
    with pytest.raises(EmbedderError, match="NaN"):
        there.by_meaning(np.ones(1024, np.float32), 5)

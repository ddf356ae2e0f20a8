"""The present, through the indexes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from engram_lab.core.selection import Selection
from engram_lab.retrieval.dense import DenseIndex
from engram_lab.retrieval.lexical.index import LexicalIndex
from engram_lab.retrieval.present import Present
from engram_lab.retrieval.question import Question
from engram_lab.retrieval.surroundings import Surroundings

if TYPE_CHECKING:
    from engram_lab.core.sqlite import SqliteStore

TEXTS = ("green tea", "tea cup", "to be or not", "milk")


@pytest.fixture
def lexical(store: SqliteStore) -> LexicalIndex:
    store.memories.remember_many({"content": text} for text in TEXTS)
    ids = [memory.id for memory in store.memories.select(Selection()).memories]
    store.vectors.put("mine", ids[:3], np.eye(3, 4, dtype=np.float32))
    index = LexicalIndex(store.corpus)
    index.catch_up()
    return index


def present(store: SqliteStore, lexical: LexicalIndex | None, **options: Any) -> Present:
    dense = DenseIndex(store.corpus, embedder="mine", dim=4)
    dense.catch_up()
    given: dict[str, Any] = {"index": dense, "embedder": "mine", "selection": Selection()}
    given["hidden"] = None
    return Present(view=store, lexical=lexical, **given | options)


def found(place: Present, query: str) -> set[str]:
    question = Question.of(query, LexicalIndex(place.view.corpus).analyser)
    keys = place.by_words(question, 10).keys
    return {memory.content for memory in place.fetch(keys) if memory is not None}


@pytest.mark.parametrize("which", ["bm25", "fts5"])
def test_words_are_found_by_either_index(
    store: SqliteStore, lexical: LexicalIndex, which: str
) -> None:
    place = present(store, lexical if which == "bm25" else None)
    assert found(place, "teas") == {"green tea", "tea cup"}
    assert found(place, '"green tea"') == {"green tea"}
    assert found(place, "gre* mil*") == {"green tea", "milk"}
    assert found(place, "to be") == {"to be or not"}
    assert found(place, "heron") == set()


def test_meaning_is_the_cosine(store: SqliteStore, lexical: LexicalIndex) -> None:
    place = present(store, lexical)
    ranking = place.by_meaning(np.array([0, 0.8, 0.6, 0], np.float32), 10)
    memories = place.fetch(ranking.keys)
    assert [each.content for each in memories if each] == ["tea cup", "to be or not", "green tea"]
    assert ranking.scores.tolist() == pytest.approx([0.8, 0.6, 0.0])
    assert len(present(store, lexical, index=None).by_meaning(np.ones(4, np.float32), 10)) == 0


def test_vectors_are_those_of_the_embedder(store: SqliteStore, lexical: LexicalIndex) -> None:
    place = present(store, lexical)
    memories = store.memories.select(Selection()).memories
    *known, last = place.vectors(memories)
    assert [int(np.argmax(each)) for each in known if each is not None] == [0, 1, 2]
    assert last is None
    assert present(store, lexical, embedder=None).vectors(memories) == [None] * 4


def test_a_selection_holds_for_every_look(store: SqliteStore, lexical: LexicalIndex) -> None:
    selection = Selection.of({"content": {"eq": "tea cup"}})
    place = present(store, lexical, selection=selection)
    assert found(place, "tea") == {"tea cup"}
    ranking = place.by_meaning(np.ones(4, np.float32), 10)
    assert [each and each.content for each in place.fetch(ranking.keys)] == ["tea cup"]
    assert [each and each.content for each in place.fetch(store.corpus.alive())].count(None) == 3
    assert place.around(Surroundings(), "tea", ranking) == {}

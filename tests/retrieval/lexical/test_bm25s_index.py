from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest

from engram_lab.core.errors import InvalidInputError, MissingDependencyError
from engram_lab.retrieval.lexical import Analyser, LexicalIndex
from engram_lab.retrieval.lexical.bm25s_index import METHODS, Bm25sIndex
from engram_lab.retrieval.ranking import Ranking

if TYPE_CHECKING:
    from tests.retrieval.lexical.conftest import FakeCorpus

pytest.importorskip("bm25s")
SIMPLE = Analyser(name="simple")


@pytest.fixture
def full(corpus: FakeCorpus) -> FakeCorpus:
    chance = np.random.default_rng(2)
    for key in range(10, 300):
        corpus.put(key, " ".join(f"w{rank}" for rank in chance.zipf(1.4, 12)))
    return corpus


def test_it_ranks_as_our_own_index_does(full: FakeCorpus) -> None:
    ours = LexicalIndex(full.as_corpus(), analyser=SIMPLE, k1=0.9, b=0.3)
    theirs = Bm25sIndex(full.as_corpus(), analyser=SIMPLE, k1=0.9, b=0.3)
    ours.catch_up()
    assert theirs.catch_up() == 290
    assert theirs.number == ours.number
    assert theirs.size == ours.size
    allowed = np.arange(10, 300, 3)

    for terms in (["w1"], ["w2", "w9", "w2"], ["w3", "w40", "nowhere"]):
        for within in (None, allowed):
            found = theirs.search(terms, 1000, allowed=within)
            expected = ours.search(terms, 1000, allowed=within)
            assert sorted(found.keys.tolist()) == sorted(expected.keys.tolist())
            assert found.scores == pytest.approx(expected.scores, rel=1e-12)


@pytest.mark.parametrize("method", METHODS)
def test_every_variant_finds_the_texts_with_the_terms_alone(full: FakeCorpus, method: str) -> None:
    ours = LexicalIndex(full.as_corpus(), analyser=SIMPLE)
    theirs = Bm25sIndex(full.as_corpus(), analyser=SIMPLE, method=method)
    ours.catch_up()
    theirs.catch_up()

    found = theirs.search(["w5", "w6"], 1000)

    assert sorted(found.keys.tolist()) == sorted(ours.search(["w5", "w6"], 1000).keys.tolist())


def test_a_write_is_found_after_it_is_built_anew(full: FakeCorpus) -> None:
    index = Bm25sIndex(full.as_corpus())
    index.catch_up()
    full.put(500, "entirely new")

    assert index.search(["entir"], 5) == Ranking.empty()
    assert index.catch_up() == 291
    assert index.search(["entir"], 5).keys.tolist() == [500]
    assert index.catch_up() == 0


def test_an_empty_store_finds_nothing(corpus: FakeCorpus) -> None:
    index = Bm25sIndex(corpus.as_corpus())
    index.catch_up()
    assert index.search(["x"], 5) == Ranking.empty()
    corpus.put(1, "?!")
    index.catch_up()
    assert index.search(["x"], 5) == Ranking.empty()
    index.close()
    assert index.size == 0


def test_what_cannot_be_is_refused(corpus: FakeCorpus, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidInputError, match="'tfidf' is unknown: choose one of lucene"):
        Bm25sIndex(corpus.as_corpus(), method="tfidf")
    with pytest.raises(InvalidInputError, match="k is 0"):
        Bm25sIndex(corpus.as_corpus()).search(["x"], 0)
    monkeypatch.setitem(sys.modules, "bm25s", None)
    with pytest.raises(MissingDependencyError, match=r"pip install .\.\[bm25s\]"):
        Bm25sIndex(corpus.as_corpus())

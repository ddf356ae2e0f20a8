"""What each term gives to each text, against the ranking of that term alone by brute force."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.core.errors import InvalidInputError
from engram_lab.retrieval.lexical import Analyser, LexicalIndex, holdings, tail

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.retrieval.lexical.conftest import FakeCorpus

SIMPLE = Analyser(name="simple")
WORDS = ["a", "b", "c", "d"]
TEXTS = st.lists(st.sampled_from(WORDS), max_size=9).map(" ".join)
KEYS = st.integers(1, 12)
PARAMETERS = st.tuples(st.sampled_from([0.0, 0.4, 1.2, 3.0]), st.sampled_from([0.0, 0.3, 1.0]))


@given(
    texts=st.lists(st.tuples(KEYS, TEXTS), max_size=20),
    gone=st.lists(st.tuples(st.sampled_from(["forget", "purge"]), KEYS), max_size=4),
    asked=st.lists(st.integers(1, 15), unique=True, max_size=15),
    parameters=PARAMETERS,
    full=st.sampled_from([1, 3, 100]),
)
def test_each_column_is_the_ranking_of_its_term_alone(
    texts: list[tuple[int, str]],
    gone: list[tuple[str, int]],
    asked: list[int],
    parameters: tuple[float, float],
    full: int,
    new_corpus: Callable[[], FakeCorpus],
    oracle: Any,
) -> None:
    corpus = new_corpus()
    k1, b = parameters
    index = LexicalIndex(corpus.as_corpus(), analyser=SIMPLE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tail, "_MAX_TEXTS", full)
        patch.setattr(holdings, "_MAX_AT_ONCE", full)
        for key, text in texts:
            corpus.put(key, text)
            index.catch_up()
        for deed, key in gone:
            if key in corpus.known:
                getattr(corpus, deed)(key)
        index.catch_up()
    terms = [*WORDS, "nowhere"]
    given_ = index.scores_by_term(terms, np.array(asked, np.int64), k1=k1, b=b)
    assert given_.shape == (len(asked), len(terms))
    for column, term in enumerate(terms):
        known = dict(oracle(corpus, [term], analyser=SIMPLE, k1=k1, b=b))
        assert given_[:, column].tolist() == [known.get(key, 0.0) for key in asked]


@given(texts=st.lists(TEXTS, min_size=1, max_size=12), chance=st.randoms(use_true_random=False))
def test_together_they_are_the_score_of_a_search(
    texts: list[str], chance: Any, new_corpus: Callable[[], FakeCorpus]
) -> None:
    corpus = new_corpus()
    for key, text in enumerate(texts, 1):
        corpus.put(key, text)
    index = LexicalIndex(corpus.as_corpus(), analyser=SIMPLE, k1=0.9, b=0.4)
    index.catch_up()
    keys = list(range(1, len(texts) + 1))
    chance.shuffle(keys)
    sums = index.scores_by_term(WORDS, np.array(keys), k1=0.9, b=0.4).sum(axis=1)
    found = index.search(WORDS, len(texts))
    scores = dict(zip(found.keys.tolist(), found.scores.tolist(), strict=True))
    assert sums == pytest.approx([scores.get(key, 0.0) for key in keys], rel=1e-12)


def test_nothing_is_asked_of_nothing(corpus: FakeCorpus) -> None:
    index = LexicalIndex(corpus.as_corpus(), analyser=SIMPLE)
    assert index.scores_by_term(["a"], np.array([7]), k1=1.0, b=0.5).tolist() == [[0.0]]
    assert index.scores_by_term([], np.array([7]), k1=1.0, b=0.5).shape == (1, 0)
    assert index.scores_by_term(["a"], np.empty(0, np.int64), k1=1.0, b=0.5).shape == (0, 1)


@pytest.mark.parametrize("parameters", [{"k1": -1, "b": 0.5}, {"k1": 1, "b": 1.5}])
def test_parameters_out_of_range_are_refused(
    corpus: FakeCorpus, parameters: dict[str, float]
) -> None:
    index = LexicalIndex(corpus.as_corpus(), analyser=SIMPLE)
    with pytest.raises(InvalidInputError):
        index.scores_by_term(["a"], np.array([1]), **parameters)

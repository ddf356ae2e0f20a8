from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any
from zlib import crc32

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.retrieval.embedders.protocol import Kind, TokenVectors
from engram_lab.retrieval.rerank import MaxSim, RerankQuery, late_interaction
from engram_lab.retrieval.tokens.table import TokenTable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from engram_lab.retrieval.rerank import Candidate

    Make = Callable[..., Candidate]

DIM = 8
FREQUENCY = {"tea": 3, "the": 90, "drinks": 10, "who": 100, "a": 200}
WORDS = [*FREQUENCY, "coffee", "cat"]
TEXTS = st.lists(st.sampled_from(WORDS), max_size=6).map(" ".join)


def vector_of(word: str) -> Any:
    vector = np.random.default_rng(crc32(word.encode())).normal(size=DIM)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


class WordEmbedder:
    """Gives each word one vector, whatever stands around it, and counts what it is asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Kind]] = []

    def embed_tokens(self, texts: Sequence[str], *, kind: Kind) -> list[TokenVectors]:
        self.asked += [(text, kind) for text in texts]
        return [
            TokenVectors(
                tuple(text.split()),
                np.array([vector_of(word) for word in text.split()], np.float32).reshape(-1, DIM),
            )
            for text in texts
        ]


def max_sim(**options: Any) -> MaxSim:
    known: dict[str, Any] = {
        "embedder": WordEmbedder(),
        "frequency": lambda token: FREQUENCY.get(token, 0),
        "count": lambda: 100,
    }
    return MaxSim(**known | options)


def idf(word: str) -> float:
    held = min(FREQUENCY.get(word, 0), 100)
    return math.log(1 + (100 - held + 0.5) / (held + 0.5))


def by_the_paper(query: str, text: str) -> float:
    asked, told = query.split(), text.split()
    if not asked or not told:
        return 0.0
    nearest = [max(float(vector_of(one) @ vector_of(other)) for other in told) for one in asked]
    weights = [idf(word) for word in asked]
    products = [weight * best for weight, best in zip(weights, nearest, strict=True)]
    return sum(products) / sum(weights)


@given(TEXTS, st.lists(TEXTS, max_size=6))
def test_scores_are_those_of_the_paper(query: str, texts: list[str]) -> None:
    wanted = [by_the_paper(query, text) for text in texts]
    # Half floats hold 11 bits.
    assert max_sim().score(query, texts).tolist() == pytest.approx(wanted, abs=1e-3)


def test_a_text_that_holds_all_words_of_the_question_has_the_score_1() -> None:
    assert max_sim().score("who drinks tea", ["tea drinks who a"])[0] == pytest.approx(1, abs=1e-3)


def test_a_rare_word_counts_for_more_than_a_frequent_one() -> None:
    rare, frequent = max_sim().score("the tea", ["tea", "the"])
    assert rare > frequent


@given(TEXTS, st.lists(TEXTS, min_size=2, max_size=6))
def test_the_score_of_a_text_does_not_depend_on_the_others(query: str, texts: list[str]) -> None:
    together = max_sim().score(query, texts).tolist()
    alone = [max_sim().score(query, [text])[0] for text in texts]
    assert together == pytest.approx(alone, abs=1e-6)


def test_texts_are_read_once_and_as_texts() -> None:
    embedder = WordEmbedder()
    scorer = max_sim(embedder=embedder)
    first = scorer.score("tea", ["the cat", "coffee", "the cat"])
    again = scorer.score("tea", ["coffee", "the cat"])
    assert again.tolist() == pytest.approx(first[[1, 0]].tolist())
    assert embedder.asked == [
        ("tea", "query"),
        ("the cat", "document"),
        ("coffee", "document"),
        ("tea", "query"),
    ]


def test_texts_that_differ_in_case_alone_have_their_own_vectors() -> None:
    lower, upper = max_sim().score("tea", ["tea", "TEA"])
    assert lower == pytest.approx(1, abs=1e-3)
    assert upper < 0.99


def test_nothing_asked_or_told_scores_0() -> None:
    assert max_sim().score("", ["tea", ""]).tolist() == [0.0, 0.0]
    assert max_sim().score("tea", ["", ""]).tolist() == [0.0, 0.0]
    assert max_sim().score("tea", []).tolist() == []
    assert max_sim(count=lambda: 0).score("tea", ["tea"])[0] == pytest.approx(1, abs=1e-3)


def test_the_reranker_mixes_it_in(candidate: Make, now: Any) -> None:
    reranker = late_interaction(
        WordEmbedder(),
        frequency=lambda token: FREQUENCY.get(token, 0),
        count=lambda: 100,
        share=0.9,
    )
    candidates = [candidate(1, 1.0, content="the cat"), candidate(2, 0.5, content="tea")]
    reranked = reranker.rerank(RerankQuery(text="tea", now=now), candidates)
    assert reranked.ranking.keys.tolist() == [2, 1]
    assert dict(reranked.explain(0)) == {"relevance": 0.0, "late_interaction": 0.9}
    assert reranker.text_of(candidates[0].memory) == "the cat"


def test_a_bound_of_nothing_keeps_nothing() -> None:
    embedder = WordEmbedder()
    scorer = max_sim(embedder=embedder, cache_bytes=0)
    first, again = (scorer.score("tea", ["the cat"])[0] for _ in range(2))
    assert first == again
    assert [text for text, kind in embedder.asked if kind == "document"] == ["the cat", "the cat"]


def test_a_table_that_others_use_too_has_the_tokens() -> None:
    embedder, other = WordEmbedder(), WordEmbedder()
    table = TokenTable(other)
    table.of(["the cat", "tea"])
    scorer = max_sim(embedder=embedder, table=table)
    cat, tea = scorer.score("tea", ["the cat", "tea"])
    assert tea == pytest.approx(1, abs=0.01)
    assert cat < tea
    assert embedder.asked == [("tea", "query")]
    reranker = late_interaction(
        embedder, frequency=lambda _: 1, count=lambda: 100, share=1.0, table=table
    )
    assert reranker.scorer.score("tea", ["the cat", "tea"]).tolist() == [cat, tea]
    assert [text for text, _ in other.asked] == ["the cat", "tea"]


def test_a_full_stop_is_nobody_s_nearest() -> None:
    alone, among = max_sim().score("tea", ["the", "the ."])
    assert among == pytest.approx(alone, abs=1e-3)

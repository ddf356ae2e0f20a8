"""Recall by words: the order is BM25's, and nothing that a user writes is an error."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engram_lab.core.errors import AccessDeniedError, InvalidInputError
from engram_lab.core.selection import EVERYTHING
from engram_lab.core.text import clean_text
from engram_lab.retrieval.lexical.stopwords import STOP_WORDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from engram_lab import Engine, Hits, ManualClock

    Opened = Callable[..., Engine]

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
K1, B = 1.2, 0.75
WORDS = ("tea", "cup", "sun", "gnu", "milk")  # the stemmer leaves each as it is


@pytest.fixture
def engine(opened: Opened, clock: ManualClock) -> Iterator[Engine]:
    with opened(clock=clock, embedding={"model": "none"}) as engine:
        yield engine


def recalled(engine: Engine, query: str, k: int = 100, **chosen: Any) -> Hits:
    return engine.recall(query, k, strategy="keyword", **chosen)


def found(engine: Engine, query: str, **chosen: Any) -> list[str]:
    return [hit.memory.content for hit in recalled(engine, query, **chosen)]


def bm25(documents: dict[str, list[str]], query: list[str]) -> dict[str, float]:
    """Return the score of each document that holds a word of the query, by its name.

    Source: Robertson and Zaragoza (2009), equation 3.15, without the constant factor k1 + 1, and
    with the idf ln(1 + (N - n + 0.5) / (n + 0.5)), which is above 0 for every word.
    """
    mean = sum(map(len, documents.values())) / len(documents)
    scores: dict[str, float] = {}
    for word in query:
        holding = sum(word in words for words in documents.values())
        idf = math.log1p((len(documents) - holding + 0.5) / (holding + 0.5))
        for name, words in documents.items():
            if tf := words.count(word):
                length = K1 * (1 - B + B * len(words) / mean)
                scores[name] = scores.get(name, 0.0) + idf * tf / (tf + length)
    return scores


def corpora() -> st.SearchStrategy[list[tuple[list[str], list[str]]]]:
    """Draw documents: the words of each and its tags."""
    words = st.lists(st.sampled_from(WORDS), min_size=1, max_size=8)
    tags = st.lists(st.sampled_from(WORDS), max_size=2, unique=True)
    return st.lists(st.tuples(words, tags), min_size=1, max_size=8)


@given(
    corpus=corpora(), query=st.lists(st.sampled_from((*WORDS, "heron")), min_size=1, unique=True)
)
def test_the_score_is_bm25_of_content_and_tags(
    corpus: list[tuple[list[str], list[str]]], query: list[str], opened: Opened
) -> None:
    with opened(embedding={"model": "none"}) as engine:
        documents = {
            engine.remember(" ".join(words), tags=tags).id: words + tags for words, tags in corpus
        }
        wanted = bm25(documents, query)

        hits = recalled(engine, " ".join(query))

        assert {hit.id: pytest.approx(hit.score, rel=1e-9) for hit in hits} == wanted
        assert [(-hit.score, hit.id) for hit in hits] == sorted(
            (-hit.score, hit.id) for hit in hits
        )


def test_the_score_of_a_corpus_worked_out_by_hand(engine: Engine) -> None:
    for content in ("tea tea cup", "tea", "sun gnu", "milk sun gnu cup"):
        engine.remember(content)
    # N = 4, mean length 2.5. "milk" is in 1: idf = ln(1 + 3.5 / 1.5) = 1.20397; in a text of 4:
    # 1 / (1 + 1.2 · (0.25 + 0.75 · 4 / 2.5)) = 1 / 2.74 = 0.36496
    (hit,) = recalled(engine, "milk")
    assert hit.score == pytest.approx(1.20397 * 0.36496, rel=1e-4)
    # "cup" is in 2: idf = ln 2 = 0.69315; in a text of 3: 1 / 2.38
    hits = recalled(engine, "cup")
    assert [hit.memory.content for hit in hits] == ["tea tea cup", "milk sun gnu cup"]
    assert hits[0].score == pytest.approx(0.69315 / 2.38, rel=1e-4)


def test_forgotten_words_count_no_more(engine: Engine) -> None:
    documents = {}
    for content in ("tea cup", "tea tea", "sun", "milk", "gnu tea cup sun"):
        documents[engine.remember(content).id] = content.split()
    recalled(engine, "tea")
    gone = next(iter(documents))
    engine.forget(gone)
    del documents[gone]
    wanted = bm25(documents, ["tea", "sun"])
    assert {hit.id: pytest.approx(hit.score) for hit in recalled(engine, "tea sun")} == wanted


def test_words_are_met_by_their_stem_without_case_and_accents(engine: Engine) -> None:
    engine.remember("Ada LIKES the café's croissants")
    engine.remember("İstanbul")
    assert found(engine, "İstanbul") == found(engine, "istanbul") == ["İstanbul"]
    for query in ("liked", "CAFE", "café", "cafe\u0301", "croissant", "CROISSANTS?"):
        assert found(engine, query) == ["Ada LIKES the café's croissants"]
    assert found(engine, "tea") == []


def test_tags_are_searched_and_metadata_is_not(engine: Engine) -> None:
    engine.remember("x", tags=["taste"], metadata={"kind": "drink"})
    assert found(engine, "taste") == ["x"]
    assert found(engine, "drink") == []
    assert found(engine, "kind") == []


SYNTAX = [
    'C++ "AND" (tea',
    "tea NEAR( x",
    "NEAR(tea cup, 3)",
    "tea*",
    "te*",
    "* tea",
    "content: tea",
    "tags : tea",
    "{content tags} : tea",
    "-tea",
    "^tea",
    "NOT tea",
    "tea AND NOT cup",
    "tea OR",
    'tea"',
    '""tea',
    '"green tea"',
    '"tea" "',
    "'tea'; DROP TABLE memories; --",
    "tea + cup",
    "tea 🍵",
    "tea\n\t)",
    "tea\\",
    "tea % _ ?1 :name @x $y",
]


@pytest.mark.parametrize("lexical", ["bm25", "fts5"])
@pytest.mark.parametrize("query", SYNTAX)
def test_nothing_in_a_question_is_syntax(opened: Opened, query: str, lexical: str) -> None:
    with opened(retrieval={"lexical": lexical}, embedding={"model": "none"}) as engine:
        engine.remember("green tea")
        engine.remember("something of another kind")
        assert found(engine, query) == ["green tea"]


def test_words_in_quotes_and_before_a_star_are_found_to_the_letter(engine: Engine) -> None:
    for content in ("a blue door", "the door is blue", "lighthouse", "a light", "keeper"):
        engine.remember(content)
    assert found(engine, '"blue door"') == ["a blue door"]
    assert set(found(engine, "blue door")) == {"a blue door", "the door is blue"}
    assert set(found(engine, "light*")) == {"lighthouse", "a light"}
    assert set(found(engine, '"blue door" lightho* keeper')) == {
        *("a blue door", "lighthouse", "keeper")
    }


@pytest.mark.parametrize("strategy", ["auto", "keyword", "semantic", "hybrid"])
@given(query=st.text(st.characters(exclude_categories=["Cs"]), max_size=50))
@example(query='"')
@example(query='"\ufffe a" b*')
@example(query="tea\ufffe\u0301")
@example(query='"_ _" "- -"')
def test_any_text_may_be_asked(query: str, strategy: Any, opened: Opened) -> None:
    with opened() as engine:
        engine.remember("green tea")
        if clean_text(query, field="query").strip():
            assert len(engine.recall(query, strategy=strategy, explain=True)) <= 1
        else:
            with pytest.raises(InvalidInputError, match="the query is empty"):
                engine.recall(query, strategy=strategy)


@given(
    content=st.text(st.characters(exclude_categories=["Cc"], max_codepoint=0x24F)).filter(
        lambda text: bool(set(re.findall(r"[^\W\d_]{2,}", text.casefold())) - STOP_WORDS)
    )
)
def test_a_text_with_a_latin_word_is_found_by_itself(content: str, opened: Opened) -> None:
    with opened(embedding={"model": "none"}) as engine:
        kept = engine.remember(content)
        assert [hit.id for hit in recalled(engine, content.replace('"', " "))] == [kept.id]


@pytest.mark.parametrize(
    "content",
    ["Ωμέγα", "самовар", "שלום", "سلام", "हिन्दी", "ไทย", "日本語", "한국어", "Tiếng Việt", "ǅ İ ß"],
)
@pytest.mark.parametrize("lexical", ["bm25", "fts5"])
def test_a_text_of_any_script_is_found_by_itself(
    opened: Opened, content: str, lexical: str
) -> None:
    with opened(retrieval={"lexical": lexical}, embedding={"model": "none"}) as engine:
        engine.remember(content)
        assert found(engine, content) == [content]
        assert found(engine, content.upper()) == [content]


@pytest.mark.parametrize("query", ["?!", "🍵", '"', "()", "*", '""', "_"])
def test_a_question_without_words_finds_nothing(engine: Engine, query: str) -> None:
    engine.remember("tea")
    assert found(engine, query) == []


def test_stop_words_count_where_there_is_nothing_else(engine: Engine) -> None:
    engine.remember("to be or not to be")
    engine.remember("coffee")
    assert found(engine, "to be") == ["to be or not to be"]
    assert found(engine, "to be with coffee") == ["coffee"]


@pytest.mark.parametrize("strategy", ["auto", "keyword", "semantic", "hybrid"])
@pytest.mark.parametrize(
    ("query", "k", "reason"),
    [
        ("tea", 0, "k is '0': give a whole number from 1"),
        ("tea", -1, "k is '-1'"),
        ("tea", True, "k is 'True'"),
        ("tea", 1.5, "k is '1.5'"),
        ("", 1, "the query is empty"),
        (None, 1, "query is a NoneType: give a text"),
        (b"tea", 1, "query is a bytes: give a text"),
        ("\ud800", 1, "query holds a lone surrogate"),
        ("x " * 500_000, 1, "the query has 1000000 characters: at most 10000"),
    ],
)
def test_a_bad_question_is_refused(
    opened: Opened, query: Any, k: Any, reason: str, strategy: Any
) -> None:
    with opened() as engine, pytest.raises(InvalidInputError, match=reason):
        engine.recall(query, k, strategy=strategy)


def test_the_longest_question_is_answered(engine: Engine) -> None:
    engine.remember("tea")
    query = " ".join(["tea", *(f"w{number}" for number in range(1400))])
    assert found(engine, query) == ["tea"]
    assert found(engine, "x" * 10_000) == []


def test_at_most_k_come_back_the_best_first(engine: Engine) -> None:
    for number in range(5):
        engine.remember(f"tea {'cup ' * number}")
    engine.remember_many({"content": "milk"} for _ in range(5))
    everything = recalled(engine, "tea")
    assert [hit.memory.content.count("cup") for hit in everything] == [0, 1, 2, 3, 4]
    for k in range(1, 7):
        hits = recalled(engine, "tea", k)
        assert [hit.id for hit in everything[:k]] == [hit.id for hit in hits]
        assert list(range(1, min(k, 5) + 1)) == [hit.rank for hit in hits]


@pytest.fixture
def shelf(engine: Engine, clock: ManualClock) -> Engine:
    """Return an engine with teas, each kept in its own way."""
    engine.remember_many(
        [
            {"content": "plain tea"},
            {"content": "tagged tea", "tags": ["taste"], "metadata": {"cups": 2}},
            {"content": "kitchen tea", "workspace": "kitchen"},
            {"content": "scoped tea", "scope": "global/org:a/agent:x"},
            {"content": "archived tea", "lifecycle": "archived"},
            {"content": "past tea", "valid_to": NOON},
            {"content": "daily tea", "tier": "daily"},
            {"content": "hidden <private>tea</private> cup"},
        ]
    )
    engine.forget(engine.remember("forgotten tea").id)
    clock.advance(hours=1)
    return engine


@pytest.mark.parametrize(
    ("chosen", "wanted"),
    [
        ({"filter": {"tags": {"contains": "taste"}}}, {"tagged"}),
        ({"filter": {"metadata.cups": {"gte": 2}}}, {"tagged"}),
        ({"workspace": "kitchen"}, {"kitchen"}),
        ({"scope": "global/org:a"}, {"scoped"}),
        ({}, {"plain", "tagged", "kitchen", "scoped", "past", "daily"}),
        ({"archived": True, "filter": {"lifecycle": "archived"}}, {"archived"}),
        ({"valid_at": NOON}, {"plain", "tagged", "kitchen", "scoped", "daily"}),
        ({"forgotten": True, "workspace": "kitchen"}, {"kitchen"}),
    ],
)
def test_a_selection_narrows_the_search(
    shelf: Engine, chosen: dict[str, Any], wanted: set[str]
) -> None:
    assert wanted == {content.split()[0] for content in found(shelf, "tea", **chosen)}


def test_what_expires_is_found_no_more(shelf: Engine, clock: ManualClock) -> None:
    assert "daily tea" in found(shelf, "tea")
    clock.advance(hours=23)
    assert "daily tea" not in found(shelf, "tea")


def test_private_words_are_not_searched_and_not_shown(shelf: Engine) -> None:
    assert found(shelf, "cup") == ["hidden  cup"]
    assert found(shelf, "cup", private=True) == ["hidden <private>tea</private> cup"]
    assert "hidden  cup" not in found(shelf, "tea")
    with pytest.raises(AccessDeniedError):
        found(shelf.as_agent("x", "global"), "cup", private=True)


def test_recall_writes_nothing(opened: Opened, tmp_path: Path) -> None:
    file = tmp_path / "store.db"
    with opened(file) as engine:
        engine.remember("green tea")
        store = engine.store
        before = store.revision(), store.tables.counts(EVERYTHING), store.changes.last()
        assert len(engine.recall("tea")) == 1
        assert before == (store.revision(), store.tables.counts(EVERYTHING), store.changes.last())
    with opened(file, read_only=True) as engine:
        assert found(engine, "tea") == ["green tea"]

"""Keyword recall: what a user writes is never syntax, and the order is BM25's."""

from __future__ import annotations

import math
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engram_lab.core.clock import ManualClock
from engram_lab.core.errors import AccessDeniedError, InvalidInputError
from engram_lab.core.selection import EVERYTHING, Selection
from engram_lab.core.settings import StoreSettings
from engram_lab.core.sqlite import SqliteStore
from engram_lab.retrieval import keyword_recall
from engram_lab.retrieval.keyword import MAX_QUERY_CHARS, query_terms

if TYPE_CHECKING:
    from engram_lab.core.protocols import Store

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
K1, B, LEAST_IDF = 1.2, 0.75, 1e-6
WORDS = ("tea", "cup", "sun", "gnu", "milk")  # the stemmer leaves each as it is


def in_memory() -> SqliteStore:
    return SqliteStore.open(":memory:", settings=StoreSettings(seed=1), clock=ManualClock(NOON))


def found(store: Store, query: str, **chosen: Any) -> list[str]:
    hits = keyword_recall(store, query, 100, Selection.of(**chosen))
    return [hit.memory.content for hit in hits]


def bm25(documents: dict[str, list[str]], query: list[str]) -> dict[str, float]:
    """Return the score of each document that holds a word of the query, by its name.

    Source: Robertson and Zaragoza (2009), equation 3.15, with the idf of FTS5: of document
    frequencies, kept above zero.
    """
    mean = sum(map(len, documents.values())) / len(documents)
    scores: dict[str, float] = {}
    for word in query:
        holding = sum(word in words for words in documents.values())
        idf = math.log((len(documents) - holding + 0.5) / (holding + 0.5))
        for name, words in documents.items():
            if frequency := words.count(word):
                length = K1 * (1 - B + B * len(words) / mean)
                weight = max(idf, LEAST_IDF) * frequency * (K1 + 1) / (frequency + length)
                scores[name] = scores.get(name, 0.0) + weight
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
    corpus: list[tuple[list[str], list[str]]], query: list[str]
) -> None:
    with closing(in_memory()) as store:
        documents = {
            store.memories.remember({"content": " ".join(words), "tags": tags}).id: words + tags
            for words, tags in corpus
        }
        wanted = bm25(documents, query)

        hits = keyword_recall(store, " ".join(query), 100, Selection())

        assert {hit.id: pytest.approx(hit.score, rel=1e-12) for hit in hits} == wanted
        assert [(-hit.score, hit.id) for hit in hits] == sorted(
            (-hit.score, hit.id) for hit in hits
        )


def test_the_score_of_a_corpus_worked_out_by_hand(store: SqliteStore) -> None:
    for content in ("tea tea cup", "tea", "sun gnu", "milk sun gnu cup"):
        store.memories.remember({"content": content})
    # N = 4, mean length 2.5; "tea" is in 2: idf = ln(2.5 / 2.5) = 0, kept at 1e-6.
    # "cup" is in 2 as well; in a text of 3: 2.2 / (1 + 1.2 * (0.25 + 0.75 * 3 / 2.5)) = 0.92437
    hits = keyword_recall(store, "cup", 10, Selection())
    assert [hit.memory.content for hit in hits] == ["tea tea cup", "milk sun gnu cup"]
    assert hits[0].score == pytest.approx(0.92437e-6, rel=1e-4)
    # "milk" is in 1: idf = ln(3.5 / 1.5) = 0.84730; in a text of 4: 2.2 / 2.74 = 0.80292
    (hit,) = keyword_recall(store, "milk", 10, Selection())
    assert hit.score == pytest.approx(0.84730 * 0.80292, rel=1e-4)


def test_forgotten_words_count_no_more(store: SqliteStore) -> None:
    documents = {}
    for content in ("tea cup", "tea tea", "sun", "milk", "gnu tea cup sun"):
        documents[store.memories.remember({"content": content}).id] = content.split()
    gone = next(iter(documents))
    store.memories.forget(gone)
    del documents[gone]
    hits = keyword_recall(store, "tea sun", 10, Selection())
    wanted = bm25(documents, ["tea", "sun"])
    assert {hit.id: pytest.approx(hit.score) for hit in hits} == wanted


def test_words_are_met_by_their_stem_without_case_and_accents(store: SqliteStore) -> None:
    store.memories.remember({"content": "Ada LIKES the café's croissants"})
    store.memories.remember({"content": "İstanbul"})
    assert found(store, "İstanbul") == found(store, "istanbul") == ["İstanbul"]
    for query in ("liked", "CAFE", "café", "cafe\u0301", "croissant", "CROISSANTS?"):
        assert found(store, query) == ["Ada LIKES the café's croissants"]
    assert found(store, "tea") == []


def test_tags_are_searched_and_metadata_is_not(store: SqliteStore) -> None:
    store.memories.remember({"content": "x", "tags": ["taste"], "metadata": {"kind": "drink"}})
    assert found(store, "taste") == ["x"]
    assert found(store, "drink") == []
    assert found(store, "kind") == []


@pytest.mark.parametrize(
    ("query", "terms"),
    [
        ("how does Ada like her coffee?", ["ada", "like", "coffee"]),
        ("tea tea TEA", ["tea"]),
        ("how are you", ["how", "are", "you"]),
        ("C++ or C#", ["c"]),
        ("state-of-the-art", ["state", "art"]),
        ("snake_case", ["snake_case"]),
        ("Straße 2.5", ["straße", "2", "5"]),
        ("cafe\u0301", ["café"]),
        ("हिन्दी", ["हिन्दी"]),
        ("İstanbul", ["i\u0307stanbul"]),
        ("tea \u0301 _", ["tea"]),
        ("", []),
        (" \n", []),
        ("🍵 ?! ---", []),
    ],
)
def test_the_terms_of_a_question_are_its_distinct_words(query: str, terms: list[str]) -> None:
    assert terms == query_terms(query)


SYNTAX = [
    'C++ "AND" (tea',
    "tea NEAR( x",
    "NEAR(tea cup, 3)",
    "tea*",
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
    "'tea'; DROP TABLE memories; --",
    "tea\x00cup",
    "tea + cup",
    "tea🍵",
    "tea\n\t)",
    "tea\\",
    "tea % _ ?1 :name @x $y",
]


@pytest.mark.parametrize("query", SYNTAX)
def test_nothing_in_a_question_is_syntax(store: SqliteStore, query: str) -> None:
    store.memories.remember({"content": "green tea"})
    store.memories.remember({"content": "nothing to drink"})
    assert found(store, query)[:1] == (["green tea"] if "\x00" not in query else [])


@given(query=st.text(max_size=50))
@example(query='"')
@example(query="\x00")
@example(query="tea\ufffe\u0301")
def test_any_text_may_be_asked(query: str) -> None:
    with closing(in_memory()) as store:
        store.memories.remember({"content": "green tea"})
        assert len(keyword_recall(store, query, 10, Selection())) <= 1


@given(
    content=st.text(st.characters(exclude_categories=["Cc"], max_codepoint=0x24F)).filter(
        lambda text: bool(query_terms(text))
    )
)
def test_a_text_with_a_latin_word_is_found_by_itself(content: str) -> None:
    with closing(in_memory()) as store:
        kept = store.memories.remember({"content": content})
        hits = keyword_recall(store, content, 10, Selection())
        assert [hit.id for hit in hits] == [kept.id]


@pytest.mark.parametrize(
    "content",
    ["Ωμέγα", "самовар", "שלום", "سلام", "हिन्दी", "ไทย", "日本語", "한국어", "Tiếng Việt", "ǅ İ ß"],
)
def test_a_text_of_any_script_is_found_by_itself(store: SqliteStore, content: str) -> None:
    store.memories.remember({"content": content})
    assert found(store, content) == [content]
    assert found(store, content.upper()) == [content]


@pytest.mark.parametrize("query", ["", " ", "?!", "🍵", "\x00", '"', "()", "*"])
def test_a_question_without_words_finds_nothing(store: SqliteStore, query: str) -> None:
    store.memories.remember({"content": "tea"})
    assert found(store, query) == []


def test_stop_words_count_where_there_is_nothing_else(store: SqliteStore) -> None:
    store.memories.remember({"content": "to be or not to be"})
    store.memories.remember({"content": "coffee"})
    assert found(store, "to be") == ["to be or not to be"]
    assert found(store, "to be with coffee") == ["coffee"]


@pytest.mark.parametrize(
    ("query", "k", "reason"),
    [
        ("tea", 0, "k is 0: give a whole number from 1"),
        ("tea", -1, "k is -1"),
        ("tea", True, "k is True"),
        ("tea", 1.5, "k is 1.5"),
        ("tea", None, "k is None"),
        (None, 1, "query is a NoneType: give a text"),
        (b"tea", 1, "query is a bytes: give a text"),
        ("\ud800", 1, "query holds a lone surrogate"),
        ("x" * (MAX_QUERY_CHARS + 1), 1, "the query has 10001 characters: at most 10000"),
    ],
)
def test_a_bad_question_is_refused(store: SqliteStore, query: Any, k: Any, reason: str) -> None:
    with pytest.raises(InvalidInputError, match=reason):
        keyword_recall(store, query, k, Selection())


def test_the_longest_question_is_answered(store: SqliteStore) -> None:
    store.memories.remember({"content": "tea"})
    query = " ".join(["tea", *(f"w{number}" for number in range(1400))])
    assert found(store, query) == ["tea"]
    assert found(store, "x" * MAX_QUERY_CHARS) == []


def test_at_most_k_come_back_the_best_first(store: SqliteStore) -> None:
    for number in range(5):
        store.memories.remember({"content": f"tea {'cup ' * number}"})
    store.memories.remember_many({"content": "milk"} for _ in range(5))
    everything = keyword_recall(store, "tea", 100, Selection())
    assert [hit.memory.content.count("cup") for hit in everything] == [0, 1, 2, 3, 4]
    for k in range(1, 7):
        hits = keyword_recall(store, "tea", k, Selection())
        assert [hit.id for hit in everything[:k]] == [hit.id for hit in hits]
        assert list(range(1, min(k, 5) + 1)) == [hit.rank for hit in hits]


def test_the_explanation_gives_the_score_that_orders_the_hits(store: SqliteStore) -> None:
    store.memories.remember_many([{"content": "tea"}, {"content": "tea cup"}, {"content": "sun"}])
    for hit in keyword_recall(store, "tea cup", 10, Selection()):
        (arm,) = hit.explanation.arms
        assert hit.score == hit.explanation.score == arm.score
        assert (arm.name, arm.rank) == ("keyword", hit.rank)


@pytest.fixture
def shelf(store: SqliteStore, clock: ManualClock) -> SqliteStore:
    """Return a store of teas, each kept in its own way."""
    store.memories.remember_many(
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
    store.memories.forget(store.memories.remember({"content": "forgotten tea"}).id)
    clock.advance(hours=1)
    return store


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
    shelf: SqliteStore, chosen: dict[str, Any], wanted: set[str]
) -> None:
    assert wanted == {content.split()[0] for content in found(shelf, "tea", **chosen)}


def test_what_expires_is_found_no_more(shelf: SqliteStore, clock: ManualClock) -> None:
    clock.advance(hours=23)
    assert "daily tea" not in found(shelf, "tea")


def test_private_words_are_not_searched_and_not_shown(shelf: SqliteStore) -> None:
    assert found(shelf, "cup") == ["hidden  cup"]
    assert found(shelf, "cup", private=True) == ["hidden <private>tea</private> cup"]
    with pytest.raises(AccessDeniedError):
        found(shelf.as_agent("x", "global"), "cup", private=True)


def test_an_agent_finds_its_own(shelf: SqliteStore) -> None:
    assert "scoped tea" in found(shelf.as_agent("x", "global/org:a/agent:x"), "tea")
    assert "scoped tea" not in found(shelf.as_agent("y", "global/org:a/agent:y"), "tea")


def test_the_past_is_not_searched(shelf: SqliteStore) -> None:
    with pytest.raises(InvalidInputError, match="words are searched in the present: leave out"):
        found(shelf, "tea", as_of=NOON - timedelta(days=1))


def test_recall_writes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "store.db"
    with closing(SqliteStore.open(str(file), clock=ManualClock(NOON))) as store:
        store.memories.remember({"content": "green tea"})
        before = store.revision(), store.tables.counts(EVERYTHING), store.changes.last()
        assert len(keyword_recall(store, "tea", 10, Selection())) == 1
        assert before == (store.revision(), store.tables.counts(EVERYTHING), store.changes.last())
    with closing(SqliteStore.open(str(file), read_only=True)) as store:
        assert found(store, "tea") == ["green tea"]

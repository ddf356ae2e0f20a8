"""Words to the letter: what a user writes is never syntax, and the order is BM25's."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engram_lab.core.errors import InvalidInputError
from engram_lab.core.selection import Selection
from engram_lab.core.terms import Term
from engram_lab.retrieval.keyword import query_words, rank_by_text, words_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engram_lab.core.clock import ManualClock
    from engram_lab.core.sqlite import SqliteStore

K1, B = 1.2, 0.75


def found(store: SqliteStore, *terms: str | Term, k: int = 100, **chosen: Any) -> list[str]:
    selection = Selection.of(**chosen)
    ranking = rank_by_text(store, terms, selection, k)
    memories = store.corpus.fetch(ranking.keys, selection)
    return [each.content for each in memories if each is not None]


def kept(store: SqliteStore, *contents: str) -> None:
    store.memories.remember_many([{"content": content} for content in contents])


@pytest.mark.parametrize(
    ("query", "words"),
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
        ("Ada's cup", ["ada", "cup"]),
        ("", []),
        (" \n", []),
        ("🍵 ?! ---", []),
    ],
)
def test_the_words_of_a_question_are_distinct_and_tell_something(
    query: str, words: list[str]
) -> None:
    assert words == query_words(query)


def test_all_words_of_a_text_stand_in_their_order() -> None:
    assert words_in("The cat, the CAT and _ 2") == ["the", "cat", "the", "cat", "and", "2"]


@given(query=st.text(max_size=60))
@example(query="\ufffe\u0301")
def test_the_words_of_any_question_are_among_all_its_words(query: str) -> None:
    words = query_words(query)
    assert len(words) == len(set(words))
    assert set(words) <= set(words_in(query))
    assert bool(words) == bool(words_in(query))


def test_the_score_is_that_of_bm25(store: SqliteStore) -> None:
    texts = ("tea tea cup", "tea", "sun gnu", "milk sun gnu cup", "sun")
    kept(store, *texts)
    documents = [text.split() for text in texts]
    mean = sum(map(len, documents)) / len(documents)

    def bm25(word: str, words: Sequence[str]) -> float:
        holding = sum(word in each for each in documents)
        idf = max(math.log((len(documents) - holding + 0.5) / (holding + 0.5)), 1e-6)
        tf = words.count(word)
        return idf * tf * (K1 + 1) / (tf + K1 * (1 - B + B * len(words) / mean))

    ranking = rank_by_text(store, ["tea", "milk"], Selection(), 10)
    wanted = sorted((bm25("tea", each) + bm25("milk", each) for each in documents), reverse=True)
    assert ranking.scores.tolist() == pytest.approx(wanted[:3])
    assert wanted[3] == 0


def test_a_phrase_is_found_as_it_stands(store: SqliteStore) -> None:
    kept(store, "a blue door", "the door is blue", "blue doors", "blue", "blue, door!")
    assert set(found(store, Term("blue door"))) == {"a blue door", "blue doors", "blue, door!"}


def test_a_beginning_is_found_with_whatever_follows(store: SqliteStore) -> None:
    kept(store, "lighthouse", "light", "delight", "lit")
    assert set(found(store, Term("light", prefix=True))) == {"lighthouse", "light"}
    assert set(found(store, Term("house", prefix=True))) == set()


def test_any_of_the_terms_is_enough(store: SqliteStore) -> None:
    kept(store, "a blue door", "lighthouse", "tea", "milk")
    terms = (Term("blue door"), Term("lightho", prefix=True), "tea")
    assert set(found(store, *terms)) == {"a blue door", "lighthouse", "tea"}


@pytest.mark.parametrize(
    "text",
    ['"', "(", "a AND", "NEAR(a b)", "content: a", "* a", "^a", "\x00", "-a", "'; --", "{a}"],
)
@pytest.mark.parametrize("prefix", [False, True])
def test_nothing_in_a_term_is_syntax(store: SqliteStore, text: str, prefix: bool) -> None:  # noqa: FBT001
    kept(store, "nothing of the kind")
    assert found(store, Term(text, prefix=prefix)) == []


def test_no_terms_find_nothing(store: SqliteStore) -> None:
    kept(store, "tea")
    assert found(store) == []


def test_ties_come_in_the_order_of_making_and_k_is_kept(
    store: SqliteStore, clock: ManualClock
) -> None:
    for number in range(5):
        clock.advance(seconds=1)
        store.memories.remember({"content": "tea", "tags": [str(number)]})
    kept(store, *["milk"] * 7)
    whole = rank_by_text(store, ["tea"], Selection(), 100)
    assert whole.keys.tolist() == sorted(whole.keys.tolist())
    for k in range(1, 7):
        assert rank_by_text(store, ["tea"], Selection(), k) == whole.top(k)


def test_a_selection_holds(store: SqliteStore) -> None:
    store.memories.remember({"content": "kitchen tea", "workspace": "kitchen"})
    store.memories.remember({"content": "plain tea"})
    assert found(store, "tea", workspace="kitchen") == ["kitchen tea"]
    with pytest.raises(InvalidInputError, match="leave out as_of"):
        found(store, "tea", as_of="2020-01-01")

from __future__ import annotations

from contextlib import closing
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engram_lab.core.errors import AccessDeniedError, InvalidInputError
from engram_lab.core.selection import EVERYTHING, Selection
from engram_lab.core.sqlite import SqliteStore

SYNTAX = [
    '"', "'", "*", "tea*", "AND", "OR", "NOT", "NEAR(tea milk)", "content:tea", "tags : tea",
    "^tea", "tea + milk", "{content tags}: tea", "-tea", "(", ")", "\\", ";", "--",
    "tea\x00milk", '"" OR ""',
]  # fmt: skip


def found(store: SqliteStore, *terms: str, selection: Selection | None = None) -> list[str]:
    matches = store.memories.match_text(terms, selection or Selection(), 10)
    return [match.memory.content for match in matches]


def remember(store: SqliteStore, *contents: str, **fields: Any) -> None:
    store.memories.remember_many({"content": content, **fields} for content in contents)


def test_any_of_the_terms_is_enough_and_the_best_comes_first(store: SqliteStore) -> None:
    remember(store, "tea with milk", "tea with lemon and very many other things", "coffee")
    assert found(store, "tea", "milk") == [
        "tea with milk",
        "tea with lemon and very many other things",
    ]
    assert found(store, "juice") == []
    assert found(store) == []


def test_a_better_match_has_a_higher_score(store: SqliteStore) -> None:
    # A system before us turned the order around.
    remember(store, "tea tea tea", "tea and a lot of other words that say nothing of it", "milk")
    matches = store.memories.match_text(["tea"], Selection(), 10)
    assert next(match.memory.content for match in matches) == "tea tea tea"
    assert matches[0].score > matches[1].score > 0


def test_ties_are_in_the_order_of_ids(store: SqliteStore) -> None:
    remember(store, *["tea"] * 5, "milk", "bread", "jam")
    ids = [match.memory.id for match in store.memories.match_text(["tea"], Selection(), 10)]
    assert ids == sorted(ids)
    assert len(store.memories.match_text(["tea"], Selection(), 3)) == 3


def test_words_are_found_in_other_forms_and_in_tags(store: SqliteStore) -> None:
    remember(store, "She was drinking café", tags=["breakfast"])
    for word in ("drinks", "CAFE", "Café", "cafés", "breakfast"):
        assert len(found(store, word)) == 1


def test_a_term_of_several_words_is_a_phrase(store: SqliteStore) -> None:
    remember(store, "milk with tea", "tea with milk")
    assert found(store, "tea with") == ["tea with milk"]


@pytest.mark.parametrize("term", SYNTAX)
def test_nothing_in_a_term_is_syntax(store: SqliteStore, term: str) -> None:
    remember(store, "tea", "coffee")
    assert set(found(store, term)) <= {"tea"}
    assert found(store, term, "coffee")[-1] == "coffee"


@given(st.lists(st.text() | st.sampled_from(SYNTAX), max_size=4))
@example(["\ufffe", "\U0010ffff"])
def test_any_text_may_be_searched(terms: list[str]) -> None:
    with closing(SqliteStore.open(":memory:")) as store:
        remember(store, "tea")
        try:
            assert set(found(store, *terms)) <= {"tea"}
        except InvalidInputError:
            assert any("\ud800" <= each <= "\udfff" for each in "".join(terms))


def test_a_thousand_terms_are_fine(store: SqliteStore) -> None:
    remember(store, "word999")
    assert found(store, *(f"word{number}" for number in range(1_000))) == ["word999"]


def test_private_words_are_never_found(store: SqliteStore) -> None:
    remember(store, "tea <private>and gin</private>", "<private>gin alone</private>")
    assert found(store, "gin") == []
    assert found(store, "gin", selection=EVERYTHING) == []
    assert found(store, "tea", selection=EVERYTHING) == ["tea <private>and gin</private>"]
    with pytest.raises(AccessDeniedError):
        found(store.as_agent("coder", "global"), "tea", selection=EVERYTHING)


def test_a_search_keeps_to_its_selection(store: SqliteStore) -> None:
    remember(store, "tea one", workspace="kitchen", tags=["a"])
    remember(store, "tea two", metadata={"n": 2})
    assert found(store, "tea", selection=Selection(workspace="kitchen")) == ["tea one"]
    assert found(store, "tea", selection=Selection.of({"metadata.n": {"gt": 1}})) == ["tea two"]
    both = Selection.of({"or": [{"tags": {"contains": "a"}}, {"metadata.n": 2}]})
    assert len(found(store, "tea", selection=both)) == 2


def test_a_filter_is_applied_before_the_limit(store: SqliteStore) -> None:
    # A system before us filtered the best few, and so found nothing.
    remember(store, *["tea"] * 50)
    remember(store, "some tea, at long last, in other words", type="fact")
    facts = store.memories.match_text(["tea"], Selection.of({"type": "fact"}), 1)
    assert [match.memory.type for match in facts] == ["fact"]


@pytest.mark.parametrize("terms", ["tea", [7], [None], 7, [["tea"]]])
def test_terms_are_a_list_of_texts(store: SqliteStore, terms: Any) -> None:
    with pytest.raises(InvalidInputError, match="terms"):
        store.memories.match_text(terms, Selection(), 10)


@pytest.mark.parametrize("limit", [0, -1, "7", None])
def test_a_limit_is_a_whole_number_from_1(store: SqliteStore, limit: Any) -> None:
    with pytest.raises(InvalidInputError, match="limit"):
        store.memories.match_text(["tea"], Selection(), limit)

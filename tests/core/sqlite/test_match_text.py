from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engram_lab.core.errors import AccessDeniedError, InvalidInputError
from engram_lab.core.selection import EVERYTHING, Selection
from engram_lab.core.sqlite import SqliteStore
from engram_lab.core.terms import SEARCHED_FIELDS, Term

if TYPE_CHECKING:
    from engram_lab.core.terms import SearchedField

SYNTAX = [
    '"', "'", "*", "tea*", "AND", "OR", "NOT", "NEAR(tea milk)", "content:tea", "tags : tea",
    "^tea", "tea + milk", "{content tags}: tea", "-tea", "(", ")", "\\", ";", "--",
    "tea\x00milk", '"" OR ""',
]  # fmt: skip


def found(store: SqliteStore, *terms: str | Term, selection: Selection | None = None) -> list[str]:
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


TEXTS = st.text() | st.sampled_from(SYNTAX)


@given(
    st.lists(
        TEXTS
        | st.builds(
            Term,
            TEXTS,
            prefix=st.booleans(),
            field=st.none() | st.sampled_from(SEARCHED_FIELDS),
        ),
        max_size=4,
    ),
    st.booleans(),
)
@example(["\ufffe", "\U0010ffff"], False)  # noqa: FBT003 - as the test is given it
@example([Term("", prefix=True, field="tags")], True)  # noqa: FBT003
def test_any_text_may_be_searched(terms: list[str | Term], highlight: bool) -> None:  # noqa: FBT001
    with closing(SqliteStore.open(":memory:")) as store:
        remember(store, "tea", tags=["milk"])
        try:
            matches = store.memories.match_text(terms, Selection(), 10, highlight=highlight)
        except InvalidInputError:
            texts = [each if isinstance(each, str) else each.text for each in terms]
            assert any("\ud800" <= each <= "\udfff" for each in "".join(texts))
        else:
            assert {match.memory.content for match in matches} <= {"tea"}
            assert {match.highlights for match in matches} <= (
                {"tea", "**tea**"} if highlight else {None}
            )


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


@pytest.mark.parametrize("term", SYNTAX)
@pytest.mark.parametrize("field", SEARCHED_FIELDS)
def test_nothing_in_a_prefix_or_a_field_is_syntax(
    store: SqliteStore, term: str, field: SearchedField
) -> None:
    remember(store, "coffee", tags=["coffee"])
    assert found(store, Term(term, prefix=True, field=field)) == []
    assert found(store, Term(term, prefix=True, field=field), "coffee") == ["coffee"]


def test_a_prefix_is_of_the_last_word(store: SqliteStore) -> None:
    remember(store, "tea with milk", "teapot with a lid", "withdraw the tea")
    assert set(found(store, Term("tea", prefix=True))) == {
        "tea with milk", "teapot with a lid", "withdraw the tea",
    }  # fmt: skip
    assert found(store, Term("tea wit", prefix=True)) == ["tea with milk"]
    assert found(store, Term("tea wit")) == []
    assert found(store, Term("te lid", prefix=True)) == []


def test_a_field_is_where_a_term_must_stand(store: SqliteStore) -> None:
    remember(store, "tea", tags=["milk"])
    remember(store, "milk", tags=["tea"])
    assert found(store, Term("tea", field="content")) == ["tea"]
    assert found(store, Term("tea", field="tags")) == ["milk"]
    assert found(store, Term("te", field="tags", prefix=True)) == ["milk"]
    both = found(store, Term("tea", field="tags"), Term("tea", field="content"))
    assert set(both) == {"tea", "milk"}
    # A field is that of its own term alone.
    assert set(found(store, Term("tea", field="tags"), "milk")) == {"tea", "milk"}


def test_a_plain_text_is_a_term_with_nothing_more(store: SqliteStore) -> None:
    remember(store, "tea with milk", "tea", "milk")
    for text in ("tea", "tea with", "x"):
        plain, term = (
            store.memories.match_text([each], Selection(), 10) for each in (text, Term(text))
        )
        assert plain == term


class TestHighlights:
    def shown(
        self, store: SqliteStore, *terms: str | Term, selection: Selection | None = None
    ) -> list[str | None]:
        matches = store.memories.match_text(terms, selection or Selection(), 10, highlight=True)
        return [match.highlights for match in matches]

    def test_they_mark_each_word_that_was_found(self, store: SqliteStore) -> None:
        remember(store, "She drinks tea, and more Tea")
        assert self.shown(store, "tea", "drinking") == ["She **drinks** **tea**, and more **Tea**"]
        assert self.shown(store, Term("dri", prefix=True)) == ["She **drinks** tea, and more Tea"]
        assert self.shown(store, "drinks tea") == ["She **drinks tea**, and more Tea"]

    def test_there_are_none_unless_asked_for(self, store: SqliteStore) -> None:
        remember(store, "tea")
        (match,) = store.memories.match_text(["tea"], Selection(), 10)
        assert match.highlights is None

    def test_what_was_found_by_its_tags_has_nothing_to_mark(self, store: SqliteStore) -> None:
        remember(store, "tea", tags=["milk"])
        assert self.shown(store, "milk") == ["tea"]

    def test_a_long_text_is_cut_to_the_passage(self, store: SqliteStore) -> None:
        words = [f"word{number}" for number in range(500)]
        remember(store, " ".join(words))
        (passage,) = self.shown(store, "word300")
        assert passage is not None
        assert "word299 **word300** word301" in passage
        assert passage.startswith("…")
        assert passage.endswith("…")
        assert len(passage.split()) < 40

    def test_private_sections_are_in_none(self, store: SqliteStore) -> None:
        remember(store, "tea <private>tea with gin</private> and milk")
        for selection in (Selection(), EVERYTHING):
            assert self.shown(store, "tea", "gin", selection=selection) == ["**tea**  and milk"]

    def test_they_do_not_change_what_is_found(self, store: SqliteStore) -> None:
        remember(store, *(f"tea {'milk ' * n}" for n in range(6)), "coffee")
        for terms in (["tea", "milk"], [Term("mil", prefix=True)]):
            plain, marked = (
                store.memories.match_text(terms, Selection(), 4, highlight=each)
                for each in (False, True)
            )
            assert [replace(each, highlights=None) for each in marked] == plain
            assert all("**" in str(each.highlights) for each in marked)

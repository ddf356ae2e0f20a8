"""What may have been meant by words that no memory in sight holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engram_lab.core.errors import InvalidInputError
from engram_lab.core.selection import Selection
from engram_lab.retrieval.lexical.index import LexicalIndex
from engram_lab.retrieval.meant import meant_by, unknown_words
from engram_lab.retrieval.question import Question

if TYPE_CHECKING:
    from engram_lab.core.sqlite import SqliteStore


@pytest.fixture
def lexical(store: SqliteStore) -> LexicalIndex:
    store.memories.remember_many(
        [
            {"content": "The keepers are painting lighthouses", "scope": "global/org:a"},
            {"content": "A keeper of bees", "scope": "global/org:b"},
            {"content": "Café Müller", "tags": ["Kaffeehaus"], "scope": "global/org:a"},
            {"content": "colour", "scope": "global/org:b"},
        ]
    )
    index = LexicalIndex(store.corpus)
    index.catch_up()
    return index


def meant(
    store: SqliteStore, lexical: LexicalIndex, query: str, scope: str | None = None
) -> list[str]:
    question = Question.of(query, lexical.analyser)
    found = meant_by(store, question, Selection.of(scope=scope), lexical)
    return [f"{each} x{each.frequency}" for each in found]


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("keeprs", ["keeprs → keeper x2"]),
        ("lihgthouse of the keeper", ["lihgthouse → lighthouses x1"]),
        ("the paintng keeper", ["paintng → painting x1"]),
        ("kaffeehuas", ["kaffeehuas → kaffeehaus x1"]),
        ("muler", ["muler → müller x1"]),
        ("keeper", []),
        ("lightho*", []),
        ("lightho* keeprs", ["keeprs → keeper x2"]),
        ("xyz 1234 of", []),
    ],
)
def test_a_whole_word_of_a_memory_is_offered(
    store: SqliteStore, lexical: LexicalIndex, query: str, wanted: list[str]
) -> None:
    assert meant(store, lexical, query) == wanted


def test_words_and_counts_are_of_the_selection_alone(
    store: SqliteStore, lexical: LexicalIndex
) -> None:
    assert meant(store, lexical, "keeprs", "global/org:b") == ["keeprs → keeper x1"]
    assert meant(store, lexical, "lihgthouse", "global/org:b") == []
    assert meant(store, lexical, "colors colour", "global/org:a") == []


def test_a_word_that_only_others_hold_is_unknown_here(
    store: SqliteStore, lexical: LexicalIndex
) -> None:
    question = Question.of("colour keeper café", lexical.analyser)
    here = unknown_words(store, question, Selection.of(scope="global/org:a"), lexical)
    assert list(here) == ["colour"]
    there = unknown_words(store, question, Selection.of(scope="global/org:b"), lexical)
    assert list(there) == ["café"]


def test_no_more_than_three_are_offered_for_a_word(store: SqliteStore) -> None:
    words = [f"lanter{letter}" for letter in "abcdefg"]
    store.memories.remember_many({"content": word} for word in words)
    lexical = LexicalIndex(store.corpus)
    lexical.catch_up()
    assert len(meant(store, lexical, "lanterx")) == 3
    assert len(meant(store, lexical, " ".join(f"lanterx{c}" for c in "hijklmnopqrst"))) <= 30


def test_the_past_is_refused(store: SqliteStore, lexical: LexicalIndex) -> None:
    question = Question.of("keeprs", lexical.analyser)
    with pytest.raises(InvalidInputError, match="leave out as_of"):
        meant_by(store, question, Selection.of(as_of="2026-01-01"), lexical)

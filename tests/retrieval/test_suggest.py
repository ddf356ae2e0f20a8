"""Did you mean: near words that are known, by a distance that a textbook also computes."""

from __future__ import annotations

import time
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.core.errors import InvalidInputError
from engram_lab.retrieval.suggest import Suggestion, corrected, suggest

if TYPE_CHECKING:
    from collections.abc import Mapping

VOCABULARY = {"coffee": 9, "toffee": 3, "coffees": 3, "sugar": 5, "tea": 7, "team": 2, "straße": 1}


def distance(a: str, b: str) -> int:
    """Return the unrestricted distance, as Lowrance and Wagner's algorithm S writes it."""
    most = len(a) + len(b)
    table = {(i, j): most for i in range(-1, len(a) + 1) for j in range(-1, len(b) + 1)}
    for i in range(len(a) + 1):
        table[i, 0] = i
    for j in range(len(b) + 1):
        table[0, j] = j
    last_row: dict[str, int] = {}
    for i in range(1, len(a) + 1):
        last_column = 0
        for j in range(1, len(b) + 1):
            row, column = last_row.get(b[j - 1], 0), last_column
            same = a[i - 1] == b[j - 1]
            last_column = j if same else last_column
            exchanged = most
            if row and column:
                exchanged = table[row - 1, column - 1] + (i - row - 1) + 1 + (j - column - 1)
            table[i, j] = min(
                table[i - 1, j - 1] + (not same),
                table[i, j - 1] + 1,
                table[i - 1, j] + 1,
                exchanged,
            )
        last_row[a[i - 1]] = i
    return table[len(a), len(b)]


def by_hand(term: str, vocabulary: Mapping[str, int], limit: int) -> list[tuple[str, int]]:
    """Return what must be suggested for a term, by looking at every word."""
    if len(term) < 4 or term in vocabulary:
        return []
    most = 1 if len(term) <= 5 else 2
    near = [(distance(term, word), -count, word) for word, count in vocabulary.items()]
    return [(word, far) for far, _, word in sorted(near) if far <= most][:limit]


def replacements(*terms: str, **chosen: Any) -> list[str]:
    return [each.replacement for each in suggest(terms, VOCABULARY, **chosen)]


def test_the_textbook_distance_is_what_it_should_be() -> None:
    assert distance("coffee", "coffee") == 0
    assert distance("cofee", "coffee") == 1
    assert distance("cfofee", "coffee") == 1  # an exchange
    assert distance("ca", "abc") == 2  # an exchange around an insertion
    assert distance("", "abc") == 3


def test_a_suggestion_says_all_that_is_known() -> None:
    assert suggest(["cofee"], VOCABULARY) == (
        Suggestion(term="cofee", replacement="coffee", distance=1, frequency=9),
    )


def test_nearer_comes_first_then_more_frequent_then_the_alphabet() -> None:
    vocabulary = {"kitten": 1, "mitten": 5, "bitten": 5, "kittens": 99}

    found = suggest(["xitten"], vocabulary)

    assert [each.replacement for each in found] == ["bitten", "mitten", "kitten", "kittens"]
    assert [each.distance for each in found] == [1, 1, 1, 2]


@pytest.mark.parametrize("term", ["coffee", "tee", "te", "", "2026", "coffe1", "xylophone"])
def test_nothing_is_suggested_for_what_is_known_short_a_number_or_far(term: str) -> None:
    assert replacements(term) == []


@pytest.mark.parametrize(
    ("term", "found"),
    [("taem", ["team"]), ("suagr", ["sugar"]), ("sgau", []), ("suagra", ["sugar"])],
)
def test_a_short_word_is_one_change_away(term: str, found: list[str]) -> None:
    assert replacements(term) == found


def test_each_term_is_looked_at_once_and_in_order() -> None:
    assert replacements("sugra", "cofee", "sugra") == ["sugar", "coffee"]


def test_the_limit_holds_for_each_term() -> None:
    assert replacements("coffeee", "coffez", limit=2) == ["coffee", "coffees", "coffee", "coffees"]
    assert replacements("coffeee", limit=1) == ["coffee"]
    with pytest.raises(InvalidInputError, match="limit is '0'"):
        replacements("cofee", limit=0)


def test_no_vocabulary_gives_no_suggestion() -> None:
    assert suggest(["cofee"], {}) == ()
    assert suggest([], VOCABULARY) == ()


NEAR = st.text("abc", min_size=1, max_size=8)


@given(
    term=NEAR,
    vocabulary=st.dictionaries(NEAR, st.integers(1, 3), max_size=60),
    limit=st.integers(1, 80),
)
def test_exactly_the_near_words_are_suggested(
    term: str, vocabulary: dict[str, int], limit: int
) -> None:
    found = suggest([term], vocabulary, limit=limit)

    assert [(each.replacement, each.distance) for each in found] == by_hand(term, vocabulary, limit)


def test_an_exchange_around_an_insertion_is_two_changes() -> None:
    """The restricted distance would say three, and miss it."""
    assert [each.distance for each in suggest(["abcdef"], {"abdxcef": 1})] == [2]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("cofee with sugra?", "coffee with sugar?"),
        ("Cofee,  COFEE and\tcofee's", "Coffee,  COFFEE and\tcoffee's"),
        ("cofeeless decofee co-fee", "cofeeless decofee co-fee"),
        ("(cofee)", "(coffee)"),
        ("cofe\u0301e", "coffee"),
        ("cofée", "coffee"),
        ("no typo", "no typo"),
        ("", ""),
    ],
)
def test_a_query_is_corrected_as_a_person_would(query: str, expected: str) -> None:
    found = suggest(["cofee", "sugra"], VOCABULARY)

    assert corrected(query, found) == expected


def test_the_first_suggestion_of_a_term_is_taken() -> None:
    found = suggest(["coffez"], VOCABULARY)

    assert len(found) > 1
    assert corrected("a coffez", found) == "a coffee"


def test_a_replacement_is_text_and_no_pattern() -> None:
    odd = Suggestion(term="cofee", replacement=r"a\1\g<0>$", distance=1, frequency=1)

    assert corrected("cofee", [odd]) == r"a\1\g<0>$"


@given(st.text())
def test_without_suggestions_a_query_stays_to_the_letter(query: str) -> None:
    assert corrected(query, ()) == query


def test_a_suggestion_reads_well() -> None:
    assert str(suggest(["cofee"], VOCABULARY)[0]) == "cofee → coffee"


def test_a_hundred_thousand_words_are_searched_at_once() -> None:
    chance = Random(1)  # noqa: S311 - makes up words
    parts = [a + b for a in "bcdfglmnprstvk" for b in ("a", "e", "i", "o", "u", "an", "er", "ing")]
    vocabulary: dict[str, int] = {}
    while len(vocabulary) < 100_000:
        vocabulary["".join(chance.choices(parts, k=chance.randint(1, 5)))] = chance.randint(1, 999)
    suggest(["warmup"], vocabulary)

    times = []
    for term in ("banerinko", "cofeeke", "kitinga", "telepo", "rikulanger"):
        began = time.perf_counter()
        suggest([term], vocabulary)
        times.append(time.perf_counter() - began)

    # About 10 ms on one core; the bound is for a busy machine, and far below a search word by word.
    assert min(times) < 0.1

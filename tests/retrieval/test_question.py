"""A question taken apart: its words, and what is to be found to the letter."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engram_lab.core.errors import InvalidInputError
from engram_lab.core.terms import Term
from engram_lab.retrieval.lexical.analyser import Analyser
from engram_lab.retrieval.question import MAX_QUERY_CHARS, Question, check_k

ENGLISH = Analyser()


def asked(text: Any) -> Question:
    return Question.of(text, ENGLISH)


def begin(text: str) -> Term:
    return Term(text, prefix=True)


def test_the_terms_are_the_words_as_the_lexical_index_has_them() -> None:
    question = asked("How does Ada like\x00 her coffees, COFFEE?")
    assert question.text == "How does Ada like her coffees, COFFEE?"
    assert list(question.terms) == ENGLISH.query_terms(question.text)
    assert question.exact == ()


@pytest.mark.parametrize(
    ("text", "exact"),
    [
        ('"blue door"', (Term("blue door"),)),
        ('the "blue   door" keeper', (Term("blue door"), Term("keeper"))),
        ('"to be" or not', (Term("to be"), Term("or"), Term("not"))),
        ("doo*", (begin("doo"),)),
        ("blue doo* keep*", (begin("doo"), begin("keep"), Term("blue"))),
        ('"blue door" light* keeper', (Term("blue door"), begin("light"), Term("keeper"))),
        ('"a?b"', (Term("a?b"),)),
        ('"first one" and "second one"', (Term("first one"), Term("second one"), Term("and"))),
        ('"foo" "bar baz" qux', (Term("bar baz"), Term("foo"), Term("qux"))),
    ],
)
def test_what_stands_in_quotes_or_before_a_star_is_to_the_letter(
    text: str, exact: tuple[Term, ...]
) -> None:
    assert exact == asked(text).exact


@pytest.mark.parametrize(
    "text",
    [
        'C++ "AND" (x',
        '"door"',
        '"foo" and "bar"',
        '"हिन्दी"',
        '""',
        '"',
        '"blue door',
        'door"s',
        '"?! ..."',
        '"_ _"',
        "*",
        "a*",
        "2 * 3",
        "**bold**",
        "*door",
        "door**",
        "a*b",
        "do*or",
    ],
)
def test_what_is_no_phrase_and_no_beginning_is_but_words(text: str) -> None:
    assert asked(text).exact == ()


@given(text=st.text(st.sampled_from('ab_é\u0301 \t"*?🍵'), max_size=40))
@example(text='"a"b*"')
def test_any_text_is_a_question_and_no_quote_is_in_what_is_to_the_letter(text: str) -> None:
    if not text.strip():
        return
    question = asked(text)
    assert question.text == text
    for term in question.exact:
        assert '"' not in term.text
        assert term.text
        if term.prefix:
            assert f"{term.text}*" in text


@pytest.mark.parametrize(
    "text", ['"' + "a " * 4999, '"a' * 5000, "a* " * 3333, "_" * 10_000, '" ' * 5000, "a*" * 5000]
)
def test_no_question_takes_long_to_read(text: str) -> None:
    start = time.perf_counter()
    asked(text)
    assert time.perf_counter() - start < 1.0


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "the query is empty: say what you look for"),
        (" \n\t", "the query is empty"),
        ("\x00\x07", "the query is empty"),
        ("x" * (MAX_QUERY_CHARS + 1), "the query has 10001 characters: at most 10000"),
        ("x" * 1_000_000, "the query has 1000000 characters: at most 10000"),
        (None, "query is a NoneType: give a text"),
        (b"tea", "query is a bytes: give a text"),
        ("\ud800", "query holds a lone surrogate"),
    ],
)
def test_what_is_no_question_is_refused(text: Any, reason: str) -> None:
    with pytest.raises(InvalidInputError, match=reason):
        asked(text)


def test_the_longest_question_is_one() -> None:
    assert len(asked("x" * MAX_QUERY_CHARS).text) == MAX_QUERY_CHARS


@pytest.mark.parametrize("k", [0, -1, True, 1.5, None, "1", float("nan")])
def test_what_is_no_number_of_hits_is_refused(k: Any) -> None:
    with pytest.raises(InvalidInputError, match=r"k is .*: give a whole number from 1"):
        check_k(k)


def test_a_number_of_hits_beyond_all_bounds_is_a_large_one() -> None:
    assert [check_k(k) for k in (1, 1000, 10**400)] == [1, 1000, 2**31 - 1]

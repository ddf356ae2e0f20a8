"""Where the words of a question stand in a text."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.core.types import Memory
from engram_lab.retrieval import Arm, Explanation, Hit
from engram_lab.retrieval.lexical.analyser import Analyser
from engram_lab.retrieval.marking import MARK, marked, marked_text
from engram_lab.retrieval.question import Question

ENGLISH = Analyser()
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def shown(text: str, query: str) -> str:
    return marked_text(text, Question.of(query, ENGLISH), ENGLISH)


@pytest.mark.parametrize(
    ("text", "query", "wanted"),
    [
        ("Green tea, black tea.", "TEA", "Green **tea**, black **tea**."),
        ("She walked; he walks", "walking", "She **walked**; he **walks**"),
        ("the cat of the house", "the house", "the cat of the **house**"),
        ("Cafe\u0301 here", "cafe", "**Cafe\u0301** here"),
        ("teapot", "tea", "teapot"),
        ("lighthouse and lights", "light*", "**lighthouse** and **lights**"),
        ("LIGHTHOUSE", "light*", "**LIGHTHOUSE**"),
        ("a blue door", '"blue door"', "a **blue** **door**"),
        ("日本語", "日本語", "**日本語**"),
        ("nothing", "tea", "nothing"),
        ("", "tea", ""),
    ],
)
def test_each_word_of_the_question_is_marked_in_whatever_form(
    text: str, query: str, wanted: str
) -> None:
    assert shown(text, query) == wanted


@given(
    text=st.text(st.sampled_from("tea cup's_é\u0301\n.-🍵"), max_size=40),
    query=st.sampled_from(["tea", "cup", "te*", "a"]),
)
def test_the_marks_taken_away_leave_the_text(text: str, query: str) -> None:
    assert shown(text, query).replace(MARK, "") == text


def test_a_hit_is_as_it_was_but_for_the_words() -> None:
    memory = Memory(
        id="m", content="green tea", created_at=NOON, updated_at=NOON, content_hash="0" * 64
    )
    why = Explanation(arms=(Arm(name="keyword", rank=1, score=2.0, contribution=2.0),))
    hit = Hit(rank=1, score=2.0, memory=memory, explanation=why)
    found = marked(hit, Question.of("tea", ENGLISH), ENGLISH)
    assert found.explanation.words == "green **tea**"
    assert (found.memory, found.rank, found.score) == (memory, 1, 2.0)
    assert found.explanation.arms == why.arms

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.retrieval.conversation import Mention, first_person


def mentions(question: str, *names: str) -> list[Mention]:
    """Return where whole names stand in a question."""
    found = re.finditer(rf"\b({'|'.join(names)})('s)?\b", question)
    return [
        Mention(
            start=match.start(),
            stop=match.end(),
            possessive=match[2] is not None,
            speakers=frozenset({match[1]}),
        )
        for match in found
    ]


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("When did Ada go to Rome?", "When did I go to Rome?"),
        ("What is Ada's dog called?", "What is my dog called?"),
        ("What did Ada give Ben?", "What did I give you?"),
        ("What is Ben's gift to Ada?", "What is my gift to you?"),
        ("Where did Ada and Ben meet?", "Where did we meet?"),
        ("What was Ada and Ben's plan?", "What was our plan?"),
        ("What were Ada's and Ben's plans?", "What were our plans?"),
        ("What does Ada like?", "What do I like?"),
        ("Is Ada happy?", "am I happy?"),
        ("What has Ada seen?", "What have I seen?"),
        ("Why doesn't Ada call?", "Why don't I call?"),
        ("Who helped Ada?", "Who helped me?"),
        ("What did they say about Ada?", "What did they say about me?"),
        ("What did Ada say about her house?", "What did I say about my house?"),
        ("Who told Ada what he had to do for himself?", "Who told me what I had to do for myself?"),
        ("What did Ada take with her?", "What did I take with me?"),
        ("What did Ada carry with her to town?", "What did I carry with me to town?"),
        ("What did Ben say about Ada and her house?", "What did I say about you and her house?"),
        ("Can you tell me when Ada left?", "when I left?"),
        ("Do you remember if Ada left?", "I left?"),
        ("I'd like to know why Ada left", "why I left"),
        ("Ada's house", "my house"),
        ("What did I say?", "What did I say?"),
        ("Can you tell me what it was?", "Can you tell me what it was?"),
        ("", ""),
    ],
)
def test_the_question_is_put_as_the_one_it_names_would(question: str, said: str) -> None:
    assert first_person(question, mentions(question, "Ada", "Ben")) == said


def test_a_name_of_several_is_the_same_as_that_of_one_of_them() -> None:
    either = Mention(start=9, stop=11, possessive=False, speakers=frozenset({"Joanna", "Jolene"}))
    one = Mention(start=16, stop=24, possessive=True, speakers=frozenset({"Joanna"}))
    said = first_person("What did Jo do? Joanna's car?", [either, one])
    assert said == "What did I do? my car?"


WORDS = st.sampled_from(["Ada", "Ben", "Ada's", "Ben's", "she", "her", "what", "did", "is", "and"])


@given(words=st.lists(WORDS, max_size=12), mark=st.sampled_from(["", "?", "!"]))
def test_no_named_speaker_is_left(words: list[str], mark: str) -> None:
    question = " ".join(words) + mark
    said = first_person(question, mentions(question, "Ada", "Ben"))
    assert "Ada" not in said
    assert "Ben" not in said
    assert first_person(question, []) == question

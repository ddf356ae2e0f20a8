from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.retrieval.times import asked

WHEN = """
When did she leave?
When is the party?
When's the party?
And when will they meet?
Tell me when she moved.
Do you know when the shop opened?
Since when has he had a dog?
What date did they marry?
What day was the race?
In which month did it rain?
Which year did they meet?
What time is the show?
On what day of the week do they meet?
How long ago did she leave?
How many years ago was that?
How many days after the storm did they return?
How soon will she be back?
When she has lost her job?
She left when?
""".strip().splitlines()

NOT_WHEN = """
What did she say when they met?
How did he feel when he was young?
When she was young, what did she play?
When they met what did she say
What does he do for a living?
Where does she live?
Who was there the day they married?
What time management methods does she use?
What years of practice taught her?
Which day care does she use?
How many dogs does he have?
How long does it take?
Whenever it rains, she sings.
""".strip().splitlines()


@pytest.mark.parametrize("question", WHEN)
def test_a_question_that_asks_when(question: str) -> None:
    assert asked(question).time
    assert asked(question.lower()).time


@pytest.mark.parametrize("question", NOT_WHEN)
def test_a_question_that_asks_something_else(question: str) -> None:
    assert not asked(question).time


@pytest.mark.parametrize(
    ("question", "length"),
    [
        ("How long has she lived there?", True),
        ("For how many weeks was he away?", True),
        ("How long ago was that?", True),
        ("How many dogs has she?", False),
        ("How far is it?", False),
        ("When did the long journey begin?", False),
    ],
)
def test_a_question_that_asks_how_long(question: str, *, length: bool) -> None:
    assert asked(question).length is length


@given(st.text())
def test_any_text_can_be_asked(question: str) -> None:
    assert asked(question) == asked(question)

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.retrieval.conversation.said import Said


@pytest.mark.parametrize(
    ("content", "speaker", "text"),
    [
        ("Ada: so it is", "Ada", "so it is"),
        ("ADA : so", "Ada", "so"),
        ("Ada:", "Ada", "Ada:"),
        ("Ada: ", "Ada", "Ada:"),
        ("Adam: so", "Ada", "Adam: so"),
        ("Ada is here: look", "Ada", "Ada is here: look"),
        ("  so it is ", "Ada", "so it is"),
        ("José María: sí", "José María", "sí"),
        ("Straße: ja", "Straße", "ja"),
        ("", "Ada", ""),
    ],
)
def test_the_name_of_the_speaker_is_no_part_of_what_he_says(
    content: str, speaker: str, text: str
) -> None:
    assert Said.of(content, speaker).text == text


@pytest.mark.parametrize(
    "mark",
    [
        "[shares image: a photo of a cat]",
        "[Image: a cat]",
        "[photo]",
        "[sent 2 pictures]",
        "(photo: a cat by the sea)",
        "(shares a picture: a cat)",
        "<image omitted>",
        "<Media omitted>",
        "![a cat](cat.png)",
        "https://example.org/cat.jpeg?size=2",
    ],
)
def test_a_mark_at_the_end_says_that_an_image_is_shared(mark: str) -> None:
    alone = Said.of(f"Ada: {mark}", "Ada")
    asked = Said.of(f"Ada: is it not sweet? {mark}", "Ada")
    told = Said.of(f"it is sweet. {mark} ", "Ada")
    before = Said.of(f"{mark} is it not sweet?", "Ada")
    assert [each.image for each in (alone, asked, told, before)] == [True, True, True, False]
    assert [each.question for each in (alone, asked, told)] == [False, True, False]
    assert Said.spoken_of(asked.text) == "is it not sweet? "


@pytest.mark.parametrize(
    "text",
    [
        "so it is",
        "[laughs]",
        "(a picture of health)",
        "the photo",
        "see https://example.org",
        "<b>",
    ],
)
def test_other_ends_are_no_image(text: str) -> None:
    assert not Said.of(text, "Ada").image
    assert Said.spoken_of(text) == text


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("is it?", True),
        ("is it?!", True),
        ('he said "is it?" ', True),
        ("is it? \U0001f600", True),
        ("is it? yes", False),
        ("it is", False),
        ("\u672c\u5f53\uff1f", True),
        ("?", True),
        ("", False),
    ],
)
def test_a_question_ends_with_its_mark(text: str, *, question: bool) -> None:
    assert Said.of(text, "Ada").question is question


@given(words=st.lists(st.from_regex(r"[a-z]{1,8}", fullmatch=True), max_size=60))
def test_the_length_is_that_of_its_words(words: list[str]) -> None:
    said = Said.of("Ada: " + " ".join(words), "Ada")
    count = len(words) or 1  # nothing but the name: then the name is what was said
    assert said.log_length == pytest.approx(math.log(1 + count))


@given(text=st.text(alphabet="[]()<>!?. \nimage:h/px", max_size=300))
def test_any_text_is_read(text: str) -> None:
    said = Said.of(text, "Ada")
    assert said.text == text.strip()
    assert said.text.startswith(Said.spoken_of(said.text))

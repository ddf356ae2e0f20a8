from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.retrieval.conversation.names import Use, names_used


@pytest.mark.parametrize(
    ("text", "name", "use"),
    [
        ("Hey Mel! Good to see you.", "Mel", Use.GREETS),
        ("Hey Caro, what is new?", "Caro", Use.GREETS),
        ("hi Mel how are you", "Mel", Use.GREETS),
        ("Thanks, Mel!", "Mel", Use.GREETS),
        ("Thanks Mel, that helps", "Mel", Use.GREETS),
        ("Oh, thank you so much, dear Mel.", "Mel", Use.GREETS),
        ("Good morning, Mel \U0001f600", "Mel", Use.GREETS),
        ("Dear Jo-Ann,\nhow are you?", "Jo-Ann", Use.GREETS),
        ("Hello Dr. Osei!", "Osei", Use.GREETS),
        ("Thanks, Aunt May!", "Aunt May", Use.GREETS),
        ("Gracias, Inés.", "Inés", Use.GREETS),
        ("Nice to meet you, Mel! I can help.", "Mel", Use.GREETS),
        ("I made it. Thank you, Mel!", "Mel", Use.CALLS),
        ("It went well after all that trouble, believe me. Congrats, Mel!", "Mel", Use.CALLS),
        ("That is great, Mel!", "Mel", Use.ENDS),
        ("what do you think, Mel", "Mel", Use.ENDS),
        ("Well done, O\u2019Neil!", "O\u2019Neil", Use.ENDS),
        ("Mel, what did you do?", "Mel", Use.BEGINS),
        ("It rains. Mel, come in.", "Mel", Use.BEGINS),
        ("Mel! Come in.", "Mel", Use.BEGINS),
        ("Hi, I'm Jo. Nice to meet you.", "Jo", Use.IS),
        ("My name is Jo.", "Jo", Use.IS),
        ("Friends call me Jo, by the way", "Jo", Use.IS),
        ("Hello, it's Jo here.", "Jo", Use.IS),
        ("this is Jo speaking", "Jo", Use.IS),
        ("See you soon.\n- Jo", "Jo", Use.IS),
        ("See you soon. Love, Jo", "Jo", Use.IS),
        ("Best regards,\nJo", "Jo", Use.IS),
        ("See you,\nJo", "Jo", Use.IS),
        ("I'm Jo.", "Jo", Use.IS_PERHAPS),
        ("I am Buddhist", "Buddhist", Use.IS_PERHAPS),
        ("Jo here, are you in?", "Jo", Use.IS_PERHAPS),
        ("I saw Mel there", "Mel", Use.TELLS),
        ("Hey, Oliver is so sweet", "Oliver", Use.TELLS),
        ("Mel's dog is here", "Mel", Use.TELLS),
        ("Thanks to Mel", "Mel", Use.TELLS),
        ("I have been to Rome.", "Rome", Use.TELLS),
        ("I'm Mel's friend", "Mel", Use.TELLS),
        ("I miss Mel!", "Mel", Use.TELLS),
    ],
)
def test_each_kind_of_use_is_told_from_the_others(text: str, name: str, use: Use) -> None:
    found = names_used(text)
    assert [used for used in found if used.name == name] == [(name, use)]
    assert {used.use for used in found if used.name != name} <= {Use.TELLS}


@pytest.mark.parametrize(
    "text",
    [
        "Hey there! Thanks, man!",
        "Wow, that is great, Mom!",
        "Thanks, Buddy.",
        "Same here!",
        "Awww! Yesss, thank you.",
        "OK, I will. I'm OK.",
        "On Monday, after Christmas.",
        "hey mel, thanks mel",
        "mail me at Jo@example.org or @Jo #Jo",
        "",
    ],
)
def test_words_that_are_no_names_are_left_out(text: str) -> None:
    found = [used for used in names_used(text) if used.use != Use.TELLS]
    assert found == []


def test_of_a_list_of_places_none_is_called() -> None:
    uses = names_used("I went to Paris, Rome, and then to Lyon, Nice.")
    assert [used.name for used in uses] == ["Paris", "Rome", "Lyon"]
    assert {used.use for used in uses} == {Use.TELLS}


def test_names_come_in_order() -> None:
    uses = names_used("Hey Mel! Ben and Cy say hi. Thanks, Mel. Love, Jo")
    assert uses == [
        ("Mel", Use.GREETS),
        ("Ben", Use.TELLS),
        ("Cy", Use.TELLS),
        ("Mel", Use.CALLS),
        ("Jo", Use.IS),
    ]


@given(text=st.text(max_size=200))
def test_any_text_is_read(text: str) -> None:
    for used in names_used(text):
        assert used.name in text
        assert len(used.name) > 1


def test_a_long_text_takes_time_in_proportion() -> None:
    many = names_used("Thanks, Mel! " * 20_000)
    assert len(many) == 20_000
    assert {used.use for used in many[10:]} == {Use.CALLS}

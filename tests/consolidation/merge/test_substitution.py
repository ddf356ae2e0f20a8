"""Two that are built alike and differ in what fills one place are two, however near they are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.consolidation.merge import Merge
from engram_lab.consolidation.merge.frame import substituted
from engram_lab.consolidation.merge.simplified import simplified
from engram_lab.consolidation.merge.statements import Statement, read
from tests.consolidation.deeds import ALIKE, APART, Two
from tests.consolidation.worlds import Held, World, day


def told(text: str) -> Statement:
    return read(simplified(text))


def merged(two: Two) -> bool:
    """Tell whether a dream makes them one where all vectors, of texts and of frames, are near."""
    held = [
        Held(content=text, vector=(1.0, place / 50), event_at=day(3))
        for place, text in enumerate(two)
    ]
    world = World(held)
    return any(each.action == "link" for each in Merge().plan(world.view(), world.scene()))


@pytest.mark.parametrize("two", APART)
def test_what_differs_in_the_deed_the_thing_or_the_place_is_never_merged(two: Two) -> None:
    assert not merged(two)
    assert not merged(Two(two.newer, two.older))


@pytest.mark.parametrize("two", ALIKE)
def test_what_says_the_same_is_merged_still(two: Two) -> None:
    assert merged(two)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Tove varnished the canoe", "Tove sketched the canoe"),
        ("Tove varnished the canoe at dawn", "Tove sketched the canoe in the shed"),
        ("In room 3, Tove varnished the canoe", "Tove sketched the canoe in room 3"),
        ("The canoe was varnished by Tove", "Tove sketched the canoe"),
        ("Tove auctioned the canoe before the auction", "Tove sketched the canoe at the auction"),
        ("Tove weighed the canoe 3 times", "Tove gilded the canoe on the mole 3 times"),
    ],
)
def test_another_word_in_one_place_is_a_substitution(one: str, other: str) -> None:
    assert substituted(told(one), told(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Tove varnished the canoe", "Tove varnished the canoe in the shed"),
        ("Tove bought the canoe", "Tove purchased the canoe"),
        ("Tove sketched the canoe", "The canoe was sketched by Tove"),
        ("Tove's locker has the number 417", "The locker of Tove is number 417"),
        ("Tove's commute takes 38 minutes", "Tove has a commute of 38 minutes each way"),
        ("It rains", "Tove sings"),
    ],
)
def test_words_added_words_that_mean_the_same_and_another_build_are_none(
    one: str, other: str
) -> None:
    assert not substituted(told(one), told(other))


TEXTS = [text for two in (*APART, *ALIKE) for text in two]


@given(st.sampled_from(TEXTS), st.sampled_from(TEXTS))
def test_the_order_of_the_two_makes_no_difference_and_none_differs_from_itself(
    one: str, other: str
) -> None:
    a, b = told(one), told(other)
    assert substituted(a, b) == substituted(b, a)
    assert not substituted(a, a)

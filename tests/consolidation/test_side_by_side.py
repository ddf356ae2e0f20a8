"""What one subject does here ends nothing that it does there; states end as they did."""

from __future__ import annotations

from datetime import timedelta

import pytest

from engram_lab.consolidation.supersede import Supersede
from engram_lab.consolidation.supersede.framing import frame_of
from engram_lab.consolidation.supersede.judging import judge
from tests.consolidation.deeds import APART, BESIDE, CHANGED, Two
from tests.consolidation.worlds import Held, World, day


def closed(*texts: str, dated: bool = True) -> list[str]:
    """Return the ids of what a dream closes where all vectors, and those of frames, are near."""
    held = [
        Held(
            content=text,
            vector=(1.0, place / 50),
            created_at=day(3) + timedelta(hours=place),
            event_at=day(2) + timedelta(hours=place) if dated else None,
        )
        for place, text in enumerate(texts)
    ]
    world = World(held)
    return [each.id for each in Supersede().plan(world.view(), world.scene())
            if "valid_to" in each.fields]  # fmt: skip


@pytest.mark.parametrize("two", [*BESIDE, *APART])
def test_deeds_and_likings_side_by_side_close_none(two: Two) -> None:
    assert closed(*two) == []
    assert closed(*two[::-1]) == []
    assert closed(*two, dated=False) == []


@pytest.mark.parametrize("two", CHANGED)
def test_a_later_value_of_one_attribute_closes_the_earlier_one(two: Two) -> None:
    assert closed(*two) == ["m1"]


def test_a_store_full_of_deeds_is_left_as_it_is() -> None:
    assert closed(*(text for two in BESIDE for text in two)) == []


@pytest.mark.parametrize(
    "older", ["Tove polishes the bust in room 5", "Tove goes to the opera in room 12"]
)
@pytest.mark.parametrize(
    "newer", ["Tove envies the anvil in room 83", "Tove borrowed a new canoe in room 41"]
)
def test_a_place_beside_two_deeds_is_no_attribute(older: str, newer: str) -> None:
    assert judge(frame_of(older), frame_of(newer)).sure == 0.0
    assert judge(frame_of(newer), frame_of(older)).sure == 0.0


def test_where_something_is_kept_is_one_even_behind_its_object() -> None:
    older, newer = "Tove keeps the bust in room 5", "Tove keeps the bust in room 83"
    assert judge(frame_of(older), frame_of(newer)).sure >= 0.7


def test_who_borrowed_twice_did_two_things_and_what_was_borrowed_is_with_one() -> None:
    one, other = "Tove borrowed the bust for 20 minutes", "Tove borrowed the bust for 45 minutes"
    assert judge(frame_of(one), frame_of(other)).sure == 0.0
    one, other = "Tove Hesk has borrowed the Kestrel van", "Ines Korda has borrowed the Kestrel van"
    assert judge(frame_of(one), frame_of(other)).sure >= 0.7

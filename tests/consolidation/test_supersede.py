"""What the step "supersede" closes, links, and leaves alone."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.config import DreamSettings
from engram_lab.consolidation.step import STEPS, Step
from engram_lab.consolidation.supersede import Supersede
from tests.consolidation.worlds import Held, Tie, World, day

if TYPE_CHECKING:
    from datetime import datetime

    from engram_lab.core.dreams import Change

LYON, NANTES, OSLO = (f"Mara Voss lives in {place}" for place in ("Lyon", "Nantes", "Oslo"))


def lived(*places: tuple[str, datetime], **common: Any) -> World:
    """Return memories of where somebody lives, recorded at these moments."""
    return World(
        Held(content=text, created_at=at, vector=(1.0, number / 100), **common)
        for number, (text, at) in enumerate(places)
    )


def plan(world: World, *, focus: list[int] | None = None, **options: Any) -> list[Change]:
    return list(Supersede(**options).plan(world.view(), world.scene(focus=focus)))


def closed(changes: list[Change]) -> dict[str, datetime]:
    return {
        each.id: each.fields["valid_to"]
        for each in changes
        if each.action == "update" and "valid_to" in each.fields
    }


def begun(changes: list[Change]) -> dict[str, datetime]:
    return {
        each.id: each.fields["valid_from"]
        for each in changes
        if each.action == "update" and "valid_from" in each.fields
    }


def linked(changes: list[Change], kind: str = "supersedes") -> list[tuple[str, str]]:
    return [
        (each.fields["from_id"], each.fields["to_id"])
        for each in changes
        if each.action == "link" and each.fields["type"] == kind
    ]


def test_it_is_registered_and_set_by_the_settings_of_dreams() -> None:
    step = STEPS.get("supersede")(DreamSettings(supersede_confidence=0.8))
    assert isinstance(step, Step)
    assert step.name == "supersede"
    assert step.parameters["confidence"] == 0.8


def test_a_newer_value_ends_the_older_is_linked_to_it_and_begins_where_that_ends() -> None:
    update, link, begins = plan(lived((LYON, day(1)), (NANTES, day(3))))
    assert (update.id, update.fields, update.seen) == ("m1", {"valid_to": day(3)}, 1)
    assert link.fields["from_id"] == "m2"
    assert link.fields["to_id"] == "m1"
    assert link.fields["weight"] == 0.85
    assert link.fields["source"] == "dream:supersede"
    assert (begins.id, begins.fields) == ("m2", {"valid_from": day(3)})
    assert "Lyon" not in update.reason + link.reason + begins.reason


def test_a_beginning_that_was_told_and_one_that_is_protected_stay() -> None:
    world = lived((LYON, day(1)), (NANTES, day(3)))
    assert begun(plan(world)) == {"m2": day(3)}
    world.held[2] = replace(world.held[2], valid_from=day(2))
    assert begun(plan(world)) == {}
    world.held[2] = replace(world.held[2], valid_from=None, pinned=True)
    assert begun(plan(world)) == {}
    assert closed(plan(world)) == {"m1": day(3)}


def test_what_is_told_again_began_when_it_was_first_told() -> None:
    changes = plan(lived((LYON, day(1)), (NANTES, day(3)), (f"{NANTES}, I think", day(5))))
    assert closed(changes) == {"m1": day(3)}
    assert begun(changes) == {"m2": day(3), "m3": day(3)}


def test_what_something_else_came_before_begins_anew() -> None:
    changes = plan(lived((LYON, day(1)), (NANTES, day(2)), (OSLO, day(3)), (NANTES, day(4))))
    assert closed(changes) == {"m1": day(2), "m2": day(3), "m3": day(4)}
    assert begun(changes) == {"m2": day(2), "m3": day(3), "m4": day(4)}


def test_a_correction_is_newer_than_what_it_puts_right_of_whatever_time_both_are() -> None:
    world = World(
        [
            Held(content=LYON, created_at=day(3)),
            Held(
                content="Correction: Mara Voss lives in Nantes, not in Lyon.",
                created_at=day(4),
                event_at=day(2),
            ),
        ]
    )
    changes = plan(world)
    assert linked(changes) == [("m2", "m1")]
    assert closed(changes) == {"m1": day(3)}  # so it never held
    assert plan(world.carried_out(changes)) == []


def test_what_is_recorded_late_of_an_earlier_time_is_closed_at_once() -> None:
    world = World(
        [
            Held(content=NANTES, created_at=day(2), event_at=day(2)),
            Held(content=LYON, created_at=day(5), event_at=day(1)),
        ]
    )
    changes = plan(world)
    assert closed(changes) == {"m2": day(2)}
    assert linked(changes) == [("m1", "m2")]


def test_the_beginning_of_validity_comes_before_the_event_and_that_before_the_record() -> None:
    new = Held(content=NANTES, created_at=day(5), event_at=day(4), valid_from=day(3))
    old = Held(content=LYON, created_at=day(1))
    assert closed(plan(World([old, new]))) == {"m1": day(3)}
    assert closed(plan(World([old, replace(new, valid_from=None)]))) == {"m1": day(4)}
    assert closed(plan(World([old, replace(new, valid_from=None, event_at=None)]))) == {
        "m1": day(5)
    }


def test_each_of_a_chain_ends_where_the_next_begins() -> None:
    changes = plan(lived((LYON, day(1)), (LYON, day(2)), (NANTES, day(3)), (LYON, day(4))))
    assert closed(changes) == {"m1": day(3), "m2": day(3), "m3": day(4)}
    assert linked(changes) == [("m3", "m1"), ("m3", "m2"), ("m4", "m3")]


def test_what_comes_to_light_in_between_moves_an_end_that_a_dream_set() -> None:
    world = lived((LYON, day(1)), (OSLO, day(5)))
    after = world.carried_out(plan(world))
    after.held[3] = Held(content=NANTES, id="m3", created_at=day(6), event_at=day(3), vector=(1, 0))
    changes = plan(after, focus=[3])
    assert closed(changes) == {"m1": day(3), "m3": day(5)}
    assert linked(changes) == [("m3", "m1"), ("m2", "m3")]


def test_an_end_that_a_user_set_stays() -> None:
    world = lived((LYON, day(1)), (NANTES, day(3)))
    world.held[1] = replace(world.held[1], valid_to=day(4))
    changes = plan(world)
    assert closed(changes) == {}
    assert linked(changes) == [("m2", "m1")]


def test_a_protected_one_is_linked_and_not_closed() -> None:
    world = lived((LYON, day(1)), (NANTES, day(3)))
    world.held[1] = replace(world.held[1], pinned=True)
    changes = plan(world)
    assert closed(changes) == {}
    assert linked(changes) == [("m2", "m1")]
    assert plan(world.carried_out(changes)) == []


def test_of_one_moment_neither_is_newer() -> None:
    changes = plan(lived((LYON, day(1)), (NANTES, day(1))))
    assert closed(changes) == {}
    assert len(linked(changes, "contradicts")) == 1


def test_a_doubtful_one_is_linked_alone_and_left_out_where_that_is_set() -> None:
    world = World.telling("Mara Voss swims in Lyon")
    world.held[2] = Held(content="Mara Voss swims in Oslo", id="m2", created_at=day(2))
    assert linked(plan(world), "contradicts") == [("m2", "m1")]
    assert closed(plan(world)) == {}
    assert plan(world, doubtful=0.65) == []


def test_a_date_that_had_passed_was_another_day() -> None:
    told = "The meeting with Okoro is on {} March 2026"
    ahead = [
        Held(content=told.format(9), created_at=day(2)),
        Held(content=told.format(12), created_at=day(3)),
    ]
    assert closed(plan(World(ahead))) == {"m1": day(3)}
    over = [
        Held(content=told.format(9), created_at=day(2)),
        Held(content=told.format(30), created_at=day(3, 20)),
    ]
    assert closed(plan(World(over))) == {}


@pytest.mark.parametrize(
    "difference", [{"scope": "team"}, {"workspace": "other"}, {"lifecycle": "archived"}]
)
def test_these_are_left_alone(difference: dict[str, Any]) -> None:
    world = lived((LYON, day(1)), (NANTES, day(3)))
    world.held[2] = replace(world.held[2], **difference)
    assert plan(world) == []


def test_an_old_one_is_found_through_its_nearness() -> None:
    world = lived((LYON, day(1)), (NANTES, day(3)))
    assert closed(plan(world, focus=[2])) == {"m1": day(3)}
    assert plan(world, focus=[]) == []
    assert plan(world, focus=[2], cosine=1.0) == []


TEXTS = (
    LYON,
    NANTES,
    OSLO,
    "Mara Voss no longer lives in Oslo",
    "Mara Voss moved to Lyon",
    "Mara Voss is in Lyon",
    "Ada leads Project Heron",
    "Project Heron is led by Ben Okri",
    "The rent of the flat is 900 euros",
    "The rent of the flat is 950 euros",
)
moments = st.sampled_from([None, day(1), day(2), day(3), day(4)])


@given(
    st.lists(
        st.builds(
            Held,
            content=st.sampled_from(TEXTS),
            created_at=st.sampled_from([day(1), day(2), day(3)]),
            event_at=moments,
            valid_from=moments,
            vector=st.just((1.0, 0.0)),
            pinned=st.booleans(),
            scope=st.sampled_from(["global", "team"]),
        ),
        max_size=9,
    )
)
def test_a_second_dream_plans_nothing_and_no_validity_ends_before_it_began(
    held: list[Held],
) -> None:
    world = World(held)
    changes = plan(world)
    assert changes == plan(world)
    after = world.carried_out(changes)
    assert plan(after) == []
    for each in after.held.values():
        began = each.valid_from or each.event_at or each.created_at
        assert each.valid_to is None or each.valid_to >= began
        assert each.valid_to is None or not each.pinned
    for tie in after.ties.values():
        assert tie.from_id != tie.to_id


def merged(world: World, *pairs: tuple[str, str]) -> World:
    """Return the world with links that say which memory stands for which."""
    for number, (one, other) in enumerate(pairs):
        tie = Tie(id=f"t{number}", from_id=one, to_id=other, type="merged_into")
        world.ties[tie.id] = tie
    return world


TOLD_TWICE = (
    Held(content="The badge of Mara Voss says Quillon", created_at=day(1)),
    Held(
        content="The badge of Mara Voss no longer says Quillon but Osprey",
        created_at=day(2),
        lifecycle="archived",
    ),
    Held(content="Osprey stands on what Mara Voss wears", created_at=day(3)),
)


def test_what_one_telling_says_is_over_all_that_were_merged_with_it_supersede() -> None:
    assert linked(plan(World(TOLD_TWICE))) == []
    world = merged(World(TOLD_TWICE), ("m2", "m3"))
    assert linked(plan(world)) == [("m3", "m1")]
    assert closed(plan(world)) == {"m1": day(3)}


def test_what_was_merged_is_followed_to_what_stands_for_it_at_last() -> None:
    between = Held(content="Osprey is worn", created_at=day(2), lifecycle="archived")
    world = merged(World([*TOLD_TWICE, between]), ("m2", "m4"), ("m4", "m3"))
    assert linked(plan(world)) == [("m3", "m1")]


def test_what_is_merged_in_a_circle_stands_for_nothing() -> None:
    other = Held(content="Osprey is worn", created_at=day(2), lifecycle="archived")
    circle = merged(World([*TOLD_TWICE, other]), ("m2", "m4"), ("m4", "m2"))
    assert linked(plan(circle)) == []

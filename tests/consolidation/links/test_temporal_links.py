"""Links by time: within a window, the nearest first."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.config import DreamSettings
from engram_lab.consolidation.links import NEAR_IN_TIME, TemporalLinks
from engram_lab.consolidation.step import STEPS, Step
from tests.consolidation.worlds import FIRST, Held, World

STEP = TemporalLinks(window_s=100.0, most=2)


def at(*seconds: float, **common: str) -> list[Held]:
    return [
        Held(content=str(each), created_at=FIRST + timedelta(seconds=each), **common)  # type: ignore[arg-type]
        for each in seconds
    ]


def linked(world: World) -> dict[tuple[int, int], float]:
    return {
        (world.key_of(tie.from_id), world.key_of(tie.to_id)): tie.weight
        for tie in world.ties.values()
    }


def asleep(world: World, step: TemporalLinks = STEP, focus: list[int] | None = None) -> World:
    return world.carried_out(step.plan(world.view(), world.scene(focus=focus)))


def test_the_settings_make_the_step() -> None:
    made = STEPS.get("link-temporal")(DreamSettings())
    assert isinstance(made, Step)
    assert made.parameters == {"window_s": 1800.0, "most": 5}


def test_the_weight_falls_with_the_time_between() -> None:
    world = asleep(World(at(0, 25, 100, 500)))
    assert linked(world) == {(1, 2): 0.75, (2, 3): 0.25}  # 1 and 3 are a whole window apart
    assert {tie.type for tie in world.ties.values()} == {NEAR_IN_TIME}


def test_when_it_happened_counts_before_when_it_was_told() -> None:
    held = [*at(0), Held(content="told", created_at=FIRST, event_at=FIRST + timedelta(seconds=50))]
    assert linked(asleep(World(held))) == {(1, 2): 0.5}


def test_the_nearest_in_time_stay() -> None:
    step = TemporalLinks(window_s=100.0, most=1)
    assert set(linked(asleep(World(at(0, 30, 50, 90)), step))) == {(2, 3)}


def test_workspaces_scopes_and_the_archive_are_bounds() -> None:
    held = [
        *at(0),
        *at(1, scope="global/team"),
        *at(2, workspace="other"),
        *at(3, lifecycle="archived"),
    ]
    assert not asleep(World(held)).ties


def test_only_what_changed_is_compared() -> None:
    assert set(linked(asleep(World(at(0, 5, 500, 505)), focus=[4]))) == {(3, 4)}


@given(seconds=st.lists(st.integers(0, 300), min_size=1, max_size=9), new=st.integers(1, 4))
def test_once_carried_out_there_is_nothing_more_to_plan(seconds: list[int], new: int) -> None:
    world = World(at(*seconds))
    focus = list(range(1, len(seconds) + 1))[:new]
    for each in (focus, None):
        world = asleep(world, focus=each)
        assert not list(STEP.plan(world.view(), world.scene(focus=each)))
    ends = [key for pair in linked(world) for key in pair]
    assert max(map(ends.count, ends), default=0) <= STEP.most
    assert all(0 < weight <= 1 for weight in linked(world).values())


def test_what_comes_nearer_takes_the_place_of_what_is_farther() -> None:
    step = TemporalLinks(window_s=100.0, most=1)
    world = asleep(World(at(0, 60)), step)
    assert linked(world) == {(1, 2): pytest.approx(0.4)}
    grown = World([*world.held.values(), *at(50)], world.ties.values())
    assert linked(asleep(grown, step, focus=[3])) == {(2, 3): pytest.approx(0.9)}

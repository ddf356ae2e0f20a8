"""Links by meaning: near enough, few, and only as far as something changed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.config import DreamSettings
from engram_lab.consolidation.links import SIMILAR, SemanticLinks
from engram_lab.consolidation.step import STEPS, Scene, Step
from tests.consolidation.worlds import NOW, Held, Tie, World

STEP = SemanticLinks(cosine=0.8, most=2)


def at(*degrees: float, **common: str) -> list[Held]:
    return [
        Held(
            content=f"{degree}",
            vector=(float(np.cos(np.radians(degree))), float(np.sin(np.radians(degree)))),
            **common,  # type: ignore[arg-type]
        )
        for degree in degrees
    ]


def linked(world: World) -> dict[tuple[int, int], float]:
    return {
        (world.key_of(tie.from_id), world.key_of(tie.to_id)): tie.weight
        for tie in world.ties.values()
    }


def asleep(world: World, step: SemanticLinks = STEP, focus: list[int] | None = None) -> World:
    return world.carried_out(step.plan(world.view(), world.scene(focus=focus)))


def test_the_settings_make_the_step() -> None:
    made = STEPS.get("link-semantic")(DreamSettings())
    assert isinstance(made, Step)
    assert made.parameters == {"cosine": 0.75, "most": 5}


def test_what_is_near_is_linked_by_its_cosine() -> None:
    world = asleep(World(at(0, 30, 60)))
    assert linked(world) == {
        (1, 2): pytest.approx(np.cos(np.radians(30)), abs=1e-6),
        (2, 3): pytest.approx(np.cos(np.radians(30)), abs=1e-6),
    }
    assert {(tie.type, tie.source) for tie in world.ties.values()} == {
        (SIMILAR, "dream:link-semantic")
    }


def test_the_nearest_stay_where_there_are_too_many() -> None:
    kept = {(1, 2), (1, 3), (2, 4), (3, 5), (4, 5)}
    assert set(linked(asleep(World(at(0, 5, -7, 12, -16))))) == kept


def test_workspaces_scopes_and_the_archive_are_bounds() -> None:
    held = [
        *at(0),
        *at(1, scope="global/team"),
        *at(2, workspace="other"),
        *at(3, lifecycle="archived"),
        Held(content="without a vector"),
    ]
    assert not asleep(World(held)).ties


def test_without_vectors_there_is_nothing_to_link() -> None:
    world = World(at(0, 1))
    scene = Scene(now=NOW, focus=np.array([1, 2]))
    assert not list(STEP.plan(world.view(), scene))


def test_only_what_changed_is_compared() -> None:
    world = World(at(0, 5, 90, 95))
    assert not asleep(world, focus=[]).ties
    assert set(linked(asleep(world, focus=[4]))) == {(3, 4)}


@given(degrees=st.lists(st.integers(0, 90), min_size=2, max_size=9), new=st.integers(1, 4))
def test_once_carried_out_there_is_nothing_more_to_plan(degrees: list[int], new: int) -> None:
    world = World(at(*degrees))
    focus = list(range(1, len(degrees) + 1))[:new]
    for each in (focus, None):
        world = asleep(world, focus=each)
        assert not list(STEP.plan(world.view(), world.scene(focus=each)))
    ends = [key for pair in linked(world) for key in pair]
    assert max(map(ends.count, ends), default=0) <= STEP.most


def test_what_has_moved_is_weighed_anew_or_let_go() -> None:
    world = asleep(World(at(0, 10, 20)), SemanticLinks(cosine=0.8, most=5))
    assert set(linked(world)) == {(1, 2), (1, 3), (2, 3)}
    world.held[1] = at(-15)[0]
    world.held[1] = replace(world.held[1], id="m1")
    moved = linked(asleep(world, SemanticLinks(cosine=0.8, most=5), focus=[1]))
    assert set(moved) == {(1, 2), (1, 3), (2, 3)}
    assert moved[1, 3] == pytest.approx(np.cos(np.radians(35)), abs=1e-6)
    world.held[1] = replace(at(-80)[0], id="m1")
    assert set(linked(asleep(world, SemanticLinks(cosine=0.8, most=5), focus=[1]))) == {(2, 3)}


def test_a_link_of_somebody_else_is_left_alone() -> None:
    tie = Tie(id="t", from_id="m2", to_id="m1", type=SIMILAR, weight=0.1)
    assert asleep(World(at(0, 1), [tie])).ties == {"t": tie}

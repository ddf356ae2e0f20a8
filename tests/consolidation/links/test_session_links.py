"""Links by session: each memory with the next."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from engram_lab.config import DreamSettings
from engram_lab.consolidation.links import NEXT_IN_SESSION, SessionLinks
from engram_lab.consolidation.step import STEPS, Step
from tests.consolidation.worlds import FIRST, Held, World

STEP = SessionLinks()


def said(second: float, session: str | None = "s", **common: str) -> Held:
    at = FIRST + timedelta(seconds=second)
    return Held(content=str(second), created_at=at, session_id=session, **common)  # type: ignore[arg-type]


def linked(world: World) -> list[tuple[str, str]]:
    return sorted((tie.from_id, tie.to_id) for tie in world.ties.values())


def asleep(world: World, focus: list[int] | None = None) -> World:
    return world.carried_out(STEP.plan(world.view(), world.scene(focus=focus)))


def test_the_settings_make_the_step() -> None:
    made = STEPS.get("link-sessions")(DreamSettings())
    assert isinstance(made, Step)
    assert made.parameters == {"weight": 0.5}


def test_each_leads_to_the_next() -> None:
    world = asleep(World([said(20), said(0), said(10), said(10), said(5, None), said(7, "t")]))
    assert linked(world) == [("m2", "m3"), ("m3", "m4"), ("m4", "m1")]
    assert {(tie.type, tie.weight) for tie in world.ties.values()} == {(NEXT_IN_SESSION, 0.5)}


def test_scopes_and_the_archive_are_bounds() -> None:
    held = [said(0), said(1, scope="global/team"), said(2, lifecycle="archived"), said(3)]
    assert linked(asleep(World(held))) == [("m1", "m4")]


def test_what_comes_between_parts_the_two() -> None:
    world = asleep(World([said(0), said(10)]))
    grown = World([*world.held.values(), said(5)], world.ties.values())
    assert linked(asleep(grown, [3])) == [("m1", "m3"), ("m3", "m2")]


def test_only_sessions_that_changed_are_looked_at() -> None:
    world = World([said(0), said(1), said(2, "t"), said(3, "t")])
    assert linked(asleep(world, [4])) == [("m3", "m4")]
    assert not asleep(world, []).ties


@given(told=st.lists(st.tuples(st.integers(0, 5), st.sampled_from(["s", "t", None])), max_size=8))
def test_once_carried_out_there_is_nothing_more_to_plan(
    told: list[tuple[int, str | None]],
) -> None:
    world = asleep(World([said(second, session) for second, session in told]))
    assert not list(STEP.plan(world.view(), world.scene()))
    for session in ("s", "t"):
        count = sum(each == session for _, each in told)
        ours = [tie for tie in world.ties.values() if _session(world, tie.from_id) == session]
        assert len(ours) == max(0, count - 1)


def _session(world: World, id_: str) -> str | None:
    return world.held[world.key_of(id_)].session_id

"""The step that learns links from recalls: what it makes, keeps, lets fade and leaves alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.config import DreamSettings
from engram_lab.consolidation.hebbian import COACTIVATION, Hebbian
from engram_lab.consolidation.step import STEPS, Step
from tests.consolidation.hebbian.recalls import asleep, pairs_of, recall, world_of
from tests.consolidation.worlds import NOW, Held, Tie, World

if TYPE_CHECKING:
    from datetime import datetime

STEP = Hebbian()
RECALLS = st.lists(
    st.lists(st.integers(1, 8), min_size=1, max_size=5, unique=True), min_size=1, max_size=8
)


def days(number: float) -> datetime:
    return NOW + timedelta(days=number)


def tied(weight: float, *, source: str = "dream:hebbian", pinned: bool = False) -> Tie:
    return Tie(
        id="t",
        from_id="m1",
        to_id="m2",
        type=COACTIVATION,
        source=source,
        weight=weight,
        pinned=pinned,
        created_at=NOW,
        updated_at=NOW,
    )


def tied_world(size: int, tie: Tie) -> World:
    return World([Held(content=str(number)) for number in range(size)], [tie])


def test_the_settings_make_the_step_as_it_is() -> None:
    made = STEPS.get("hebbian")(DreamSettings())
    assert isinstance(made, Step)
    assert made == STEP
    assert made.parameters["floor"] == 0.01
    assert STEP.learns_from_events


def test_what_is_recalled_together_is_linked_from_the_smaller_key() -> None:
    world = asleep(world_of(3), STEP, [recall(1, [3, 1])])
    (tie,) = world.ties.values()
    assert (tie.from_id, tie.to_id, tie.type) == ("m1", "m3", "coactivation")
    assert tie.source == "dream:hebbian"
    assert 0 < tie.weight < 0.2


@given(found=RECALLS, lots=st.randoms(use_true_random=False))
def test_the_order_in_which_recalls_are_given_makes_no_difference(
    found: list[list[int]], lots: object
) -> None:
    events = [recall(number, each, at=days(-number / 7)) for number, each in enumerate(found)]
    shuffled = sorted(events, key=lambda _: lots.random())  # type: ignore[attr-defined]
    world = world_of(8)
    plans = [
        list(STEP.plan(world.view(), world.scene(events=given_events)))
        for given_events in (events, shuffled)
    ]
    assert [(each.id, each.fields) for each in plans[0]] == [
        (each.id, each.fields) for each in plans[1]
    ]


@given(found=RECALLS, also=RECALLS, most=st.integers(1, 4))
def test_links_are_simple_bounded_and_few(
    found: list[list[int]], also: list[list[int]], most: int
) -> None:
    step = replace(STEP, most=most)
    world = asleep(world_of(8), step, [recall(n, each) for n, each in enumerate(found)])
    later = [recall(n, each, at=days(1)) for n, each in enumerate(also, start=50)]
    pairs = pairs_of(asleep(world, step, later, now=days(1)))
    assert all(low < high and step.floor <= w <= 1 for (low, high), w in pairs.items())
    assert len({frozenset(pair) for pair in pairs}) == len(pairs)
    ends = [key for pair in pairs for key in pair]
    assert max(map(ends.count, ends), default=0) <= most


@given(found=RECALLS)
def test_once_carried_out_there_is_nothing_more_to_plan(found: list[list[int]]) -> None:
    world = asleep(world_of(8), STEP, [recall(n, each) for n, each in enumerate(found)])
    assert not list(STEP.plan(world.view(), world.scene()))


def test_links_stay_within_a_workspace_and_a_scope() -> None:
    held = [
        Held(content="a"),
        Held(content="b", scope="global/team"),
        Held(content="c", workspace="other"),
        Held(content="d", scope="global/team"),
    ]
    world = asleep(World(held), STEP, [recall(1, [1, 2, 3, 4], workspace=None)])
    assert list(pairs_of(world)) == [(2, 4)]


@pytest.mark.parametrize(
    "tie", [tied(0.5, source="manual"), tied(0.5, pinned=True)], ids=["of others", "pinned"]
)
def test_links_that_are_pinned_or_of_others_are_neither_changed_nor_doubled(tie: Tie) -> None:
    world = tied_world(3, tie)
    later = asleep(world, STEP, [recall(1, [2, 1], at=days(400))], now=days(400))
    assert dict(later.ties) == {"t": tie}
    turned = World(world.held.values(), [replace(tie, from_id="m2", to_id="m1")])
    assert list(asleep(turned, STEP, [recall(1, [1, 2])]).ties) == ["t"]


def test_two_decays_are_one() -> None:
    world = tied_world(3, tied(0.8))
    step = replace(STEP, half_life_days=10.0)
    once = asleep(world, step, [], now=days(20))
    twice = asleep(asleep(world, step, [], now=days(7)), step, [], now=days(20))
    assert pairs_of(once) == {(1, 2): pytest.approx(0.2)}
    assert pairs_of(twice)[1, 2] == pytest.approx(0.2, abs=1e-8)


def test_fading_is_written_only_once_it_is_noticed() -> None:
    world = tied_world(3, tied(0.8))
    step = replace(STEP, half_life_days=10.0, refresh=0.5)
    for day in (1.0, 5.0, 9.9):
        world = asleep(world, step, [], now=days(day))
        assert world.ties["t"].updated_at == NOW
    assert asleep(world, step, [], now=days(10.1)).ties["t"].weight < 0.4


def test_what_sinks_below_the_floor_goes() -> None:
    world = tied_world(3, tied(0.8))
    step = replace(STEP, half_life_days=1.0, floor=0.05)
    assert asleep(world, step, [], now=days(3.9)).ties
    assert not asleep(world, step, [], now=days(4.1)).ties


def test_a_step_that_is_told_never_to_forget_forgets_nothing() -> None:
    world = tied_world(3, tied(0.8))
    step = replace(STEP, half_life_days=None)
    assert asleep(world, step, [], now=days(10_000)).ties == world.ties


def test_a_link_fades_before_it_learns_anew() -> None:
    step = replace(STEP, half_life_days=10.0)
    faded = asleep(tied_world(3, tied(0.8)), step, [recall(1, [1, 2], at=days(10))], now=days(10))
    fresh = asleep(tied_world(3, tied(0.4)), step, [recall(1, [1, 2])])
    assert pairs_of(faded) == pytest.approx(pairs_of(fresh))


def test_within_a_day_nothing_is_looked_through_twice() -> None:
    class Counted(World):
        asked = 0

        def links(self, *args: object, **chosen: object):  # type: ignore[no-untyped-def]  # noqa: ANN202
            self.asked += 1
            return super().links(*args, **chosen)  # type: ignore[arg-type]

    world = Counted([Held(content="a"), Held(content="b")], [tied(0.8)])
    hour = NOW.timestamp() - 3600
    assert not list(STEP.plan(world.view(), world.scene(cursor=hour)))
    assert world.asked == 0
    assert not list(STEP.plan(world.view(), world.scene(cursor=hour - 86_400)))
    assert world.asked == 1


def test_the_strongest_links_stay() -> None:
    events = [recall(n, [1, 2]) for n in range(4)] + [recall(n, [1, 3]) for n in range(4, 6)]
    world = asleep(world_of(4), replace(STEP, most=1), events)
    assert list(pairs_of(world)) == [(1, 2)]
    later = [recall(n, [1, 3] if n % 4 else [4], at=days(1)) for n in range(10, 14)]
    later += [recall(n, [1, 3] if n % 9 == 0 else [4], at=days(1)) for n in range(14, 250)]
    assert list(pairs_of(asleep(world, replace(STEP, most=1), later, now=days(1)))) == [(1, 3)]

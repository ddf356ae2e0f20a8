"""The step "abstract": gists beside their sources, made once, renewed when these change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engram_lab.config import DreamSettings
from engram_lab.consolidation import Step, steps_of
from engram_lab.consolidation.abstract import Abstract, Extractive, Summariser
from engram_lab.core.errors import InvalidInputError
from tests.consolidation.worlds import NOW, Held, Tie, World

if TYPE_CHECKING:
    from engram_lab.core.dreams import Change


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


OLD = ago(90)
LONG = ("Karsk has a harbour.", "Its harbour is old.", "Ships come to Karsk.", "Karsk is old.")


@dataclass(frozen=True)
class Counting:
    """A summariser that counts: its gist is told by the number of texts."""

    name: str = "counting"
    gist: str | None = None

    @property
    def parameters(self) -> Mapping[str, Any]:
        return {}

    def summarise(self, texts: Sequence[str], *, most_chars: int) -> str:
        return self.gist if self.gist is not None else f"{len(texts)}: {' | '.join(sorted(texts))}"


STEP = Abstract(summariser=Counting())


def in_session(session: str, count: int, **common: Any) -> list[Held]:
    told: dict[str, Any] = {"created_at": OLD, **common}
    return [
        Held(content=f"{session} {row}", session_id=session, event_at=ago(89 - row), **told)
        for row in range(count)
    ]


def planned(world: World, step: Abstract = STEP, **scene: Any) -> list[Change]:
    return list(step.plan(world.view(), world.scene(**scene)))


def after(world: World, step: Abstract = STEP, **scene: Any) -> World:
    return world.carried_out(planned(world, step, **scene))


def gists(world: World) -> list[Held]:
    return [
        each
        for each in world.held.values()
        if each.source == "dream:abstract" and each.lifecycle == "active"
    ]


def sources_of(world: World, gist: Held) -> set[str]:
    return {
        each.to_id
        for each in world.ties.values()
        if each.type == "derived_from" and each.from_id == gist.id
    }


def edited(world: World, key: int, **values: Any) -> World:
    """Return the world after somebody else than a dream changed a memory."""
    told = World(())
    told.held = {**world.held, key: replace(world.held[key], **values)}
    told.ties = dict(world.ties)
    return told


def without(world: World, key: int) -> World:
    """Return the world after somebody forgot a memory; links to it are no longer told."""
    told = World(())
    told.held = {each: held for each, held in world.held.items() if each != key}
    told.ties = dict(world.ties)
    return told


def test_a_session_gets_a_gist_that_names_its_sources() -> None:
    world = after(World(in_session("s", 4)))
    (gist,) = gists(world)
    assert gist.content == "4: s 0 | s 1 | s 2 | s 3"
    assert (gist.type, gist.scope, gist.workspace) == ("summary", "global", "default")
    assert (gist.importance, gist.session_id, gist.event_at) == (0.5, None, ago(86))
    assert sources_of(world, gist) == {"m1", "m2", "m3", "m4"}
    assert {each.source for each in world.ties.values()} == {"dream:abstract"}
    # The sources stay as they are, to the last field.
    assert [world.held[key] for key in (1, 2, 3, 4)] == list(
        World(in_session("s", 4)).held.values()
    )


def test_links_and_nearness_bind_too_and_chains_do_not() -> None:
    held = [Held(content=str(row), created_at=OLD) for row in range(8)]
    star = [Tie(id=f"t{row}", from_id="m1", to_id=f"m{row}", weight=0.5) for row in (2, 3, 4)]
    chain = [Tie(id=f"u{row}", from_id=f"m{row}", to_id=f"m{row + 1}") for row in (5, 6, 7)]
    world = after(World(held, [*star, *chain]))
    assert [sources_of(world, gist) for gist in gists(world)] == [{"m1", "m2", "m3", "m4"}]
    near = [
        Held(content=str(row), created_at=OLD, vector=vector)
        for row, vector in enumerate([(1, 0), (1, 0.1), (1, 0.2), (0.9, 0.3), (0, 1), (-1, 0)])
    ]
    world = after(World(near))
    assert [sources_of(world, gist) for gist in gists(world)] == [{"m1", "m2", "m3", "m4"}]


@pytest.mark.parametrize("kind", ["contradicts", "derived_from", "merged_into"])
def test_links_that_set_apart_do_not_bind(kind: str) -> None:
    held = [Held(content=str(row), created_at=OLD) for row in range(5)]
    ties = [Tie(id=f"t{row}", from_id="m1", to_id=f"m{row}", type=kind) for row in (2, 3, 4, 5)]
    assert planned(World(held, ties)) == []


def test_weak_links_do_not_bind() -> None:
    held = [Held(content=str(row), created_at=OLD) for row in range(4)]
    ties = [Tie(id=f"t{row}", from_id="m1", to_id=f"m{row}", weight=0.29) for row in (2, 3, 4)]
    assert planned(World(held, ties)) == []


def test_only_old_memories_that_hold_and_stay_are_summed_up() -> None:
    base = in_session("s", 4)
    assert planned(World(base))
    for change in (
        {"created_at": ago(29)},
        {"updated_at": ago(1)},
        {"lifecycle": "archived"},
        {"valid_to": ago(1)},
        {"expires_at": ago(-1)},
        {"source": "dream:abstract"},
        {"scope": "global/org:a"},
        {"workspace": "other"},
        {"session_id": "t"},
        {"content": "<private>all of it</private>"},
    ):
        told: dict[str, Any] = change
        assert planned(World([*base[:3], replace(base[3], **told)])) == [], change


def test_private_sections_are_never_read() -> None:
    held = in_session("s", 4)
    held[0] = replace(held[0], content="Karsk. <private>The code is 4711.</private> Harbour.")
    for step in (STEP, Abstract()):
        (gist,) = gists(after(World(held), step))
        assert "4711" not in gist.content
        assert "Karsk" in gist.content


def test_long_sessions_are_cut_into_even_parts_in_their_order() -> None:
    world = after(World(in_session("s", 17)))
    one, two = gists(world)
    assert sources_of(world, one) == {f"m{row}" for row in range(1, 10)}
    assert sources_of(world, two) == {f"m{row}" for row in range(10, 18)}


def test_a_group_gets_one_gist_and_a_second_dream_none() -> None:
    world = after(World(in_session("s", 5)))
    assert planned(world) == []
    assert planned(world, now=NOW + timedelta(days=50), cursor=NOW.timestamp()) == []


def test_thirty_nights_make_no_more_than_one() -> None:
    world = World(in_session("s", 5))
    for night in range(30):
        now = NOW + timedelta(days=night)
        changes = planned(
            world, now=now, cursor=now.timestamp() - 86_400 if night else float("nan")
        )
        world = world.carried_out(changes, now=now)
    assert len(gists(world)) == 1


def test_a_gist_whose_sources_changed_is_renewed() -> None:
    world = after(World(in_session("s", 4)))
    (old,) = gists(world)
    world = edited(world, 2, content="s 1, put right", updated_at=ago(0), version=2)
    changes = planned(world)
    renewed = world.carried_out(changes)
    (gist,) = gists(renewed)
    assert "s 1, put right" in gist.content
    assert sources_of(renewed, gist) == {"m1", "m2", "m3", "m4"}
    assert renewed.held[renewed.key_of(old.id)].lifecycle == "archived"
    assert renewed.held[renewed.key_of(old.id)].content == old.content
    above = [each for each in renewed.ties.values() if each.type == "supersedes"]
    assert [(each.from_id, each.to_id) for each in above] == [(gist.id, old.id)]
    assert planned(renewed) == []


def test_what_no_longer_holds_leaves_the_gist() -> None:
    world = edited(after(World(in_session("s", 4))), 2, valid_to=ago(1))
    (gist,) = gists(after(world))
    assert gist.content == "3: s 0 | s 2 | s 3"
    world = after(world)
    for key in (1, 3):
        world = edited(world, key, valid_to=ago(1))
    world = after(world)
    assert gists(world) == []
    assert planned(world) == []


def test_a_deletion_stays_deleted_in_the_gist_too() -> None:
    world = after(World(in_session("s", 4)))
    (old,) = gists(world)
    world = after(without(world, 2))
    (gist,) = gists(world)
    assert "s 1" not in gist.content
    assert old.id not in {each.id for each in world.held.values()}
    assert planned(world) == []


def test_a_change_of_what_is_not_told_renews_nothing() -> None:
    world = after(World(in_session("s", 4)))
    world = edited(world, 1, lifecycle="stale", importance=0.1, updated_at=ago(0), version=5)
    world = edited(world, 2, lifecycle="archived", version=3)
    assert planned(world) == []


def test_a_gist_of_ones_own_is_left_alone() -> None:
    world = after(World(in_session("s", 4)))
    (gist,) = gists(world)
    key = world.key_of(gist.id)
    changed = edited(world, 2, content="changed")
    assert planned(edited(changed, key, pinned=True)) == []
    assert planned(edited(changed, key, metadata={})) == []
    assert planned(edited(world, key, lifecycle="archived")) == []


def test_sources_are_archived_only_if_told_and_protected_ones_never() -> None:
    held = in_session("s", 4)
    held[0] = replace(held[0], pinned=True)
    held[1] = replace(held[1], importance=0.95)
    step = replace(STEP, archives=True)
    world = after(World(held), step)
    states = [world.held[key].lifecycle for key in (1, 2, 3, 4)]
    assert states == ["active", "active", "archived", "archived"]
    assert planned(world, step) == []


def test_work_follows_what_changed_or_became_old() -> None:
    world = World([*in_session("old", 4), *in_session("young", 4, created_at=ago(30.5))])
    nothing: tuple[int, ...] = ()
    assert planned(world, focus=nothing, cursor=ago(0.1).timestamp()) == []
    changes = planned(world, focus=nothing, cursor=ago(1).timestamp())
    assert [each.fields["content"][:8] for each in changes if each.action == "remember"] == [
        "4: young"
    ]
    changes = planned(world, focus=(2,), cursor=ago(0.1).timestamp())
    assert [each.fields["content"][:6] for each in changes if each.action == "remember"] == [
        "4: old"
    ]


def test_a_session_that_grows_gets_a_second_gist_of_what_came() -> None:
    world = after(World(in_session("s", 4)))
    more = [replace(each, id=f"n{row}") for row, each in enumerate(in_session("s", 3))]
    told = World([*world.held.values(), *more], world.ties.values())
    assert planned(told) == []
    told = World([*told.held.values(), replace(more[0], id="n4")], world.ties.values())
    grown = after(told)
    assert [sources_of(grown, gist) for gist in gists(grown)] == [
        {"m1", "m2", "m3", "m4"},
        {"n0", "n1", "n2", "n4"},
    ]


def test_the_same_store_seed_and_moment_give_the_same_dream() -> None:
    world = World(in_session("s", 6))
    assert planned(world) == planned(world)


def test_a_summariser_that_says_nothing_makes_nothing_and_one_that_says_too_much_is_refused() -> (
    None
):
    world = World(in_session("s", 4))
    assert planned(world, Abstract(summariser=Counting(gist="  "))) == []
    with pytest.raises(InvalidInputError, match="'counting' gave 601 characters and may give 600"):
        planned(world, Abstract(summariser=Counting(gist="x" * 601)))


memories = st.builds(
    Held,
    content=st.sampled_from(LONG),
    session_id=st.sampled_from([None, "s", "t"]),
    scope=st.sampled_from(["global", "global/org:a"]),
    pinned=st.booleans(),
    vector=st.sampled_from([None, (1, 0), (1, 0.5), (0, 1)]),
    created_at=st.sampled_from([OLD, ago(3)]),
)
pairs = st.lists(st.tuples(st.integers(1, 14), st.integers(1, 14)), max_size=20)


@settings(max_examples=60)
@given(
    st.lists(memories, max_size=14),
    pairs,
    st.booleans(),
    st.permutations(["session", "link", "cosine"]),
)
def test_planned_again_after_it_was_carried_out_it_plans_nothing(
    held: list[Held],
    links: list[tuple[int, int]],
    archives: bool,  # noqa: FBT001 - drawn
    by: list[str],
) -> None:
    ties = [
        Tie(id=f"t{row}", from_id=f"m{one}", to_id=f"m{two}")
        for row, (one, two) in enumerate(links)
        if one != two and max(one, two) <= len(held)
    ]
    step = Abstract(least=2, most=4, near=3, by=tuple(by), archives=archives)
    world = World(held, ties)
    done = after(world, step)
    assert planned(done, step) == []
    told: list[str] = []
    for gist in gists(done):
        own = sources_of(done, gist)
        told += own
        assert 2 <= len(own) <= 4
        scopes = {done.held[done.key_of(each)].scope for each in own}
        assert scopes == {gist.scope}
    assert len(told) == len(set(told)), "a memory is source of one gist"
    for key, was in world.held.items():
        if was.pinned or not archives:
            assert done.held[key] == was


def test_settings_make_the_step() -> None:
    (step,) = steps_of(DreamSettings(abstract_by="cosine, session", abstract_most=9), "abstract")
    assert isinstance(step, Step)
    assert step == Abstract(by=("cosine", "session"), most=9)
    assert isinstance(Extractive(), Summariser)
    assert step.parameters["summariser"]["name"] == "extractive"
    with pytest.raises(InvalidInputError, match="names 'mood': allowed are session, link, cosine"):
        steps_of(DreamSettings(abstract_by="mood"), "abstract")
    with pytest.raises(InvalidInputError, match="at least 5 and at most 4"):
        Abstract(least=5, most=4)

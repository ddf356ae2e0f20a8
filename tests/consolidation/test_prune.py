"""The step "prune": to the budget and no further, the least salient first."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from engram_lab.config import DreamSettings
from engram_lab.consolidation import Step, steps_of
from engram_lab.consolidation.prune import Prune
from engram_lab.consolidation.salience import Salience
from engram_lab.core.dreams import Change
from engram_lab.core.errors import InvalidInputError
from engram_lab.core.text import estimated_tokens
from tests.consolidation.worlds import NOW, Held, Tie, World


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def planned(world: World, step: Prune) -> list[Change]:
    return list(step.plan(world.view(), world.scene()))


def gone(world: World, step: Prune) -> list[str]:
    return [change.id for change in planned(world, step)]


def findable(world: World) -> list[Held]:
    return [each for each in world.held.values() if each.lifecycle != "archived"]


def test_without_a_budget_it_does_nothing() -> None:
    world = World.telling("a", "b", created_at=ago(9000))
    assert gone(world, Prune()) == []
    assert gone(world, Prune(most_memories=2)) == []
    assert gone(world, Prune(most_tokens=2)) == []


def test_the_least_salient_goes_first() -> None:
    held = [
        Held(content="a", importance=0.5),
        Held(content="b", importance=0.1),
        Held(content="c", importance=0.3),
        Held(content="d", importance=0.1, accessed_at=ago(1), access_count=5),
    ]
    assert gone(World(held), Prune(most_memories=1)) == ["m2", "m3", "m1"]


def test_what_is_archived_counts_for_nothing() -> None:
    held = [Held(content=str(row), lifecycle="archived") for row in range(9)]
    assert gone(World([*held, Held(content="x")]), Prune(most_memories=1)) == []


def test_the_tokens_are_those_of_the_texts() -> None:
    """12, 4 and 5 characters are 3, 1 and 2 tokens."""
    held = [
        Held(content="x" * 12, importance=0.3),
        Held(content="x" * 4, importance=0.2),
        Held(content="x" * 5, importance=0.1),
    ]
    world = World(held)
    assert gone(world, Prune(most_tokens=6)) == []
    assert gone(world, Prune(most_tokens=5)) == ["m3"]
    assert gone(world, Prune(most_tokens=4)) == ["m3"]
    assert gone(world, Prune(most_tokens=3)) == ["m3", "m2"]
    assert gone(world, Prune(most_tokens=4, most_memories=1)) == ["m3", "m2"]


def test_protected_memories_never_go_and_an_impossible_budget_is_refused_by_name() -> None:
    held = [
        Held(content="a", pinned=True, importance=0.0),
        Held(content="b", importance=0.9),
        Held(content="c", importance=0.8),
    ]
    assert gone(World(held), Prune(most_memories=2)) == ["m3"]
    with pytest.raises(
        InvalidInputError,
        match="'default' may have 1 memories, and 2 memories of 2 tokens are pinned",
    ):
        gone(World(held), Prune(most_memories=1))


def test_the_outdated_goes_first_and_the_oldest_of_a_chain_before_the_others() -> None:
    held = [
        Held(content="first", importance=0.8),
        Held(content="second", importance=0.7),
        Held(content="third", importance=0.0),
        Held(content="by itself", importance=0.1),
        Held(content="ended", importance=0.85, valid_to=ago(1)),
    ]
    ties = [
        Tie(id="s", from_id="m2", to_id="m1", type="supersedes"),
        Tie(id="t", from_id="m3", to_id="m2", type="supersedes"),
    ]
    assert gone(World(held, ties), Prune(most_memories=1)) == ["m1", "m2", "m5", "m4"]


def test_what_stands_for_others_goes_last_and_is_never_forgotten() -> None:
    held = [
        Held(content="survivor", importance=0.0),
        Held(content="merged", lifecycle="archived"),
        Held(content="by itself", importance=0.8),
        Held(content="important", pinned=True),
    ]
    ties = [Tie(id="m", from_id="m2", to_id="m1", type="merged_into")]
    assert gone(World(held, ties), Prune(most_memories=2)) == ["m3"]
    changes = planned(World(held, ties), Prune(most_memories=1, forgets=True))
    assert [(each.id, each.action) for each in changes] == [("m3", "forget"), ("m1", "update")]


def test_what_the_same_dream_merged_or_summed_up_counts_too() -> None:
    world = World.telling("survivor", "merged", "by itself", importance=0.2)
    link = {"from_id": "m2", "to_id": "m1", "type": "merged_into", "weight": 1.0}
    view = world.view().after(
        [
            Change(step="merge", action="link", id="l", fields=link, reason="same"),
            Change(step="merge", action="update", id="m2", fields={"lifecycle": "archived"},
                   reason="same", seen=1),
        ]
    )  # fmt: skip
    step = Prune(most_memories=1, forgets=True)
    assert [each.id for each in step.plan(view, world.scene())] == ["m3"]
    held = [
        Held(content="gist", source="dream:abstract", importance=0.0),
        Held(content="source", lifecycle="archived"),
        Held(content="by itself", importance=0.8),
        Held(content="by hand", importance=0.7),
    ]
    ties = [
        Tie(id="d", from_id="m1", to_id="m2", type="derived_from"),
        Tie(id="e", from_id="m4", to_id="m2", type="derived_from"),
    ]
    assert gone(World(held, ties), Prune(most_memories=1)) == ["m4", "m3"]


def test_whom_somebody_brought_back_speaks_for_itself_again() -> None:
    held = [Held(content="survivor", importance=0.1), Held(content="brought back", importance=0.5)]
    ties = [Tie(id="m", from_id="m2", to_id="m1", type="merged_into")]
    assert gone(World(held, ties), Prune(most_memories=1)) == ["m1"]


def test_the_present_word_stays_where_the_outdated_one_is_protected() -> None:
    """Else the outdated word would be the last one left."""
    held = [
        Held(content="outdated", pinned=True),
        Held(content="newer", importance=0.0),
        Held(content="newest", importance=0.0),
        Held(content="another", importance=0.8),
    ]
    ties = [
        Tie(id="s", from_id="m2", to_id="m1", type="supersedes"),
        Tie(id="t", from_id="m3", to_id="m2", type="supersedes"),
    ]
    assert gone(World(held, ties), Prune(most_memories=3)) == ["m4"]
    with pytest.raises(InvalidInputError, match="3 memories of 6 tokens are pinned, important or"):
        gone(World(held, ties), Prune(most_memories=2))


def test_it_archives_unless_told_to_forget_and_the_type_survives() -> None:
    world = World.telling("a", "b", type="decision")
    (change,) = planned(world, Prune(most_memories=1))
    assert (change.action, dict(change.fields)) == ("update", {"lifecycle": "archived"})
    assert change.reason.startswith("beyond the budget of 1 memories with salience 0.")
    after = world.carried_out([change])
    assert [each.type for each in after.held.values()] == ["decision", "decision"]
    (change,) = planned(world, Prune(most_memories=1, forgets=True))
    assert (change.action, dict(change.fields)) == ("forget", {})


memories = st.builds(
    Held,
    content=st.text("abc", min_size=1, max_size=30),
    importance=st.sampled_from([0.0, 0.2, 0.2, 0.7, 0.95]),
    pinned=st.booleans(),
    access_count=st.integers(0, 3),
    lifecycle=st.sampled_from(["active", "stale", "archived"]),
    created_at=st.sampled_from([ago(1), ago(50), ago(900)]),
    valid_to=st.none() | st.just(ago(3)),
)
pairs = st.tuples(
    st.integers(0, 9), st.integers(0, 9), st.sampled_from(["supersedes", "merged_into"])
)
budgets = st.none() | st.integers(1, 12)


def a_world(held: list[Held], links: list[tuple[int, int, str]]) -> World:
    named = [replace(each, id=f"n{row}") for row, each in enumerate(held)]
    ties = [
        Tie(id=f"t{row}", from_id=f"n{one}", to_id=f"n{two}", type=kind)
        for row, (one, two, kind) in enumerate(links)
        if one != two and max(one, two) < len(held)
    ]
    return World(named, ties)


@settings(max_examples=80)
@given(
    st.lists(memories, max_size=10), st.lists(pairs, max_size=5), budgets,
    st.none() | st.integers(1, 40), st.booleans(), st.randoms(),
)  # fmt: skip
def test_the_budget_is_kept_and_not_undercut_in_whatever_order_they_lie(
    held: list[Held], links: list[tuple[int, int, str]], most: int | None, tokens: int | None,
    forgets: bool, chance: random.Random,  # noqa: FBT001 - drawn
) -> None:  # fmt: skip
    world = a_world(held, links)
    step = Prune(most_memories=most, most_tokens=tokens, forgets=forgets)
    try:
        changes = planned(world, step)
    except InvalidInputError:
        assume(False)  # noqa: FBT003 - what hypothesis calls it
        return
    after = world.carried_out(changes)
    left = findable(after)
    words = sum(estimated_tokens(each.content) for each in left)
    assert most is None or len(left) <= most
    assert tokens is None or words <= tokens
    if changes:
        back = world.held[world.key_of(changes[-1].id)]
        over = most is not None and len(left) + 1 > most
        over |= tokens is not None and words + estimated_tokens(back.content) > tokens
        assert over, "the last one need not have gone"
    for change in changes:
        was = world.held[world.key_of(change.id)]
        assert not was.pinned
        assert was.importance < 0.9
    assert gone(after, step) == []
    shuffled = World([], world.ties.values())
    order = list(world.held.values())
    chance.shuffle(order)
    shuffled.held = dict(enumerate(order, start=1))
    assert gone(shuffled, step) == [change.id for change in changes]


@settings(max_examples=80)
@given(st.lists(memories, max_size=10), st.integers(1, 9), st.integers(1, 12))
def test_the_present_word_never_goes_before_the_outdated_one(
    held: list[Held], length: int, most: int
) -> None:
    """In a chain without a circle, whatever may be found has its newer words beside it."""
    links = [(row + 1, row, "supersedes") for row in range(min(length, max(len(held) - 1, 0)))]
    held = [replace(each, lifecycle="active") for each in held]
    world = a_world(held, links)
    try:
        after = world.carried_out(planned(world, Prune(most_memories=most)))
    except InvalidInputError:
        return
    for newer, older, _ in links:
        states = [after.held[row + 1].lifecycle for row in (older, newer)]
        assert states != ["active", "archived"]


def test_thirty_passes_without_new_data_prune_once() -> None:
    world = World([Held(content=str(row), importance=row % 10 / 10) for row in range(60)])
    step = Prune(most_memories=40)
    once = world.carried_out(planned(world, step))
    after = once
    for _ in range(30):
        after = after.carried_out(planned(after, step))
    assert after.held == once.held
    assert len(findable(after)) == 40


def test_settings_make_the_step() -> None:
    said = DreamSettings(prune_most_memories=7, prune_most_tokens=8, prune_forgets=True)
    (step,) = steps_of(said, "prune")
    assert isinstance(step, Step)
    assert step == Prune(most_memories=7, most_tokens=8, forgets=True, salience=Salience.of(said))
    assert step.parameters["law"]["name"] == "power"
    assert steps_of(DreamSettings(), "prune")[0].parameters["most_memories"] is None

"""What the step "merge" plans: who survives, what it inherits, and what is left alone."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.config import DreamSettings
from engram_lab.consolidation.merge import Merge
from engram_lab.consolidation.merge.candidates import near_pairs
from engram_lab.consolidation.step import STEPS, Near, Step
from tests.consolidation.worlds import Held, Tie, World, day

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from engram_lab.core.dreams import Change

GYM = "Mara Voss pays 40 euros a month for the gym"
GYM_TOO = "The gym costs Mara Voss 40 euros monthly"
GYM_DEARER = "The gym costs Mara Voss 45 euros monthly"
NEAR, NEARLY = (1.0, 0.0), (0.98, 0.2)


def told(*texts: str, **common: Any) -> list[Held]:
    """Return memories that lie close to one another."""
    return [
        Held(content=text, vector=(1.0, place / 50), **common) for place, text in enumerate(texts)
    ]


def plan(world: World, **options: Any) -> list[Change]:
    return list(Merge(**options).plan(world.view(), world.scene()))


def archived(changes: list[Change]) -> list[str]:
    return [each.id for each in changes if each.fields.get("lifecycle") == "archived"]


def test_it_is_registered_and_set_by_the_settings_of_dreams() -> None:
    step = STEPS.get("merge")(DreamSettings(merge_score=0.7, merge_near=3))
    assert isinstance(step, Step)
    assert step.name == "merge"
    assert step.parameters == {
        "score": 0.7,
        "cosine": 0.8,
        "named_cosine": 0.5,
        "near": 3,
        "most_chars": 600,
        "turns": False,
    }


def test_of_two_tellings_one_is_archived_and_linked_to_the_other() -> None:
    gone, link = plan(World(told(GYM, GYM_TOO)))
    assert (gone.action, gone.id, gone.fields, gone.seen) == (
        "update", "m2", {"lifecycle": "archived"}, 1,
    )  # fmt: skip
    assert gone.sources == ("m1",)
    assert link.fields["from_id"] == "m2"
    assert link.fields["to_id"] == "m1"
    assert link.fields["type"] == "merged_into"
    assert link.fields["source"] == "dream:merge"
    assert 0.6 <= link.fields["weight"] <= 1
    assert not {"Mara", "gym"} & set((gone.reason + link.reason).split())


def test_what_differs_in_a_figure_stays_however_near_it_is() -> None:
    same = Held(content=GYM_DEARER, vector=NEAR)
    assert plan(World([Held(content=GYM_TOO, vector=NEAR), same])) == []


def test_copies_merge_without_vectors_whatever_their_case_and_spaces() -> None:
    world = World.telling("Ada leads Heron", "ada  leads heron", "Ada leads Osprey")
    assert archived(plan(world)) == ["m2"]


def test_nothing_near_without_a_cosine() -> None:
    far = [Held(content=GYM, vector=(1, 0)), Held(content=GYM_TOO, vector=(0, 1))]
    assert plan(World(far)) == []


@pytest.mark.parametrize(
    "difference",
    [
        {"scope": "team"},
        {"workspace": "other"},
        {"type": "todo"},
        {"lifecycle": "archived"},
        {"turn": True},
        {"valid_to": day(2)},
        {"source": "dream:abstract"},
        {"content": GYM + " <private>with a discount</private>"},
    ],
)
def test_these_are_left_alone(difference: dict[str, Any]) -> None:
    for text in (GYM, GYM_TOO):
        one, other = told(GYM, text)
        assert plan(World([one, replace(other, **difference)])) == []


def test_turns_merge_where_that_is_set() -> None:
    assert archived(plan(World(told(GYM, GYM_TOO, turn=True)), turns=True)) == ["m2"]


def test_a_protected_one_survives_untouched_and_two_are_left_alone() -> None:
    one, other = told(GYM, GYM_TOO)
    pinned = replace(other, pinned=True)
    changes = plan(World([replace(one, tags=("x",)), pinned]))
    assert archived(changes) == ["m1"]
    assert {each.id for each in changes if each.action == "update"} == {"m1"}
    assert plan(World([replace(one, importance=0.95), pinned])) == []


def test_a_protected_one_survives_whatever_the_other_says_more() -> None:
    one, other = told("Jonas Weil owns two grey cats", "Jonas Weil owns two cats")
    assert archived(plan(World([one, replace(other, pinned=True)]))) == ["m1"]
    assert archived(plan(World([one, other]))) == ["m2"]


def test_the_one_that_says_more_survives_then_the_important_then_the_older() -> None:
    more = World(told("Jonas Weil owns two cats", "Jonas Weil owns two grey cats"))
    assert archived(plan(more)) == ["m1"]
    one, other = told(GYM, GYM_TOO)
    assert archived(plan(World([one, replace(other, importance=0.6)]))) == ["m1"]
    assert archived(plan(World([replace(one, created_at=day(3)), other]))) == ["m1"]


def test_the_survivor_inherits() -> None:
    one, other = told(GYM, GYM_TOO)
    one = replace(one, tags=("money", "gym"), metadata={"a": 1}, valid_from=day(3), importance=0.6)
    other = replace(
        other, tags=("gym", "home"), metadata={"a": 2, "b": 3}, valid_from=day(2), importance=0.5
    )
    update, *_ = plan(World([one, other]))
    assert update.id == "m1"
    assert update.fields == {
        "tags": ("money", "gym", "home"),
        "metadata": {"a": 1, "b": 3},
        "valid_from": day(2),
    }
    louder = plan(World([replace(one, created_at=day(1)), replace(other, importance=0.6)]))
    assert "importance" not in louder[0].fields


def test_a_beginning_that_one_does_not_know_is_not_taken_from_the_other() -> None:
    one, other = told(GYM, GYM_TOO)
    changes = plan(World([one, replace(other, valid_from=day(2))]))
    assert all("valid_from" not in each.fields for each in changes)


def test_events_of_different_days_are_two() -> None:
    world = World(
        [
            Held(content="Ada ran the park loop", event_at=day(3, 1)),
            Held(content="Ada ran the park loop", event_at=day(3, 8)),
            Held(content="Ada ran the park loop", event_at=day(3, 8)),
            Held(content="Ada lives in Lyon", event_at=day(3, 1)),
            Held(content="Ada lives in Lyon", event_at=day(4, 1)),
        ]
    )
    assert archived(plan(world)) == ["m3", "m5"]


def test_who_was_brought_back_from_the_archive_is_not_merged_there_again() -> None:
    world = World(told(GYM, GYM_TOO))
    after = world.carried_out(plan(world))
    after.held[2] = replace(after.held[2], lifecycle="active")
    assert plan(after) == []


def test_what_contradicts_is_not_merged() -> None:
    tie = Tie(id="l", from_id="m2", to_id="m1", type="contradicts")
    assert plan(World(told(GYM, GYM_TOO), [tie])) == []


def test_long_memories_merge_as_copies_alone() -> None:
    long, longer = told(GYM + ". " + GYM, GYM_TOO + ". " + GYM)
    assert plan(World([long, longer]), most_chars=40) == []


def test_an_old_memory_is_compared_with_what_is_in_focus_alone() -> None:
    world = World(told(GYM, GYM_TOO))
    step = Merge()
    assert list(step.plan(world.view(), world.scene(focus=[]))) == []
    assert len(list(step.plan(world.view(), world.scene(focus=[2])))) == 2


TEXTS = (
    GYM,
    GYM_TOO,
    GYM_DEARER,
    "Mara Voss lives in Lyon",
    "Mara Voss's home is in Lyon",
    "Mara Voss doesn't live in Lyon",
    "Jonas Weil owns two cats",
    "Jonas Weil owns two grey cats",
)


@given(
    st.lists(
        st.builds(
            Held,
            content=st.sampled_from(TEXTS),
            vector=st.sampled_from([NEAR, NEARLY, (0.9, 0.4)]),
            scope=st.sampled_from(["global", "team"]),
            pinned=st.booleans(),
            importance=st.sampled_from([0.1, 0.5, 0.95]),
            tags=st.sampled_from([(), ("a",), ("b", "a")]),
        ),
        max_size=10,
    )
)
def test_a_second_dream_plans_nothing_and_no_protected_memory_changes(held: list[Held]) -> None:
    world = World(held)
    changes = plan(world)
    assert changes == plan(world)
    view = world.view()
    assert not any(
        view.protected[view.row_of(each.id)] for each in changes if each.action == "update"
    )
    after = world.carried_out(changes)
    assert plan(after) == []
    for tie in after.ties.values():
        ends = [after.held[after.key_of(each)] for each in (tie.from_id, tie.to_id)]
        assert ends[0].lifecycle == "archived"
        assert ends[1].lifecycle == "active"
        assert ends[0].scope == ends[1].scope


class Counted:
    """Ten copies of one vector: each asks for its nearest, and is told how many it asked for."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def near(self, keys: NDArray[np.int64], k: int) -> Near:
        self.asked.append(k)
        found = np.zeros((len(keys), k), np.int64)
        cosines = np.zeros((len(keys), k), np.float32)
        for row, key in enumerate(keys.tolist()):
            others = [each for each in range(1, 11) if each != key][:k]
            found[row, : len(others)] = others
            cosines[row, : len(others)] = 1.0
        return Near(found, cosines)

    def vectors(self, keys: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        raise AssertionError

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        raise AssertionError


def test_a_list_that_is_full_of_near_ones_is_asked_for_again_more_widely() -> None:
    world = World.telling(*"abcdefghij")
    nearest = Counted()
    scene = replace(world.scene(), nearest=nearest)
    may = np.ones(10, np.bool_)
    pairs = near_pairs(world.view(), scene, may, cosine=0.8, near=4)
    assert nearest.asked == [4, 16]
    assert len(pairs) == 45

"""The world that steps are tested in says what a store would say."""

from __future__ import annotations

import numpy as np
import pytest

from engram_lab.core.dreams import Change
from tests.consolidation.worlds import Given, Held, Tie, World, day

APART = [
    Held(content="a", vector=(1, 0), tags=("x",)),
    Held(content="b", workspace="other"),
    Held(content="c", vector=(1, 1), created_at=day(2)),
]


def test_a_world_shows_one_workspace_by_rising_key() -> None:
    view = World(APART).view()
    assert view.columns.keys.tolist() == [1, 3]
    assert view.columns.ids == ["m1", "m3"]
    assert view.texts(view.rows(view.columns.keys)) == ["a", "c"]
    assert view.columns.created_at.tolist() == [day(1).timestamp(), day(2).timestamp()]
    assert np.isnan(view.columns.valid_to).all()


def test_links_need_both_ends_in_the_workspace_and_no_end_in_time() -> None:
    ties = [
        Tie(id="l1", from_id="m1", to_id="m3"),
        Tie(id="l2", from_id="m1", to_id="m2"),
        Tie(id="l3", from_id="m3", to_id="m1", valid_to=day(2)),
    ]
    assert World(APART, ties).view().links().ids == ["l1"]


def test_carried_out_changes_are_seen_and_the_old_world_stays() -> None:
    world = World(APART)
    said = {"importance": 0.7, "tags": ("y",)}
    after = world.carried_out(
        [
            Change(step="s", action="update", id="m1", fields=said, reason="why", seen=1),
            Change(step="s", action="link", id="l", reason="why",
                   fields={"from_id": "m1", "to_id": "m3", "type": "t", "weight": 0.5}),
            Change(step="s", action="remember", id="n", reason="why", fields={"content": "d"}),
        ]
    )  # fmt: skip
    view = after.view()
    assert view.columns.importance.tolist() == [0.7, 0.5, 0.5]
    assert view.columns.version.tolist() == [2, 1, 1]
    assert view.columns.ids == ["m1", "m3", "n"]
    assert view.details(np.array([0]))[0].tags == ("y",)
    assert view.links().weights.tolist() == [0.5]
    assert world.view().columns.version.tolist() == [1, 1]


def test_a_change_planned_for_another_version_is_refused() -> None:
    change = Change(step="s", action="forget", id="m1", reason="why", seen=2)
    with pytest.raises(AssertionError, match="another version"):
        World(APART).carried_out([change])


def test_the_given_nearest_are_by_cosine_and_leave_themselves_out() -> None:
    given = Given({1: (1, 0), 2: None, 3: (1, 1), 4: (0, 1)})
    near = given.near(np.array([1, 2]), 3)
    assert near.keys.tolist() == [[3, 4, 0], [0, 0, 0]]
    assert near.cosines[0].tolist() == pytest.approx([0.5**0.5, 0, 0])
    _, has = given.vectors(np.array([1, 2]))
    assert has.tolist() == [True, False]

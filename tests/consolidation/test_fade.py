"""The step "fade": what is unused steps back, what is needed again comes forward."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engram_lab.config import DreamSettings
from engram_lab.consolidation import Step, steps_of
from engram_lab.consolidation.fade import Fade
from engram_lab.core.errors import InvalidInputError
from tests.consolidation.worlds import NOW, Held, Tie, World

NAN = float("nan")


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def faded(world: World, step: Fade, *, now: datetime = NOW, cursor: float = NAN) -> World:
    changes = list(step.plan(world.view(), world.scene(now=now, cursor=cursor)))
    return world.carried_out(changes, now=now)


def lifecycles(world: World) -> list[str]:
    return [each.lifecycle for each in world.held.values()]


def nightly(world: World, step: Fade, nights: int) -> Iterable[World]:
    cursor = NAN
    for night in range(nights):
        now = NOW + timedelta(days=night)
        world = faded(world, step, now=now, cursor=cursor)
        cursor = now.timestamp()
        yield world


def test_unused_becomes_stale_and_only_later_is_archived() -> None:
    held = [Held(content=str(age), importance=0, created_at=ago(age)) for age in (29, 30, 400)]
    step = Fade(archives="unused")
    world = World(held)
    assert lifecycles(faded(world, step)) == ["active", "stale", "stale"]
    seen = [lifecycles(each) for each in nightly(world, step, 62)]
    # The second is archived when it is 90 days old, the third after 60 days of warning.
    assert seen[59] == ["stale", "stale", "stale"]
    assert seen[60] == ["stale", "archived", "archived"]


def test_importance_and_frequency_stretch_the_days() -> None:
    held = [
        Held(content="a", importance=0.5, created_at=ago(74)),
        Held(content="b", importance=0.5, created_at=ago(75)),
        Held(
            content="c", importance=0.0, created_at=ago(59), accessed_at=ago(59), access_count=100
        ),
        Held(
            content="d", importance=0.0, created_at=ago(60), accessed_at=ago(60), access_count=100
        ),
    ]
    assert lifecycles(faded(World(held), Fade())) == ["active", "stale", "active", "stale"]


def test_nothing_stretches_beyond_the_cap() -> None:
    held = [Held(content=str(age), importance=0.8, created_at=ago(age)) for age in (59, 61)]
    step = Fade(most_days=180.0)
    assert lifecycles(faded(World(held), step)) == ["active", "stale"]
    assert lifecycles(faded(World(held), Fade())) == ["active", "active"]


def test_age_counts_from_the_last_recall_or_change() -> None:
    held = [
        Held(content="changed", created_at=ago(900), updated_at=ago(1)),
        Held(content="recalled", created_at=ago(900), accessed_at=ago(1)),
        Held(content="neither", created_at=ago(900)),
    ]
    assert lifecycles(faded(World(held), Fade())) == ["active", "active", "stale"]


def test_what_still_holds_is_never_archived_unless_the_policy_says_so() -> None:
    """Old facts that hold are found as before, however long nobody asked."""
    held = [
        Held(content="holds", lifecycle="stale", created_at=ago(3000)),
        Held(content="ended", lifecycle="stale", created_at=ago(3000), valid_to=ago(2000)),
        Held(content="superseded", lifecycle="stale", created_at=ago(3000)),
        Held(content="newer", created_at=ago(1)),
        Held(content="ends one day", lifecycle="stale", created_at=ago(3000), valid_to=ago(-1)),
    ]
    ties = [Tie(id="s", from_id="m4", to_id="m3", type="supersedes")]
    after = lifecycles(faded(World(held, ties), Fade()))
    assert after == ["stale", "archived", "archived", "active", "stale"]
    after = lifecycles(faded(World(held, ties), Fade(archives="unused")))
    assert after == ["archived", "archived", "archived", "active", "archived"]
    assert lifecycles(faded(World(held, ties), Fade(archive_days=None))) == lifecycles(World(held))


def test_the_newer_is_not_archived_before_the_older_that_it_supersedes() -> None:
    held = [
        Held(content="outdated, but important", importance=0.89, created_at=ago(500)),
        Held(content="newer", importance=0.0, lifecycle="stale", created_at=ago(499)),
        Held(content="newest", importance=0.0, lifecycle="stale", created_at=ago(498)),
    ]
    ties = [
        Tie(id="s", from_id="m2", to_id="m1", type="supersedes"),
        Tie(id="t", from_id="m3", to_id="m2", type="supersedes"),
    ]
    step = Fade(stale_days=120, archive_days=200, archives="unused")
    after = faded(World(held, ties), step)
    assert lifecycles(after) == ["stale", "stale", "stale"]
    # Once the oldest may go, all three go together.
    assert list(nightly(World(held, ties), step, 800))[-1].held.keys() == {1, 2, 3}
    assert set(lifecycles(list(nightly(World(held, ties), step, 800))[-1])) == {"archived"}


def test_what_is_recalled_again_comes_back() -> None:
    held = [
        Held(content="a", lifecycle="stale", created_at=ago(99), updated_at=ago(5),
             accessed_at=ago(1)),
        Held(content="b", lifecycle="archived", created_at=ago(99), updated_at=ago(5),
             accessed_at=ago(1)),
        Held(content="by hand, since", lifecycle="stale", created_at=ago(9), updated_at=ago(1),
             accessed_at=ago(2)),
    ]  # fmt: skip
    world = World(held)
    after = faded(world, Fade(), cursor=ago(3).timestamp())
    assert lifecycles(after) == ["active", "active", "stale"]
    # In the first dream nobody knows who archived it: it stays.
    assert lifecycles(faded(world, Fade())) == ["active", "archived", "stale"]


def test_what_was_merged_or_no_longer_holds_does_not_come_back_by_being_recalled() -> None:
    common: dict[str, Any] = {"lifecycle": "archived", "updated_at": ago(5), "accessed_at": ago(1)}
    held = [
        Held(content="merged", **common),
        Held(content="survivor", created_at=ago(2)),
        Held(content="ended", valid_to=ago(9), **common),
    ]
    ties = [Tie(id="m", from_id="m1", to_id="m2", type="merged_into")]
    after = faded(World(held, ties), Fade(), cursor=ago(3).timestamp())
    assert lifecycles(after) == ["archived", "active", "archived"]


def test_protected_memories_stay_to_the_last_field_and_types_survive() -> None:
    """Importance .99 did not save a memory elsewhere, and archiving overwrote its type."""
    held = [
        Held(content="a", pinned=True, created_at=ago(9000), importance=0.0),
        Held(content="b", importance=0.99, created_at=ago(9000)),
        Held(content="c", importance=0.0, type="decision", created_at=ago(9000)),
    ]
    step = Fade(archives="unused")
    last = list(nightly(World(held), step, 70))[-1]
    assert [last.held[key] for key in (1, 2)] == [World(held).held[key] for key in (1, 2)]
    assert (last.held[3].lifecycle, last.held[3].type) == ("archived", "decision")


def test_thirty_nights_without_new_data_lose_nothing_that_holds() -> None:
    """A store lost 26 % in 3.5 days at a survival of 99.9 % a pass: passes must not add up."""
    held = [
        Held(
            content=str(row), importance=row % 9 / 10, created_at=ago(row * 7), pinned=row % 5 == 0
        )
        for row in range(100)
    ]
    *_, last = nightly(World(held), Fade(), 30)
    assert "archived" not in lifecycles(last)
    assert len(last.held) == 100


def test_many_passes_at_one_moment_do_what_one_does() -> None:
    held = [Held(content=str(age), importance=0.1, created_at=ago(age)) for age in range(300)]
    step = Fade(archives="unused")
    once = many = faded(World(held), step)
    for _ in range(30):
        many = faded(many, step, cursor=NOW.timestamp())
    assert many.held == once.held


def test_the_stale_tail_is_reached() -> None:
    """However many there are, the last one is looked at in each pass."""
    held = [Held(content=str(row), importance=0, created_at=ago(200)) for row in range(500)]
    *_, last = nightly(World(held), Fade(archives="unused"), 61)
    assert set(lifecycles(last)) == {"archived"}


moments = st.floats(-50, 800).map(ago)
memories = st.builds(
    Held,
    content=st.just("x"),
    importance=st.sampled_from([0.0, 0.3, 0.5, 0.95]),
    pinned=st.booleans(),
    access_count=st.integers(0, 200),
    lifecycle=st.sampled_from(["active", "stale", "archived"]),
    created_at=moments,
    updated_at=st.none() | moments,
    accessed_at=st.none() | moments,
    valid_to=st.none() | moments,
)
steps = st.sampled_from([Fade(), Fade(archives="unused"), Fade(most_days=100.0, archives="unused")])


@settings(max_examples=60)
@given(st.lists(memories, max_size=8), steps, st.none() | st.floats(0, 90))
def test_planned_again_after_it_was_carried_out_it_plans_nothing(
    held: list[Held], step: Fade, cursor: float | None
) -> None:
    world = World(held)
    last = NAN if cursor is None else ago(cursor).timestamp()
    after = faded(world, step, cursor=last)
    assert list(step.plan(after.view(), after.scene(cursor=last))) == []
    assert list(step.plan(after.view(), after.scene(cursor=NOW.timestamp()))) == []
    for key, was in world.held.items():
        if was.pinned or was.importance >= 0.9:
            assert after.held[key] == was


def test_what_it_archives_it_tells_with_a_reason() -> None:
    held = [Held(content="x", lifecycle="stale", created_at=ago(3000), valid_to=ago(2000))]
    (change,) = Fade().plan(World(held).view(), World(held).scene())
    assert change.reason == "it no longer holds and was not used for 3000 days"
    assert dict(change.fields) == {"lifecycle": "archived"}


def test_settings_make_the_step() -> None:
    said = DreamSettings(steps="fade", fade_stale_days=1.0, fade_archive_days=None)
    (step,) = steps_of(said)
    assert isinstance(step, Step)
    assert step == Fade(stale_days=1.0, archive_days=None)
    assert step.parameters["archives"] == "closed"
    with pytest.raises(InvalidInputError, match="archived after 10 days and be stale after 30"):
        Fade(archive_days=10.0)

"""Salience: one number in [0, 1] by which memories are ordered."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.config import DreamSettings
from engram_lab.consolidation.decay import LAWS, Exponential, law_of
from engram_lab.consolidation.salience import NO_FEEDBACK, Salience, frequency, uses_of
from engram_lab.core.errors import InvalidInputError
from tests.consolidation.worlds import NOW, Held, World

OLD = NOW - timedelta(days=4000)

moments = st.datetimes(datetime(2000, 1, 1), datetime(2040, 1, 1)).map(  # noqa: DTZ001 - below
    lambda each: each.replace(tzinfo=NOW.tzinfo)
)
memories = st.builds(
    Held,
    content=st.just("x"),
    importance=st.floats(0, 1),
    access_count=st.integers(0, 10**7),
    created_at=moments,
    updated_at=st.none() | moments,
    accessed_at=st.none() | moments,
    lifecycle=st.sampled_from(["active", "stale", "archived"]),
)
named = st.sampled_from(["power", "exponential", "act-r", "ebbinghaus"])


def salience_of(*held: Held, by: Salience | None = None, now: datetime = NOW) -> list[float]:
    columns = World(held).view().columns
    scores = (by or Salience()).scores(columns, now.timestamp())
    return [float(each) for each in scores]


def by_law(name: str) -> Salience:
    return Salience.of(DreamSettings(decay_law=name))


@given(memories, named)
def test_it_lies_between_0_and_1_whatever_the_clock_shows(held: Held, law: str) -> None:
    (score,) = salience_of(held, by=by_law(law))
    assert 0 <= score <= 1


@given(memories, named, st.floats(0, 10_000))
def test_it_never_rises_while_time_passes(held: Held, law: str, days: float) -> None:
    later = NOW + timedelta(days=days)
    (before,) = salience_of(held, by=by_law(law))
    (after,) = salience_of(held, by=by_law(law), now=later)
    assert after <= before + 1e-12


@given(memories, named, st.integers(1, 1000))
def test_more_recalls_never_lower_it(held: Held, law: str, more: int) -> None:
    oftener = replace(held, access_count=held.access_count + more)
    low, high = salience_of(held, oftener, by=by_law(law))
    assert high >= low - 1e-12


@given(memories, st.floats(0, 1))
def test_more_importance_never_lowers_it(held: Held, importance: float) -> None:
    low, high = sorted((held.importance, importance))
    scores = salience_of(replace(held, importance=low), replace(held, importance=high))
    assert scores[0] <= scores[1] + 1e-12


def test_the_mean_of_four_by_hand() -> None:
    """Half a life ago, recalled 9 times of 99, importance 0.8, and no feedback."""
    held = Held(
        content="x", access_count=9, importance=0.8, created_at=OLD,
        accessed_at=NOW - timedelta(days=14),
    )  # fmt: skip
    by = Salience(law=Exponential(half_life=14.0), full_count=99)
    assert salience_of(held, by=by)[0] == pytest.approx(0.15 + 0.1 + 0.24 + 0.1)


def test_what_was_never_read_goes_by_its_making_and_the_future_is_now() -> None:
    never = Held(content="x", created_at=NOW - timedelta(days=14), importance=0.0)
    ahead = Held(content="x", created_at=NOW + timedelta(days=9), importance=0.0)
    by = Salience(law=Exponential(half_life=14.0), frequency=0, importance=0, feedback=0, recency=1)
    assert salience_of(never, ahead, by=by) == [0.5, 1.0]


def test_age_counts_from_the_last_change() -> None:
    """A store that goes by the making alone forgets what was just put right."""
    put_right = Held(content="x", created_at=OLD, updated_at=NOW - timedelta(days=1))
    untouched = Held(content="x", created_at=OLD)
    right, old = salience_of(put_right, untouched)
    assert right > old


def test_to_be_marked_stale_is_no_use() -> None:
    """The mark is a change too: it must not make a memory fresh."""
    marked = Held(content="x", created_at=OLD, updated_at=NOW, lifecycle="stale")
    active = Held(content="x", created_at=OLD)
    assert salience_of(marked) == salience_of(active)


def test_feedback_moves_it_and_nan_is_no_feedback() -> None:
    columns = World([Held(content="x")] * 4).view().columns
    told = np.array([0.0, np.nan, NO_FEEDBACK, 1.0])
    scores = Salience().scores(columns, NOW.timestamp(), feedback=told)
    assert scores[0] < scores[1] == scores[2] < scores[3]
    assert scores[3] - scores[0] == pytest.approx(0.2)
    assert scores[1] == Salience().scores(columns, NOW.timestamp())[1]


def test_what_is_recalled_all_the_time_does_not_outweigh_all_else() -> None:
    """Frequency has a ceiling, so a popular trifle stays below what matters and is fresh."""
    popular = Held(content="x", access_count=10**6, importance=0.1, created_at=OLD, accessed_at=OLD)
    matters = Held(content="x", access_count=3, importance=0.85, created_at=NOW)
    low, high = salience_of(popular, matters)
    assert low < high
    assert frequency(np.array([0, 100, 10**6]), full_count=100).tolist() == [0, 1, 1]


@pytest.mark.parametrize("law", LAWS.names())
def test_asking_a_thousand_times_takes_nothing_away(law: str) -> None:
    """99.9 % a pass were 37 % after a thousand passes; here a pass is no event."""
    columns = World([Held(content="x", created_at=OLD)]).view().columns
    by = by_law(law)
    first = by.scores(columns, NOW.timestamp())
    for _ in range(1000):
        again = by.scores(columns, NOW.timestamp())
    assert again.tolist() == first.tolist()


@pytest.mark.parametrize("law", LAWS.names())
def test_old_memories_keep_their_order_and_are_not_driven_to_nothing(law: str) -> None:
    """After ten years unread, the important stands above the unimportant, and both above 0."""
    scores = salience_of(
        Held(content="x", created_at=OLD, importance=0.2),
        Held(content="x", created_at=OLD, importance=0.8),
        by=by_law(law),
    )
    assert 0.1 < scores[0] < scores[1]


def test_uses_count_the_making() -> None:
    uses = uses_of(World([Held(content="x", access_count=3)]).view().columns, NOW.timestamp())
    assert uses.count.tolist() == [4.0]


def test_weights_that_weigh_nothing_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="the weights of salience are 0, 0, 0, 0"):
        Salience(recency=0, frequency=0, importance=0, feedback=0)
    with pytest.raises(InvalidInputError, match="give numbers from 0"):
        Salience(recency=-1)


def test_settings_say_all_of_it() -> None:
    settings = DreamSettings(
        salience_recency=1, salience_frequency=2, salience_importance=3, salience_feedback=4,
        salience_full_count=5, decay_law="exponential",
    )  # fmt: skip
    assert Salience.of(settings) == Salience(
        law=law_of(settings), recency=1, frequency=2, importance=3, feedback=4, full_count=5
    )

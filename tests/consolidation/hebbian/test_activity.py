"""How active a memory was in a recall: few strong hits count, and what is new."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from engram_lab.consolidation.hebbian.activity import Activity, activity_of
from tests.consolidation.hebbian.recalls import recall, world_of
from tests.consolidation.worlds import NOW, Held, World

SINGLE = np.zeros(9, np.int64)


def active(world: World, *events: Any, **chosen: Any) -> Activity:
    told = {"half_life_s": np.inf, "most": 10, "slope": 0.0, "score_share": 0.0, **chosen}
    return activity_of(world.view(), events, now_s=NOW.timestamp(), **told)


def test_activity_falls_with_the_rank() -> None:
    assert active(world_of(3), recall(1, [3, 1, 2]), slope=0.5).values == pytest.approx(
        [1.0, 2**-0.5, 3**-0.5]
    )


def test_activity_falls_with_the_score() -> None:
    event = recall(1, [1, 2, 3], scores=[8.0, 2.0, 0.0])
    told = active(world_of(3), event, score_share=0.5)
    assert told.rows.tolist() == [0, 1]  # a score of 0 is no activity
    assert told.values == pytest.approx([1.0, 0.5])


def test_scores_below_nothing_tell_nothing() -> None:
    event = recall(1, [1, 2], scores=[-0.1, -0.9])
    assert active(world_of(2), event, score_share=1.0).values.tolist() == [1.0, 1.0]


def test_only_the_best_of_a_recall_count_and_what_is_gone_or_archived_does_not() -> None:
    held = [Held(content=str(number)) for number in range(4)]
    held[1] = Held(content="put away", lifecycle="archived")
    held[3] = Held(content="elsewhere", workspace="other")
    told = active(World(held), recall(1, [2, 4, 9, 1, 3]), most=4)
    assert told.rows.tolist() == [0]


def test_what_lies_back_by_a_half_life_counts_half() -> None:
    events = [recall(1, [1], at=NOW - timedelta(days=2)), recall(2, [1], at=NOW)]
    told = active(world_of(1), *events, half_life_s=86_400.0)
    assert told.weights.tolist() == [0.25, 1.0]
    assert told.sums(1).tolist() == [1.25]


def test_a_clock_that_was_ahead_makes_no_recall_count_more_than_once() -> None:
    told = active(world_of(1), recall(1, [1], at=NOW + timedelta(days=9)), half_life_s=86_400.0)
    assert told.weights.tolist() == [1.0]


def test_the_same_question_with_the_same_answer_tells_little_that_is_new() -> None:
    again = [recall(number, [1, 2], query=f"{' ' * number}Who?") for number in range(1, 9)]
    others = [recall(9, [1, 2], query="Whom?"), recall(10, [2, 1], query="Who?")]
    told = active(world_of(2), *again, *others)
    assert told.weights[:8].sum() == pytest.approx(1 + np.log(8))
    assert told.weights[8:].tolist() == [1.0, 1.0]


def test_pairs_are_summed_over_recalls_as_a_table_of_all_would_say() -> None:
    chance = np.random.default_rng(3)
    events = [recall(number, (chance.permutation(9)[:5] + 1).tolist()) for number in range(40)]
    told = active(world_of(9), *events, slope=0.7)
    table = np.zeros((40, 9))
    table[told.events, told.rows] = told.values
    pairs = told.pairs(SINGLE)
    assert (pairs.low < pairs.high).all()
    for low, high, together, times in zip(
        pairs.low, pairs.high, pairs.together, pairs.times, strict=True
    ):
        assert together == pytest.approx(table[:, low] @ table[:, high])
        assert times == np.sum((table[:, low] > 0) & (table[:, high] > 0))
    assert len(pairs.low) == np.count_nonzero(np.triu(table.T @ table, 1))


def test_only_pairs_of_one_group_are_summed() -> None:
    told = active(world_of(4), recall(1, [1, 2, 3, 4]))
    pairs = told.pairs(np.array([0, 1, 0, 1]))
    assert list(zip(pairs.low.tolist(), pairs.high.tolist(), strict=True)) == [(0, 2), (1, 3)]


def test_how_often_each_was_ever_found_is_told_by_its_accesses() -> None:
    held = [Held(content=str(number), access_count=count) for number, count in enumerate([90, 10])]
    told = active(World(held), recall(1, [1, 2]), recall(2, [1, 2]))
    assert told.found.tolist() == [90.0, 10.0]
    assert told.recalls == 50.0  # two hits each
    fresh = active(world_of(3), recall(1, [1, 2]), recall(2, [1, 3]))
    assert fresh.found.tolist() == [2.0, 1.0, 1.0]
    assert fresh.recalls == 2.0


def test_without_recalls_nothing_is_active() -> None:
    told = active(world_of(2))
    assert told.active().tolist() == []
    assert told.pairs(SINGLE[:2]).low.tolist() == []

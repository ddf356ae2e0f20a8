from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.core.errors import InvalidInputError
from engram_lab.retrieval.learned.forest import LEAF, Forest

# First tree: is `late` above 0.5? If so is `words` above 2? Second tree: is `words` above 0?
SMALL = Forest(
    names=("late", "length", "words"),
    starts=(0, 5),
    split=(0, LEAF, 2, LEAF, LEAF, 2, LEAF, LEAF),
    threshold=(0.5, 0.0, 2.0, 0.0, 0.0, 0.0, 0.0, 0.0),
    right=(2, 0, 4, 0, 0, 7, 0, 0),
    value=(0.25, -1.0, 1.5, 1.0, 2.0, 0.0, -0.5, 0.5),
)


def test_leaves_add_up_and_a_threshold_goes_to_the_left() -> None:
    values = np.array([[0.5, 9, 0], [0.6, 9, 2], [0.6, 9, 2.1], [-3, 9, -1]])

    assert SMALL.scores(values).tolist() == [-1.5, 1.5, 2.5, -1.5]
    assert SMALL.base == 0.25
    assert SMALL.used == ("late", "words")


def test_a_feature_is_given_what_changed_whenever_it_parted_the_way() -> None:
    values = np.array([[0.6, 9, 2.1], [0.5, 9, 2.1]])

    assert SMALL.contributions(values).tolist() == [
        # late: 1.5 - 0.25. words: 2.0 - 1.5 in the first tree, and 0.5 - 0 in the second.
        [1.25, 0.0, 1.0],
        [-1.25, 0.0, 0.5],
    ]


def test_no_rows_are_no_scores() -> None:
    assert SMALL.scores(np.zeros((0, 3))).shape == (0,)
    assert SMALL.contributions(np.zeros((0, 3))).shape == (0, 3)


@st.composite
def forests(draw: st.DrawFn) -> Forest:
    """Trees of any shape, their inner values whatever they are."""
    names = ("a", "b", "c")
    number = st.floats(-3, 3).map(lambda each: round(each, 1))
    starts: list[int] = []
    split: list[int] = []
    right: list[int] = []

    def grow(depth: int) -> None:
        at = len(split)
        inner = depth < 4 and draw(st.booleans())
        split.append(draw(st.integers(0, 2)) if inner else LEAF)
        right.append(0)
        if inner:
            grow(depth + 1)
            right[at] = len(split)
            grow(depth + 1)

    for _ in range(draw(st.integers(1, 4))):
        starts.append(len(split))
        grow(0)
    nodes = len(split)
    numbers = draw(st.lists(number, min_size=2 * nodes, max_size=2 * nodes))
    return Forest(
        names=names, starts=tuple(starts), split=tuple(split), right=tuple(right),
        threshold=tuple(numbers[:nodes]), value=tuple(numbers[nodes:]),
    )  # fmt: skip


def by_hand(forest: Forest, row: list[float]) -> float:
    total = 0.0
    for node in forest.starts:
        while forest.split[node] != LEAF:
            left = row[forest.split[node]] <= forest.threshold[node]
            node = node + 1 if left else forest.right[node]  # noqa: PLW2901 - a walk
        total += forest.value[node]
    return total


ROWS = st.lists(st.lists(st.floats(-4, 4), min_size=3, max_size=3), min_size=1, max_size=6)


@given(forests(), ROWS)
def test_rows_walk_as_they_do_one_by_one_and_contributions_leave_nothing_out(
    forest: Forest, rows: list[list[float]]
) -> None:
    values = np.array(rows)

    scores = forest.scores(values)

    assert scores == pytest.approx([by_hand(forest, row) for row in rows], abs=1e-12)
    told = forest.contributions(values).sum(axis=1) + forest.base
    assert told == pytest.approx(scores, abs=1e-12)


@given(forests())
def test_trees_are_json_and_back(forest: Forest) -> None:
    assert Forest.from_dict(json.loads(json.dumps(forest.to_dict()))) == forest


@pytest.mark.parametrize(
    "broken",
    [
        {"starts": ()},
        {"starts": (1, 5)},
        {"starts": (0, 5, 5)},
        {"starts": (0, 8)},
        {"split": (3, LEAF, 2, LEAF, LEAF, 2, LEAF, LEAF)},
        {"split": (-2, LEAF, 2, LEAF, LEAF, 2, LEAF, LEAF)},
        {"right": (1, 0, 4, 0, 0, 7, 0, 0)},
        {"right": (5, 0, 4, 0, 0, 7, 0, 0)},
        {"right": (2, 0, 4, 0, 0, 8, 0, 0)},
        {"value": (float("nan"), *SMALL.value[1:])},
        {"threshold": (*SMALL.threshold[1:], float("inf"))},
        {"threshold": SMALL.threshold[1:]},
    ],
)
def test_numbers_that_are_no_trees_are_refused(broken: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError, match="do not make trees"):
        replace(SMALL, **broken)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"starts": 0}, "`starts` of trees is '0': give a list of int"),
        ({"starts": [0, True]}, "give a list of int"),
        ({"value": ["1"]}, "give a list of int or float"),
        ({"more": []}, "trees have .*more"),
    ],
)
def test_json_of_another_shape_is_refused(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidInputError, match=said):
        Forest.from_dict({**SMALL.to_dict(), **changed})

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engram_lab.retrieval.features import features_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from engram_lab.retrieval.conversation import Turns
    from engram_lab.retrieval.features import Scene

    MakeScene = Callable[..., Scene]

NAMES = (
    "late",
    "late-with-before",
    "late-of-window",
    "late-of-turn-before",
    "late-answer",
)
WEIGHTS = np.array([0.75, 0.25])
# Of the turns by row, then of a note: the nearest to each of two tokens.
NEAR = np.array([[0.5, 1.0], [1.0, 0.0], [0.25, 0.5], [0.75, 0.75], [0.0, 1.0], [1.0, 1.0]])


def test_each_is_the_weighted_mean_of_the_nearest(turns: Turns, make_scene: MakeScene) -> None:
    plain = make_scene(turns, [1, 2, 4, -1])
    assert plain.rows.tolist() == [1, 2, 4, -1, 0, 3]
    scene = make_scene(turns, [1, 2, 4, -1], near=NEAR[plain.rows], weights=WEIGHTS)
    told = {name: values.tolist() for name, values in features_of(scene, NAMES).items()}
    assert told["late"] == [0.75, 0.3125, 0.25, 1.0]
    assert told["late-with-before"] == [1.0, 0.875, 0.8125, 1.0]
    assert told["late-of-window"] == [1.0, 0.875, 0.8125, 1.0]
    assert told["late-of-turn-before"] == [0.625, 0.75, 0.75, 0.0]
    assert told["late-answer"] == [0.625, 0.0, 0.0, 0.0]  # only the first turn is a question


def test_a_question_without_tokens_is_near_to_nothing(turns: Turns, make_scene: MakeScene) -> None:
    scene = make_scene(turns, [0, 1], near=np.zeros((3, 0)))
    for values in features_of(scene, NAMES).values():
        assert values.tolist() == [0, 0]


def test_without_token_vectors_there_is_none(turns: Turns, make_scene: MakeScene) -> None:
    assert features_of(make_scene(turns, [0, 1]), NAMES) == {}


def test_turns_after_are_looked_at_where_a_window_is_asked_for_alone(
    turns: Turns, make_scene: MakeScene
) -> None:
    made: list[list[int]] = []
    rows = make_scene(turns, [1]).rows

    def near_all() -> NDArray[np.float64]:
        made.append(rows.tolist())
        return NEAR[rows] + 1.0

    scene = make_scene(turns, [1], near=NEAR[rows], weights=WEIGHTS, near_all=near_all)
    told = features_of(scene, [name for name in NAMES if name != "late-of-window"])
    assert told["late-with-before"].tolist() == [1.0]
    assert made == []
    assert features_of(scene, ["late-of-window"])["late-of-window"].tolist() == [2.0]
    assert made == [[1, 0, 2]]

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from engram_lab.retrieval.features import features_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from engram_lab.retrieval.conversation import Turns
    from engram_lab.retrieval.features import Scene

    MakeScene = Callable[..., Scene]

ROWS = [2, 0, -1, 1, 3]


def told(scene: Scene, name: str) -> list[float]:
    found: list[float] = features_of(scene, [name])[name].tolist()
    return found


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("question", [0, 1, 0, 0, 0]),
        ("after-question", [0, 0, 0, 1, 0]),
        ("image", [1, 0, 0, 0, 0]),
        ("tells-of-oneself", [0, 1, 0, 1, 0]),
    ],
)
def test_what_kind_of_turn_it_is(
    name: str, values: list[float], turns: Turns, make_scene: MakeScene
) -> None:
    assert told(make_scene(turns, ROWS), name) == values


def test_the_length_is_that_of_what_was_said(turns: Turns, make_scene: MakeScene) -> None:
    words = [9, 6, 0, 5, 2]
    assert told(make_scene(turns, ROWS), "length") == pytest.approx(np.log1p(words))


def test_who_spoke_is_as_the_scene_says(turns: Turns, make_scene: MakeScene) -> None:
    scene = make_scene(turns, [0, 1, -1], speakers=np.array([1, -1, 0], np.int8))
    assert told(scene, "speaker") == [1, -1, 0]


@pytest.mark.parametrize(
    ("text", "is_told"),
    [
        ("I went", True),
        ("That is my dog", True),
        ("We had it, and I\u2019ve lost it", True),
        ("It was OURS", False),
        ("you and Ida", False),
        ("IT i", False),
    ],
)
def test_who_tells_of_himself_says_so(
    text: str, make_turns: Callable[..., Turns], make_scene: MakeScene, *, is_told: bool
) -> None:
    scene = make_scene(make_turns([("one", "Ada", text)]), [0])
    assert told(scene, "tells-of-oneself") == [float(is_told)]


def test_where_nothing_is_a_turn_all_are_0(
    make_turns: Callable[..., Turns], make_scene: MakeScene
) -> None:
    scene = make_scene(make_turns([]), [-1, -1])
    for name in ("question", "after-question", "length", "image", "tells-of-oneself", "speaker"):
        assert told(scene, name) == [0, 0]

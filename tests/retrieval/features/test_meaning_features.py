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

NAMES = ("cosine", "cosine-in-first-person", "cosine-of-window")


@pytest.fixture
def scene(turns: Turns, make_scene: MakeScene) -> Scene:
    """Return a scene of the second turn, the last one and a note, and the three turns beside."""
    return make_scene(
        turns,
        [1, 4, -1],
        cosines={
            "asked": np.array([0.1, 0.2, 0.3, 9, 9, 9]),
            "first_person": np.array([0.5, 0.25, 0.125, 0.25, 0.75, 0.5]),
        },
    )


def test_each_form_of_the_question_has_its_cosine(scene: Scene) -> None:
    told = features_of(scene, NAMES)
    assert told["cosine"].tolist() == [0.1, 0.2, 0.3]
    assert told["cosine-in-first-person"].tolist() == [0.5, 0.25, 0.125]


def test_a_window_has_half_of_what_stands_beside(scene: Scene) -> None:
    (window,) = features_of(scene, ["cosine-of-window"]).values()
    assert scene.rows.tolist() == [1, 4, -1, 0, 2, 3]
    assert window.tolist() == [0.5 + 0.5 * (0.25 + 0.75), 0.25 + 0.5 * 0.5, 0.125]


def test_without_vectors_there_is_none(turns: Turns, make_scene: MakeScene) -> None:
    assert features_of(make_scene(turns, [0, 1]), NAMES) == {}

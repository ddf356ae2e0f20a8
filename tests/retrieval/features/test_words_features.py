from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from engram_lab.retrieval.features import features_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from engram_lab.retrieval.conversation import Turns
    from engram_lab.retrieval.features import Scene

# Of "Ada sea weeks", by turn: the first word is a name.
SHARES = np.array(
    [[0.25, 0.25, 0.0], [0.25, 0.0, 0.0], [0.0, 0.125, 0.5], [0.25, 0, 0], [0.25, 0, 0]]
)
NAMES = np.array([True, False, False])


@pytest.fixture
def scene(turns: Turns, make_scene: Callable[..., Scene]) -> Scene:
    """Return a scene of the second turn and a note; beside the former stand both its neighbours."""
    note = [0.0, 0.0, 0.5]
    words = np.array([SHARES[1], note, SHARES[0], SHARES[2]])
    return make_scene(turns, [1, -1], words=words, names=NAMES)


def test_words_are_summed_with_and_without_names(scene: Scene) -> None:
    told = features_of(scene, ["words", "words-without-names"])
    assert told["words"].tolist() == [0.25, 0.5]
    assert told["words-without-names"].tolist() == [0.0, 0.5]


def test_of_a_window_each_word_counts_where_it_is_worth_most(scene: Scene) -> None:
    (window,) = features_of(scene, ["words-of-window"]).values()
    assert window.tolist() == [0.25 + 0.5, 0.5]


def test_of_a_session_the_best_three_turns_count_and_of_a_note_itself(scene: Scene) -> None:
    told = features_of(scene, ["words-of-session"])
    assert told["words-of-session"].tolist() == [(0.25 + 0.0 + 0.625) / 3, 0.5 / 3]


def test_a_question_of_stop_words_alone_gives_zeros(
    turns: Turns, make_scene: Callable[..., Scene]
) -> None:
    names = ["words", "words-without-names", "words-of-window", "words-of-session"]
    for values in features_of(make_scene(turns, [0, 1, -1]), names).values():
        assert values.tolist() == [0, 0, 0]

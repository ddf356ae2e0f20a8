"""What a scene tells of neighbours and sessions, against loops over the same numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Callable

    from engram_lab.retrieval.conversation import Turns
    from engram_lab.retrieval.features import Scene

    MakeScene = Callable[..., Scene]

# Candidates of the five turns, and notes among them.
ROWS = st.lists(st.integers(0, 4), unique=True, max_size=5).flatmap(
    lambda rows: st.permutations([*rows, -1, -1])
)


def test_the_turns_beside_stand_after_the_candidates(turns: Turns, make_scene: MakeScene) -> None:
    scene = make_scene(turns, [1, 4])
    assert len(scene) == 2
    assert scene.own.tolist() == [1, 4]
    assert scene.rows.tolist() == [1, 4, 0, 2, 3]
    values = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    assert scene.before(values).tolist() == [3, 5]
    assert scene.after(values).tolist() == [4, 0]
    table = np.stack((values, -values), axis=1)
    assert scene.before(table).tolist() == [[3, -3], [5, -5]]
    assert scene.greatest(table, after=False).tolist() == [[3, -1], [5, -2]]
    assert scene.greatest(table, after=True).tolist() == [[4, -1], [5, 0]]
    assert values.tolist() == [1, 2, 3, 4, 5]


def test_a_column_of_the_turns_is_0_for_a_note(turns: Turns, make_scene: MakeScene) -> None:
    scene = make_scene(turns, [-1, 0, 3])
    assert scene.of_turns(turns.question).tolist() == [0, 1, 0]
    assert scene.of_turns(turns.question).dtype == np.float64


def test_without_any_turn_nothing_is_told(
    make_turns: Callable[..., Turns], make_scene: MakeScene
) -> None:
    none = make_turns([])
    scene = make_scene(none, [-1, -1])
    assert scene.of_turns(none.question).tolist() == [0, 0]
    assert scene.before(np.ones(2)).tolist() == [0, 0]
    assert scene.of_sessions(np.array([3.0, 6.0])).tolist() == [1, 2]


@given(rows=ROWS, numbers=st.data())
def test_what_is_beside_and_in_a_session_is_what_a_loop_finds(
    rows: list[int], numbers: Any, turns: Turns, make_scene: MakeScene
) -> None:
    scene = make_scene(turns, rows)
    few = st.integers(-3, 3).map(float)
    m = len(scene.rows)
    values = np.array(numbers.draw(st.lists(few, min_size=m, max_size=m)))
    by_row = {
        row: value for row, value in zip(scene.rows.tolist(), values, strict=True) if row >= 0
    }
    for at, row in enumerate(rows):
        same = row >= 0
        session = turns.sessions[row]
        before = same and row - 1 in by_row and turns.sessions[row - 1] == session
        after = same and row + 1 in by_row and turns.sessions[row + 1] == session
        assert scene.before(values)[at] == (by_row[row - 1] if before else 0)
        assert scene.after(values)[at] == (by_row[row + 1] if after else 0)
        of_session = [values[at]]
        if same:
            of_session = [by_row[each] for each in by_row if turns.sessions[each] == session]
        best = sorted(of_session, reverse=True)[:3]
        assert scene.of_sessions(values)[at] == sum(best) / 3

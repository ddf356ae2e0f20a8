"""What is in sight, against loops over the same turns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.core.protocols import SpokenTurns
from engram_lab.core.selection import Selection
from engram_lab.retrieval.conversation import (
    TurnIndex,
    Turns,
    first_seen,
    next_to,
    seen,
    sight_of,
)
from engram_lab.retrieval.conversation.columns import Columns

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from engram_lab.core.sqlite import SqliteStore

SESSIONS = st.lists(st.integers(0, 2), min_size=1, max_size=40)


def turns_of(sessions: list[int]) -> Turns:
    """Return one turn for each session that is named, in that order."""
    n = len(sessions)
    positions = [sessions[:at].count(session) for at, session in enumerate(sessions)]
    return Turns.of(
        Columns.read(
            SpokenTurns(
                keys=np.arange(1, n + 1),
                session_ids=[str(each) for each in sessions],
                positions=np.array(positions, np.int64),
                speakers=["Ada"] * n,
                spoken_at=np.full(n, np.nan),
                media=np.zeros(n, np.bool_),
                contents=["so"] * n,
            )
        )
    )


def sight_by(hidden: set[int], asked: list[int] | None = None) -> Callable[..., Any]:
    def sight(rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        assert (rows >= 0).all()
        if asked is not None:
            asked.extend(rows.tolist())
        return np.array([row not in hidden for row in rows.tolist()], np.bool_)

    return sight


@given(sessions=SESSIONS, hidden=st.sets(st.integers(0, 39)), rows=st.lists(st.integers(-1, 39)))
def test_next_to_a_turn_stand_the_nearest_in_sight(
    sessions: list[int], hidden: set[int], rows: list[int]
) -> None:
    turns = turns_of(sessions)
    rows = [row for row in rows if row < len(sessions)]
    found = next_to(turns, np.array(rows, np.int64), sight_by(hidden))
    for row, (before, own, after) in zip(rows, found.tolist(), strict=True):
        assert own == row
        alike = [
            each
            for each in range(len(sessions))
            if row >= 0 and sessions[each] == sessions[row] and each not in hidden
        ]
        assert before == max((each for each in alike if each < row), default=-1)
        assert after == min((each for each in alike if each > row), default=-1)


@given(sessions=SESSIONS)
def test_where_all_is_in_sight_it_is_what_stands_around(sessions: list[int]) -> None:
    turns = turns_of(sessions)
    rows = np.arange(len(sessions))
    assert next_to(turns, rows, None).tolist() == turns.around(rows, 1).tolist()


def test_as_many_as_a_thousand_out_of_sight_may_stand_between() -> None:
    turns = turns_of([0] * 1_002)
    sight = sight_by(set(range(1, 1_001)))
    assert next_to(turns, np.array([0, 1_001]), sight).tolist() == [[-1, 0, -1], [-1, 1_001, -1]]
    turns = turns_of([0] * 1_001)
    sight = sight_by(set(range(1, 1_000)))
    assert next_to(turns, np.array([0, 1_000]), sight).tolist() == [[-1, 0, 1_000], [0, 1_000, -1]]


def test_no_more_is_looked_at_than_it_takes() -> None:
    asked: list[int] = []
    next_to(turns_of([0] * 500), np.array([200]), sight_by(set(), asked))
    assert set(asked) == {199, 200, 201}
    asked.clear()
    first_seen(np.arange(500), sight_by(set(), asked), most=3)
    assert asked == [0, 1, 2]


@given(
    hidden=st.sets(st.integers(0, 60)), order=st.permutations(range(60)), most=st.integers(1, 70)
)
def test_the_first_in_sight_are_found_in_their_order(
    hidden: set[int], order: list[int], most: int
) -> None:
    rows = np.array(order)
    wanted = [row for row in order if row not in hidden][:most]
    assert first_seen(rows, sight_by(hidden), most=most).tolist() == wanted
    assert first_seen(rows, None, most=most).tolist() == order[:most]
    assert first_seen(rows[:0], sight_by(hidden), most=most).tolist() == []


def test_what_is_out_of_sight_becomes_minus_1() -> None:
    rows = np.array([[0, -1], [2, 1]])
    assert seen(rows, sight_by({2})).tolist() == [[0, -1], [-1, 1]]
    assert seen(rows, None) is rows
    assert rows.tolist() == [[0, -1], [2, 1]]


@pytest.mark.parametrize("most_hidden", [0, 5])
def test_a_store_tells_each_turn_once(store: SqliteStore, most_hidden: int) -> None:
    store.sessions.start("one", scope="global/org:a")
    store.sessions.start("two", scope="global/org:b")
    for session in ("one", "two"):
        said = [{"speaker": "Ada", "content": f"{session} {number}"} for number in range(3)]
        store.sessions.add_turns(session, said)
    for number in range(most_hidden):
        store.memories.remember({"content": f"a note {number}", "scope": "global/org:b"})
    turns = TurnIndex(store.corpus).catch_up()
    view = store.as_agent("kim", "global/org:a")
    sight = sight_of(turns, view.corpus, Selection(archived=True))
    assert sight is not None
    assert sight(np.arange(6)).tolist() == [True] * 3 + [False] * 3
    assert sight(np.array([5, 0])).tolist() == [False, True]
    assert sight_of(turns, store.corpus, Selection(archived=True)) is None

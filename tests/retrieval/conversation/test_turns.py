from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engram_lab.core.errors import AccessDeniedError, InvalidInputError
from engram_lab.core.selection import Selection
from engram_lab.retrieval.conversation import TurnIndex, Turns

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from engram_lab.core.sqlite import SqliteStore


def talk(store: SqliteStore, session: str, *said: tuple[str, str]) -> list[str]:
    if session not in {each.id for each in store.sessions.all()}:
        store.sessions.start(session)
    turns = [{"speaker": speaker, "content": content} for speaker, content in said]
    return [turn.memory_id for turn in store.sessions.add_turns(session, turns)]


def state(turns: Turns) -> dict[str, Any]:
    """Return all that turns hold, as lists that can be compared."""
    found = {each.name: getattr(turns, each.name) for each in fields(Turns)}
    return {
        name: repr(values.tolist()) if isinstance(values, np.ndarray) else values
        for name, values in found.items()
    }  # as text: nan is then equal to nan


def test_turns_are_arrays_that_nobody_changes(store: SqliteStore) -> None:
    store.memories.remember({"content": "a note"})
    store.sessions.start("one")
    store.sessions.add_turns(
        "one",
        [
            {"speaker": "Ada", "content": "Ada: shall we go?", "spoken_at": "1970-01-01T00:01:00Z"},
            {"speaker": "Ben", "content": "Yes. [photo of a road]"},
        ],
    )
    talk(store, "two", ("Cy", "Ada"), ("Ada", "so"))
    turns = TurnIndex(store.corpus).catch_up()
    assert len(turns) == 4
    assert turns.sessions.tolist() == [0, 0, 1, 1]
    assert turns.session_ids == ("one", "two")
    assert turns.positions.tolist() == [0, 1, 0, 1]
    assert [turns.speaker_names[each] for each in turns.speakers] == ["Ada", "Ben", "Cy", "Ada"]
    assert turns.spoken_at[0] == 60
    assert np.isnan(turns.spoken_at[1:]).all()
    assert turns.question.tolist() == [True, False, False, False]
    assert turns.image.tolist() == [False, True, False, False]
    assert turns.log_length.tolist() == pytest.approx(np.log1p([3, 5, 1, 1]))
    assert turns.text(0) == "shall we go?"
    kinds = {each.name: getattr(turns, each.name).dtype for each in fields(Turns)[:4:2]}
    assert kinds == {"keys": np.int64, "positions": np.int64}
    assert {turns.sessions.dtype, turns.speakers.dtype} == {np.dtype(np.int32)}
    assert turns.log_length.dtype == np.float32
    with pytest.raises(ValueError, match="read-only"):
        turns.speakers[0] = 1


def test_rows_are_found_by_key_and_around_each(store: SqliteStore) -> None:
    note = store.memories.remember({"content": "a note"}).id
    first = talk(store, "one", *(("Ada", f"{n}") for n in range(3)))
    second = talk(store, "two", ("Ben", "0"), ("Ben", "1"))
    first += talk(store, "one", ("Ada", "3"))
    turns = TurnIndex(store.corpus).catch_up()
    keys = store.corpus.find([*first, *second, note])
    rows = turns.rows(keys)
    assert rows.tolist() == [0, 1, 2, 5, 3, 4, -1]
    assert turns.rows(keys.reshape(1, 7)).tolist() == [rows.tolist()]
    assert turns.rows(np.array([0, 10**9])).tolist() == [-1, -1]
    a, b, c, d, e, f, _ = rows.tolist()
    assert turns.around(rows, 1).tolist() == [
        [-1, a, b], [a, b, c], [b, c, d], [c, d, -1], [-1, e, f], [e, f, -1], [-1, -1, -1]
    ]  # fmt: skip
    assert turns.around(rows[:1], 0).tolist() == [[a]]
    assert turns.of_session(c).tolist() == [a, b, c, d]
    assert turns.of_session(e).tolist() == [e, f]
    for distance in (-1, 1001):
        with pytest.raises(InvalidInputError, match="distance"):
            turns.around(rows, distance)


def test_a_turn_that_is_forgotten_leaves_no_gap(store: SqliteStore) -> None:
    index = TurnIndex(store.corpus)
    ids = talk(store, "one", *(("Ada", f"{n}") for n in range(3)))
    assert len(index.catch_up()) == 3
    store.memories.forget(ids[1])
    turns = index.catch_up()
    assert turns.around(np.array([0, 1]), 1).tolist() == [[-1, 0, 1], [0, 1, -1]]


def test_speakers_match_where_a_named_one_takes_part(store: SqliteStore) -> None:
    talk(store, "one", ("Ada", "a"), ("Ben", "b"))
    talk(store, "two", ("Cy", "c"), ("Ben", "d"))
    turns = TurnIndex(store.corpus).catch_up()
    rows = np.array([[0, 1], [2, 3], [-1, 0]])
    assert turns.matches(rows, {"Ada"}).tolist() == [[1, -1], [0, 0], [0, 1]]
    assert turns.matches(rows, {"Ben", "Cy"}).tolist() == [[-1, 1], [1, 1], [0, -1]]
    assert turns.matches(rows, {"Dot"}).tolist() == [[0, 0]] * 3
    assert turns.matches(rows, ()).tolist() == [[0, 0]] * 3
    some = turns.matches(rows[:2], {"Ada"}, among=np.array([-1, 1, 2]))
    assert some.tolist() == [[1, 0], [0, 0]], "nobody tells that Ada takes part"
    assert turns.matches(rows, {"Ada"}).dtype == np.int8


def test_nothing_has_no_turns(store: SqliteStore) -> None:
    turns = TurnIndex(store.corpus).catch_up()
    assert len(turns) == 0
    assert turns.rows(np.array([1, 2])).tolist() == [-1, -1]
    assert turns.around(np.array([-1]), 1).tolist() == [[-1, -1, -1]]
    assert turns.matches(np.array([-1]), {"Ada"}).tolist() == [0]
    assert state(turns) == state(Turns.empty())


def test_the_same_turns_are_given_while_none_changes(store: SqliteStore) -> None:
    index = TurnIndex(store.corpus)
    talk(store, "one", ("Ada", "a"))
    assert index.number == 0
    turns = index.catch_up()
    note = store.memories.remember({"content": "a note"}).id
    assert index.catch_up() is turns
    assert index.number == store.corpus.last()
    assert index.stamp == store.corpus.stamp(index.number)
    store.memories.forget(note)
    assert index.catch_up() is turns is index.turns


def test_what_was_purged_is_gone_with_its_names(store: SqliteStore) -> None:
    index = TurnIndex(store.corpus)
    ids = talk(store, "one", ("Ada", "a"), ("Ben", "secret"))
    index.catch_up()
    store.memories.purge([ids[1]])
    turns = index.catch_up()
    assert turns.speaker_names == ("Ada",)
    assert turns.texts.tolist() == ["a"]
    index.close()
    index.close()
    assert len(index.turns) == 0
    assert state(index.catch_up()) == state(turns)


def test_another_past_is_read_anew(
    make_store: Callable[[], AbstractContextManager[SqliteStore]],
) -> None:
    with make_store() as one, make_store() as other:
        talk(one, "one", ("Ada", "a"))
        talk(other, "one", ("Ben", "b"))
        index = TurnIndex(one.corpus)
        index.catch_up()
        index._corpus = other.corpus  # as if the file had been replaced
        assert index.catch_up().speaker_names == ("Ben",)


def test_an_agent_has_no_index(store: SqliteStore) -> None:
    with pytest.raises(AccessDeniedError):
        TurnIndex(store.as_agent("x", "global").corpus).catch_up()


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["talk", "note", "update", "forget", "purge", "restore", "read"]),
        st.integers(0, 9),
    ),
    max_size=14,
)


@settings(max_examples=40, deadline=None)
@given(steps=STEPS)
def test_what_follows_the_changes_equals_what_is_read_from_scratch(
    make_store: Callable[[], AbstractContextManager[SqliteStore]], steps: list[tuple[str, int]]
) -> None:
    with make_store() as store:
        index = TurnIndex(store.corpus)
        ids: list[str] = []
        for deed, n in steps:
            live = [each.id for each in store.memories.select(Selection(), limit=100)]
            gone = [each for each in ids if each not in live]
            if deed == "talk":
                ids += talk(store, f"s{n % 3}", (f"p{n % 4}", f"p{n % 4}: {n}?"), ("q", f"{n}"))
            elif deed == "note":
                ids.append(store.memories.remember({"content": f"note {n} {len(ids)}"}).id)
            elif deed == "read":
                index.catch_up()
            elif deed == "update" and live:
                store.memories.update(live[n % len(live)], {"content": f"changed {n}"})
            elif deed == "forget" and live:
                store.memories.forget(live[n % len(live)])
            elif deed == "restore" and gone:
                store.memories.restore(gone[n % len(gone)])
            elif deed == "purge" and ids:
                store.memories.purge([ids.pop(n % len(ids))])
        assert state(index.catch_up()) == state(TurnIndex(store.corpus).catch_up())

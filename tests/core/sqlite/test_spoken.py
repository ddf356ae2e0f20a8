from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from engram_lab.core.errors import AccessDeniedError, InvalidInputError

if TYPE_CHECKING:
    from engram_lab.core.clock import ManualClock
    from engram_lab.core.sqlite import SqliteStore

MOMENT = "2024-01-01T00:00:00.250Z"


def said(store: SqliteStore, session: str, *turns: dict[str, Any]) -> list[int]:
    store.sessions.start(session)
    given = [{"speaker": "Ada", "content": "so", **each} for each in turns]
    placed = store.sessions.add_turns(session, given)
    keys: list[int] = store.corpus.find([turn.memory_id for turn in placed]).tolist()
    return keys


def test_turns_come_in_bulk_with_all_that_places_them(store: SqliteStore) -> None:
    note = store.memories.remember({"content": "a note"}).id
    first = said(
        store,
        "one",
        {"speaker": "Ada", "content": "Ada: a <private>secret</private>b", "spoken_at": MOMENT},
        {"speaker": "Ben", "content": "c", "event_at": MOMENT},
        {"speaker": "Ada", "content": "c"},
    )
    second = said(store, "two", {"speaker": "Cy", "content": "d"})
    spoken = store.corpus.spoken()
    assert spoken.keys.tolist() == [*first, *second]
    assert spoken.session_ids == ["one", "one", "one", "two"]
    assert spoken.positions.tolist() == [0, 1, 2, 0]
    assert spoken.speakers == ["Ada", "Ben", "Ada", "Cy"]
    assert spoken.contents == ["Ada: a b", "c", "c", "d"]
    assert spoken.spoken_at[:2].tolist() == [1704067200.25] * 2
    assert np.isnan(spoken.spoken_at[2:]).all()
    assert [values.dtype for values in (spoken.keys, spoken.positions)] == [np.int64] * 2

    some = store.corpus.spoken(
        np.array([second[0], first[1], 999, store.corpus.find([note])[0], first[1]])
    )
    assert some.keys.tolist() == [first[1], second[0]]
    assert some.speakers == ["Ben", "Cy"]
    for nothing in (np.zeros(0, np.int64), np.array([999])):
        none = store.corpus.spoken(nothing)
        assert [len(values) for values in none] == [0] * 7


@pytest.mark.parametrize(
    ("fields", "media"),
    [
        ({}, False),
        ({"media_url": "file:///cat.png"}, True),
        ({"type": "image"}, True),
        ({"type": "video"}, True),
        ({"type": "note"}, False),
        ({"metadata": {"image": "cat.png"}}, True),
        ({"metadata": {"photos": ["cat.png"]}}, True),
        ({"metadata": {"img_url": ["cat.png"], "mood": 1}}, True),
        ({"metadata": {"image": None}}, False),
        ({"metadata": {"images": []}}, False),
        ({"metadata": {"image": ""}}, False),
        ({"metadata": {"image": False}}, False),
        ({"metadata": {"mood": {"image": "deep inside"}}}, False),
    ],
)
def test_media_go_with_a_turn_by_url_type_or_field(
    store: SqliteStore, fields: dict[str, Any], *, media: bool
) -> None:
    said(store, "one", fields)
    assert store.corpus.spoken().media.tolist() == [media]


def test_what_may_be_searched_is_what_is_not_forgotten(
    store: SqliteStore, clock: ManualClock
) -> None:
    soon = clock.now() + timedelta(hours=1)
    keys = said(store, "one", {}, {"expires_at": soon}, {"lifecycle": "archived"}, {})
    clock.advance(hours=2)
    spoken = store.sessions.turns("one")
    store.memories.forget(spoken[0].memory_id)
    assert store.corpus.spoken().keys.tolist() == keys[1:]
    assert store.corpus.spoken(np.array(keys)).keys.tolist() == keys[1:]
    store.memories.purge([spoken[-1].memory_id])
    assert store.corpus.spoken().keys.tolist() == keys[1:3]
    assert set(keys[1:3]) == set(store.corpus.alive().tolist())


def test_turns_in_bulk_are_for_the_owner_alone(store: SqliteStore) -> None:
    said(store, "one", {})
    with pytest.raises(AccessDeniedError, match="turns in bulk"):
        store.as_agent("x", "global").corpus.spoken()


def test_keys_are_whole_numbers(store: SqliteStore) -> None:
    with pytest.raises(InvalidInputError, match="keys is float64"):
        store.corpus.spoken(np.array([0.5]))

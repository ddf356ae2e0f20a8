from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from engram_lab.core.errors import ConflictError, InvalidInputError, NotFoundError
from engram_lab.core.selection import Selection
from engram_lab.core.types import Session, Turn

if TYPE_CHECKING:
    from engram_lab.core.clock import ManualClock
    from engram_lab.core.sqlite import SqliteStore

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def talk(store: SqliteStore) -> Session:
    return store.sessions.start("talk", title="about tea", metadata={"mood": "good"})


def said(store: SqliteStore, turns: list[Turn]) -> list[str]:
    found = store.memories.get_many([turn.memory_id for turn in turns])
    return [f"{t.speaker}: {m.content}" for t, m in zip(turns, found, strict=True) if m]


def test_a_session_begins_and_ends(store: SqliteStore, talk: Session, clock: ManualClock) -> None:
    assert talk == Session(id="talk", title="about tea", started_at=NOON, metadata={"mood": "good"})
    assert talk == store.sessions.get("talk")
    clock.advance(hours=1)
    assert store.sessions.end("talk").ended_at == NOON + HOUR
    assert store.sessions.end("talk", at=NOON).ended_at == NOON
    with pytest.raises(InvalidInputError, match="the session began at"):
        store.sessions.end("talk", at=NOON - HOUR)
    assert store.sessions.get("talk").ended_at == NOON


def test_a_session_gets_an_id_unless_it_has_one(store: SqliteStore, talk: Session) -> None:
    assert store.sessions.start().id != store.sessions.start().id
    with pytest.raises(ConflictError, match="there already is a session 'talk'"):
        store.sessions.start("talk")


def test_sessions_are_listed_as_they_began(store: SqliteStore, talk: Session) -> None:
    earlier = store.sessions.start("z", started_at=NOON - HOUR, workspace="kitchen")
    same_time = store.sessions.start("a")
    assert [earlier, same_time, talk] == store.sessions.all()
    assert [earlier] == store.sessions.all(workspace="kitchen")


def test_a_session_inherits_the_scope_of_its_workspace(store: SqliteStore) -> None:
    store.workspaces.put("kitchen", scope="global/org:a")
    assert store.sessions.start(workspace="kitchen").scope == "global/org:a"
    assert store.sessions.start(workspace="kitchen", scope="global").scope == "global"
    assert store.workspaces.get("kitchen").scope == "global/org:a"
    store.sessions.start(workspace="cellar")
    assert store.workspaces.get("cellar").scope == "global"


def test_an_agents_session_is_its_own(store: SqliteStore) -> None:
    session = store.as_agent("coder", "global/org:a").sessions.start()
    assert (session.agent_id, session.scope) == ("coder", "global/org:a")


@pytest.mark.parametrize(
    "options",
    [
        {"session_id": ""},
        {"session_id": 7},
        {"workspace": "_x"},
        {"scope": "org:a"},
        {"title": ""},
        {"title": "x" * 1025},
        {"started_at": "soon"},
        {"metadata": {"a": float("inf")}},
        {"metadata": [1]},
    ],
)
def test_a_malformed_session_is_refused(store: SqliteStore, options: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError):
        store.sessions.start(**options)
    assert store.sessions.all() == []


def test_turns_are_memories_in_the_order_they_were_spoken(
    store: SqliteStore, talk: Session
) -> None:
    first = store.sessions.add_turns(
        "talk",
        [
            {"speaker": "Ada", "content": "Tea?", "spoken_at": "2026-01-01T11:00:00Z"},
            {"speaker": "Bob", "content": "Yes.", "tags": ["answer"], "importance": 0.9},
        ],
    )
    second = store.sessions.add_turns("talk", [{"speaker": "Ada", "content": "Tea?"}])

    assert [turn.position for turn in (*first, *second)] == [0, 1, 2]
    assert [*first, *second] == store.sessions.turns("talk")
    assert said(store, [*first, *second]) == ["Ada: Tea?", "Bob: Yes.", "Ada: Tea?"]
    question = store.memories.get(first[0].memory_id)
    assert (first[0].spoken_at, question.event_at) == (NOON - HOUR, NOON - HOUR)
    assert (question.type, question.session_id) == ("transcript_chunk", "talk")
    answer = store.memories.get(first[1].memory_id)
    assert (answer.tags, answer.importance) == (("answer",), 0.9)
    assert store.memories.count(Selection.of({"session_id": "talk"})) == 3


def test_a_turns_type_may_be_another(store: SqliteStore, talk: Session) -> None:
    (turn,) = store.sessions.add_turns(
        "talk", [{"speaker": "A", "content": "x", "type": "episodic"}]
    )
    assert store.memories.get(turn.memory_id).type == "episodic"


def test_turns_lie_where_their_session_does(store: SqliteStore) -> None:
    store.sessions.start("s", workspace="kitchen", scope="global/org:a")
    (turn,) = store.sessions.add_turns("s", [{"speaker": "A", "content": "x"}])
    memory = store.memories.get(turn.memory_id)
    assert (memory.workspace, memory.scope) == ("kitchen", "global/org:a")


@pytest.mark.parametrize("field", ["workspace", "scope", "session_id"])
def test_a_turn_lies_nowhere_else(store: SqliteStore, talk: Session, field: str) -> None:
    elsewhere = {"workspace": "kitchen", "scope": "global/org:a", "session_id": "other"}
    turn = {"speaker": "A", "content": "x", field: elsewhere[field]}
    with pytest.raises(InvalidInputError, match=f"row 0: {field} of a turn is that of its session"):
        store.sessions.add_turns("talk", [turn])
    assert store.sessions.turns("talk") == []


@pytest.mark.parametrize(
    "turn",
    [
        {"content": "x"},
        {"speaker": "", "content": "x"},
        {"speaker": "A"},
        {"speaker": "A", "content": ""},
        {"speaker": "A", "content": "x", "spoken_at": "soon"},
        {"speaker": "A", "content": "x", "importance": 7},
        {"speaker": "A", "content": "x", "colour": "red"},
        "A: x",
        None,
        ["A", "x"],
    ],
)
def test_one_bad_turn_refuses_all_and_is_named(
    store: SqliteStore, talk: Session, turn: Any
) -> None:
    with pytest.raises(InvalidInputError, match="row 1: "):
        store.sessions.add_turns("talk", [{"speaker": "A", "content": "fine"}, turn])
    assert store.sessions.turns("talk") == []
    assert store.changes.last() == 0


def test_no_turns_are_fine(store: SqliteStore, talk: Session) -> None:
    assert store.sessions.add_turns("talk", []) == []


def test_a_forgotten_turn_hides_and_keeps_its_place(
    store: SqliteStore, talk: Session, clock: ManualClock
) -> None:
    turns = store.sessions.add_turns("talk", [{"speaker": "A", "content": each} for each in "xyz"])
    store.memories.forget(turns[2].memory_id)
    assert turns[:2] == store.sessions.turns("talk")
    (after,) = store.sessions.add_turns("talk", [{"speaker": "A", "content": "w"}])
    assert after.position == 3
    store.memories.restore(turns[2].memory_id)
    assert [*turns, after] == store.sessions.turns("talk")

    store.memories.update(turns[0].memory_id, {"tier": "daily"})
    clock.advance(days=1)
    assert [*turns[1:], after] == store.sessions.turns("talk")


def test_a_purged_turn_leaves_the_others_their_places(store: SqliteStore, talk: Session) -> None:
    turns = store.sessions.add_turns("talk", [{"speaker": "A", "content": each} for each in "xyz"])
    store.memories.purge([turns[1].memory_id])
    (after,) = store.sessions.add_turns("talk", [{"speaker": "A", "content": "w"}])
    assert [turns[0], turns[2], after] == store.sessions.turns("talk")
    assert after.position == 3


def test_the_same_words_said_twice_are_two_memories(store: SqliteStore, talk: Session) -> None:
    turns = store.sessions.add_turns("talk", [{"speaker": "A", "content": "yes"}] * 2)
    assert turns[0].memory_id != turns[1].memory_id


def test_an_unknown_session_is_not_found(store: SqliteStore) -> None:
    for deed in (store.sessions.get, store.sessions.turns, store.sessions.end):
        with pytest.raises(NotFoundError, match="there is no session 'talk'"):
            deed("talk")
    with pytest.raises(NotFoundError):
        store.sessions.add_turns("talk", [])

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engram_lab.core.errors import StoreClosedError
from engram_lab.retrieval.features.known import Conversations

if TYPE_CHECKING:
    from engram_lab.core.sqlite import SqliteStore


@pytest.fixture
def conversations(store: SqliteStore) -> Conversations:
    store.sessions.start("one")
    return Conversations(store.corpus, store.identities.all)


def say(store: SqliteStore, speaker: str, content: str) -> str:
    turn = {"speaker": speaker, "content": content}
    return store.sessions.add_turns("one", [turn])[0].memory_id


def test_turns_people_and_times_are_of_one_state(
    store: SqliteStore, conversations: Conversations
) -> None:
    assert len(conversations.turns()) == 0
    say(store, "Ada", "I met Ben yesterday")
    say(store, "Ben", "Hi, Ada")
    turns, people, times = conversations.known()
    assert people.turns is turns
    assert turns.speaker_names == ("Ada", "Ben")
    assert len(times.said) == len(turns) == 2
    assert people.named("What did Ben say?") == {"Ben"}


def test_where_nothing_changed_nothing_is_made_anew(
    store: SqliteStore, conversations: Conversations
) -> None:
    say(store, "Ada", "hello")
    first = conversations.known()
    assert all(one is other for one, other in zip(first, conversations.known(), strict=True))
    assert conversations.turns() is first.turns
    store.memories.remember({"content": "a note"})
    assert conversations.turns() is first.turns


def test_an_identity_that_is_told_later_is_known(
    store: SqliteStore, conversations: Conversations
) -> None:
    say(store, "Ada", "hello")
    assert conversations.known().people.named("Where is Kit?") == frozenset()
    store.identities.add("Ada", aliases=["Kit"])
    assert conversations.known().people.named("Where is Kit?") == {"Ada"}


def test_what_was_purged_is_let_go_of_without_a_question(
    store: SqliteStore, conversations: Conversations
) -> None:
    gone = say(store, "Ada", "a secret")
    say(store, "Ben", "hello")
    before = conversations.known()
    store.memories.purge([gone])
    conversations.erase()
    held = [conversations._turns.turns, conversations._people._people, conversations._times._known]
    assert "secret" not in repr([each.contents for each in held[:1]])  # type: ignore[union-attr]
    assert conversations._people._people is not before.people
    assert conversations._times._known is not None
    assert conversations._times._known[0] is conversations.turns()


def test_who_knows_nothing_reads_nothing_to_forget_it(
    store: SqliteStore, conversations: Conversations
) -> None:
    say(store, "Ada", "hello")
    conversations.erase()
    assert len(conversations._turns.turns) == 0


def test_where_the_store_cannot_be_read_all_is_let_go_of(
    store: SqliteStore, conversations: Conversations
) -> None:
    say(store, "Ada", "a secret")
    conversations.known()
    store.close()
    with pytest.raises(StoreClosedError):
        conversations.erase()
    assert len(conversations._turns.turns) == 0
    assert conversations._people._people is None


def test_closed_it_begins_anew(store: SqliteStore, conversations: Conversations) -> None:
    say(store, "Ada", "hello")
    before = conversations.known()
    conversations.close()
    conversations.close()
    after = conversations.known()
    assert after.turns is not before.turns
    assert after.turns.contents.tolist() == ["hello"]

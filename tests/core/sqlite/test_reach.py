"""Every room, every verb: what lies out of an agent's reach can be neither read nor written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from engram_lab.core.errors import AccessDeniedError, EngramError, NotFoundError
from engram_lab.core.schemas import SCHEMAS
from engram_lab.core.selection import EVERYTHING, Selection
from engram_lab.core.types import Entity, Link, Memory, RecalledMemory, RecallEvent, Session

if TYPE_CHECKING:
    from collections.abc import Callable

    from engram_lab.core.sqlite import SqliteStore

OURS, SIBLING = "global/org:a", "global/org:ab"
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
IDS = [f"01890a5d-ac96-774b-bcce-b302099a80{number:02d}" for number in range(9)]
ALL_SEEN = EVERYTHING.also(private=False)
ONE_VECTOR = np.ones((1, 2), dtype=np.float32)


@dataclass
class Theirs:
    """What the sibling organisation has, each thing with a secret word in it."""

    memory: Memory
    other: Memory
    link: Link
    entity: Entity
    session: Session


def event(number: int, memory_id: str) -> RecallEvent:
    hit = RecalledMemory(memory_id=memory_id, rank=1, score=1.0)
    return RecallEvent(id=IDS[number], at=NOON, query="secret question", hits=(hit,))


@pytest.fixture
def theirs(store: SqliteStore) -> Theirs:
    place: dict[str, Any] = {"scope": SIBLING, "workspace": "shared", "tags": ["secret"]}
    memory = store.memories.remember({"content": "secret tea", **place})
    other = store.memories.remember({"content": "secret coffee", **place})
    store.memories.update(memory.id, {"content": "secret milk"})
    link = store.links.put(memory.id, other.id, context="secret")
    entity = store.entities.mention(memory.id, "Secret Agent")
    session = store.sessions.start("secret", scope=SIBLING, title="secret talk")
    store.sessions.add_turns("secret", [{"speaker": "secret", "content": "secret words"}])
    store.vectors.put("e", [memory.id], ONE_VECTOR)
    store.events.record([event(0, memory.id)])
    store.grants.allow("boss", SIBLING, "admin")
    return Theirs(memory, other, link, entity, session)


@pytest.fixture
def coder(store: SqliteStore) -> SqliteStore:
    return store.as_agent("coder", OURS)


READS: dict[str, Callable[[SqliteStore, Theirs], Any]] = {
    "get": lambda store, its: store.memories.get(its.memory.id),
    "get as of": lambda store, its: store.memories.get(its.memory.id, as_of=NOON),
    "get forgotten": lambda store, its: store.memories.get(its.memory.id, forgotten=True),
    "history": lambda store, its: store.memories.history(its.memory.id),
    "links of": lambda store, its: store.links.of(its.memory.id),
    "entities of": lambda store, its: store.entities.of(its.memory.id),
    "session": lambda store, its: store.sessions.get(its.session.id),
    "turns": lambda store, its: store.sessions.turns(its.session.id),
}
EMPTY_READS: dict[str, Callable[[SqliteStore, Theirs], Any]] = {
    "get many": lambda store, its: store.memories.get_many([its.memory.id])[0] or [],
    "select": lambda store, its: store.memories.select(ALL_SEEN).memories,
    "select as of": lambda store, its: store.memories.select(ALL_SEEN.also(as_of=NOON)).memories,
    "select scope": lambda store, its: store.memories.select(Selection.of(scope=SIBLING)).memories,
    "select workspace": lambda store, its: (
        store.memories.select(Selection(workspace="shared")).memories
    ),
    "select tag": lambda store, its: (
        store.memories.select(Selection.of({"tags": {"contains": "secret"}})).memories
    ),
    "count": lambda store, its: range(store.memories.count(ALL_SEEN)),
    "aggregate": lambda store, its: store.memories.aggregate(ALL_SEEN, "tag"),
    "match text": lambda store, its: store.memories.match_text(["secret"], ALL_SEEN, 9),
    "vectors": lambda store, its: store.vectors.get("e", [its.memory.id])[0] or [],
    "missing vectors": lambda store, its: store.vectors.missing("e"),
    "find entity": lambda store, its: store.entities.find("secret agent"),
    "all entities": lambda store, its: store.entities.all(),
    "entity's memories": lambda store, its: store.entities.memories(its.entity.id),
    "sessions": lambda store, its: store.sessions.all(),
    "events": lambda store, its: store.events.since(),
    "grants": lambda store, its: store.grants.all(),
}
WRITES: dict[str, Callable[[SqliteStore, Theirs], Any]] = {
    "remember": lambda store, its: store.memories.remember({"content": "x", "scope": SIBLING}),
    "update": lambda store, its: store.memories.update(its.memory.id, {"content": "x"}),
    "no update": lambda store, its: store.memories.update(its.memory.id, {}),
    "forget": lambda store, its: store.memories.forget(its.memory.id),
    "restore": lambda store, its: store.memories.restore(its.memory.id, version=1),
    "purge": lambda store, its: store.memories.purge([its.memory.id]),
    "link": lambda store, its: store.links.put(its.memory.id, its.other.id, type="x"),
    "close link": lambda store, its: store.links.close(its.link.id),
    "mention": lambda store, its: store.entities.mention(its.memory.id, "x"),
    "vector": lambda store, its: store.vectors.put("e", [its.memory.id], ONE_VECTOR),
    "start session": lambda store, its: store.sessions.start(scope=SIBLING),
    "add turns": lambda store, its: store.sessions.add_turns(
        its.session.id, [{"speaker": "x", "content": "x"}]
    ),
    "end session": lambda store, its: store.sessions.end(its.session.id),
    "workspace": lambda store, its: store.workspaces.put("x", scope=SIBLING),
    "allow": lambda store, its: store.grants.allow("coder", SIBLING, "read"),
    "revoke": lambda store, its: store.grants.revoke("boss", SIBLING),
}
OWNERS: dict[str, Callable[[SqliteStore], Any]] = {
    "private get": lambda store: store.memories.get(IDS[0], private=True),
    "private get many": lambda store: store.memories.get_many([], private=True),
    "private get as of": lambda store: store.memories.get(IDS[0], as_of=NOON, private=True),
    "private select": lambda store: store.memories.select(EVERYTHING),
    "private text": lambda store: store.memories.match_text(["x"], EVERYTHING, 1),
    "private history": lambda store: store.memories.history(IDS[0], private=True),
    "private scan": lambda store: store.tables.scan("memories", EVERYTHING),
    "private counts": lambda store: store.tables.counts(EVERYTHING),
    "clean up": lambda store: store.memories.clean_up(),
    "changes": lambda store: store.changes.since(0),
    "load": lambda store: store.loader.load([]),
    "examine": lambda store: store.doctor.examine(),
    "repair": lambda store: store.doctor.repair(),
    "backup": lambda store: store.backups.backup("/nowhere"),
    "vacuum": lambda store: store.backups.vacuum_into("/nowhere"),
    "add identity": lambda store: store.identities.add("x"),
    "add alias": lambda store: store.identities.add_alias(IDS[0], "x"),
    "remove alias": lambda store: store.identities.remove_alias("x"),
}


@pytest.mark.parametrize("name", READS)
def test_what_is_out_of_reach_is_as_if_it_were_not(
    store: SqliteStore, coder: SqliteStore, theirs: Theirs, name: str
) -> None:
    with pytest.raises(NotFoundError):
        READS[name](coder, theirs)
    store.grants.allow("coder", SIBLING, "read")
    READS[name](coder, theirs)
    store.grants.revoke("coder", SIBLING)
    with pytest.raises(NotFoundError):
        READS[name](coder, theirs)


@pytest.mark.parametrize("name", EMPTY_READS)
def test_lists_leave_out_what_is_out_of_reach(
    store: SqliteStore, coder: SqliteStore, theirs: Theirs, name: str
) -> None:
    assert len(list(as_list(EMPTY_READS[name](coder, theirs)))) == 0
    if name not in {"events", "grants"}:  # of these an agent sees its own alone, always
        store.grants.allow("coder", SIBLING, "read")
        assert len(list(as_list(EMPTY_READS[name](coder, theirs)))) > 0
        store.grants.revoke("coder", SIBLING)
    assert len(list(as_list(EMPTY_READS[name](coder, theirs)))) == 0


def as_list(found: Any) -> list[Any]:
    return list(found) if isinstance(found, list | tuple | range) else [found]


@pytest.mark.parametrize("name", WRITES)
@pytest.mark.parametrize("may_read", [False, True])
def test_what_may_not_be_written_is_not(
    store: SqliteStore, coder: SqliteStore, theirs: Theirs, name: str, *, may_read: bool
) -> None:
    if may_read:
        store.grants.allow("coder", SIBLING, "read")
    before = state_of(store)
    with pytest.raises(AccessDeniedError if may_read else EngramError):
        WRITES[name](coder, theirs)
    assert before == state_of(store)


@pytest.mark.parametrize("name", WRITES)
def test_what_admin_access_opens_can_be_written(
    store: SqliteStore, coder: SqliteStore, theirs: Theirs, name: str
) -> None:
    store.grants.allow("coder", SIBLING, "admin")
    WRITES[name](coder, theirs)


def state_of(store: SqliteStore) -> list[Any]:
    tables = [store.tables.scan(name, EVERYTHING_OF[name]).read_all() for name in SCHEMAS]
    return [store.changes.since(0), *(table.to_pylist() for table in tables)]


EVERYTHING_OF = dict.fromkeys(SCHEMAS, EVERYTHING)


@pytest.mark.parametrize("name", OWNERS)
def test_what_is_the_owners_alone_is_refused(coder: SqliteStore, name: str) -> None:
    with pytest.raises(AccessDeniedError):
        OWNERS[name](coder)


def test_no_table_shows_what_is_out_of_reach(coder: SqliteStore, theirs: Theirs) -> None:
    for name in SCHEMAS:
        rows = coder.tables.scan(name, ALL_SEEN).read_all().to_pylist()
        assert "secret" not in str(rows).lower(), name
        assert theirs.memory.id not in str(rows), name
    counts = coder.tables.counts(ALL_SEEN)
    assert {"workspaces"} == {name for name, count in counts.items() if count}
    with coder.tables.snapshot() as scan:
        batches = [
            *scan("memories", ALL_SEEN, batch_rows=10),
            *scan("links", ALL_SEEN, batch_rows=10),
        ]
    assert batches == []


def test_a_hit_out_of_reach_is_neither_recorded_nor_shown(
    store: SqliteStore, coder: SqliteStore, theirs: Theirs
) -> None:
    coder.events.record([event(1, theirs.memory.id)])
    (recorded,) = coder.events.since()
    assert recorded.hits == ()
    assert store.memories.get(theirs.memory.id).access_count == 1  # the owner's own recall

    store.grants.allow("coder", SIBLING, "read")
    coder.events.record([event(2, theirs.memory.id)])
    assert len(coder.events.since(IDS[1])[0].hits) == 1
    store.grants.revoke("coder", SIBLING)
    assert coder.events.since(IDS[1])[0].hits == ()
    rows = coder.tables.scan("events", ALL_SEEN).read_all().to_pylist()
    assert [row["hits"] for row in rows] == [[], []]


def test_links_into_the_unseen_are_not_seen(
    store: SqliteStore, coder: SqliteStore, theirs: Theirs
) -> None:
    ours = coder.memories.remember({"content": "x"})
    with pytest.raises(NotFoundError):
        coder.links.put(ours.id, theirs.memory.id)
    with pytest.raises(NotFoundError):
        coder.links.put(theirs.memory.id, ours.id)
    store.links.put(ours.id, theirs.memory.id)
    assert coder.links.of(ours.id) == []
    store.grants.allow("coder", SIBLING, "read")
    assert len(coder.links.of(ours.id)) == 1
    with pytest.raises(AccessDeniedError):
        coder.links.put(theirs.memory.id, ours.id)


def test_an_event_is_recorded_under_the_agents_own_name(coder: SqliteStore) -> None:
    memory = coder.memories.remember({"content": "x"})
    disguised = RecallEvent(
        id=IDS[3],
        at=NOON,
        query="x",
        hits=(RecalledMemory(memory_id=memory.id, rank=1, score=1.0),),
        agent_id="boss",
    )
    coder.events.record([disguised])
    assert [each.agent_id for each in coder.events.since()] == ["coder"]


def test_an_entity_is_seen_only_through_a_memory_that_is(
    store: SqliteStore, coder: SqliteStore
) -> None:
    memory = coder.memories.remember({"content": "x"})
    coder.entities.mention(memory.id, "Ada")
    assert [each.name for each in coder.entities.all()] == ["Ada"]
    store.memories.forget(memory.id)
    assert coder.entities.all() == []
    assert coder.entities.find("ada") == []
    assert coder.tables.counts()["entities"] == 0

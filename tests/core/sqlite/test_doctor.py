"""The doctor names each kind of damage, and rebuilds what is derived without touching the rest."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import apsw
import numpy as np
import pytest

from engram_lab.core.errors import AccessDeniedError, StoreError
from engram_lab.core.schemas import SCHEMAS
from engram_lab.core.selection import EVERYTHING
from engram_lab.core.sqlite import SqliteStore
from engram_lab.core.types import RecalledMemory, RecallEvent

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SOUND = [
    ("file", True, "every page is sound"),
    ("contents", True, "they are what was stored"),
    ("text index", True, "it holds what the memories say"),
    ("tag index", True, "it holds what the memories say"),
    ("metadata index", True, "it holds what the memories say"),
    ("orphans", True, "every row belongs to a memory"),
    ("change log", True, "its numbers have no gaps"),
    ("vectors", True, "1 memories wait for 'letters:2'"),
]


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    """A store with at least one row in every table, of memories present, changed and forgotten."""
    with closing(SqliteStore.open(str(path))) as store:
        ada, tea, old = (
            store.memories.remember({"content": text, "tags": tags, "metadata": metadata}).id
            for text, tags, metadata in [
                ("Ada drinks tea <private>in bed</private>", ["taste", "ada"], {"a": True, "b": 1}),
                ("Tea is hot", ["taste"], {"place": {"name": "kitchen"}, "list": [1, 2.5, None]}),
                ("Tea is cold", [], {}),
            ]
        )
        store.memories.update(tea, {"content": "Tea was hot", "tags": ["past"]})
        store.memories.forget(old)
        store.links.put(ada, tea)
        store.vectors.put("letters:2", [ada], np.array([[1.0, 2.0]], dtype=np.float32))
        identity = store.identities.add("Ada", aliases=["Countess"])
        store.entities.mention(ada, "Ada", kind="person", identity_id=identity.id)
        session = store.sessions.start("morning")
        store.sessions.add_turns(session.id, [{"speaker": "ada", "content": "More tea"}])
        hit = RecalledMemory(memory_id=ada, rank=1, score=0.5)
        event = "01890a5d-ac96-774b-bcce-b302099a8057"
        at = datetime(2026, 1, 1, tzinfo=UTC)
        store.events.record([RecallEvent(id=event, at=at, query="tea?", hits=(hit,))])
        store.vectors.put(
            "letters:2",
            [turn.memory_id for turn in store.sessions.turns(session.id)],
            np.array([[3.0, 4.0]], dtype=np.float32),
        )
        yield store


def damage(path: Path, sql: str) -> None:
    """Write past the store, as a fault would, with no reference checked."""
    with closing(apsw.Connection(str(path))) as connection:
        connection.set_busy_timeout(1000)
        connection.execute(sql)


def a_copy(table: str, changes: str) -> str:
    """Return SQL that adds a copy of the first row of a table, with changes."""
    return (
        f"CREATE TEMP TABLE one AS SELECT * FROM {table} LIMIT 1; UPDATE one SET {changes}; "
        f"INSERT INTO {table} SELECT * FROM one"
    )


def found(store: SqliteStore) -> dict[str, str]:
    return {check.name: check.detail for check in store.doctor.examine() if not check.ok}


def all_tables(store: SqliteStore) -> dict[str, Any]:
    return {name: store.tables.scan(name, EVERYTHING).read_all() for name in SCHEMAS}


def test_a_sound_store_is_called_sound(store: SqliteStore) -> None:
    before = all_tables(store)
    assert [(each.name, each.ok, each.detail) for each in store.doctor.examine()] == SOUND
    assert [(each.name, each.ok, each.detail) for each in store.doctor.repair()] == SOUND
    assert all_tables(store) == before


def test_every_table_takes_part_in_these_tests(store: SqliteStore) -> None:
    empty = [name for name, table in all_tables(store).items() if not table.num_rows]
    assert empty == ["grants"]


@pytest.mark.parametrize(
    ("sql", "findings"),
    [
        pytest.param(
            "INSERT INTO memories_fts (memories_fts, rowid, content, tags) "
            "SELECT 'delete', pk, content, tags FROM searchable LIMIT 1",
            {"text index": "malformed"},
            id="a text is missing",
        ),
        pytest.param(
            "INSERT INTO memories_fts (memories_fts) VALUES ('delete-all')",
            {"text index": "malformed"},
            id="every text is missing",
        ),
        pytest.param(
            "INSERT INTO memories_fts (rowid, content, tags) VALUES (99, 'ghost', '[]')",
            {"text index": "malformed"},
            id="a text is too many",
        ),
        pytest.param(
            "DELETE FROM memory_tags WHERE tag = 'taste'",
            {"tag index": "1 entries are missing"},
            id="a tag is missing",
        ),
        pytest.param(
            "INSERT INTO memory_tags VALUES ('ghost', 1), ('spook', 1)",
            {"tag index": "2 entries are too many"},
            id="tags are too many",
        ),
        pytest.param(
            "UPDATE memory_tags SET tag = 'toast' WHERE tag = 'ada'",
            {"tag index": "1 entries are missing; 1 entries are too many"},
            id="a tag is another",
        ),
        pytest.param(
            "DELETE FROM memory_metadata WHERE path = 'place.name'",
            {"metadata index": "1 entries are missing"},
            id="a metadata path is missing",
        ),
        pytest.param(
            "INSERT INTO memory_metadata VALUES ('a', 1, 1)",
            {"metadata index": "1 entries are too many"},
            id="a number beside its boolean",
        ),
        pytest.param(
            "INSERT INTO memory_tags VALUES ('taste', 99)",
            {"tag index": "1 entries are too many", "orphans": "1 of tags"},
            id="tags of no memory",
        ),
        pytest.param(
            "INSERT INTO memory_metadata VALUES ('a', 1, 99)",
            {"metadata index": "1 entries are too many", "orphans": "1 of metadata"},
            id="metadata of no memory",
        ),
        pytest.param(
            a_copy("versions", "pk = 99, id = 'ghost'"),
            {"orphans": "1 of versions"},
            id="a version of no memory",
        ),
        pytest.param(
            a_copy("vectors", "pk = 99"), {"orphans": "1 of vectors"}, id="a vector of no memory"
        ),
        pytest.param(
            a_copy("vectors", "embedder = 99"),
            {"orphans": "1 of vectors"},
            id="a vector of no embedder",
        ),
        pytest.param(
            a_copy("links", "id = 'ghost', from_pk = 99"),
            {"orphans": "1 of links"},
            id="a link from no memory",
        ),
        pytest.param(
            a_copy("links", "id = 'ghost', to_pk = 99"),
            {"orphans": "1 of links"},
            id="a link to no memory",
        ),
        pytest.param(
            a_copy("mentions", "pk = 99"),
            {"orphans": "1 of mentions"},
            id="a mention in no memory",
        ),
        pytest.param(
            a_copy("mentions", "entity_id = 'ghost'"),
            {"orphans": "1 of mentions"},
            id="a mention of no entity",
        ),
        pytest.param(
            a_copy("turns", "pk = 99, position = 99"),
            {"orphans": "1 of turns"},
            id="a turn of no memory",
        ),
        pytest.param(
            a_copy("turns", "pk = 1, session_id = 'ghost'"),
            {"orphans": "1 of turns"},
            id="a turn of no session",
        ),
        pytest.param(
            a_copy("recall_hits", "pk = 99, rank = 99"),
            {"orphans": "1 of hits"},
            id="a hit on no memory",
        ),
        pytest.param(
            a_copy("recall_hits", "event_id = 'ghost'"),
            {"orphans": "1 of hits"},
            id="a hit of no event",
        ),
        pytest.param(
            a_copy("identity_aliases", "normalised = 'ghost', identity_id = 'ghost'"),
            {"orphans": "1 of aliases"},
            id="an alias of no identity",
        ),
    ],
)
def test_what_is_derived_or_belongs_to_nothing_is_found_and_repaired(
    store: SqliteStore, path: Path, sql: str, findings: dict[str, str]
) -> None:
    before = all_tables(store)
    damage(path, sql)

    told = found(store)
    assert told.keys() == findings.keys()
    assert all(detail in told[name] for name, detail in findings.items())

    assert [(each.name, each.ok, each.detail) for each in store.doctor.repair()] == SOUND
    assert found(store) == {}
    assert all_tables(store) == before
    assert [
        match.memory.content for match in store.memories.match_text(["hot"], EVERYTHING, 9)
    ] == ["Tea was hot"]


@pytest.mark.parametrize(
    ("sql", "findings"),
    [
        pytest.param(
            "DELETE FROM changes WHERE seq IN (2, 3)",
            {"change log": "2 numbers are missing"},
            id="a gap",
        ),
        pytest.param(
            "UPDATE memories SET seq = 99 WHERE pk = 1",
            {"change log": "1 memories are ahead of it"},
            id="a memory ahead of the log",
        ),
        pytest.param(
            "UPDATE versions SET content = 'Tea was cold' WHERE pk = 2",
            {"contents": "1 are not what was stored"},
            id="a text of the past is another",
        ),
        pytest.param(
            "UPDATE memories SET content_hash = 'ab'",
            {"contents": "4 are not what was stored"},
            id="hashes are others",
        ),
    ],
)
def test_what_nothing_can_bring_back_is_found_and_left_as_it_is(
    store: SqliteStore, path: Path, sql: str, findings: dict[str, str]
) -> None:
    damage(path, sql)
    before = all_tables(store)
    assert found(store) == findings
    store.doctor.repair()
    assert found(store) == findings
    assert all_tables(store) == before


def test_several_faults_are_all_told(store: SqliteStore, path: Path) -> None:
    damage(path, "DELETE FROM memory_tags; DELETE FROM memory_metadata; DELETE FROM changes")
    assert list(found(store)) == ["tag index", "metadata index", "change log"]


def test_an_examination_writes_nothing(store: SqliteStore, path: Path) -> None:
    damage(path, "INSERT INTO memories_fts (memories_fts) VALUES ('delete-all')")
    revision = store.revision()
    found(store)
    assert store.revision() == revision


def test_an_examination_inside_a_transaction_is_refused(store: SqliteStore) -> None:
    with store.transaction(), pytest.raises(StoreError, match="end it first"):
        store.doctor.examine()


def test_the_doctor_sees_the_owner_alone(store: SqliteStore) -> None:
    agent = store.as_agent("ada", "global/org:a")
    for ask in (agent.doctor.examine, agent.doctor.repair):
        with pytest.raises(AccessDeniedError):
            ask()

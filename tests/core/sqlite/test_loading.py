"""What leaves the store comes back to the last field; what was tampered with does not."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from engram_lab.core.clock import ManualClock
from engram_lab.core.errors import ImportRefusedError
from engram_lab.core.protocols import Chunk
from engram_lab.core.reports import RefusedRow
from engram_lab.core.schemas import SCHEMAS
from engram_lab.core.selection import EVERYTHING, Selection
from engram_lab.core.settings import StoreSettings
from engram_lab.core.sqlite import SqliteStore
from engram_lab.core.types import RecalledMemory, RecallEvent

if TYPE_CHECKING:
    from collections.abc import Iterator

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
UNKNOWN = "01890a5d-ac96-774b-bcce-b302099a8057"
Row = dict[str, Any]


@pytest.fixture
def full(store: SqliteStore, clock: ManualClock) -> SqliteStore:
    """A store with something in every table, with a past, with what is hidden and what expires."""
    store.workspaces.put("default", description="what there was", max_age_days=7.5)
    store.workspaces.put("kitchen", scope="global/org:a", max_memories=99)
    tea = store.memories.remember(
        {"content": "tea <private>and gin</private>", "tags": ["b", "a"], "workspace": "kitchen",
         "metadata": {"a": [1, 1.0, True, None, {"b": "ü"}]}, "importance": 0.1 + 0.2,
         "event_at": NOON - timedelta(microseconds=1), "source": "chat"},
        author="ada", reason="she said so",
    )  # fmt: skip
    milk = store.memories.remember({"content": "milk", "tier": "daily", "pinned": True})
    gone = store.memories.remember({"content": "gone", "lifecycle": "archived"})
    clock.advance(hours=1)
    store.memories.update(tea.id, {"content": "green tea", "scope": "global"}, author="bob")
    store.memories.forget(gone.id, reason="no use")
    store.memories.restore(tea.id, version=1)
    store.links.close(store.links.put(tea.id, milk.id, valid_from=NOON).id)
    store.links.put(tea.id, milk.id, context="again", weight=0.3, pinned=True)
    store.vectors.put("e", [tea.id, milk.id], np.array([[0.1, 2], [3, 4e-30]], dtype=np.float32))
    ada = store.identities.add("Ada", aliases=["Countess"], metadata={"born": 1815})
    store.entities.mention(tea.id, "Ada", kind="person", identity_id=ada.id, metadata={"a": 1})
    store.sessions.start("talk", title="about tea", metadata={"mood": "good"})
    store.sessions.add_turns("talk", [{"speaker": "A", "content": "yes", "spoken_at": NOON}] * 2)
    store.sessions.end("talk", at=NOON + 2 * HOUR)
    hits = [
        RecalledMemory(memory_id=id_, rank=n, score=0.1 * n)
        for n, id_ in enumerate([tea.id, milk.id])
    ]
    store.events.record(
        [RecallEvent(id=UNKNOWN, at=NOON, query="what?", hits=tuple(hits), strategy="s")]
    )
    store.grants.allow("coder", "global/org:a", "write")
    return store


@pytest.fixture
def empty() -> Iterator[SqliteStore]:
    clock = ManualClock(NOON + 5 * HOUR)
    with closing(
        SqliteStore.open(":memory:", settings=StoreSettings(seed=2), clock=clock)
    ) as store:
        yield store
        assert [each for each in store.doctor.examine() if not each.ok] == []


def tables_of(store: SqliteStore, selection: Selection = EVERYTHING) -> dict[str, list[Row]]:
    return {name: store.tables.scan(name, selection).read_all().to_pylist() for name in SCHEMAS}


def chunks_of(tables: dict[str, list[Row]]) -> list[Chunk]:
    return [Chunk(name, list(enumerate(rows))) for name, rows in tables.items()]


def test_every_table_has_something_to_lose(full: SqliteStore) -> None:
    assert [name for name, rows in tables_of(full).items() if not rows] == []


def test_what_is_loaded_scans_the_same(full: SqliteStore, empty: SqliteStore) -> None:
    tables = tables_of(full)
    report = empty.loader.load(chunks_of(tables))

    assert tables == tables_of(empty)
    assert {name: len(rows) for name, rows in tables.items()} == report.imported
    assert report.refused == ()


def test_what_is_loaded_reads_the_same(full: SqliteStore, empty: SqliteStore) -> None:
    empty.loader.load(chunks_of(tables_of(full)))
    for memory in full.memories.select(EVERYTHING):
        assert memory == empty.memories.get(memory.id, forgotten=True, private=True)
        assert full.memories.history(memory.id) == empty.memories.history(memory.id)
    assert full.memories.count(EVERYTHING.also(as_of=NOON)) == 3
    assert [m.id for m in full.memories.select(EVERYTHING.also(as_of=NOON))] == [
        m.id for m in empty.memories.select(EVERYTHING.also(as_of=NOON))
    ]
    assert full.events.since() == empty.events.since()
    assert full.identities.all() == empty.identities.all()
    assert full.sessions.turns("talk") == empty.sessions.turns("talk")
    assert empty.memories.match_text(["gin"], EVERYTHING, 9) == []
    assert len(empty.memories.match_text(["tea"], EVERYTHING, 9)) == 1


def test_loading_twice_changes_nothing(full: SqliteStore, empty: SqliteStore) -> None:
    tables = tables_of(full)
    empty.loader.load(chunks_of(tables))
    last = empty.changes.last()
    report = empty.loader.load(chunks_of(tables))
    assert set(report.imported.values()) == {0}
    assert sum(len(rows) for rows in tables.values()) == report.unchanged
    assert last == empty.changes.last()
    assert tables == tables_of(empty)


def test_a_store_takes_back_its_own_tables(full: SqliteStore) -> None:
    tables = tables_of(full)
    assert set(full.loader.load(chunks_of(tables)).imported.values()) == {0}
    assert tables == tables_of(full)


def test_two_stores_in_use_can_be_brought_together(full: SqliteStore, empty: SqliteStore) -> None:
    full.workspaces.put("default")
    empty.memories.remember({"content": "mine"})
    report = empty.loader.load(chunks_of(tables_of(full)))
    assert report.refused == ()
    assert empty.memories.count(EVERYTHING) == full.memories.count(EVERYTHING) + 1


SELECTIONS = {
    "what is to be seen": Selection(),
    "archived too": Selection(archived=True),
    "a workspace": Selection(workspace="kitchen"),
    "the default workspace": Selection(workspace="default"),
    "a scope": Selection.of(scope="global/org:a"),
}


@pytest.mark.parametrize("name", SELECTIONS)
def test_a_part_of_a_store_can_be_loaded(
    full: SqliteStore, empty: SqliteStore, clock: ManualClock, name: str
) -> None:
    mentioned = full.memories.remember({"content": "moves"})
    full.entities.mention(mentioned.id, "Bob")
    full.memories.update(mentioned.id, {"workspace": "kitchen"})
    turn = full.sessions.turns("talk")[0]
    full.memories.update(turn.memory_id, {"workspace": "kitchen", "scope": "global/org:a"})
    clock.advance(hours=30)  # the daily memory, which was recalled, has expired
    tables = tables_of(full, SELECTIONS[name])
    assert empty.loader.load(chunks_of(tables)).refused == ()
    assert tables == tables_of(empty, SELECTIONS[name].also(archived=True))


def test_what_an_agent_may_see_can_be_loaded(full: SqliteStore, empty: SqliteStore) -> None:
    coder = full.as_agent("coder", "global/org:b")
    tables = tables_of(coder, EVERYTHING.also(private=False))
    assert empty.loader.load(chunks_of(tables)).refused == ()


def test_without_versions_the_import_is_the_history(full: SqliteStore, empty: SqliteStore) -> None:
    tables = tables_of(full)
    empty.loader.load(chunks_of({"memories": tables["memories"]}))
    for row in tables["memories"]:
        (version,) = empty.memories.history(row["id"])
        assert ("import", row["version"]) == (version.action, version.number)


BAD: dict[str, tuple[str, Row, str]] = {
    "altered content": ("memories", {"content": "TAMPERED"}, "the row was altered"),
    "no content": ("memories", {"content": ""}, "content is empty"),
    "no id": ("memories", {"id": "m1"}, "give a UUID"),
    "importance": ("memories", {"importance": float("nan")}, "importance is"),
    "metadata": ("memories", {"metadata": "{"}, "no JSON"),
    "metadata list": ("memories", {"metadata": "[1]"}, "give an object"),
    "private metadata": ("memories", {"metadata": '{"a": "<private>"}'}, "<private>"),
    "version": ("memories", {"version": 0}, "version starts at 1"),
    "accesses": ("memories", {"access_count": -1}, "access_count"),
    "tier": ("memories", {"tier": "daily", "expires_at": None}, "a daily memory expires"),
    "workspace": ("memories", {"workspace": "_system"}, "workspace is"),
    "scope": ("memories", {"scope": "org:a"}, "scope is"),
    "null tag": ("memories", {"tags": [None]}, "tag is"),
    "unknown memory": ("versions", {"id": UNKNOWN, "superseded_at": NOON}, "which is not there"),
    "later version": ("versions", {"version": 99, "superseded_at": NOON}, "not before the present"),
    "other present": ("versions", {"importance": 0.9, "superseded_at": None}, "not the present"),
    "no author": ("versions", {"author": ""}, "author"),
    "no action": ("versions", {"action": "a b"}, "action"),
    "link to itself": ("links", {"to_id": "{from_id}"}, "not linked to itself"),
    "link to nothing": ("links", {"to_id": UNKNOWN}, "which is not there"),
    "weight": ("links", {"weight": 2.0}, "weight is"),
    "ends first": ("links", {"valid_from": NOON, "valid_to": NOON - HOUR}, "before valid_from"),
    "vector": ("vectors", {"values": [float("inf"), 1.0]}, "NaN or infinity"),
    "no vector": ("vectors", {"values": []}, "empty"),
    "dimension": ("vectors", {"values": [1.0, 2.0, 3.0]}, "dimensions"),
    "hit": ("events", {"hits": [{"memory_id": UNKNOWN, "rank": 1, "score": 1.0}]}, "not there"),
    "score": (
        "events",
        {"hits": [{"memory_id": "", "rank": 1, "score": float("inf")}]},
        "score is",
    ),
    "alias": ("identities", {"aliases": ["Ada", ""]}, "alias"),
    "identity": ("entities", {"identity_id": UNKNOWN}, "not among the identities"),
    "entity name": ("entities", {"name": ""}, "name"),
    "entity": ("mentions", {"entity_id": UNKNOWN}, "not among the entities"),
    "confidence": ("mentions", {"confidence": -1.0}, "confidence is"),
    "session end": ("sessions", {"ended_at": NOON - 99 * HOUR}, "ended_at is before"),
    "session": ("turns", {"session_id": "unknown"}, "not among the sessions"),
    "position": ("turns", {"position": -1}, "position"),
    "permission": ("grants", {"permission": "owner"}, "allowed are read, write, admin"),
    "days": ("workspaces", {"max_age_days": float("inf")}, "max_age_days"),
    "days below": ("workspaces", {"max_age_days": -1.0}, "max_age_days"),
    "memories": ("workspaces", {"max_memories": -5}, "max_memories"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_row_is_refused_and_with_it_all(
    full: SqliteStore, empty: SqliteStore, name: str
) -> None:
    table, changes, reason = BAD[name]
    tables = tables_of(full)
    number = len(tables[table]) - 1
    row = tables[table][number]
    tables[table][number] = row | {
        k: row["from_id"] if v == "{from_id}" else v for k, v in changes.items()
    }
    before = tables_of(empty)

    with pytest.raises(ImportRefusedError) as raised:
        empty.loader.load(chunks_of(tables))
    refused = raised.value.report.refused[0]
    assert (table, number) == (refused.table, refused.row)
    assert reason in refused.reason
    assert before == tables_of(empty)
    assert empty.changes.last() == 0


def test_with_keep_going_the_others_are_kept(full: SqliteStore, empty: SqliteStore) -> None:
    tables = tables_of(full)
    tables["grants"].append(tables["grants"][0] | {"agent_id": "x", "permission": "owner"})
    tables["identities"][0]["metadata"] = "{"
    report = empty.loader.load(chunks_of(tables), keep_going=True)
    assert [(refused.table, refused.row) for refused in report.refused] == [
        ("identities", 0),
        ("entities", 0),
        ("mentions", 0),
        ("grants", 1),
    ]
    assert report.imported["grants"] == 1
    assert len(tables["memories"]) == empty.memories.count(EVERYTHING)


def test_what_contradicts_the_store_is_refused(full: SqliteStore, empty: SqliteStore) -> None:
    tables = tables_of(full)
    empty.loader.load(chunks_of(tables))
    tables["memories"][0]["metadata"] = '{"other": true}'
    tables["grants"][0]["permission"] = "admin"
    tables["workspaces"][0]["scope"] = "global/org:z"
    before = tables_of(empty)
    report = empty.loader.load(chunks_of(tables), keep_going=True)
    refused = {(each.table, each.row): each.reason for each in report.refused}
    assert {("workspaces", 0), ("memories", 0), ("grants", 0)} == set(refused)
    assert before == tables_of(empty)


def test_true_does_not_pass_for_one(full: SqliteStore, empty: SqliteStore) -> None:
    tables = {"memories": tables_of(full)["memories"][:1]}
    tables["memories"][0]["metadata"] = '{"a":1}'
    empty.loader.load(chunks_of(tables))
    tables["memories"][0]["metadata"] = '{"a":true}'
    with pytest.raises(ImportRefusedError, match="in another state"):
        empty.loader.load(chunks_of(tables))


def test_two_open_links_of_a_type_are_one_too_many(full: SqliteStore, empty: SqliteStore) -> None:
    tables = tables_of(full)
    tables["links"].append(tables["links"][1] | {"id": UNKNOWN})
    with pytest.raises(ImportRefusedError, match="row 2 of 'links'"):
        empty.loader.load(chunks_of(tables))


def test_rows_refused_on_the_way_are_reported_with_the_others(empty: SqliteStore) -> None:
    refused = RefusedRow(table="memories", row=3, reason="no such column")
    with pytest.raises(ImportRefusedError) as raised:
        empty.loader.load([Chunk("memories", [], [refused])])
    assert raised.value.report.refused == (refused,)


def test_an_import_undone_by_its_source_leaves_nothing(
    full: SqliteStore, empty: SqliteStore
) -> None:
    def broken() -> Iterator[Chunk]:
        yield from chunks_of(tables_of(full))
        raise ConnectionError

    with pytest.raises(ConnectionError):
        empty.loader.load(broken())
    assert empty.memories.count(EVERYTHING) == 0

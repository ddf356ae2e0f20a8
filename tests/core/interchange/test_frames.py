"""The tables as Arrow and Polars: the schemas to the letter, and one state in one stream."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow as pa
import pytest

from engram_lab.config import InterchangeSettings
from engram_lab.core.errors import AccessDeniedError, InvalidInputError
from engram_lab.core.interchange import Frames
from engram_lab.core.schemas import SCHEMAS
from engram_lab.core.selection import Selection
from engram_lab.core.types import RecallEvent

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from engram_lab.core.clock import ManualClock
    from engram_lab.core.sqlite import SqliteStore

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
SECRETS = ("absinthe", "leaks")
UNSEEN = "global/org:z"


def frames_of(store: SqliteStore, *, batch_rows: int = 16_384) -> Frames:
    return Frames(store, InterchangeSettings(batch_rows=batch_rows))


def contents(frames: Frames, **chosen: Any) -> list[str]:
    return sorted(frames.to_arrow(**chosen)["content"].to_pylist())


@pytest.mark.parametrize("table", SCHEMAS)
@pytest.mark.parametrize("fixture", ["store", "full"])
def test_every_table_has_its_schema_also_when_empty(
    request: pytest.FixtureRequest, fixture: str, table: str
) -> None:
    store: SqliteStore = request.getfixturevalue(fixture)
    frames = frames_of(store)
    wanted = SCHEMAS[table]
    empty = fixture == "store" and table != "workspaces"

    assert wanted.equals(frames.scan(table).schema, check_metadata=True)
    assert wanted.equals(frames.to_arrow(table).schema, check_metadata=True)
    assert empty == (frames.to_arrow(table).num_rows == 0)
    frames.to_arrow(table).validate(full=True)
    assert pl.DataFrame(wanted.empty_table()).schema == frames.to_polars(table).schema
    assert frames.to_arrow(table).num_rows == frames.to_polars(table).height


@pytest.mark.parametrize("rows", [1, 2, 3])
@pytest.mark.parametrize("table", SCHEMAS)
def test_a_scan_holds_no_more_than_a_batch_and_gives_the_same_rows(
    full: SqliteStore, table: str, rows: int
) -> None:
    batches = list(frames_of(full, batch_rows=rows).scan(table))
    assert {batch.num_rows for batch in batches[:-1]} <= {rows}
    assert 1 <= batches[-1].num_rows <= rows
    assert pa.Table.from_batches(batches) == frames_of(full).to_arrow(table)


def test_a_row_of_memories_is_a_memory(full: SqliteStore) -> None:
    for row in frames_of(full).to_arrow().to_pylist():
        memory = full.memories.get(row["id"]).to_dict()
        assert memory.keys() == row.keys()
        assert {**memory, "metadata": None} == {**row, "metadata": None}


def test_rows_are_in_the_order_of_their_key(full: SqliteStore) -> None:
    frames = frames_of(full)
    versions = frames.to_polars("versions", forgotten=True)
    assert versions.select("id", "version").rows() == sorted(versions["id", "version"].rows())
    for table in ("memories", "links", "events", "identities", "entities", "sessions"):
        ids = frames.to_arrow(table)["id"].to_pylist()
        assert sorted(ids) == ids


@pytest.mark.parametrize(
    ("chosen", "wanted"),
    [
        ({}, ["Ada drinks tea ", "More tea?", "The cup is blue"]),
        ({"filter": {"tags": {"contains": "taste"}}}, ["Ada drinks tea "]),
        ({"filter": {"metadata.cups": 2}}, ["Ada drinks tea "]),
        ({"workspace": "kitchen"}, ["The cup is blue"]),
        ({"scope": "global/org:a"}, ["The cup is blue"]),
        ({"scope": "global/org:b"}, []),
        (
            {"forgotten": True},
            ["Ada drinks tea ", "More tea?", "The cup is blue", "The kettle "],
        ),
        ({"private": True, "filter": {"type": "note"}, "scope": "global/org:b"}, []),
        ({"as_of": NOON}, ["Ada drinks tea ", "The cup is blue", "The kettle "]),
        ({"as_of": "2026-01-01T12:59:59"}, ["Ada drinks tea ", "The cup is blue", "The kettle "]),
        ({"as_of": NOON - timedelta(seconds=1)}, []),
    ],
)
def test_a_selection_chooses_memories(
    full: SqliteStore, chosen: dict[str, Any], wanted: list[str]
) -> None:
    assert wanted == contents(frames_of(full), **chosen)


def test_what_is_archived_or_no_longer_true_is_chosen_on_request(store: SqliteStore) -> None:
    frames = frames_of(store)
    store.memories.remember({"content": "shelved", "lifecycle": "archived"})
    store.memories.remember({"content": "past", "valid_to": NOON})
    assert contents(frames) == ["past"]
    assert contents(frames, archived=True) == ["past", "shelved"]
    assert contents(frames, valid_at=NOON) == []
    assert contents(frames, valid_at=NOON - timedelta(1)) == ["past"]


def test_rows_that_hang_on_memories_are_there_where_those_are(full: SqliteStore) -> None:
    frames = frames_of(full)
    counts = {
        name: frames.to_arrow(name, workspace="kitchen").num_rows
        for name in ("memories", "versions", "links", "vectors", "mentions", "turns")
    }
    assert counts == {
        "memories": 1,
        "versions": 1,
        "links": 0,
        "vectors": 1,
        "mentions": 0,
        "turns": 0,
    }


@pytest.mark.parametrize("table", SCHEMAS)
def test_private_sections_are_in_no_table_unless_asked_for(full: SqliteStore, table: str) -> None:
    frames = frames_of(full)
    told = repr(frames.to_arrow(table, archived=True, forgotten=True).to_pylist())
    assert [secret for secret in SECRETS if secret in told] == []

    told = repr(frames.to_arrow(table, forgotten=True, private=True).to_pylist())
    wanted = list(SECRETS) if table in {"memories", "versions"} else []
    assert wanted == [secret for secret in SECRETS if secret in told]


def test_the_past_keeps_private_sections_to_itself(full: SqliteStore) -> None:
    frames = frames_of(full)
    assert "absinthe" not in repr(frames.to_arrow(as_of=NOON).to_pylist())
    assert "absinthe" in repr(frames.to_arrow(as_of=NOON, private=True).to_pylist())


def test_an_agent_sees_its_own(full: SqliteStore) -> None:
    frames = frames_of(full.as_agent("cook", "global/org:b"))
    assert contents(frames) == ["Ada drinks tea ", "More tea?"]
    assert frames.to_arrow("links").num_rows == 0
    assert frames.to_arrow("grants").num_rows == 0
    with pytest.raises(AccessDeniedError):
        frames.to_arrow(private=True)


def test_an_agent_sees_what_hangs_on_its_own(full: SqliteStore) -> None:
    (tea, *_) = full.memories.select(Selection())
    full.entities.mention(full.memories.remember({"content": "x", "scope": UNSEEN}).id, "Byron")
    full.sessions.start("elsewhere", scope=UNSEEN)
    agent = frames_of(full.as_agent("cook", "global/org:b"))
    assert agent.to_arrow("entities")["name"].to_pylist() == ["Ada"]
    assert agent.to_arrow("sessions")["id"].to_pylist() == ["talk"]
    assert agent.to_arrow("events").num_rows == 0
    full.as_agent("cook", "global/org:b").events.record(
        [RecallEvent(id=full.new_id(), at=NOON, query="mine", hits=())]
    )
    assert agent.to_arrow("events")["query"].to_pylist() == ["mine"]
    assert set(agent.to_arrow("vectors")["memory_id"].to_pylist()) == {tea.id}


def test_a_workspace_chooses_among_all_that_has_one(full: SqliteStore) -> None:
    frames = frames_of(full)
    counts = {
        (name, workspace): frames.to_arrow(name, workspace=workspace).num_rows
        for name in ("entities", "sessions")
        for workspace in ("default", "kitchen")
    }
    assert counts == {
        ("entities", "default"): 1,
        ("entities", "kitchen"): 0,
        ("sessions", "default"): 1,
        ("sessions", "kitchen"): 0,
    }


def test_an_unknown_table_is_refused_with_the_known_ones(store: SqliteStore) -> None:
    with pytest.raises(InvalidInputError, match="table is 'memory': allowed are workspaces, mem"):
        frames_of(store).scan("memory")


@pytest.mark.parametrize("table", [name for name in SCHEMAS if name != "memories"])
@pytest.mark.parametrize("chosen", [{"filter": {"type": "note"}}, {"as_of": NOON}])
def test_a_filter_or_the_past_is_for_memories_alone(
    store: SqliteStore, table: str, chosen: dict[str, Any]
) -> None:
    with pytest.raises(InvalidInputError, match=f"choose among memories, not {table}: leave them"):
        frames_of(store).scan(table, **chosen)


def test_the_past_takes_no_filter(store: SqliteStore) -> None:
    with pytest.raises(InvalidInputError, match="takes no filter: filter the frame"):
        frames_of(store).scan(as_of=NOON, filter={"type": "note"})


def test_what_expires_is_gone(store: SqliteStore, clock: ManualClock) -> None:
    store.memories.remember({"content": "for today", "tier": "daily"})
    frames = frames_of(store)
    assert contents(frames) == ["for today"]
    clock.advance(hours=24)
    assert contents(frames) == []
    assert frames.to_arrow("versions", forgotten=True).num_rows == 0


@pytest.mark.parametrize("place", [":memory:", "file"])
def test_a_scan_sees_one_state_while_a_writer_goes_on(
    open_store: Callable[..., SqliteStore], tmp_path: Path, place: str
) -> None:
    store = open_store(tmp_path / "store.db" if place == "file" else place)
    ids = store.memories.remember_many({"content": str(number)} for number in range(5)).ids
    stream = frames_of(store, batch_rows=1).scan()
    first = stream.read_next_batch()

    store.memories.remember({"content": "new"})
    store.memories.forget(ids[3])
    store.memories.update(ids[4], {"content": "changed"})

    rest = stream.read_all()
    assert [*first["content"].to_pylist(), *rest["content"].to_pylist()] == [
        "0",
        "1",
        "2",
        "3",
        "4",
    ]
    assert contents(frames_of(store)) == ["0", "1", "2", "changed", "new"]


def test_a_scan_within_a_transaction_sees_one_state_of_it(
    open_store: Callable[..., SqliteStore], tmp_path: Path
) -> None:
    store = open_store(tmp_path / "store.db")
    with store.transaction():
        store.memories.remember_many({"content": str(number)} for number in range(3))
        stream = frames_of(store, batch_rows=1).scan()
        first = stream.read_next_batch()
        store.memories.remember({"content": "new"})
        rest = stream.read_all()
    assert [*first["content"].to_pylist(), *rest["content"].to_pylist()] == ["0", "1", "2"]


@pytest.mark.parametrize("place", [":memory:", "file"])
def test_an_unfinished_scan_bars_nobody(
    open_store: Callable[..., SqliteStore], tmp_path: Path, place: str
) -> None:
    store = open_store(tmp_path / "store.db" if place == "file" else place)
    store.memories.remember_many({"content": str(number)} for number in range(3))
    stream = frames_of(store, batch_rows=1).scan()
    stream.read_next_batch()
    with ThreadPoolExecutor(1) as elsewhere:
        written = elsewhere.submit(store.memories.remember, {"content": "new"}).result(timeout=5)
    assert written.content == "new"
    assert stream.read_all().num_rows == 2


def test_what_was_scanned_can_be_remembered_elsewhere(
    full: SqliteStore, store: SqliteStore
) -> None:
    rows = frames_of(full).to_polars().select("content", "tags", "metadata", "importance")
    store.memories.remember_many(rows.iter_rows(named=True))
    assert contents(frames_of(full)) == contents(frames_of(store))

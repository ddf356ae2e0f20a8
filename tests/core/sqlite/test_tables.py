from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest

from engram_lab.core.errors import AccessDeniedError, InvalidInputError
from engram_lab.core.schemas import SCHEMAS
from engram_lab.core.selection import EVERYTHING, Selection
from engram_lab.core.types import Memory

if TYPE_CHECKING:
    from engram_lab.core.clock import ManualClock
    from engram_lab.core.sqlite import SqliteStore

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def rows(store: SqliteStore, name: str, selection: Selection | None = None) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = store.tables.scan(name, selection).read_all().to_pylist()
    return found


def remembered(store: SqliteStore, *contents: str, **fields: Any) -> tuple[str, ...]:
    return store.memories.remember_many({"content": each, **fields} for each in contents).ids


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_table_has_the_schema_of_its_name_even_when_empty(store: SqliteStore, name: str) -> None:
    table = store.tables.scan(name).read_all()
    assert SCHEMAS[name].equals(table.schema)
    assert table.num_rows == (1 if name == "workspaces" else 0)


def test_a_row_is_what_the_record_says(store: SqliteStore) -> None:
    memory = store.memories.remember(
        {"content": "naïve 雪", "tags": ["b", "a"], "metadata": {"a": [1]}, "pinned": True,
         "event_at": NOON - timedelta(microseconds=1)}
    )  # fmt: skip
    (row,) = rows(store, "memories")
    assert row.pop("metadata") == '{"a":[1]}'
    expected = memory.to_dict()
    del expected["metadata"]
    assert expected == row


@pytest.mark.parametrize("batch_rows", [1, 2, 7, 100])
def test_a_table_comes_in_batches(store: SqliteStore, batch_rows: int) -> None:
    ids = remembered(store, *map(str, range(7)), tags=["t"])
    batches = list(store.tables.scan("memories", batch_rows=batch_rows))
    assert max(batch.num_rows for batch in batches) == min(batch_rows, 7)
    assert list(ids) == pa.Table.from_batches(batches).column("id").to_pylist()


@pytest.mark.parametrize("batch_rows", [0, -1, "7", None, 1.5])
def test_a_batch_has_rows(store: SqliteStore, batch_rows: Any) -> None:
    with pytest.raises(InvalidInputError, match="batch_rows is"):
        store.tables.scan("memories", batch_rows=batch_rows)
    with store.tables.snapshot() as scan, pytest.raises(InvalidInputError, match="batch_rows is"):
        scan("memories", Selection(), batch_rows=batch_rows)


def test_a_scan_keeps_to_its_selection(store: SqliteStore, clock: ManualClock) -> None:
    first, second = remembered(store, "first", "second", tags=["x"])
    remembered(store, "third", workspace="kitchen", scope="global/org:a", lifecycle="archived")
    store.memories.forget(second)

    def contents(**options: Any) -> list[str]:
        return [row["content"] for row in rows(store, "memories", Selection.of(**options))]

    assert contents() == ["first"]
    assert contents(archived=True, forgotten=True) == ["first", "second", "third"]
    assert contents(workspace="kitchen", archived=True) == ["third"]
    assert contents(scope="global/org:a", archived=True) == ["third"]
    assert contents(filter={"tags": {"contains": "x"}}, forgotten=True) == ["first", "second"]
    clock.advance(hours=1)
    store.memories.update(first, {"content": "primo"})
    assert contents(as_of=NOON, archived=True, forgotten=True) == ["first", "second", "third"]


def test_private_sections_leave_for_the_owner_who_asks(store: SqliteStore) -> None:
    (id_,) = remembered(store, "a<private>b</private>")
    store.memories.update(id_, {"content": "c<private>d</private>"})
    shown, hidden = Selection(private=True), Selection()
    assert [row["content"] for row in rows(store, "memories", hidden)] == ["c"]
    assert [row["content"] for row in rows(store, "versions", hidden)] == ["a", "c"]
    assert [row["content"] for row in rows(store, "memories", shown)] == ["c<private>d</private>"]
    assert rows(store, "versions", shown)[0]["content"] == "a<private>b</private>"


def test_versions_tell_the_whole_history(store: SqliteStore, clock: ManualClock) -> None:
    (id_,) = remembered(store, "a")
    clock.advance(hours=1)
    store.memories.update(id_, {"content": "b"}, author="ada", reason="better")
    first, second = rows(store, "versions")
    assert [first["version"], second["version"]] == [1, 2]
    assert ("remember", NOON + timedelta(hours=1)) == (first["action"], first["superseded_at"])
    assert (
        second["author"], second["reason"], second["superseded_at"],
    ) == ("ada", "better", None)  # fmt: skip
    expected = [
        Memory.to_dict(version.memory)["content"] for version in store.memories.history(id_)
    ]
    assert expected == [row["content"] for row in (first, second)]


def test_rows_follow_the_memories_they_hang_on(store: SqliteStore) -> None:
    here, there = remembered(store, "here", "there")
    (elsewhere,) = remembered(store, "elsewhere", workspace="kitchen")
    store.links.put(here, there)
    store.links.put(here, elsewhere)
    store.vectors.put("e", [here, elsewhere], np.ones((2, 2), dtype=np.float32))
    store.entities.mention(here, "Ada")
    store.entities.mention(elsewhere, "Bob")
    kitchen = Selection(workspace="kitchen")
    assert rows(store, "links", kitchen) == []
    assert [elsewhere] == [row["memory_id"] for row in rows(store, "vectors", kitchen)]
    assert [elsewhere] == [row["memory_id"] for row in rows(store, "mentions", kitchen)]
    assert [row["name"] for row in rows(store, "entities", kitchen)] == ["Bob"]

    store.memories.forget(there)
    assert len(rows(store, "links")) == 1
    assert len(rows(store, "links", EVERYTHING)) == 2


def test_sessions_follow_the_scope_and_the_workspace(store: SqliteStore) -> None:
    store.sessions.start("a", scope="global/org:a")
    store.sessions.start("ab", scope="global/org:ab")
    store.sessions.start("k", workspace="kitchen", scope="global/org:a/team:t")
    for id_ in ("a", "ab", "k"):
        store.sessions.add_turns(id_, [{"speaker": "A", "content": id_}])

    def seen(name: str, column: str, **options: Any) -> set[str]:
        return {row[column] for row in rows(store, name, Selection.of(**options))}

    assert seen("sessions", "id", scope="global/org:a") == {"a", "k"}
    assert seen("turns", "session_id", scope="global/org:a") == {"a", "k"}
    assert seen("sessions", "id", workspace="kitchen") == {"k"}
    assert seen("turns", "session_id", workspace="kitchen") == {"k"}


def test_counts_are_those_of_the_scans(store: SqliteStore) -> None:
    here, there = remembered(store, "here", "there")
    store.links.put(here, there)
    store.memories.forget(there)
    for selection in (Selection(), EVERYTHING, Selection(workspace="kitchen")):
        expected = {name: len(rows(store, name, selection)) for name in SCHEMAS}
        assert expected == store.tables.counts(selection)
    assert store.tables.counts() == store.tables.counts(Selection())


@pytest.mark.parametrize("name", sorted(set(SCHEMAS) - {"memories"}))
def test_only_memories_are_chosen_by_a_filter_or_a_moment(store: SqliteStore, name: str) -> None:
    for selection in (Selection.of({"type": "note"}), Selection.of(as_of=NOON)):
        with pytest.raises(InvalidInputError, match="leave them out"):
            store.tables.scan(name, selection)


def test_a_past_table_takes_no_filter(store: SqliteStore) -> None:
    with pytest.raises(InvalidInputError, match="takes no filter"):
        store.tables.scan("memories", Selection.of({"type": "note"}, as_of=NOON))


@pytest.mark.parametrize("name", ["", "changes", "memories; --", None, 7, ["memories"]])
def test_an_unknown_table_is_refused_with_the_known(store: SqliteStore, name: Any) -> None:
    with pytest.raises(InvalidInputError, match="allowed are workspaces, memories"):
        store.tables.scan(name)


def test_a_snapshot_sees_one_state(file_store: SqliteStore) -> None:
    ids = remembered(file_store, "a", "b")
    with file_store.tables.snapshot() as scan:
        assert sum(b.num_rows for b in scan("memories", Selection(), batch_rows=10)) == 2
        file_store.memories.forget(ids[0])
        remembered(file_store, "c", "d")
        assert sum(b.num_rows for b in scan("memories", Selection(), batch_rows=10)) == 2
        assert sum(b.num_rows for b in scan("versions", EVERYTHING, batch_rows=10)) == 2
    assert len(rows(file_store, "memories")) == 3


def test_an_agent_gets_no_private_table(store: SqliteStore) -> None:
    coder = store.as_agent("coder", "global")
    with pytest.raises(AccessDeniedError, match="may not read private sections"):
        coder.tables.scan("memories", EVERYTHING)
    with coder.tables.snapshot() as scan, pytest.raises(AccessDeniedError):
        scan("versions", EVERYTHING, batch_rows=10)

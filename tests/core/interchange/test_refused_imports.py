"""An import that cannot be taken says which table, row and column, what was expected, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import pytest

from engram_lab.core.errors import AccessDeniedError, ImportRefusedError
from engram_lab.core.interchange import export_store, import_file
from engram_lab.core.schemas import SCHEMAS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from engram_lab.core.clock import ManualClock
    from engram_lab.core.reports import ImportReport
    from engram_lab.core.sqlite import SqliteStore

Tables = dict[str, Any]
UNKNOWN = "01890a5d-ac96-774b-bcce-b302099a8057"


@pytest.fixture
def tables(full: SqliteStore, tmp_path: Path) -> Tables:
    """Return an export as JSON has it, to be altered."""
    export_store(full, tmp_path / "export.json")
    content: Tables = orjson.loads((tmp_path / "export.json").read_bytes())
    return content


@pytest.fixture
def take(store: SqliteStore, tmp_path: Path) -> Callable[..., ImportReport]:
    """Return what imports altered tables into an empty store."""

    def take_tables(tables: Tables, **options: Any) -> ImportReport:
        (tmp_path / "altered.json").write_bytes(orjson.dumps(tables))
        return import_file(store, tmp_path / "altered.json", **options)

    return take_tables


def state(store: SqliteStore, tmp_path: Path) -> bytes:
    export_store(store, tmp_path / "state.jsonl", overwrite=True)
    return (tmp_path / "state.jsonl").read_bytes()


ALTERED: list[tuple[str, dict[str, Any], str]] = [
    ("memories", {"content": "x"}, "content_hash is not that of the content: the row was altered"),
    ("memories", {"content": "\x01"}, "content is empty"),
    ("memories", {"importance": "much"}, "column 'importance': 'much': expected double"),
    ("memories", {"importance": 1.5}, "importance is '1.5': give a number from 0 to 1"),
    ("memories", {"created_at": "soon"}, "created_at is 'soon', which is no ISO 8601 time"),
    ("memories", {"created_at": 7}, "created_at is a int: give a datetime or an ISO 8601 text"),
    ("memories", {"scope": None}, "column 'scope': null: expected string"),
    ("memories", {"id": "7"}, "id is '7': give a UUID"),
    ("memories", {"version": 0}, "version starts at 1"),
    ("memories", {"version": 10**15, "access_count": 2**63}, "column 'access_count'"),
    ("memories", {"tags": [None]}, "tag is a NoneType: give a text"),
    ("memories", {"metadata": [1]}, "column 'metadata': '[1]': expected string"),
    ("memories", {"metadata": "{"}, "metadata is a text but no JSON"),
    ("memories", {"tier": "daily"}, "a daily memory expires"),
    ("memories", {"colour": "red"}, "column 'colour': unknown: expected are id, content, type"),
    ("versions", {"author": ""}, "author has 0 characters: allowed are 1 to 256"),
    ("versions", {"action": "a b"}, "action is 'a b': give a word such as 'update'"),
    ("versions", {"version": 7}, "version 7 is not before the present one"),
    ("versions", {"superseded_at": None}, "it is not the present state of memory"),
    ("versions", {"id": UNKNOWN}, f"it is a version of the memory '{UNKNOWN}', which is not there"),
    ("links", {"to_id": UNKNOWN}, f"it names the memory '{UNKNOWN}', which is not there"),
    ("links", {"weight": -1}, "weight is '-1.0': give a number from 0 to 1"),
    ("links", {"weight": True}, "column 'weight': 'True': expected double"),
    ("links", {"valid_from": "2026-01-02", "valid_to": "2026-01-01"}, "is before valid_from"),
    ("vectors", {"values": [1.0, None]}, "values is empty, or holds NaN or infinity"),
    ("vectors", {"values": []}, "values is empty, or holds NaN or infinity"),
    ("vectors", {"values": [1e300]}, "values is empty, or holds NaN or infinity"),
    ("events", {"hits": None}, "column 'hits': null: expected list"),
    ("events", {"hits": [{"memory_id": UNKNOWN, "rank": 1, "score": 1.0}]}, "it names the memory"),
    ("events", {"hits": [{"rank": 1, "score": 1.0}]}, "it names the memory None"),
    ("events", {"hits": [{"memory_id": UNKNOWN, "rank": 1.5, "score": 1.0}]}, "column 'hits': "),
    ("events", {"hits": [{"memory_id": UNKNOWN, "rank": 1, "score": True}]}, "column 'hits': "),
    ("events", {"hits": [{"memory_id": UNKNOWN, "rank": 1, "score": None}]}, "score is 'None'"),
    ("events", {"id": "7"}, "id is '7': give a UUID"),
    ("identities", {"metadata": "7"}, "metadata is no JSON object"),
    ("identities", {"metadata": "{"}, "metadata is no JSON: unexpected end"),
    ("identities", {"name": " "}, "name has 1 characters: allowed are 1 to 256"),
    ("entities", {"identity_id": UNKNOWN}, "identity_id is '01890a5d-ac96-774b-bcce-b302099a8057'"),
    ("entities", {"workspace": "Kitchen"}, "workspace is 'Kitchen'"),
    ("mentions", {"confidence": 2}, "confidence is '2.0': give a number from 0 to 1"),
    ("mentions", {"entity_id": UNKNOWN}, "which is not among the entities"),
    ("sessions", {"ended_at": "1999-01-01T00:00:00Z"}, "ended_at is before started_at"),
    ("turns", {"position": -1}, "position is -1: give a whole number from 0"),
    ("turns", {"position": 1.5}, "column 'position': '1.5': expected int64"),
    ("turns", {"session_id": "another"}, "which is not among the sessions"),
    ("workspaces", {"max_memories": 0}, "max_memories is"),
    ("workspaces", {"scope": "kitchen"}, "scope is 'kitchen'"),
    ("grants", {"permission": "all"}, "permission is 'all'"),
]


@pytest.mark.parametrize(("table", "changes", "reason"), ALTERED)
def test_a_row_that_breaks_a_law_is_refused_and_nothing_is_written(
    store: SqliteStore,
    tables: Tables,
    take: Callable[..., ImportReport],
    tmp_path: Path,
    table: str,
    changes: dict[str, Any],
    reason: str,
) -> None:
    before = state(store, tmp_path)
    tables[table][0] |= changes

    with pytest.raises(ImportRefusedError, match="so nothing was imported; the first is") as caught:
        take(tables)

    (first, *_) = caught.value.report.refused
    assert (first.table, first.row) == (table, 0)
    assert reason in first.reason
    assert before == state(store, tmp_path)


@pytest.mark.parametrize("table", SCHEMAS)
def test_with_keep_going_the_rest_is_taken_and_each_refused_row_is_reported(
    tables: Tables, take: Callable[..., ImportReport], table: str
) -> None:
    bad: list[Any] = [7, "a text", {"colour": "red"}]
    good = len(tables[table])
    tables[table] += bad

    report = take(tables, keep_going=True)

    assert report.imported[table] == good
    assert [(each.table, each.row) for each in report.refused] == [
        (table, good + number) for number in range(len(bad))
    ]
    assert [each.reason for each in report.refused][:2] == [
        "a row is an object, not a int",
        "a row is an object, not a str",
    ]
    assert f"table '{table}', column 'colour': unknown: expected are" in report.refused[2].reason
    assert report.total == sum(len(tables[name]) for name in SCHEMAS)


def test_a_refused_memory_takes_what_hangs_on_it_along(
    tables: Tables, take: Callable[..., ImportReport]
) -> None:
    tables["memories"][0]["content"] = "altered"
    report = take(tables, keep_going=True)
    refused = {each.table for each in report.refused}
    assert refused == {"memories", "versions", "links", "vectors", "events", "mentions"}
    assert (report.imported["memories"], report.imported["links"]) == (3, 0)


CONTRADICTIONS: list[tuple[str, dict[str, Any]]] = [
    ("workspaces", {"description": "another"}),
    ("memories", {"importance": 0.125}),
    ("memories", {"metadata": {"cups": 2, "hot": 1, "when": ["morning", None]}}),
    ("memories", {"access_count": 7}),
    ("versions", {"importance": 0.125}),
    ("versions", {"superseded_at": "2026-01-01T12:30:00Z"}),
    ("links", {"weight": 0.125}),
    ("vectors", {"values": [9.0, 9.0, 9.0]}),
    ("vectors", {"values": [9.0]}),
    ("events", {"query": "coffee?"}),
    ("events", {"hits": "other score"}),
    ("identities", {"description": "of Byron"}),
    ("identities", {"id": UNKNOWN}),
    ("entities", {"kind": "place"}),
    ("mentions", {"confidence": 0.125}),
    ("sessions", {"title": "At dinner"}),
    ("turns", {"speaker": "bob"}),
    ("turns", {"position": 7}),
    ("grants", {"permission": "read"}),
]


@pytest.mark.parametrize(("table", "changes"), CONTRADICTIONS)
def test_a_row_that_contradicts_what_is_there_is_refused_and_nothing_is_written(
    store: SqliteStore,
    tables: Tables,
    take: Callable[..., ImportReport],
    tmp_path: Path,
    table: str,
    changes: dict[str, Any],
) -> None:
    take(tables)
    before, last = state(store, tmp_path), store.changes.last()
    if changes == {"hits": "other score"}:
        changes = {"hits": [{**tables["events"][0]["hits"][0], "score": 7.0}]}
    tables[table][0] |= changes
    tables["workspaces"].append({**tables["workspaces"][0], "name": "new"})

    with pytest.raises(ImportRefusedError) as caught:
        take(tables)

    assert [(each.table, each.row) for each in caught.value.report.refused] == [(table, 0)]
    assert caught.value.report.imported["workspaces"] == 1
    assert (before, last) == (state(store, tmp_path), store.changes.last())


def test_a_second_open_link_of_a_type_is_refused(
    tables: Tables, take: Callable[..., ImportReport]
) -> None:
    tables["links"].append({**tables["links"][0], "id": UNKNOWN})
    assert [(each.table, each.row) for each in take(tables, keep_going=True).refused] == [
        ("links", 2)
    ]


def test_a_link_of_a_memory_to_itself_is_refused(
    tables: Tables, take: Callable[..., ImportReport]
) -> None:
    tables["links"][0]["to_id"] = tables["links"][0]["from_id"]
    (refused,) = take(tables, keep_going=True).refused
    assert refused.reason == "a memory is not linked to itself"


def test_a_store_with_memories_of_its_own_takes_an_export(
    store: SqliteStore, tables: Tables, take: Callable[..., ImportReport], clock: ManualClock
) -> None:
    clock.advance(days=1)
    own = store.memories.remember({"content": "mine"})
    made = store.workspaces.get("default")
    report = take(tables)
    assert (report.refused, report.imported["memories"]) == ((), 4)
    assert (made, own) == (store.workspaces.get("default"), store.memories.get(own.id))


def test_an_agent_imports_no_tables(full: SqliteStore, store: SqliteStore, tmp_path: Path) -> None:
    export_store(full, tmp_path / "export")
    with pytest.raises(AccessDeniedError):
        import_file(store.as_agent("butler", "global"), tmp_path / "export")

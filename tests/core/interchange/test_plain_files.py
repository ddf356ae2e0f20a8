"""Memories from plain files, such as .jsonl, .parquet and .csv, with at least `content`."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from engram_lab.core.errors import ImportRefusedError, InvalidInputError
from engram_lab.core.interchange import import_file
from engram_lab.core.reports import RefusedRow
from engram_lab.core.selection import Selection

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from engram_lab.core.progress import Told
    from engram_lab.core.sqlite import SqliteStore
    from engram_lab.core.types import Memory

ROWS: list[dict[str, Any]] = [
    {
        "content": "tea",
        "tags": ["hot"],
        "metadata": {"cups": 2},
        "importance": 0.75,
        "workspace": "kitchen",
        "event_at": "2026-01-01T12:00:00Z",
        "pinned": True,
    },
    {
        "content": "café <private>noir</private>",
        "tags": [],
        "metadata": {"cups": None},
        "importance": None,
        "workspace": None,
        "event_at": None,
        "pinned": None,
    },
]
ENDINGS = [".jsonl", ".ndjson", ".json", ".JSON", ".parquet", ".arrow", ".feather"]


def write(file: Path, rows: Sequence[object]) -> Path:
    """Write rows in the format that the file's ending names."""
    match file.suffix.lower():
        case ".jsonl" | ".ndjson":
            file.write_bytes(b"\n".join(map(orjson.dumps, rows)))
        case ".json":
            file.write_bytes(orjson.dumps(rows))
        case ".parquet":
            pq.write_table(pa.Table.from_pylist(list(rows)), file)
        case _:
            table = pa.Table.from_pylist(list(rows))
            with pa.ipc.new_file(str(file), table.schema) as writer:
                writer.write_table(table)
    return file


def remembered(store: SqliteStore) -> list[Memory]:
    return list(store.memories.select(Selection(private=True)))


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_file_of_memories_is_remembered(store: SqliteStore, tmp_path: Path, ending: str) -> None:
    report = import_file(store, write(tmp_path / f"rows{ending}", ROWS))

    tea, coffee = remembered(store)
    assert (tea.content, tea.tags, tea.metadata) == ("tea", ("hot",), {"cups": 2})
    assert (tea.importance, tea.pinned, tea.workspace) == (0.75, True, "kitchen")
    assert tea.event_at == datetime(2026, 1, 1, 12, tzinfo=UTC)
    assert (coffee.content, coffee.metadata) == ("café <private>noir</private>", {"cups": None})
    assert (coffee.importance, coffee.pinned, coffee.workspace) == (0.5, False, "default")
    assert (report.imported, report.unchanged, report.refused) == ({"memories": 2}, 0, ())


def test_json_may_hold_them_under_their_name(store: SqliteStore, tmp_path: Path) -> None:
    (tmp_path / "rows.json").write_bytes(orjson.dumps({"memories": ROWS, "made_by": "hand"}))
    assert import_file(store, tmp_path / "rows.json").imported == {"memories": 2}


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_workspace_is_for_rows_that_name_none(
    store: SqliteStore, tmp_path: Path, ending: str
) -> None:
    import_file(store, write(tmp_path / f"rows{ending}", ROWS), workspace="notes")
    assert [each.workspace for each in remembered(store)] == ["kitchen", "notes"]


def test_without_dedup_the_same_rows_are_new_memories(store: SqliteStore, tmp_path: Path) -> None:
    file = write(tmp_path / "rows.jsonl", ROWS)
    import_file(store, file)
    assert import_file(store, file).imported == {"memories": 2}
    assert len(remembered(store)) == 4


@pytest.mark.parametrize(
    ("dedup", "imported", "unchanged"), [("skip", 0, 2), ("merge", 2, 0), ("allow", 2, 0)]
)
def test_dedup_says_what_becomes_of_the_same_rows(
    store: SqliteStore, tmp_path: Path, dedup: Any, imported: int, unchanged: int
) -> None:
    file = write(tmp_path / "rows.jsonl", ROWS)
    import_file(store, file)
    report = import_file(store, file, dedup=dedup)
    assert (report.imported, report.unchanged) == ({"memories": imported}, unchanged)
    assert report.total == 2


def test_dedup_may_refuse_the_same_rows(store: SqliteStore, tmp_path: Path) -> None:
    file = write(tmp_path / "rows.jsonl", ROWS)
    import_file(store, file)
    with pytest.raises(ImportRefusedError, match="the same content is already memory"):
        import_file(store, file, dedup="reject")


BAD_ROWS = [
    ({"content": ""}, "content is empty: a memory needs a text"),
    ({"tags": ["x"]}, "content is missing: a memory needs a text"),
    ({"content": "x", "importance": 7}, "importance is '7': give a number from 0 to 1"),
    ({"content": "x", "version": 2}, "version is kept by the store: leave it out"),
    ({"content": "x", "colour": 1}, "'colour' is no field of a memory: allowed are id, content"),
    ({"content": "x", "event_at": "soon"}, "event_at is 'soon', which is no ISO 8601 time"),
    ({"content": "x", "workspace": "No"}, "workspace is 'No': give 1 to 64 of"),
]


@pytest.mark.parametrize("ending", [".jsonl", ".json", ".parquet", ".arrow"])
@pytest.mark.parametrize(("bad", "reason"), BAD_ROWS)
def test_a_refused_row_is_named_and_nothing_is_written(
    store: SqliteStore, tmp_path: Path, bad: dict[str, Any], reason: str, ending: str
) -> None:
    file = write(tmp_path / f"rows{ending}", [{"content": "good"}, bad, {"content": "also good"}])
    if ending in {".parquet", ".arrow"}:  # there every row has every column
        file = write(file, [{**dict.fromkeys(bad), **row} for row in ({"content": "good"}, bad)])

    with pytest.raises(ImportRefusedError, match="so nothing was imported") as caught:
        import_file(store, file)

    refused = caught.value.report.refused[-1]
    assert (refused.table, refused.row, reason in refused.reason) == ("memories", 1, True)
    assert remembered(store) == []


@pytest.mark.parametrize("ending", [".jsonl", ".json"])
def test_with_keep_going_the_good_rows_are_taken(
    store: SqliteStore, tmp_path: Path, ending: str
) -> None:
    rows = [{"content": "one"}, 7, "a text", None, ["two"], {"content": "three"}, {"colour": 1}]
    report = import_file(store, write(tmp_path / f"rows{ending}", rows), keep_going=True)
    assert [each.content for each in remembered(store)] == ["one", "three"]
    assert (report.imported, report.total) == ({"memories": 2}, 7)
    wanted = "a memory is an object with at least 'content', not a "
    assert report.refused[:4] == tuple(
        RefusedRow(row=row, reason=wanted + kind)
        for row, kind in enumerate(["int", "str", "NoneType", "list"], 1)
    )
    assert report.refused[4].row == 6


@pytest.mark.parametrize(("ending", "mark"), [(".csv", ","), (".TSV", "\t")])
def test_a_table_of_text_is_read_by_the_names_of_its_columns(
    store: SqliteStore, tmp_path: Path, ending: str, mark: str
) -> None:
    file = tmp_path / f"rows{ending}"
    with file.open("w", encoding="utf-8", newline="") as stream:
        table = csv.writer(stream, delimiter=mark)
        table.writerow(["content", "tags", "metadata", "importance", "event_at", "pinned"])
        table.writerow(['tea, at "four"', "hot, calm", '{"cups":2}', "0.75", "2026-01-01", "True"])
        table.writerow(["1984\nby Orwell", '["a, b"]', "", "", "", ""])

    import_file(store, file)

    tea, book = remembered(store)
    assert (tea.content, tea.tags, tea.metadata) == ('tea, at "four"', ("hot", "calm"), {"cups": 2})
    assert (tea.importance, tea.pinned) == (0.75, True)
    assert tea.event_at == datetime(2026, 1, 1, tzinfo=UTC)
    assert (book.content, book.tags, book.importance) == ("1984\nby Orwell", ("a, b",), 0.5)


def test_a_cell_that_is_wrong_refuses_its_row(store: SqliteStore, tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("content,importance,tags,pinned\na,high,,\nb,,[,\nc,,,perhaps\nd,,,\n")
    report = import_file(store, file, keep_going=True)
    assert [each.content for each in remembered(store)] == ["d"]
    assert [each.row for each in report.refused] == [0, 1, 2]
    assert "importance is 'high'" in report.refused[0].reason


def test_what_is_no_path_goes_elsewhere(store: SqliteStore) -> None:
    given: Any = pa.table({"content": ["tea"]})
    with pytest.raises(InvalidInputError, match=r"a Table is no path: .* go to remember_many"):
        import_file(store, given)


def test_a_line_that_is_no_json_is_refused_alone(store: SqliteStore, tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_bytes(b'{"content":"one"}\n{"content":\n{"content":"two"}\n\xff\n')
    report = import_file(store, file, keep_going=True)
    assert [each.content for each in remembered(store)] == ["one", "two"]
    assert [each.row for each in report.refused] == [1, 3]
    assert all("the line is no JSON" in each.reason for each in report.refused)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("rows.xlsx", b"tea", "is of no known kind: .*give the frame to remember_many"),
        ("rows.csv", b"", "cannot be read"),
        ("rows.csv", b"content\ntea,7\n", "cannot be read"),
        ("rows.csv", b"content\n\xff\n", "cannot be read"),
        ("rows", b"tea", "is of no known kind"),
        ("rows.json", b"", "is no JSON"),
        ("rows.json", b'"tea"', "holds no list of memories: give what"),
        ("rows.json", b'{"memories":7}', "holds no list of memories"),
        ("rows.json", b'{"content":"tea"}', "holds no list of memories"),
        ("rows.parquet", b"tea", "cannot be read"),
        ("rows.parquet", b"", "cannot be read"),
        ("rows.arrow", b"tea", "cannot be read"),
        ("rows.arrow", b"", "cannot be read"),
    ],
)
def test_a_file_that_holds_no_memories_is_refused(
    store: SqliteStore, tmp_path: Path, name: str, content: bytes, reason: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InvalidInputError, match=reason):
        import_file(store, tmp_path / name)


def test_a_file_that_is_not_there_is_refused(store: SqliteStore, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"rows\.jsonl does not exist: give what"):
        import_file(store, tmp_path / "rows.jsonl")


def test_damaged_pages_are_refused_and_nothing_is_written(
    store: SqliteStore, tmp_path: Path
) -> None:
    rows = [{"content": f"memory {number}"} for number in range(3000)]
    file = write(tmp_path / "rows.parquet", rows)
    data = bytearray(file.read_bytes())
    data[4:64] = bytes(60)
    file.write_bytes(data)
    with pytest.raises(InvalidInputError, match=r"rows\.parquet cannot be read"):
        import_file(store, file)
    assert remembered(store) == []


def test_an_empty_file_of_lines_holds_no_memories(store: SqliteStore, tmp_path: Path) -> None:
    assert import_file(store, write(tmp_path / "rows.jsonl", [])).total == 0


def test_an_agent_brings_memories_within_its_reach(store: SqliteStore, tmp_path: Path) -> None:
    agent = store.as_agent("coder", "global/org:a")
    import_file(agent, write(tmp_path / "rows.jsonl", [{"content": "x"}]))
    assert [each.scope for each in remembered(store)] == ["global/org:a"]
    above = write(tmp_path / "above.jsonl", [{"content": "x", "scope": "global"}])
    with pytest.raises(ImportRefusedError, match="no write access"):
        import_file(agent, above)


def test_it_tells_how_far_it_is(store: SqliteStore, tmp_path: Path) -> None:
    told: list[Told] = []
    import_file(store, write(tmp_path / "rows.jsonl", ROWS), progress=told.append)
    assert [told[0].done, told[-1].done] == [0, 2]
    assert told[-1].total == 2

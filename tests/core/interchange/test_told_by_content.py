"""What a file holds decides how it is read, where its name leaves that open."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from engram_lab.core.errors import ImportRefusedError, InvalidInputError
from engram_lab.core.interchange import export_store, import_file
from engram_lab.core.schemas import SCHEMAS
from engram_lab.core.selection import EVERYTHING

if TYPE_CHECKING:
    from pathlib import Path

    from engram_lab.core.sqlite import SqliteStore


def table(store: SqliteStore, name: str) -> pa.Table:
    return store.tables.scan(name, EVERYTHING, batch_rows=1000).read_all()


def write(file: Path, rows: pa.Table, *, stream: bool = False) -> Path:
    if file.suffix == ".parquet":
        pq.write_table(rows, file)
        return file
    make = pa.ipc.new_stream if stream else pa.ipc.new_file
    with pa.OSFile(str(file), "wb") as sink, make(sink, rows.schema) as writer:
        writer.write_table(rows, max_chunksize=2)
    return file


# JSON Lines in a file that is called JSON


def test_an_export_as_lines_comes_back_by_the_name_of_json(
    full: SqliteStore, store: SqliteStore, tmp_path: Path
) -> None:
    lines = tmp_path / "export.jsonl"
    export_store(full, lines)
    import_file(store, lines.rename(tmp_path / "memories.json"))
    export_store(store, tmp_path / "again.jsonl")
    assert (tmp_path / "again.jsonl").read_bytes() == (tmp_path / "memories.json").read_bytes()


def test_lines_of_memories_may_be_called_json(store: SqliteStore, tmp_path: Path) -> None:
    file = tmp_path / "memories.json"
    file.write_text('\n{"content": "one"}\n\n{"content": "two"}\n', encoding="utf-8")
    assert import_file(store, file).imported["memories"] == 2


@pytest.mark.parametrize("indent", [0, orjson.OPT_INDENT_2])
@pytest.mark.parametrize("end", [b"", b"\n", b"\n\n"])
def test_a_document_of_json_is_no_lines(
    store: SqliteStore, tmp_path: Path, indent: int, end: bytes
) -> None:
    file = tmp_path / "memories.json"
    rows = [{"content": "one"}, {"content": "two"}]
    for document in (rows, {"memories": rows}):
        file.write_bytes(orjson.dumps(document, option=indent) + end)
        assert import_file(store, file).imported["memories"] == 2


def test_a_list_on_each_line_is_no_lines_of_memories(store: SqliteStore, tmp_path: Path) -> None:
    file = tmp_path / "memories.json"
    file.write_text('[{"content": "one"}]\n[{"content": "two"}]\n', encoding="utf-8")
    with pytest.raises(InvalidInputError, match="no JSON"):
        import_file(store, file)


# Tables of Arrow


@pytest.mark.parametrize("form", ["file", "stream"])
@pytest.mark.parametrize("ending", [".arrow", ".arrows", ".feather"])
def test_arrow_is_read_as_a_file_and_as_a_stream(
    store: SqliteStore, tmp_path: Path, ending: str, form: str
) -> None:
    rows = pa.table({"content": ["one", "two", "three"], "importance": [0.1, 0.2, 0.3]})
    file = write(tmp_path / f"rows{ending}", rows, stream=form == "stream")
    assert import_file(store, file).imported["memories"] == 3
    found = table(store, "memories").select(["content", "importance"]).sort_by("importance")
    assert found.to_pylist() == rows.to_pylist()


@pytest.mark.parametrize("content", [b"", b"ARROW1", b"no stream", b"\xff\xff\xff\xff\x10"])
def test_what_is_no_arrow_is_said_to_be_none(
    store: SqliteStore, tmp_path: Path, content: bytes
) -> None:
    file = tmp_path / "rows.arrow"
    file.write_bytes(content)
    with pytest.raises(InvalidInputError, match="cannot be read"):
        import_file(store, file)


@pytest.mark.parametrize("ending", [".parquet", ".arrow"])
def test_a_table_of_memories_comes_back_to_the_last_field(
    full: SqliteStore, store: SqliteStore, tmp_path: Path, ending: str
) -> None:
    memories = table(full, "memories")
    assert memories.num_rows > 1
    file = write(tmp_path / f"memories{ending}", memories)
    assert import_file(store, file).imported["memories"] == memories.num_rows
    assert table(store, "memories").equals(memories)
    again = import_file(store, file)
    assert (again.imported["memories"], again.unchanged) == (0, memories.num_rows)


def test_tables_one_after_the_other_bring_back_all(
    full: SqliteStore, store: SqliteStore, tmp_path: Path
) -> None:
    for name in SCHEMAS:
        import_file(store, write(tmp_path / f"{name}.arrow", table(full, name), stream=True))
    for name in SCHEMAS.keys() - {"versions"}:
        assert table(store, name).equals(table(full, name)), name
    states = set(SCHEMAS["versions"].names) - {"author", "action", "reason", "recorded_at"}
    found, told = (table(each, "versions").select(sorted(states)) for each in (store, full))
    assert found.equals(told)  # who wrote the present ones comes with versions alone


def test_a_table_that_was_altered_is_refused(
    full: SqliteStore, store: SqliteStore, tmp_path: Path
) -> None:
    rows = table(full, "memories").to_pylist()
    rows[0]["content"] = "something else"
    altered = pa.Table.from_pylist(rows, SCHEMAS["memories"])
    with pytest.raises(ImportRefusedError, match="the row was altered"):
        import_file(store, write(tmp_path / "memories.parquet", altered))
    assert table(store, "memories").num_rows == 0

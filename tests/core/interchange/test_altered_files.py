"""A file that is not what was exported is refused in one sentence that says what is wrong where."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from engram_lab.core.errors import ImportRefusedError, InvalidInputError, SchemaMismatchError
from engram_lab.core.interchange import export_store, import_file
from engram_lab.core.schemas import SCHEMAS
from engram_lab.core.selection import EVERYTHING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from engram_lab.core.sqlite import SqliteStore


@pytest.fixture
def folder(full: SqliteStore, tmp_path: Path) -> Path:
    export_store(full, tmp_path / "export")
    return tmp_path / "export"


@pytest.fixture
def lines(full: SqliteStore, tmp_path: Path) -> Path:
    export_store(full, tmp_path / "export.jsonl")
    return tmp_path / "export.jsonl"


@pytest.fixture
def whole(full: SqliteStore, tmp_path: Path) -> Path:
    export_store(full, tmp_path / "export.json")
    return tmp_path / "export.json"


def is_empty(store: SqliteStore) -> bool:
    counts = store.tables.counts(EVERYTHING)
    return (counts.pop("workspaces"), set(counts.values())) == (1, {0})


def rewrite(file: Path, change: Callable[[Any], object]) -> None:
    """Change the JSON in a file in place."""
    content = orjson.loads(file.read_bytes())
    change(content)
    file.write_bytes(orjson.dumps(content))


def replace_table(folder: Path, name: str, table: pa.Table) -> None:
    """Put another table in an export, and its true sha256 into the manifest."""
    file = folder / f"{name}.parquet"
    pq.write_table(table, file)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    rewrite(folder / "manifest.json", lambda m: m["tables"][name].update(sha256=digest))


@pytest.mark.parametrize("table", SCHEMAS)
def test_an_altered_table_is_found_by_its_sha256(
    store: SqliteStore, folder: Path, table: str
) -> None:
    file = folder / f"{table}.parquet"
    file.write_bytes(file.read_bytes() + b"\n")
    with pytest.raises(InvalidInputError, match=rf"{table}\.parquet is not the file .* sha256"):
        import_file(store, folder)
    assert is_empty(store)


@pytest.mark.parametrize("table", SCHEMAS)
def test_a_missing_table_is_named(store: SqliteStore, folder: Path, table: str) -> None:
    (folder / f"{table}.parquet").unlink()
    with pytest.raises(InvalidInputError, match=rf"should hold {table}\.parquet, and does not"):
        import_file(store, folder)
    assert is_empty(store)


@pytest.mark.parametrize("value", ["gone", None, {}, 7])
@pytest.mark.parametrize("table", SCHEMAS)
def test_a_table_missing_from_json_is_named(
    store: SqliteStore, whole: Path, table: str, value: object
) -> None:
    rewrite(whole, lambda tables: tables.update({table: value}))
    if value == "gone":
        rewrite(whole, lambda tables: tables.pop(table))
    with pytest.raises(InvalidInputError, match=rf"should hold a list of rows for '{table}'"):
        import_file(store, whole)
    assert is_empty(store)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda m: m.pop("tables"), "manifest.json should name the tables workspaces, memories"),
        (
            lambda m: m.update(tables=[]),
            "manifest.json should name the tables workspaces, memories",
        ),
        (lambda m: m["tables"].pop("links"), "manifest.json should name the tables"),
        (lambda m: m["tables"].update({"../etc": {}}), "manifest.json should name the tables"),
        (lambda m: m["tables"].update(links=7), "its sha256 differs"),
        (lambda m: m["tables"]["links"].pop("sha256"), "its sha256 differs"),
        (lambda m: m.update(format="another"), "is no export of this program: give what"),
        (lambda m: m.update(version=2), "version 2 of the export format and this program reads 1"),
        (lambda m: m.pop("version"), "version None of the export format"),
    ],
)
def test_a_manifest_that_is_none_is_refused(
    store: SqliteStore, folder: Path, change: Callable[[Any], object], reason: str
) -> None:
    rewrite(folder / "manifest.json", change)
    with pytest.raises(InvalidInputError, match=reason):
        import_file(store, folder)
    assert is_empty(store)


@pytest.mark.parametrize("content", [b"[1]", b"7", b'"engram-lab"'])
def test_a_manifest_of_another_shape_is_refused(
    store: SqliteStore, folder: Path, content: bytes
) -> None:
    (folder / "manifest.json").write_bytes(content)
    with pytest.raises(InvalidInputError, match="is no export of this program"):
        import_file(store, folder)


def test_a_folder_without_a_manifest_is_refused(store: SqliteStore, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"holds no manifest\.json: give what"):
        import_file(store, tmp_path)


@pytest.mark.parametrize("fixture", ["lines", "whole"])
def test_json_of_another_version_is_refused(
    store: SqliteStore, request: pytest.FixtureRequest, fixture: str
) -> None:
    file: Path = request.getfixturevalue(fixture)
    file.write_bytes(file.read_bytes().replace(b'"version":1', b'"version":9', 1))
    with pytest.raises(InvalidInputError, match=r"has version 9 .* reads 1: upgrade engram-lab"):
        import_file(store, file)
    assert is_empty(store)


def test_json_with_a_table_of_another_program_is_refused(store: SqliteStore, whole: Path) -> None:
    rewrite(whole, lambda tables: tables.update(faces=[]))
    with pytest.raises(InvalidInputError, match="holds the table 'faces': allowed are workspaces"):
        import_file(store, whole)


def test_json_that_was_cut_off_is_refused(store: SqliteStore, whole: Path) -> None:
    whole.write_bytes(whole.read_bytes()[:-20])
    with pytest.raises(InvalidInputError, match=r"export\.json is no JSON: unexpected end"):
        import_file(store, whole)
    assert is_empty(store)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"table":"mem', "the line is no JSON"),
        (b"\xff", "the line is no JSON"),
        (b'{"content":"x"}', "table is 'None': allowed are workspaces, memories"),
        (b'{"table":"faces"}', "table is 'faces': allowed are workspaces, memories"),
        (b'{"table":["links"]}', "table is \"['links']\": allowed are workspaces, memories"),
        (b"[1]", "a row is an object, not a list"),
        (b"7", "a row is an object, not a int"),
    ],
)
def test_a_broken_line_is_refused_by_its_number(
    store: SqliteStore, lines: Path, line: bytes, reason: str
) -> None:
    content = lines.read_bytes().splitlines(keepends=True)
    lines.write_bytes(b"".join([*content[:3], line + b"\n", *content[3:]]))

    with pytest.raises(ImportRefusedError) as caught:
        import_file(store, lines)
    (refused,) = caught.value.report.refused
    assert (refused.row, reason in refused.reason) == (3, True)
    assert is_empty(store)

    report = import_file(store, lines, keep_going=True)
    assert (report.total, report.refused) == (len(content), (refused,))


def test_blank_lines_are_passed_over(store: SqliteStore, lines: Path) -> None:
    rows = len(lines.read_bytes().splitlines()) - 1
    lines.write_bytes(b"\n \n".join(lines.read_bytes().splitlines()))
    assert import_file(store, lines).total == rows


def test_lines_may_come_in_any_order_of_the_rows_of_a_table(
    store: SqliteStore, full: SqliteStore, lines: Path, tmp_path: Path
) -> None:
    head, *rows = lines.read_bytes().splitlines(keepends=True)
    tables = list(SCHEMAS)
    rows.sort(key=lambda row: (tables.index(orjson.loads(row)["table"]), row[::-1]))
    lines.write_bytes(b"".join([head, *rows]))
    import_file(store, lines)
    export_store(full, tmp_path / "one.json")
    export_store(store, tmp_path / "two.json")
    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "two.json").read_bytes()


TABLES = [
    (lambda t: t.append_column("colour", pa.array(["red"] * 2)), "colour", "unknown: expected are"),
    (lambda t: t.drop_columns(["weight"]), "weight", "missing: expected double"),
    (
        lambda t: t.set_column(4, "weight", pa.array(["a", "b"])),
        "weight",
        "string: expected double",
    ),
    (
        lambda t: t.set_column(4, "weight", pa.array([1.0, None])),
        "weight",
        "row 1: table 'links', column 'weight': null: expected double",
    ),
]


@pytest.mark.parametrize(("change", "column", "reason"), TABLES)
def test_a_table_of_another_schema_is_refused(
    store: SqliteStore,
    folder: Path,
    change: Callable[[pa.Table], pa.Table],
    column: str,
    reason: str,
) -> None:
    replace_table(folder, "links", change(pq.read_table(folder / "links.parquet")))
    with pytest.raises(SchemaMismatchError, match=reason) as caught:
        import_file(store, folder)
    assert (caught.value.table, caught.value.column) == ("links", column)
    assert is_empty(store)


def test_a_time_that_python_cannot_hold_is_refused(store: SqliteStore, folder: Path) -> None:
    links = pq.read_table(folder / "links.parquet")
    far = pa.array([2**62] * 2, SCHEMAS["links"].field("created_at").type)
    replace_table(folder, "links", links.set_column(11, "created_at", far))
    with pytest.raises(InvalidInputError, match="a value is out of range"):
        import_file(store, folder)
    assert is_empty(store)


def test_a_table_that_is_no_parquet_is_refused(store: SqliteStore, folder: Path) -> None:
    replace_table(folder, "links", pq.read_table(folder / "links.parquet"))
    (folder / "links.parquet").write_bytes(b"nothing of the kind")
    digest = hashlib.sha256(b"nothing of the kind").hexdigest()
    rewrite(folder / "manifest.json", lambda m: m["tables"]["links"].update(sha256=digest))
    with pytest.raises(InvalidInputError, match=r"links\.parquet cannot be read"):
        import_file(store, folder)
    assert is_empty(store)

"""Reading files back: a whole export, or plain memories."""

from __future__ import annotations

import os
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import orjson

from engram_lab.core.checksums import file_sha256
from engram_lab.core.clock import parse_time
from engram_lab.core.errors import ImportRefusedError, InvalidInputError
from engram_lab.core.interchange.cells import SEPARATORS, cell_rows
from engram_lab.core.interchange.files import FORMAT_NAME, FORMAT_VERSION, MANIFEST
from engram_lab.core.interchange.reading import (
    TABLES,
    arrow_batches,
    holds_lines,
    json_lines_of,
    json_of,
    rows_within,
    table_of,
)
from engram_lab.core.interchange.rows import in_workspace, iter_rows, rows_of
from engram_lab.core.progress import task
from engram_lab.core.protocols import Chunk
from engram_lab.core.reports import ImportReport, RefusedRow
from engram_lab.core.schemas import SCHEMAS, TIME, batch_of, check_batch, check_table_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from engram_lab.core.progress import Progress, Task
    from engram_lab.core.protocols import Store
    from engram_lab.core.types import Dedup

    Row = Mapping[str, Any]

__all__ = ["import_file"]

_ROWS_AT_ONCE: Final = 2048
_ADVICE: Final = (
    "give what `engram export` wrote, or memories as .jsonl, .json, .parquet, .arrow, .csv or .tsv"
)


def import_file(
    store: Store,
    path: str | os.PathLike[str],
    *,
    keep_going: bool = False,
    workspace: str | None = None,
    dedup: Dedup | None = None,
    progress: Progress | None = None,
) -> ImportReport:
    """Take a file or folder into a store, in one transaction: all of it, or nothing.

    An export comes back exactly. A file that is one table of an export, with all its columns, comes
    back as far as that table goes: of `memories` the present states, without the versions before,
    links and vectors; other tables need what they name to be there. Anything else is read as
    memories: rows with at least `content`. What is in a `.json` decides whether it is JSON Lines.

    Args:
        store: Where to.
        path: An export, or memories as `.jsonl`, `.json`, `.parquet`, `.arrow`, `.csv` or `.tsv`.
        keep_going: Take the good rows and report the refused ones, instead of taking none.
        workspace: For memories that name none.
        dedup: For memories, not for an export; see `remember_many`.
        progress: Told how many rows were taken in.

    Raises:
        ImportRefusedError: Rows were refused, and `keep_going` is False; the store is unchanged.
        InvalidInputError: The file cannot be read as either.
        AccessDeniedError: An agent brings an export, or writes out of its reach.
    """
    if not isinstance(path, str | os.PathLike):
        raise InvalidInputError(
            f"a {type(path).__name__} is no path: rows that are in memory go to remember_many"
        )
    file = Path(path).expanduser()
    if not file.exists():
        raise InvalidInputError(f"{file} does not exist: {_ADVICE}")
    with task("importing", unit="rows", progress=progress) as counting:
        chunks = _export_chunks(file)
        if counting.is_heard:
            counting.total = rows_within(file, has_head=chunks is not None)
        if chunks is not None:
            return store.loader.load(_counted(chunks, counting), keep_going=keep_going)
        drafts = _Drafts(counting.over(_draft_rows(file)), workspace=workspace)
        return _remembered(store, drafts, dedup=dedup, keep_going=keep_going)


def _remembered(
    store: Store, rows: _Drafts, *, dedup: Dedup | None, keep_going: bool
) -> ImportReport:
    with store.transaction():
        report = store.memories.remember_many(rows, dedup=dedup, keep_going=True)
        taken = ImportReport(
            imported={"memories": len(report.ids) + len(report.merged)},
            unchanged=len(report.skipped),
            refused=tuple(rows.explain(each) for each in report.refused),
        )
        if taken.refused and not keep_going:
            raise ImportRefusedError(taken)
    return taken


def _counted(chunks: Iterable[Chunk], counting: Task) -> Iterator[Chunk]:
    for chunk in chunks:
        yield chunk
        counting.advance(len(chunk.rows) + len(chunk.refused))


class _Unreadable(NamedTuple):
    """What stands in the place of a row that cannot be read."""

    reason: str


class _Drafts:
    """The rows of a file of memories; remembers why a line could not be read."""

    def __init__(self, rows: Iterable[Row | _Unreadable], *, workspace: str | None) -> None:
        self._rows = rows
        self._workspace = workspace
        self._unreadable: dict[int, str] = {}

    def __iter__(self) -> Iterator[Row]:
        for number, row in enumerate(self._rows):
            if isinstance(row, _Unreadable):
                self._unreadable[number] = row.reason
                yield {}
            else:
                yield in_workspace(row, self._workspace)

    def explain(self, refused: RefusedRow) -> RefusedRow:
        """Return the refusal with the true reason, where the row could not even be read."""
        reason = self._unreadable.get(refused.row, refused.reason)
        return RefusedRow(row=refused.row, reason=reason)


def _draft_rows(file: Path) -> Iterable[Row | _Unreadable]:
    if holds_lines(file):
        return (
            row if error is None else _Unreadable(error) for _, row, error in json_lines_of(file)
        )
    suffix = file.suffix.lower()
    if suffix == ".json":
        content = json_of(file)
        rows = content.get("memories") if isinstance(content, dict) else content
        if not isinstance(rows, list):
            raise InvalidInputError(f"{file} holds no list of memories: {_ADVICE}")
        return rows
    if suffix in TABLES:
        return chain.from_iterable(map(iter_rows, arrow_batches(file)))
    if suffix in SEPARATORS:
        return cell_rows(file)
    raise InvalidInputError(
        f"{file} is of no known kind: {_ADVICE}; of any other, read it with Polars and give the "
        "frame to remember_many"
    )


def _export_chunks(file: Path) -> Iterator[Chunk] | None:
    """Return the tables of an export; None where the file is none."""
    if file.is_dir():
        return _parquet_chunks(file)
    if holds_lines(file):
        first = next(json_lines_of(file), None)
        if first is not None and isinstance(first[1], dict) and "format" in first[1]:
            _check_format(file, first[1])
            return _jsonl_chunks(file)
    elif file.suffix.lower() == ".json":
        content = json_of(file)
        if isinstance(content, dict) and "format" in content:
            _check_format(file, content)
            return _json_chunks(file, content)
    elif file.suffix.lower() in TABLES and (table := table_of(file)) is not None:
        return _table_chunks(table, file)
    return None


def _check_format(file: Path, head: Any) -> None:
    if not isinstance(head, dict) or head.get("format") != FORMAT_NAME:
        raise InvalidInputError(f"{file} is no export of this program: {_ADVICE}")
    if head.get("version") != FORMAT_VERSION:
        raise InvalidInputError(
            f"{file} has version {head.get('version')!r} of the export format and this program "
            f"reads {FORMAT_VERSION}: upgrade engram-lab"
        )


def _parquet_chunks(folder: Path) -> Iterator[Chunk]:
    manifest = folder / MANIFEST
    if not manifest.is_file():
        raise InvalidInputError(f"{folder} holds no {MANIFEST}: {_ADVICE}")
    content = json_of(manifest)
    _check_format(manifest, content)
    tables = content.get("tables")
    if not isinstance(tables, dict) or tables.keys() != SCHEMAS.keys():
        raise InvalidInputError(f"{manifest} should name the tables {', '.join(SCHEMAS)}")
    for name, entry in tables.items():
        file = folder / f"{name}.parquet"
        if not file.is_file():
            raise InvalidInputError(f"{folder} should hold {file.name}, and does not")
        if not isinstance(entry, dict) or file_sha256(file) != entry.get("sha256"):
            raise InvalidInputError(
                f"{file} is not the file that was exported (its sha256 differs): export again, or "
                "import it alone, as memories"
            )
    return _parquet_tables(folder)


def _parquet_tables(folder: Path) -> Iterator[Chunk]:
    for name in SCHEMAS:
        yield from _table_chunks(name, folder / f"{name}.parquet")


def _table_chunks(name: str, file: Path) -> Iterator[Chunk]:
    done = 0
    for batch in arrow_batches(file):
        for start in range(0, batch.num_rows, _ROWS_AT_ONCE):
            some = check_batch(name, batch.slice(start, _ROWS_AT_ONCE), first_row=done)
            yield Chunk(name, list(enumerate(rows_of(some), done)))
            done += some.num_rows


def _jsonl_chunks(file: Path) -> Iterator[Chunk]:
    lines = islice(json_lines_of(file), 1, None)
    while some := list(islice(lines, _ROWS_AT_ONCE)):
        tables: dict[str, list[tuple[int, Any]]] = {}
        refused: list[RefusedRow] = []
        for number, row, error in some:
            try:
                name = check_table_name(_object(row).pop("table", None))
            except InvalidInputError as problem:
                reason = error or problem.reason
                refused.append(RefusedRow(table="?", row=number, reason=reason))
            else:
                tables.setdefault(name, []).append((number, row))
        if refused:
            yield Chunk("?", [], refused)
        for name, rows in tables.items():
            yield _typed(name, rows)


def _json_chunks(file: Path, content: dict[str, Any]) -> Iterator[Chunk]:
    for name in content.keys() - SCHEMAS.keys() - {"format", "version"}:
        raise InvalidInputError(
            f"{file} holds the table {name!r}: allowed are {', '.join(SCHEMAS)}"
        )
    for name in SCHEMAS:
        if not isinstance(content.get(name), list):
            raise InvalidInputError(f"{file} should hold a list of rows for {name!r}, and does not")
        rows = list(enumerate(content[name]))
        for start in range(0, len(rows), _ROWS_AT_ONCE):
            yield _typed(name, rows[start : start + _ROWS_AT_ONCE])


def _typed(name: str, rows: list[tuple[int, Any]]) -> Chunk:
    """Return the rows in the types of their table; those that do not fit are refused one by one."""
    good: list[tuple[int, Row]] = []
    refused: list[RefusedRow] = []
    for number, row in rows:
        try:
            good.append((number, _from_json(name, row)))
        except InvalidInputError as error:
            refused.append(RefusedRow(table=name, row=number, reason=error.reason))
    try:
        typed = batch_of(name, [row for _, row in good]).to_pylist()
        return Chunk(name, list(zip((number for number, _ in good), typed, strict=True)), refused)
    except InvalidInputError:
        kept: list[tuple[int, Row]] = []
        for number, row in good:
            try:
                kept.append((number, batch_of(name, [row]).to_pylist()[0]))
            except InvalidInputError as error:
                refused.append(RefusedRow(table=name, row=number, reason=error.reason))
        return Chunk(name, kept, refused)


def _object(row: Any) -> dict[str, Any]:
    if not isinstance(row, dict):
        raise InvalidInputError(f"a row is an object, not a {type(row).__name__}")
    return row


def _from_json(name: str, row: Any) -> Row:
    typed = dict(_object(row))
    if isinstance(typed.get("metadata"), dict):
        typed["metadata"] = orjson.dumps(typed["metadata"]).decode()
    for field in SCHEMAS[name]:
        if field.type == TIME and typed.get(field.name) is not None:
            typed[field.name] = parse_time(typed[field.name], field=field.name)
    return typed

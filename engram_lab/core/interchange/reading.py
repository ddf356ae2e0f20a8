"""What a file holds, whatever it is called: JSON, JSON Lines, Parquet, Arrow files and streams."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from engram_lab.core.errors import InvalidInputError
from engram_lab.core.schemas import SCHEMAS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = [
    "TABLES",
    "arrow_batches",
    "holds_lines",
    "json_lines_of",
    "json_of",
    "reading",
    "rows_within",
    "table_of",
]

LINES: Final = (".jsonl", ".ndjson")
TABLES: Final = (".parquet", ".arrow", ".arrows", ".feather")
"""The endings of files that hold one table of Arrow."""

_BYTES_AT_ONCE: Final = 1 << 20
_ROWS_AT_ONCE: Final = 2048
_ARROW_FILE: Final = b"ARROW1"
"""What a file of Arrow begins with; a stream does not."""


def holds_lines(file: Path) -> bool:
    """Tell whether a file holds JSON Lines: by its ending, or, of `.json`, by what is in it.

    One document of JSON has no first line that is an object by itself with more after it.
    """
    suffix = file.suffix.lower()
    if suffix != ".json":
        return suffix in LINES
    with file.open("rb") as stream:
        lines = (line for line in stream if line.strip())
        first = next(lines, b"")
        if next(lines, None) is None:
            return False
    try:
        return isinstance(orjson.loads(first), dict)
    except orjson.JSONDecodeError:
        return False


def json_of(file: Path) -> Any:
    """Return what a file of JSON holds.

    Raises:
        InvalidInputError: It is no JSON.
    """
    try:
        return orjson.loads(file.read_bytes())
    except orjson.JSONDecodeError as error:
        raise InvalidInputError(f"{file} is no JSON: {error}") from None


def json_lines_of(file: Path) -> Iterator[tuple[int, Any, str | None]]:
    """Yield each line that is not blank: its number from 0, its value, and why it has none."""
    with file.open("rb") as stream:
        for number, line in enumerate(stream):
            if line.strip():
                try:
                    yield number, orjson.loads(line), None
                except orjson.JSONDecodeError as error:
                    yield number, None, f"the line is no JSON: {error}"


def table_of(file: Path) -> str | None:
    """Return which table of an export a file of Arrow or Parquet is, by its columns; None for none.

    Raises:
        InvalidInputError: It cannot be read.
    """
    with reading(file):
        if file.suffix.lower() == ".parquet":
            columns = set(pq.read_schema(file).names)
        else:
            with pa.memory_map(str(file)) as source, _opened(source) as reader:
                columns = set(reader.schema.names)
    return next((name for name, schema in SCHEMAS.items() if columns == set(schema.names)), None)


def arrow_batches(file: Path) -> Iterator[pa.RecordBatch]:
    """Yield what a file of Parquet, or of Arrow as a file or a stream, holds.

    Raises:
        InvalidInputError: It cannot be read.
    """
    with reading(file):
        if file.suffix.lower() == ".parquet":
            with pq.ParquetFile(file) as table:
                yield from table.iter_batches(_ROWS_AT_ONCE)
            return
        with pa.memory_map(str(file)) as source, _opened(source) as reader:
            if isinstance(reader, pa.RecordBatchFileReader):
                yield from map(reader.get_batch, range(reader.num_record_batches))
            else:
                yield from reader


def _opened(source: pa.MemoryMappedFile) -> pa.RecordBatchFileReader | pa.RecordBatchStreamReader:
    begins = source.read(len(_ARROW_FILE))
    source.seek(0)
    return pa.ipc.open_file(source) if begins == _ARROW_FILE else pa.ipc.open_stream(source)


@contextmanager
def reading(file: Path) -> Iterator[None]:
    """Say of what Arrow cannot read that it is bad input; damaged pages are an OSError to it."""
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        raise InvalidInputError(f"{file} cannot be read: {error}") from error


def rows_within(file: Path, *, has_head: bool) -> int | None:
    """Return how many rows a file or an export has, where that is found out fast.

    Args:
        file: Or a folder of Parquet.
        has_head: Whether the first line of JSON Lines says what the file is, and is no row.
    """
    try:
        if file.is_dir():
            return sum(int(pq.read_metadata(each).num_rows) for each in file.glob("*.parquet"))
        if file.suffix.lower() == ".parquet":
            return int(pq.read_metadata(file).num_rows)
        if holds_lines(file):
            with file.open("rb") as stream:
                ends, last = 0, b"\n"
                while part := stream.read(_BYTES_AT_ONCE):
                    ends, last = ends + part.count(b"\n"), part[-1:]
                return ends + (last != b"\n") - has_head
    except (OSError, pa.ArrowException):
        pass  # who reads it says what is wrong with it
    return None

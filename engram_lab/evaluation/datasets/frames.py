"""Any user's own data: memories, queries and judgements, as frames or as files of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import orjson
import polars as pl

from engram_lab.core.clock import parse_time
from engram_lab.core.errors import DatasetMissingError, InvalidInputError, InvalidRunError, shown
from engram_lab.evaluation.datasets.dataset import MEMORIES, QRELS, QUERIES, DataFile, Dataset
from engram_lab.evaluation.datasets.reading import check_options, digest, json_lines

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["framed", "read_frames", "read_paths"]

_SCHEMAS: Final = {"memories": MEMORIES, "queries": QUERIES, "qrels": QRELS}

_REQUIRED: Final = {
    "memories": ("id", "content"),
    "queries": ("id", "text"),
    "qrels": ("query_id", "memory_id", "relevance"),
}

_TABLES: Final[tuple[str, ...]] = (".parquet", ".jsonl")
_JUDGEMENTS: Final[tuple[str, ...]] = (*_TABLES, ".tsv", ".trec", ".txt")
"""What `qrels` may end with: besides tables, the lines of TREC or BEIR."""

_DEFAULT_CORPUS: Final = "main"
_LIMIT: Final = 1 << 31


@dataclass(frozen=True, kw_only=True, slots=True)
class _Table:
    """Columns as they were given, and where each row lies."""

    name: str
    columns: Mapping[str, Sequence[Any]]
    height: int
    place: Callable[[int], str]


def read_frames(folder: Path, *, id: str, options: Mapping[str, str]) -> Dataset:  # noqa: A002
    """Read a folder of `memories`, `queries` and `qrels`.

    Memories and queries end in `.parquet` or `.jsonl`; judgements also in `.tsv`, `.trec` or
    `.txt`. For columns see `Dataset.from_frames`.

    Args:
        folder: Where the files lie.
        id: The name of the data set.
        options: None are known.

    Raises:
        DatasetMissingError: A file is not there.
        InvalidInputError: There are two of a kind, or a row is wrong; the message names the file,
            the line or row, and the column.
        InvalidRunError: The judgements cannot be read.
    """
    check_options(options, {}, reader="frames")
    return read_paths(
        memories=_file(folder, "memories", _TABLES),
        queries=_file(folder, "queries", _TABLES),
        qrels=_file(folder, "qrels", _JUDGEMENTS),
        id=id,
    )


def read_paths(*, memories: Path, queries: Path, qrels: Path, id: str) -> Dataset:  # noqa: A002
    """Read three files that may lie anywhere; see `read_frames`."""
    from engram_lab.evaluation.runs.trec import read_qrels

    for path, name, endings in (
        (memories, "memories", _TABLES),
        (queries, "queries", _TABLES),
        (qrels, "qrels", _JUDGEMENTS),
    ):
        if not path.is_file():
            raise DatasetMissingError(f"there is no file {path}")
        if path.suffix not in endings:
            raise InvalidInputError(
                f"{path.name} cannot be read as {name}: it must end in {' or '.join(endings)}"
            )
    paths = (memories, queries, qrels)
    return Dataset(
        id=id,
        memories=_frame(_loaded(memories, "memories")),
        queries=_frame(_loaded(queries, "queries")),
        qrels=read_qrels(qrels),
        files=tuple(
            DataFile(name=path.name, sha256=digest(path), size=path.stat().st_size)
            for path in paths
        ),
    )


def framed(
    *, memories: Any, queries: Any, qrels: Any
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Return the three frames of a data set from whatever holds their columns.

    Args:
        memories: See `Dataset.from_frames`.
        queries: Likewise.
        qrels: Likewise.

    Raises:
        InvalidInputError: See `Dataset.from_frames`.
    """
    return (
        _frame(_table(memories, "memories")),
        _frame(_table(queries, "queries")),
        _frame(_table(qrels, "qrels")),
    )


def _file(folder: Path, name: str, endings: Sequence[str]) -> Path:
    found = [folder / f"{name}{each}" for each in endings if (folder / f"{name}{each}").is_file()]
    if not found:
        raise DatasetMissingError(
            f"there is no {name} in {folder}: it must be {name}{f' or {name}'.join(endings)}"
        )
    if len(found) > 1:
        names = " and ".join(path.name for path in found)
        raise InvalidInputError(f"{folder} holds {names}: leave one of them")
    return found[0]


def _loaded(path: Path, name: str) -> _Table:
    if path.suffix == ".parquet":
        try:
            frame = pl.read_parquet(path)
        except (pl.exceptions.PolarsError, OSError) as error:
            raise InvalidRunError(f"is no Parquet ({error})", file=path.name) from error
        return _of_frame(frame, name, lambda row: f"{path.name}, row {row}")
    numbers, rows = [], []
    for number, found in json_lines(path):
        numbers.append(number)
        rows.append(found)
    return _of_rows(rows, name, lambda row: f"{path.name}, line {numbers[row]}")


def _table(given: Any, name: str) -> _Table:
    if isinstance(given, list | tuple):
        return _of_rows(given, name, lambda row: f"{name}, row {row}")
    if isinstance(given, pl.LazyFrame):
        given = given.collect()
    try:
        frame = given if isinstance(given, pl.DataFrame) else pl.DataFrame(given)
    except Exception as error:
        raise InvalidInputError(
            f"{name} are {type(given).__name__}: give a frame of Polars, Arrow or pandas, "
            "or a list of mappings"
        ) from error
    return _of_frame(frame, name, lambda row: f"{name}, row {row}")


def _of_frame(frame: pl.DataFrame, name: str, place: Callable[[int], str]) -> _Table:
    columns = {column.name: column.to_list() for column in frame}
    return _Table(name=name, columns=columns, height=frame.height, place=place)


def _of_rows(rows: Sequence[Any], name: str, place: Callable[[int], str]) -> _Table:
    names: dict[str, None] = {}
    for index, row in enumerate(rows):
        if not isinstance(row, Mapping):
            raise InvalidInputError(
                f"{place(index)} is {type(row).__name__}: it must be a mapping of columns"
            )
        names.update(dict.fromkeys(row))
    columns = {column: [row.get(column) for row in rows] for column in names}
    return _Table(name=name, columns=columns, height=len(rows), place=place)


def _frame(table: _Table) -> pl.DataFrame:
    schema = _SCHEMAS[table.name]
    where = table.place(0).rpartition(",")[0] if table.height else table.name
    for column in table.columns:
        if column not in schema:
            hint = "; what else a memory has goes into fields" if table.name == "memories" else ""
            raise InvalidInputError(
                f"{where}: there is no column {shown(column)}: known are {', '.join(schema)}{hint}"
            )
    required = _REQUIRED[table.name]
    if missing := [each for each in required if table.height and each not in table.columns]:
        raise InvalidInputError(
            f"{where}: the column {missing[0]!r} is missing: required are {', '.join(required)}"
        )
    made = {
        column: pl.Series(column, _column(table, column, required=column in required), dtype=dtype)
        for column, dtype in schema.items()
    }
    return pl.DataFrame(made, schema=schema)


def _column(table: _Table, column: str, *, required: bool) -> list[Any]:
    values = table.columns.get(column)
    default = _DEFAULT_CORPUS if column == "corpus" else None
    if values is None:
        return [default] * table.height
    convert: Callable[[Any], Any] = _CONVERSIONS.get(column, _text)
    converted = []
    for row, value in enumerate(values):
        if value is None and not required:
            converted.append(default)
            continue
        try:
            if value is None:
                raise ValueError("must not be empty")  # noqa: TRY301 - said where it is caught
            converted.append(convert(value))
        except ValueError as error:
            raise InvalidInputError(f"{table.place(row)}, column {column!r}: {error}") from error
    return converted


def _text(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise ValueError(f"{shown(value)} must be a text")  # noqa: TRY004 - one error for both
    return value


def _filled(value: Any) -> str:
    if not (text := _text(value)).strip():
        raise ValueError("must not be empty")
    return text


def _whole(value: Any) -> int:
    whole = isinstance(value, bool | int) or (isinstance(value, float) and value.is_integer())
    if not whole or not -_LIMIT <= value < _LIMIT:
        raise ValueError(f"{shown(value)} must be a whole number from {-_LIMIT} to {_LIMIT - 1}")
    return int(value)


def _time(value: Any) -> datetime:
    return parse_time(value, field="it")


def _fields(value: Any) -> str:
    try:
        found = orjson.loads(value) if isinstance(value, str) else value
        if isinstance(found, Mapping):
            return orjson.dumps(dict(found), option=orjson.OPT_SORT_KEYS).decode()
    except (orjson.JSONDecodeError, TypeError) as error:
        raise ValueError(f"{shown(value)} must be a JSON object ({error})") from error
    raise ValueError(f"{shown(value)} must be a JSON object")


_CONVERSIONS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "id": _filled,
    "content": _filled,
    "text": _filled,
    "corpus": _filled,
    "query_id": _filled,
    "memory_id": _filled,
    "relevance": _whole,
    "position": _whole,
    "event_at": _time,
    "asked_at": _time,
    "fields": _fields,
}
"""How a value of a column is read; all others are texts."""

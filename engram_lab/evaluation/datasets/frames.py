"""Any user's own data: memories, queries and judgements, as frames or as files of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from engram_lab.core.errors import DatasetMissingError, InvalidInputError, InvalidRunError, shown
from engram_lab.evaluation.datasets.columns import converted, plain
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
_JUDGEMENTS: Final[tuple[str, ...]] = (*_TABLES, ".json", ".tsv", ".trec", ".qrels", ".txt")
"""What `qrels` may end with: besides tables, the lines of TREC or BEIR."""

_DEFAULT_CORPUS: Final = "main"

_KEYS: Final = {
    "memories": ("id",),
    "queries": ("id",),
    "qrels": ("query_id", "memory_id"),
}
"""What no two rows share."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Table:
    """Columns as they were given, and where each row lies."""

    name: str
    columns: Mapping[str, Sequence[Any]]
    height: int
    place: Callable[[int], str]

    @property
    def where(self) -> str:
        """The name of its file; without one, its own."""
        return self.place(0).rpartition(",")[0] if self.height else self.name


def read_frames(folder: Path, *, id: str, options: Mapping[str, str]) -> Dataset:  # noqa: A002
    """Read a folder of `memories`, `queries` and `qrels`.

    Memories and queries end in `.parquet` or `.jsonl`; judgements also in `.json`, `.tsv`, `.trec`,
    `.qrels` or `.txt`. For columns see `Dataset.from_frames`.

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
    remembered, asked = _placed(_loaded(memories, "memories"), _loaded(queries, "queries"))
    judged = read_qrels(qrels)
    _check_known(remembered, asked, judged, lambda row: f"{qrels.name}, judgement {row + 1}")
    return Dataset(
        id=id,
        memories=remembered,
        queries=asked,
        qrels=judged,
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
    remembered, asked = _placed(_table(memories, "memories"), _table(queries, "queries"))
    judged = _table(qrels, "qrels")
    frame = _frame(judged)
    _check_known(remembered, asked, frame, judged.place)
    return remembered, asked, frame


def _placed(memories: _Table, queries: _Table) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return both frames, the corpus that one leaves out being the only one of the other."""
    tables = (memories, queries)
    frames = [_frame(each) for each in tables]
    silent = [not each.height or "corpus" not in each.columns for each in tables]
    if silent[0] == silent[1]:
        return frames[0], frames[1]
    at = silent.index(True)
    named = frames[1 - at]["corpus"].unique(maintain_order=True).to_list()
    if tables[at].height and len(named) > 1:
        raise InvalidInputError(
            f"{tables[at].where}: the column 'corpus' is missing, and {tables[1 - at].where} has "
            f"{', '.join(map(shown, named[:3]))}: say of each row where it belongs"
        )
    frames[at] = frames[at].with_columns(corpus=pl.lit(named[0]))
    return frames[0], frames[1]


def _check_known(
    memories: pl.DataFrame, queries: pl.DataFrame, qrels: pl.DataFrame, place: Callable[[int], str]
) -> None:
    """Refuse a judgement of what is not there."""
    for column, frame in (("query_id", queries), ("memory_id", memories)):
        lost = (~qrels[column].is_in(frame["id"].implode())).arg_true()
        if lost.len():
            row = int(lost[0])
            raise InvalidInputError(
                f"{place(row)}: it names the unknown {column} {shown(qrels[column][row])} "
                f"({lost.len()} such rows): leave out what is not there"
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
    if given is None:
        raise InvalidInputError(f"there are no {name}: give a frame, or an empty list")
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
    where = table.where
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
    frame = pl.DataFrame(made, schema=schema)
    key = _KEYS[table.name]
    if (
        again := (~frame.select(pl.struct(key).is_first_distinct()).to_series())
        .arg_true()
        .to_list()
    ):
        said = " and ".join(shown(each) for each in frame.select(key).row(again[0]))
        raise InvalidInputError(
            f"{table.place(again[0])}, column {key[-1]!r}: a row before it has {said} "
            "already: each must be there once"
        )
    return frame


def _column(table: _Table, column: str, *, required: bool) -> list[Any]:
    values = table.columns.get(column)
    default = _DEFAULT_CORPUS if column == "corpus" else None
    if values is None:
        return [default] * table.height
    found = []
    for row, given in enumerate(values):
        value = plain(given)
        if value is None and not required:
            found.append(default)
            continue
        try:
            if value is None:
                raise ValueError("must not be empty")  # noqa: TRY301 - said where it is caught
            found.append(converted(column, value))
        except ValueError as error:
            raise InvalidInputError(f"{table.place(row)}, column {column!r}: {error}") from error
    return found

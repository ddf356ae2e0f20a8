"""Rows from whatever holds rows: dicts, Arrow tables and streams, Polars frames."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from engram_lab.core.errors import InvalidInputError

__all__ = ["in_workspace", "iter_rows", "rows_in", "rows_of"]

_ROWS_AT_ONCE = 4096


def iter_rows(source: object, *, workspace: str | None = None) -> Iterator[Mapping[str, Any]]:
    """Yield the rows of a source one by one, as mappings.

    Args:
        source: An iterable of mappings, or anything that gives an Arrow stream: a table, record
            batch or reader of pyarrow, a Polars frame, a DuckDB relation.
        workspace: For rows that name none.

    Raises:
        InvalidInputError: It is none of these, or holds a value that Python cannot.
    """
    rows = _rows_in(source)
    return rows if workspace is None else (in_workspace(row, workspace) for row in rows)


def _rows_in(source: object) -> Iterator[Mapping[str, Any]]:
    if hasattr(source, "__arrow_c_stream__"):
        try:
            return _arrow_rows(pa.RecordBatchReader.from_stream(source))
        except pa.ArrowInvalid:
            raise InvalidInputError(
                f"a {type(source).__name__} holds one column and no rows: give a table or a frame"
            ) from None
    if isinstance(source, Mapping):
        raise InvalidInputError("this is one row: put it in a list, or call remember")
    if isinstance(source, str | bytes) or not isinstance(source, Iterable):
        raise InvalidInputError(
            f"a {type(source).__name__} holds no rows: give an iterable of dicts, an Arrow table "
            "or stream, or a Polars frame (of a LazyFrame, its .collect())"
        )
    return iter(source)


def _arrow_rows(batches: Iterable[pa.RecordBatch]) -> Iterator[Mapping[str, Any]]:
    for batch in batches:
        for start in range(0, batch.num_rows, _ROWS_AT_ONCE):
            yield from rows_of(batch.slice(start, _ROWS_AT_ONCE))


def rows_in(source: object) -> int | None:
    """Return how many rows a source holds, where it can tell without giving them."""
    for name in ("num_rows", "height"):  # of Arrow, of Polars
        rows = getattr(source, name, None)
        if isinstance(rows, int):
            return rows
    # Not of all that have a length: to tell it, a relation of DuckDB runs its query.
    return len(source) if isinstance(source, Sequence) else None


def rows_of(batch: pa.RecordBatch) -> list[dict[str, Any]]:
    """Return the rows of a batch.

    Raises:
        InvalidInputError: One holds a value that Python cannot, such as a time in the year 10000.
    """
    try:
        rows: list[dict[str, Any]] = batch.to_pylist()
    except (ValueError, OverflowError) as error:
        raise InvalidInputError(f"a value is out of range: {error}") from error
    return rows


def in_workspace(row: Any, workspace: str | None) -> Any:
    """Return the row in a workspace, where it names none itself."""
    if workspace is None or not isinstance(row, Mapping) or row.get("workspace") is not None:
        return row
    return {**row, "workspace": workspace}

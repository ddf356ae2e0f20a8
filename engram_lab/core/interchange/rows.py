"""Rows from whatever holds rows: dicts, Arrow tables and streams, Polars frames."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pyarrow as pa

from engram_lab.core.errors import InvalidInputError

__all__ = ["iter_rows"]

_ROWS_AT_ONCE = 4096


def iter_rows(source: object) -> Iterator[Mapping[str, Any]]:
    """Yield the rows of a source one by one, as mappings.

    Args:
        source: An iterable of mappings, or anything that gives an Arrow stream: a table, record
            batch or reader of pyarrow, a Polars frame, a DuckDB relation.

    Raises:
        InvalidInputError: It is none of these.
    """
    if hasattr(source, "__arrow_c_stream__"):
        return _arrow_rows(pa.RecordBatchReader.from_stream(source))
    if isinstance(source, pa.RecordBatch):
        return _arrow_rows([source])
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
            yield from batch.slice(start, _ROWS_AT_ONCE).to_pylist()

"""What the files of an export are called and how their rows are written as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pyarrow as pa

__all__ = ["FORMAT_NAME", "FORMAT_VERSION", "MANIFEST", "json_lines", "manifest_of"]

FORMAT_NAME: Final = "engram-lab"
FORMAT_VERSION: Final = 1
MANIFEST: Final = "manifest.json"


def json_lines(batches: Iterable[pa.RecordBatch], **first: str) -> Iterator[bytes]:
    """Yield each row as one line of JSON without its line break; `first` are fields put in front.

    Times are ISO 8601 in UTC, numbers in their shortest exact form, metadata a JSON object.
    """
    for batch in batches:
        for row in batch.to_pylist():
            if "metadata" in row:
                row["metadata"] = orjson.Fragment(row["metadata"])
            yield orjson.dumps({**first, **row}, option=orjson.OPT_UTC_Z)


def manifest_of(tables: dict[str, dict[str, Any]]) -> bytes:
    """Return the manifest of an export: no time and no name in it, so that equal stores agree."""
    content = {"format": FORMAT_NAME, "version": FORMAT_VERSION, "tables": tables}
    return orjson.dumps(content, option=orjson.OPT_INDENT_2) + b"\n"

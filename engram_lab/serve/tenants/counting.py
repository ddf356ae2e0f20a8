"""How many memories a file holds at most, found out before it is taken in."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from engram_lab.core.errors import InvalidInputError
from engram_lab.core.interchange.reading import TABLES, arrow_batches, reading, table_of
from engram_lab.serve.errors import InvalidRequestError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["rows_of"]

_PIECE: Final = 262_144
_FIELD: Final = b"content"
_SPELLED: Final = re.compile(
    b'"' + b"".join(rb"(?:%c|\\u00(?i:%02x))" % (each, each) for each in _FIELD) + b'"'
)
"""In JSON this stands once in a memory: within a text its quotes would be escaped. Each letter of
a name may be written as its number, too."""

_LONGEST: Final = 2 + 6 * len(_FIELD)


def rows_of(path: Path) -> int:
    """Return how many memories a file has at most, without reading all of it into memory.

    Raises:
        InvalidRequestError: It is not what its name says.
    """
    if path.suffix in TABLES:
        return _rows_of_table(path)
    rows, tail = 0, b""
    with path.open("rb") as opened:
        while piece := opened.read(_PIECE):
            piece, ended = tail + piece, 0
            for found in _SPELLED.finditer(piece):
                rows, ended = rows + 1, found.end()
            tail = piece[max(ended, len(piece) - _LONGEST + 1) :]
    return rows


def _rows_of_table(path: Path) -> int:
    import pyarrow.parquet as pq

    try:
        if table_of(path) not in {None, "memories"}:  # others hold none that are new
            return 0
        if path.suffix != ".parquet":
            return sum(batch.num_rows for batch in arrow_batches(path))
        with reading(path):
            about = pq.ParquetFile(path).metadata
        groups = range(about.num_row_groups)
        rows = sum(int(about.row_group(each).num_rows) for each in groups)
        return max(int(about.num_rows), rows)
    except InvalidInputError as error:
        said = str(error).replace(str(path), "it")
        kind = "Parquet" if path.suffix == ".parquet" else "Arrow"
        raise InvalidRequestError(f"the file is no {kind} file ({said})") from None

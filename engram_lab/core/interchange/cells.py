"""Memories from tables of text, `.csv` and `.tsv`, whose cells are read by the column's name.

The columns are those of a frame: `content` and any other field of a memory. A cell without anything
in it says nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import orjson

from engram_lab.core.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

__all__ = ["SEPARATORS", "cell_rows"]

SEPARATORS: Final = {".csv": ",", ".tsv": "\t"}
"""What parts the cells of a file, by its ending."""


def cell_rows(file: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of a table of text, in UTF-8, with the names of the columns in its first line.

    `tags` are parted by commas or a list of JSON, `metadata` is an object of JSON, `importance` a
    number, `pinned` true or false; all else is taken as it stands.

    Raises:
        InvalidInputError: The file is no such table.
    """
    import polars as pl

    try:
        table = pl.read_csv(file, separator=SEPARATORS[file.suffix.lower()], infer_schema=False)
    except (pl.exceptions.PolarsError, OSError) as error:
        fault = str(error).strip().partition("\n")[0]
        raise InvalidInputError(f"{file} cannot be read: {fault}") from None
    for row in table.iter_rows(named=True):
        yield {
            name: cell if cell is None or name not in _READ else _READ[name](cell)
            for name, cell in row.items()
        }


def _number(cell: str) -> object:
    try:
        return float(cell)
    except ValueError:
        return cell  # whoever checks the row says what is wrong with it


def _flag(cell: str) -> object:
    return {"true": True, "false": False}.get(cell.strip().lower(), cell)


def _tags(cell: str) -> object:
    if cell.lstrip().startswith("["):
        try:
            return orjson.loads(cell)
        except orjson.JSONDecodeError:
            return cell
    return [each.strip() for each in cell.split(",") if each.strip()]


_READ: Final[dict[str, Callable[[str], object]]] = {
    "importance": _number,
    "pinned": _flag,
    "tags": _tags,
}

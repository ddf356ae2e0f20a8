"""The indexes beside a memory, derived from its row: its words, its tags, its metadata.

Words and tags are taken from the row by SQLite itself, many rows with one statement.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from engram_lab.core.metadata import Scalar, leaves

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    import apsw

__all__ = [
    "ALL_PARTS",
    "Part",
    "PathRow",
    "index_parts",
    "index_rows",
    "metadata_value",
    "path_rows",
    "unindex",
]

PathRow = tuple[str, str | int | float | bytes, int]
Part = Literal["text", "tags", "metadata"]

_ADD_TEXT: Final = (
    "INSERT INTO memories_fts (rowid, content, tags) "
    "SELECT pk, content, tags FROM searchable WHERE pk BETWEEN ? AND ?"
)
_ADD_TAGS: Final = (
    "INSERT INTO memory_tags SELECT each.value, m.pk "
    "FROM memories AS m, json_each(m.tags) AS each WHERE m.pk BETWEEN ? AND ?"
)
_ADD_PATH: Final = "INSERT OR IGNORE INTO memory_metadata VALUES (?, ?, ?)"
_DROP_TEXT: Final = (
    "INSERT INTO memories_fts (memories_fts, rowid, content, tags) "
    "SELECT 'delete', pk, content, tags FROM searchable WHERE pk = ?"
)
_DROP_TAGS: Final = (
    "DELETE FROM memory_tags WHERE pk = ?1 "
    "AND tag IN (SELECT value FROM memories, json_each(tags) WHERE pk = ?1)"
)
ALL_PARTS: Final[tuple[Part, ...]] = get_args(Part)
_DROP_PATH: Final = "DELETE FROM memory_metadata WHERE path = ? AND value = ? AND pk = ?"


def metadata_value(value: Scalar) -> str | int | float | bytes:
    """Return the scalar as `memory_metadata.value` holds it: booleans are blobs."""
    if isinstance(value, bool):
        return b"\x01" if value else b"\x00"
    return value


def path_rows(pk: int, found: list[tuple[str, Scalar]]) -> list[PathRow]:
    """Return the rows of `memory_metadata` for the leaves of one memory's metadata."""
    return [(path, metadata_value(value), pk) for path, value in found]


def index_rows(
    connection: apsw.Connection,
    first: int,
    last: int,
    paths: list[PathRow],
) -> None:
    """Write the entries of the rows from `first` to `last`, which were just written.

    `paths` are their `path_rows`. A forgotten memory has no words to be found by.
    """
    connection.execute(_ADD_TEXT, (first, last))
    connection.execute(_ADD_TAGS, (first, last))
    connection.executemany(_ADD_PATH, paths)


def unindex(
    connection: apsw.Connection,
    pk: int,
    metadata: Mapping[str, Any],
    parts: Collection[Part] = ALL_PARTS,
) -> None:
    """Remove the entries of a row that is about to change; `metadata` is what it holds still.

    Those of its text hold its tags, too: where these change, both parts do.
    """
    if "text" in parts:
        connection.execute(_DROP_TEXT, (pk,))
    if "tags" in parts:
        connection.execute(_DROP_TAGS, (pk,))
    if "metadata" in parts:
        connection.executemany(_DROP_PATH, path_rows(pk, leaves(metadata)))


def index_parts(
    connection: apsw.Connection,
    pk: int,
    metadata: Mapping[str, Any],
    parts: Collection[Part] = ALL_PARTS,
) -> None:
    """Write what `unindex` removed, of the row as it is now; `metadata` is what it holds."""
    if "text" in parts:
        connection.execute(_ADD_TEXT, (pk, pk))
    if "tags" in parts:
        connection.execute(_ADD_TAGS, (pk, pk))
    if "metadata" in parts:
        connection.executemany(_ADD_PATH, path_rows(pk, leaves(metadata)))

"""What a store of memories is, whatever holds it.

A store speaks of memories, filters and changes. Nothing here says SQL, row or file, so that another
database can take the place of SQLite; `engram_lab.testing` will tell whether it does so faithfully.

Guarantees of every method that writes: it is one transaction, all or nothing; once it returns, what
it wrote is as durable as the store's settings say; it is in the change log. Guarantees of every
method that reads: it changes nothing, and shows no memory that is expired, nor one out of the reach
of whoever asks. Not guaranteed: that two reads see the same state, unless within one `snapshot`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engram_lab.core.reports import (
        RefusedRow,
    )


class Chunk(NamedTuple):
    """Some rows of one exported table, each with its position in the input.

    `rows` have every column of the table's schema, in its types; `refused` are rows that had not.
    """

    table: str
    rows: Sequence[tuple[int, Mapping[str, Any]]]
    refused: Sequence[RefusedRow] = ()

"""A DuckDB connection over the tables of a store that is always up to date."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, Self

import pyarrow as pa

from engram_lab.core.schemas import SCHEMAS

if TYPE_CHECKING:
    import duckdb

    from engram_lab.core.protocols import Store
    from engram_lab.core.selection import Selection

__all__ = ["LiveDuckDB"]

_WORD = re.compile(r"\w+")
_ROWS_AT_ONCE: Final = 16_384


class LiveDuckDB:
    """A DuckDB connection in which the tables of a store can be queried live.

    Before each query, the tables that were ever named are taken over anew if the store has changed
    since: all of one moment, by Arrow, without a copy on disk. What DuckDB offers beside that is
    reached as on its own connection (`.register`, `.close` …).
    """

    def __init__(self, store: Store, selection: Selection) -> None:
        import duckdb

        self._store = store
        self._selection = selection
        self._connection = duckdb.connect()
        self._connection.execute("SET TimeZone = 'UTC'")
        self._seen: dict[str, tuple[tuple[int, int], int]] = {}

    def sql(self, query: str, *, params: object = None) -> duckdb.DuckDBPyRelation:
        """Return the relation of a query; `.pl()`, `.arrow()`, `.fetchall()` … bring its rows."""
        self._refresh(query)
        return self._connection.sql(query, params=params)

    def execute(self, query: str, parameters: object = None) -> duckdb.DuckDBPyConnection:
        """Run a query and return the connection to fetch from."""
        self._refresh(query)
        return self._connection.execute(query, parameters)

    def _refresh(self, query: str) -> None:
        # The count tells of memories that have expired since, which no commit does.
        state = (self._store.revision(), self._store.memories.count(self._selection))
        # Any word may name a table: DuckDB's own `get_table_names` leaves out those that are
        # registered already and those that views stand on, and it refuses parameters.
        named = SCHEMAS.keys() & set(_WORD.findall(query.lower()))
        stale = [name for name in self._seen.keys() | named if self._seen.get(name) != state]
        if not stale:
            return
        with self._store.tables.snapshot() as scan:
            for name in stale:
                batches = scan(name, self._selection, batch_rows=_ROWS_AT_ONCE)
                table = pa.Table.from_batches(batches, schema=SCHEMAS[name])
                self._connection.register(name, table)
                self._seen[name] = state

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._connection.close()

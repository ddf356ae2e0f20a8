"""A DuckDB connection over the tables of a store that is always up to date."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from engram_lab.core.schemas import SCHEMAS

if TYPE_CHECKING:
    import duckdb

    from engram_lab.core.protocols import Store
    from engram_lab.core.selection import Selection

__all__ = ["LiveDuckDB"]


class LiveDuckDB:
    """A DuckDB connection in which the tables of a store can be queried live.

    Before each query, the tables that it names are taken over anew if the store has changed since:
    by Arrow, without a copy on disk. What DuckDB offers beside that is reached as on its own
    connection (`.register`, `.close` …).
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
        for name in self._connection.get_table_names(query) & SCHEMAS.keys():
            if self._seen.get(name) != state:
                table = self._store.tables.scan(name, self._selection).read_all()
                self._connection.register(name, table)
                self._seen[name] = state

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._connection.close()

"""A DuckDB connection over the tables of a store that is always up to date."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, Self

import pyarrow as pa

from engram_lab.core.clock import SystemClock
from engram_lab.core.interchange.graph import FOLLOWING, MOMENT
from engram_lab.core.schemas import SCHEMAS

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    import duckdb

    from engram_lab.core.protocols import Store
    from engram_lab.core.selection import Selection

__all__ = ["LiveDuckDB"]

_WORD = re.compile(r"\w+")
_CALLED = re.compile(r'(\w+)"?\s*\(')
_ROWS_AT_ONCE: Final = 16_384


class LiveDuckDB:
    """A DuckDB connection in which the tables of a store can be queried live.

    Before each query, the tables that were ever named are taken over anew if the store has changed
    since: all of one moment, by Arrow, without a copy on disk. What DuckDB offers beside that is
    reached as on its own connection (`.register`, `.close` …).

    Functions follow the links of the tables in a query: `FROM reachable('…', max_depth := 3)`.

    | function | gives |
    |---|---|
    | `links_at()` | the links that hold |
    | `reachable(start)` | `id`, `depth` and `weight` of what links lead to |
    | `paths(start, target)` | `ids`, `links`, `depth` and `weight` of the heaviest paths |
    | `degrees()` | `degree`, `out_degree`, `in_degree` and `strength` of each memory |
    | `components()` | the `component` of each memory, by its smallest id, and its `size` |

    All take a `moment`, now unless given. The second and third also take `max_depth` (4 links, at
    most 10), `direction` (`'out'`, `'in'` or `'both'`), `types` (a list) and `min_weight`, the
    third `most` (10 paths). Links of archived memories are in the tables where the selection says
    `archived`.

    Args:
        store: Whose tables.
        selection: What of them.
        now: Tells the moment of which links are asked; the machine's clock unless given.
    """

    def __init__(
        self, store: Store, selection: Selection, *, now: Callable[[], datetime] | None = None
    ) -> None:
        import duckdb

        self._store = store
        self._selection = selection
        self._now = now or SystemClock().now
        self._follows = False
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
        follows = bool(FOLLOWING.keys() & set(_CALLED.findall(query.lower())))
        if follows:
            named = named | {"links", "memories"}
        stale = [name for name in self._seen.keys() | named if self._seen.get(name) != state]
        if stale:
            self._take_over(stale, state)
        if follows and not self._follows:  # once what they stand on is there
            for made in FOLLOWING.values():
                self._connection.execute(made)
            self._follows = True
        if self._follows:
            self._connection.execute(f"SET VARIABLE {MOMENT} = $1", [self._now()])

    def _take_over(self, stale: list[str], state: tuple[tuple[int, int], int]) -> None:
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

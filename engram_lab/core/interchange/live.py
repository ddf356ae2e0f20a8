"""A DuckDB connection over the tables of a store that is always up to date."""

from __future__ import annotations

import re
from contextlib import suppress
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Any, Final, Self

import pyarrow as pa

from engram_lab.core.clock import SystemClock
from engram_lab.core.interchange.graph import FOLLOWING, MOMENT
from engram_lab.core.progress import task
from engram_lab.core.schemas import SCHEMAS

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    import duckdb
    import polars as pl

    from engram_lab.core.protocols import Store
    from engram_lab.core.selection import Selection

__all__ = ["LiveDuckDB"]

_WORD = re.compile(r"\w+")
_CALLED = re.compile(r'(\w+)"?\s*\(')
_ROWS_AT_ONCE: Final = 16_384
_LOOK_S: Final = 0.1
"""How often whoever waits for a query looks up, where nothing wakes him for an interrupt."""
_AGAIN_S: Final = 0.02
"""How soon DuckDB is told again to stop: it forgets what it was told before a query began."""
_TIMES: Final = 250
"""How often, before it is left to itself."""


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
        self._store = store
        self._selection = selection
        self._now = now or SystemClock().now
        self._begin()

    def _begin(self) -> None:
        import duckdb

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

    def frame(self, query: str, *, params: object = None) -> pl.DataFrame | None:
        """Return what a query finds as a frame, and stop it where the keyboard interrupts.

        DuckDB itself looks for that now and then, and in a long query may never do so. What the
        connection holds stays; a transaction that was begun is rolled back. A query that does not
        stop is left to itself, and everything after it asks a new connection.

        Args:
            query: One statement or several, in order.
            params: Of the last of them.

        Returns:
            None for a query that finds nothing by its nature, such as `CREATE VIEW`.

        Raises:
            KeyboardInterrupt: It was interrupted.
        """
        self._refresh(query)  # here, as a transaction of the store belongs to a thread
        asking = _Asking(self._connection, query, params)
        try:
            with task("querying"):
                return asking.answer()
        except KeyboardInterrupt:
            stopped = False
            try:
                stopped = asking.stop()
            finally:
                if not stopped:
                    self._begin()
            raise

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


class _Asking:
    """One query that runs in a thread of its own, so that somebody can stop it."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, query: str, params: object) -> None:
        self._connection = connection
        self._query = query
        self._params = params
        self._lock = Lock()
        self._begun = self._given_up = False
        self._ended = Event()
        self._found: pl.DataFrame | None = None
        self._error: BaseException | None = None
        self._thread = Thread(target=self._ask, name="engram-query", daemon=True)

    def _ask(self) -> None:
        with self._lock:
            if self._given_up:  # before this thread came to run
                return
            self._begun = True
        try:
            relation = self._connection.sql(self._query, params=self._params)
            self._found = relation.pl() if _finds(self._query) else None
        except BaseException as error:  # noqa: BLE001 - raised where it is waited for
            self._error = error
        finally:
            self._ended.set()

    def answer(self) -> pl.DataFrame | None:
        """Run it, and return what it finds."""
        self._thread.start()
        while not self._ended.wait(_LOOK_S):
            pass
        if self._error is not None:
            raise self._error
        return self._found

    def stop(self) -> bool:
        """End it, and return whether it ended; a second interrupt is not waited for."""
        with self._lock:
            self._given_up = True
            if not self._begun:
                return True
        for _ in range(_TIMES):
            if self._ended.is_set():
                break
            self._connection.interrupt()
            self._ended.wait(_AGAIN_S)
        else:
            return False
        with suppress(Exception):  # there may be no transaction, and a broken one is of no use
            self._connection.execute("ROLLBACK")
        return True


def _finds(query: str) -> bool:
    """Return whether the last statement has an answer, as `CREATE VIEW` has none."""
    import duckdb

    statements = duckdb.extract_statements(query)
    nothing = duckdb.ExpectedResultType.NOTHING
    return bool(statements) and nothing not in statements[-1].expected_result_type

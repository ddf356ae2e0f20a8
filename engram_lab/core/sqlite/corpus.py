"""The memories by key, the number that an index knows each by: the `pk` of its row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import apsw
import numpy as np

from engram_lab.core.clock import to_us
from engram_lab.core.errors import InvalidInputError
from engram_lab.core.filters import ALWAYS, matches
from engram_lab.core.sqlite.bulk import Bulk
from engram_lab.core.sqlite.conditions import Where, of_rows, of_selection
from engram_lab.core.sqlite.relations import as_keys
from engram_lab.core.sqlite.rows import MEMORY_COLUMNS, fetch, memory_of, select_columns

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from engram_lab.core.filters import Filter
    from engram_lab.core.selection import Selection
    from engram_lab.core.types import Memory

__all__ = ["Corpus"]

_COLUMNS: Final = {private: select_columns("m", private=private) + "," for private in (False, True)}
_OF_KEYS: Final = "FROM carray(?) AS c CROSS JOIN memories AS m ON m.pk = c.value WHERE"
_ARCHIVED: Final = "SELECT pk FROM memories WHERE lifecycle = 'archived'"
_EXPIRED: Final = "SELECT pk FROM memories WHERE expires_at <= ?"
_FEW: Final = 1_000
"""Up to as many keys each is looked up; for more, what a filter holds of is gathered first."""


class Corpus(Bulk):
    """The memories of the store, each by its key; see `core.protocols.Corpus`."""

    def keys(self, selection: Selection) -> NDArray[np.int64]:
        """Return the keys of a selection of the present: int64 [n], rising.

        Raises:
            InvalidInputError: `as_of` in the selection; the past is not indexed.
            AccessDeniedError: An agent asks for private sections.
        """
        self._check(selection)
        where = of_selection(selection, self._context.access, self._context.now())
        sql = f"SELECT m.pk FROM memories AS m WHERE {where.sql} ORDER BY m.pk"
        with self._context.database.read() as connection:
            # No name holds the cursor: it must be gone before another thread has the connection.
            return np.fromiter(
                (pk for (pk,) in connection.execute(sql, where.values)),
                np.int64,
            )

    def hidden(self, selection: Selection, *, most: int = 1000) -> NDArray[np.int64] | None:
        """Return what a selection leaves out of all that may be searched, where that is little.

        Returns:
            int64 [n], rising; None where it is more than `most`, or the selection is a narrow one.
        """
        self._check(selection)
        if self._context.access.principal is not None or selection.is_narrow:
            return None
        sql = f"{'' if selection.archived else f'{_ARCHIVED} UNION ALL '}{_EXPIRED} LIMIT ?"
        now = to_us(self._context.now())
        with self._context.database.read() as connection:
            found = [pk for (pk,) in connection.execute(sql, (now, most + 1))]
        return None if len(found) > most else np.unique(np.array(found, np.int64))

    def visible(self, keys: NDArray[np.int64], selection: Selection) -> NDArray[np.bool_]:
        """Tell of each key whether the selection holds it: bool [n]. Raises what `keys` does."""
        self._check(selection)
        asked = as_keys(keys)
        if not len(asked):
            return np.zeros(0, np.bool_)
        where, left = self._condition(selection, len(asked))
        columns = "" if left == ALWAYS else _COLUMNS[False]
        sql = f"SELECT {columns} m.pk {_OF_KEYS} {where.sql}"
        values = (apsw.carray(asked), *where.values)
        with self._context.database.read() as connection:
            if left == ALWAYS:
                seen = {pk for (pk,) in connection.execute(sql, values)}
            else:
                rows = fetch(connection, sql, values)
                seen = {row[-1] for row in rows if matches(left, memory_of(row))}
        return np.fromiter(map(seen.__contains__, asked.tolist()), np.bool_, len(asked))

    def fetch(self, keys: NDArray[np.int64], selection: Selection) -> list[Memory | None]:
        """Return the memories in the order of keys, None where the selection holds none.

        All of one state. Raises what `keys` does.
        """
        self._check(selection)
        asked = as_keys(keys)
        if not len(asked):
            return []
        where, left = self._condition(selection, len(asked))
        # A filter is judged by what may be shown to all, whatever is asked for.
        public = _COLUMNS[False] if selection.private and left != ALWAYS else ""
        columns = _COLUMNS[selection.private] + public
        values = (apsw.carray(asked), *where.values)
        found: dict[int, Memory] = {}
        with self._context.database.read() as connection:
            for row in connection.execute(f"SELECT {columns} m.pk {_OF_KEYS} {where.sql}", values):
                memory = memory_of(row)
                shown_to_all = memory_of(row[len(MEMORY_COLUMNS) :]) if public else memory
                if left == ALWAYS or matches(left, shown_to_all):
                    found[row[-1]] = memory
        return [found.get(key) for key in asked.tolist()]

    def _condition(self, selection: Selection, count: int) -> tuple[Where, Filter]:
        """Return the condition on so many rows, and what of the filter it leaves to be judged."""
        access, now = self._context.access, self._context.now()
        if count <= _FEW:
            return of_rows(selection, access, now)
        return of_selection(selection, access, now), ALWAYS

    def _check(self, selection: Selection) -> None:
        if selection.as_of is not None:
            raise InvalidInputError("only the present has keys: leave out as_of")
        if selection.private:
            self._context.access.check_owner("read private sections")

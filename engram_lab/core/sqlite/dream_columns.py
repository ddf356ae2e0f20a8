"""What a dream reads: memories and links of a workspace as columns, texts, and what changed."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import apsw
import numpy as np
import orjson

from engram_lab.core.checks import check_limit, check_workspace
from engram_lab.core.clock import from_us, to_us
from engram_lab.core.errors import InvalidInputError, shown
from engram_lab.core.protocols import Changed, Details, LinkColumns, MemoryColumns
from engram_lab.core.sqlite.changes import next_number
from engram_lab.core.sqlite.relations import as_keys
from engram_lab.core.sqlite.rows import fetch

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from engram_lab.core.sqlite.context import Context

__all__ = ["DreamColumns"]

_AT_ONCE: Final = 8_192
_SECOND: Final = 1_000_000

_COLUMNS: Final[dict[str, tuple[str, type | None]]] = {
    "keys": ("m.pk", np.int64),
    "ids": ("m.id", None),
    "scopes": ("m.scope", None),
    "types": ("m.type", None),
    "content_hashes": ("coalesce(m.public_hash, m.content_hash)", None),
    "session_ids": ("m.session_id", None),
    "sources": ("m.source", None),
    "importance": ("m.importance", np.float64),
    "access_count": ("m.access_count", np.int64),
    "version": ("m.version", np.int64),
    "chars": ("length(coalesce(m.public_content, m.content))", np.int64),
    "pinned": ("m.pinned", np.bool_),
    "archived": ("m.lifecycle = 'archived'", np.bool_),
    "stale": ("m.lifecycle = 'stale'", np.bool_),
    "private": ("m.public_content IS NOT NULL", np.bool_),
    "turns": ("EXISTS (SELECT 1 FROM turns AS t WHERE t.pk = m.pk)", np.bool_),
    "created_at": ("m.created_at", np.float64),
    "updated_at": ("m.updated_at", np.float64),
    "accessed_at": ("m.last_accessed_at", np.float64),
    "event_at": ("m.event_at", np.float64),
    "valid_from": ("m.valid_from", np.float64),
    "valid_to": ("m.valid_to", np.float64),
    "expires_at": ("m.expires_at", np.float64),
}
"""What each column of `MemoryColumns` is read from, and of what type: None for a list."""

_LINK_COLUMNS: Final[dict[str, tuple[str, type | None]]] = {
    "ids": ("l.id", None),
    "from_keys": ("l.from_pk", np.int64),
    "to_keys": ("l.to_pk", np.int64),
    "types": ("l.type", None),
    "sources": ("l.source", None),
    "weights": ("l.weight", np.float64),
    "pinned": ("l.pinned", np.bool_),
    "created_at": ("l.created_at", None),
    "updated_at": ("l.updated_at", None),
    "valid_from": ("l.valid_from", np.float64),
    "valid_to": ("l.valid_to", np.float64),
}

_ALIVE: Final = "{m}.forgotten_at IS NULL AND ({m}.expires_at IS NULL OR {m}.expires_at > :now)"
_SEARCHED: Final = f"m.workspace = :workspace AND {_ALIVE.format(m='m')}"
_MEMORIES: Final = (
    f"SELECT {', '.join(sql for sql, _ in _COLUMNS.values())} "
    f"FROM {{among}} memories AS m WHERE {{joined}} {_SEARCHED} ORDER BY m.pk"
)
_LINKS: Final = (
    f"SELECT {', '.join(sql for sql, _ in _LINK_COLUMNS.values())} FROM {{among}} links AS l "
    "CROSS JOIN memories AS a ON a.pk = l.from_pk CROSS JOIN memories AS b ON b.pk = l.to_pk "
    "WHERE {joined} (l.valid_to IS NULL OR l.valid_to > :now) {typed} "
    "AND a.workspace = :workspace AND b.workspace = :workspace "
    f"AND {_ALIVE.format(m='a')} AND {_ALIVE.format(m='b')} ORDER BY l.id"
)
_TOUCHING: Final = (
    "(SELECT id FROM carray(:keys) AS c CROSS JOIN links ON from_pk = c.value "
    "UNION SELECT id FROM carray(:keys_again) AS c CROSS JOIN links ON to_pk = c.value) "
    "AS u CROSS JOIN"
)
_TEXTS: Final = (
    "SELECT m.pk, coalesce(m.public_content, m.content) "
    "FROM carray(?) AS c CROSS JOIN memories AS m ON m.pk = c.value WHERE m.forgotten_at IS NULL "
    "AND (m.expires_at IS NULL OR m.expires_at > ?)"
)
_DETAILS: Final = _TEXTS.replace("coalesce(m.public_content, m.content)", "m.tags, m.metadata")
_NONE: Final = Details((), {})
_CHANGED: Final = (
    "SELECT m.pk FROM (SELECT DISTINCT id FROM changes WHERE seq >= :first AND seq <= :last "
    "AND target IN ('memory', 'vector')) AS d "
    f"CROSS JOIN memories AS m ON m.id = d.id WHERE {_SEARCHED}"
)
_DREAMT: Final = (
    "SELECT first_seq, last_seq FROM dream_runs "
    "WHERE last_seq > ? AND first_seq <= ? AND first_seq <= last_seq ORDER BY first_seq"
)


class DreamColumns:
    """What dreams read of the store."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def columns(self, workspace: str, keys: NDArray[np.int64] | None = None) -> MemoryColumns:
        """Return the memories of a workspace as columns, all or those of some keys.

        Raises:
            AccessDeniedError: An agent asks.
            InvalidInputError: A malformed workspace, or keys that are no row of int64.
        """
        self._owner()
        values: dict[str, Any] = {
            "workspace": check_workspace(workspace),
            "now": to_us(self._context.now()),
        }
        if keys is None:
            sql = _MEMORIES.format(among="", joined="")
        else:
            asked = np.unique(as_keys(keys))
            if not len(asked):
                return MemoryColumns(**_gathered(iter(()), _COLUMNS))
            sql = _MEMORIES.format(
                among="carray(:keys) AS c CROSS JOIN", joined="m.pk = c.value AND"
            )
            values["keys"] = apsw.carray(asked)
        with self._context.database.read() as connection:
            return MemoryColumns(**_gathered(connection.execute(sql, values), _COLUMNS))

    def texts(self, keys: NDArray[np.int64]) -> list[str]:
        """Return the public texts of memories in the order of keys; `""` for one that is gone.

        Raises:
            AccessDeniedError: An agent asks.
        """
        self._owner()
        asked = as_keys(keys)
        if not len(asked):
            return []
        values = (apsw.carray(np.unique(asked)), to_us(self._context.now()))
        with self._context.database.read() as connection:
            found = dict(connection.execute(_TEXTS, values))
        return [found.get(key, "") for key in asked.tolist()]

    def details(self, keys: NDArray[np.int64]) -> list[Details]:
        """Return tags and metadata of memories in the order of keys; none for one that is gone.

        Raises:
            AccessDeniedError: An agent asks.
        """
        self._owner()
        asked = as_keys(keys)
        if not len(asked):
            return []
        values = (apsw.carray(np.unique(asked)), to_us(self._context.now()))
        with self._context.database.read() as connection:
            found = {
                pk: Details(tuple(orjson.loads(tags)), orjson.loads(metadata))
                for pk, tags, metadata in connection.execute(_DETAILS, values)
            }
        return [found.get(key, _NONE) for key in asked.tolist()]

    def links(
        self,
        workspace: str,
        keys: NDArray[np.int64] | None = None,
        *,
        types: Sequence[str] | None = None,
    ) -> LinkColumns:
        """Return the links that are not closed, with both ends among `columns(workspace)`.

        Raises:
            AccessDeniedError: An agent asks.
            InvalidInputError: A malformed workspace, keys that are no row of int64, or types that
                are no list of texts.
        """
        self._owner()
        values: dict[str, Any] = {
            "workspace": check_workspace(workspace),
            "now": to_us(self._context.now()),
        }
        among = joined = typed = ""
        if types is not None:
            wanted: Any = types
            if isinstance(wanted, str) or not all(isinstance(each, str) for each in wanted):
                raise InvalidInputError(f"types is {shown(types)}: give a list of texts")
            named = tuple(dict.fromkeys(each for each in types if each.isprintable()))
            if not named:
                return _links(iter(()))
            typed = "AND l.type IN (SELECT value FROM carray(:types))"
            values["types"] = apsw.carray(named)
        if keys is not None:
            asked = np.unique(as_keys(keys))
            if not len(asked):
                return _links(iter(()))
            among, joined = _TOUCHING, "l.id = u.id AND"
            values |= {"keys": apsw.carray(asked), "keys_again": apsw.carray(asked)}
        sql = _LINKS.format(among=among, joined=joined, typed=typed)
        with self._context.database.read() as connection:
            return _links(connection.execute(sql, values))

    def changed(self, workspace: str, after: int, *, limit: int = 100_000) -> Changed:
        """Return which memories changes after a number concern, by others than dreams.

        What a dream did stands in the log in one piece, from `first_seq` to `last_seq` of its run.

        Raises:
            AccessDeniedError: An agent asks.
            InvalidInputError: A malformed workspace, a number below 0, or a limit below 1.
        """
        self._owner()
        given: Any = after
        if isinstance(given, bool) or not isinstance(given, int | np.integer) or given < 0:
            raise InvalidInputError(f"after is {shown(after)}: give the number of a change, or 0")
        values: dict[str, Any] = {
            "workspace": check_workspace(workspace),
            "now": to_us(self._context.now()),
        }
        with self._context.database.snapshot() as connection:
            number = min(int(after) + check_limit(limit), next_number(connection) - 1)
            keys: set[int] = set()
            for first, last in _between(connection, int(after), number):
                spell = {**values, "first": first, "last": last}
                keys.update(pk for (pk,) in connection.execute(_CHANGED, spell))
        return Changed(number=number, keys=np.array(sorted(keys), np.int64))

    def _owner(self) -> None:
        self._context.access.check_owner("dream, nor read what dreams read and did")


def _between(connection: apsw.Connection, after: int, number: int) -> Iterator[tuple[int, int]]:
    """Yield the parts of the log after a change, up to another, that no dream wrote."""
    first = after + 1
    for begun, ended in fetch(connection, _DREAMT, (after, number)):
        if begun > first:
            yield first, begun - 1
        first = max(first, ended + 1)
    if first <= number:
        yield first, number


def _links(rows: Iterator[Any]) -> LinkColumns:
    values = _gathered(rows, _LINK_COLUMNS)
    for name in ("created_at", "updated_at"):
        values[name] = [from_us(each) for each in values[name]]
    return LinkColumns(**values)


def _gathered(rows: Iterable[Any], columns: dict[str, tuple[str, type | None]]) -> dict[str, Any]:
    """Return rows as columns, taken in batches, so that not all of them are held as rows."""
    remaining = iter(rows)
    parts: dict[str, list[Any]] = {name: [] for name in columns}
    while batch := list(islice(remaining, _AT_ONCE)):
        for (name, (_, kind)), column in zip(
            columns.items(), zip(*batch, strict=True), strict=True
        ):
            if kind is None:
                parts[name] += column
            elif kind is np.float64 and name in _MAY_LACK:
                parts[name].append(_times(column))
            else:
                parts[name].append(np.array(column, kind))
    return {
        name: parts[name] if kind is None else np.concatenate([np.empty(0, kind), *parts[name]])
        for name, (_, kind) in columns.items()
    }


_MAY_LACK: Final = frozenset(
    {"created_at", "updated_at", "accessed_at", "event_at", "valid_from", "valid_to", "expires_at"}
)
"""Times, told in seconds; nan where there is none."""


def _times(column: Sequence[int | None]) -> NDArray[np.float64]:
    return np.array([np.nan if each is None else each for each in column], np.float64) / _SECOND

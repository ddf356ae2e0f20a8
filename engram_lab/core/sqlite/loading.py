"""Bringing exported tables back: every row checked by the same laws, kept to the last field."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import orjson

from engram_lab.core.checks import check_label
from engram_lab.core.clock import to_us
from engram_lab.core.drafts import DRAFT_FIELDS, check_together, fields_of
from engram_lab.core.errors import (
    ConflictError,
    ImportRefusedError,
    InvalidInputError,
    NotFoundError,
)
from engram_lab.core.reports import ImportReport, RefusedRow
from engram_lab.core.schemas import SCHEMAS
from engram_lab.core.sqlite.changes import log
from engram_lab.core.sqlite.events import check_hit
from engram_lab.core.sqlite.indexing import index_rows, path_rows
from engram_lab.core.sqlite.records import KEYS, RECORDS, REFERENCES
from engram_lab.core.sqlite.rows import (
    INSERT_MEMORY,
    STATE_COLUMNS,
    fetch,
    memory_of,
    select_columns,
    to_row,
)
from engram_lab.core.sqlite.vectors import embedder_number
from engram_lab.core.sqlite.workspaces import default_scope
from engram_lab.core.text import content_hash, normalise
from engram_lab.core.types import Memory

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import apsw

    from engram_lab.core.protocols import Chunk
    from engram_lab.core.sqlite.context import Context

__all__ = ["Loader"]

_INSERT_VERSION = (
    f"INSERT INTO versions (pk, {', '.join(STATE_COLUMNS)}, superseded_at) "
    f"VALUES ({', '.join('?' * (2 + len(STATE_COLUMNS)))})"
)
_HEAD = f"SELECT pk, {select_columns('m', private=True)} FROM memories AS m WHERE id = ?"
_STATE = (
    f"SELECT superseded_at, {select_columns('v', private=True)} FROM versions AS v "
    "WHERE id = ? AND version = ?"
)
_PURGED = "SELECT 1 FROM changes WHERE id = ? AND action = 'purge' AND target = 'memory'"


def _agree(one: Memory, other: Memory) -> bool:
    """Tell whether two states are stored alike: for Python, `True` and 1 are the same metadata."""
    return one == other and orjson.dumps(one.metadata) == orjson.dumps(other.metadata)


class Loader:
    """Takes exported tables back into the store; for its owner alone."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def load(self, chunks: Iterable[Chunk], *, keep_going: bool = False) -> ImportReport:
        """Take rows in one transaction: all, or none.

        A row that is already there, identical, counts as unchanged; one that contradicts what is
        there is refused. With `keep_going` refused rows are reported and the others are kept.

        Raises:
            ImportRefusedError: Rows were refused, and `keep_going` is False.
            AccessDeniedError: An agent asks.
        """
        self._context.access.check_owner("import tables")
        with self._context.database.write() as connection:
            loading = _Loading(self._context, connection)
            for chunk in chunks:
                loading.take(chunk)
            report = loading.report()
            if report.refused and not keep_going:
                raise ImportRefusedError(report)
        return report


class _Loading:
    """One import under way, within its transaction."""

    def __init__(self, context: Context, connection: apsw.Connection) -> None:
        self._context = context
        self._connection = connection
        self._imported: Counter[str] = Counter(dict.fromkeys(SCHEMAS, 0))
        self._unchanged = 0
        self._refused: list[RefusedRow] = []
        self._new: set[str] = set()
        self._special = {
            "workspaces": self._workspace,
            "memories": self._memory,
            "versions": self._version,
            "vectors": self._vector,
            "events": self._event,
            "identities": self._identity,
        }

    def report(self) -> ImportReport:
        """Return what became of the rows so far."""
        return ImportReport(
            imported=dict(self._imported), unchanged=self._unchanged, refused=tuple(self._refused)
        )

    def take(self, chunk: Chunk) -> None:
        """Take the rows of one chunk; each is kept whole or refused whole."""
        self._refused += chunk.refused
        load = self._special.get(chunk.table)
        for number, row in chunk.rows:
            try:
                with self._context.database.write():
                    is_new = self._plain(chunk.table, row) if load is None else load(row)
            except (InvalidInputError, ConflictError, NotFoundError) as error:
                reason = error.reason if isinstance(error, InvalidInputError) else str(error)
                self._refused.append(RefusedRow(table=chunk.table, row=number, reason=reason))
            else:
                self._imported[chunk.table] += is_new
                self._unchanged += not is_new

    def _plain(self, table: str, row: Mapping[str, Any]) -> bool:
        if table in REFERENCES:
            self._check_reference(row, *REFERENCES[table])
        return self._insert(table, RECORDS[table](self._context, self._pk, row))

    def _check_reference(self, row: Mapping[str, Any], column: str, table: str) -> None:
        known = self._connection.execute(f"SELECT 1 FROM {table} WHERE id = ?", (row[column],)).get
        if row[column] is not None and not known:
            raise NotFoundError(f"its {column} is {row[column]!r}, which is not among the {table}")

    def _insert(self, table: str, values: tuple[Any, ...]) -> bool:
        """Insert a row, or find it there already, identical; `values` begin with the key."""
        where = " AND ".join(f"{column} = ?" for column in KEYS[table])
        known = fetch(
            self._connection, f"SELECT * FROM {table} WHERE {where}", values[: len(KEYS[table])]
        )
        if known and known[0] == values:
            return False
        if known:
            raise ConflictError("it is already there, with other values")
        marks = ", ".join("?" * len(values))
        self._connection.execute(f"INSERT INTO {table} VALUES ({marks})", values)
        if table == "links":
            self._log("link", "link", values[0])
        return True

    def _log(self, action: str, target: str, id_: str) -> None:
        log(
            self._connection,
            at=self._context.now(),
            action=action,
            target=target,
            id=id_,
            author=self._context.access.name,
            reason="import",
        )

    def _pk(self, memory_id: str) -> int:
        pk: int | None = self._connection.execute(
            "SELECT pk FROM memories WHERE id = ?", (memory_id,)
        ).get
        if pk is None:
            raise NotFoundError(f"it names the memory {memory_id!r}, which is not there")
        return pk

    def _workspace(self, row: Mapping[str, Any]) -> bool:
        values = RECORDS["workspaces"](self._context, self._pk, row)
        known = fetch(self._connection, "SELECT * FROM workspaces WHERE name = ?", values[:1])
        if known == [values]:
            return False
        # A fresh store made `default` by itself; one that nobody has touched gives way.
        self._connection.execute(
            "DELETE FROM workspaces WHERE name = ? AND scope = 'global' "
            "AND coalesce(description, max_age_days, max_memories) IS NULL "
            "AND NOT EXISTS (SELECT 1 FROM memories WHERE workspace = name)",
            values[:1],
        )
        if known and self._connection.changes() == 0 and known[0][:-1] == values[:-1]:
            return False  # made there at another time, and otherwise the same
        return self._insert("workspaces", values)

    def _memory_of(self, row: Mapping[str, Any]) -> Memory:
        given = self._context.drafter.check_fields({name: row[name] for name in DRAFT_FIELDS})
        if row["content_hash"] != content_hash(given["content"]):
            raise InvalidInputError("content_hash is not that of the content: the row was altered")
        if row["version"] < 1 or row["access_count"] < 0:
            raise InvalidInputError("version starts at 1 and access_count at 0")
        kept = {name: row[name] for name in Memory.__dataclass_fields__ if name not in DRAFT_FIELDS}
        memory = Memory(**given, **kept)
        check_together(fields_of(memory))
        return memory

    def _memory(self, row: Mapping[str, Any]) -> bool:
        memory = self._memory_of(row)
        known = fetch(self._connection, _HEAD, (memory.id,))
        if known:
            if _agree(memory_of(known[0][1:]), memory):
                return False
            raise ConflictError(f"memory {memory.id} is already there, in another state")
        if self._connection.execute(_PURGED, (memory.id,)).get:
            raise ConflictError(
                f"memory {memory.id} was purged here, and an import brings nothing back: "
                "remember it anew if it is wanted after all"
            )
        prepared = self._context.drafter.prepare(fields_of(memory))
        default_scope(self._context, self._connection, memory.workspace, at=self._context.now())
        pk = log(
            self._connection,
            at=memory.updated_at,
            action="import",
            target="memory",
            id=memory.id,
            version=memory.version,
            author=self._context.access.name,
            reason=None,
        )
        self._connection.execute(INSERT_MEMORY, to_row(pk, prepared, pk))
        index_rows(self._connection, pk, pk, path_rows(pk, prepared.leaves))
        self._new.add(memory.id)
        return True

    def _version(self, row: Mapping[str, Any]) -> bool:
        state = self._memory_of(row)
        head = fetch(self._connection, _HEAD, (state.id,))
        if not head:
            raise NotFoundError(f"it is a version of the memory {state.id!r}, which is not there")
        pk, newest = head[0][0], memory_of(head[0][1:])
        if row["superseded_at"] is None:
            if not _agree(state, newest):
                raise ConflictError(f"it is not the present state of memory {state.id}")
            return self._sign(row)
        if state.version >= newest.version:
            raise InvalidInputError(f"version {state.version} is not before the present one")
        known = fetch(self._connection, _STATE, (state.id, state.version))
        superseded = to_us(row["superseded_at"])
        if known:
            if known[0][0] == superseded and _agree(memory_of(known[0][1:]), state):
                return False
            raise ConflictError(f"version {state.version} of memory {state.id} differs from this")
        seq = log(
            self._connection,
            at=row["recorded_at"],
            target="memory",
            id=state.id,
            version=state.version,
            **self._signature(row),
        )
        prepared = self._context.drafter.prepare(fields_of(state))
        self._connection.execute(_INSERT_VERSION, (*to_row(pk, prepared, seq), superseded))
        return True

    def _signature(self, row: Mapping[str, Any]) -> dict[str, Any]:
        author, reason = self._context.signature(row["author"], row["reason"])
        action = row["action"]
        if not action.isidentifier():
            raise InvalidInputError(f"action is {action!r}: give a word such as 'update'")
        return {"action": action, "author": author, "reason": reason}

    def _sign(self, row: Mapping[str, Any]) -> bool:
        """Put the true author, action and reason to a memory that this import brought."""
        if row["id"] not in self._new:
            return False
        signed = self._signature(row)
        self._connection.execute(
            "UPDATE changes SET action = ?, author = ?, reason = ?, at = ? "
            "WHERE seq = (SELECT seq FROM memories WHERE id = ?)",
            (*signed.values(), to_us(row["recorded_at"]), row["id"]),
        )
        return True

    def _vector(self, row: Mapping[str, Any]) -> bool:
        pk, embedder, data, created = RECORDS["vectors"](self._context, self._pk, row)
        number = embedder_number(self._connection, embedder, len(data) // 4)
        is_new = self._insert("vectors", (pk, number, data, created))
        if is_new:
            self._log("embed", "vector", row["memory_id"])
        return is_new

    def _event(self, row: Mapping[str, Any]) -> bool:
        is_new = self._insert("recall_events", RECORDS["events"](self._context, self._pk, row))
        hits = []
        for hit in row["hits"]:
            rank, score = check_hit(hit["rank"], hit["score"])
            hits.append((row["id"], rank, self._pk(hit["memory_id"]), score))
        added = [self._insert("recall_hits", hit) for hit in hits]
        return any(added) or is_new

    def _identity(self, row: Mapping[str, Any]) -> bool:
        is_new = self._insert("identities", RECORDS["identities"](self._context, self._pk, row))
        names = [check_label(alias, field="alias") for alias in row["aliases"]]
        aliases = [(normalise(alias), alias, row["id"]) for alias in names]
        added = [self._insert("identity_aliases", alias) for alias in aliases]
        return any(added) or is_new

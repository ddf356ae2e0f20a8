"""Writing memories: remember, update, forget, restore. Each change is a version and a log entry."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from engram_lab.core.clock import to_us
from engram_lab.core.drafts import fields_of
from engram_lab.core.errors import (
    AccessDeniedError,
    ConflictError,
    EngramError,
    InvalidInputError,
    NotFoundError,
    VersionConflictError,
)
from engram_lab.core.reports import RefusedRow
from engram_lab.core.sqlite.changes import log
from engram_lab.core.sqlite.indexing import index_rows, path_rows, unindex
from engram_lab.core.sqlite.provenance import derived_from
from engram_lab.core.sqlite.reading import STATES, MemoryReader
from engram_lab.core.sqlite.remembering import Batch
from engram_lab.core.sqlite.rows import (
    STATE_COLUMNS,
    fetch,
    memory_of,
    select_columns,
    to_row,
)
from engram_lab.core.sqlite.workspaces import default_scope

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import apsw

    from engram_lab.core.drafts import Prepared
    from engram_lab.core.reports import RememberReport
    from engram_lab.core.types import Dedup, Memory

__all__ = ["MemoryStore"]

_STATE: Final = ", ".join(STATE_COLUMNS)
_ARCHIVE: Final = (
    f"INSERT INTO versions (pk, {_STATE}, superseded_at) "
    f"SELECT pk, {_STATE}, ? FROM memories WHERE pk = ?"
)
_UPDATE: Final = (
    f"UPDATE memories SET {', '.join(f'{name} = ?' for name in STATE_COLUMNS)} WHERE pk = ?"
)
_WRITTEN: Final = f"SELECT {select_columns('m', private=False)} FROM memories AS m WHERE m.id = ?"


class MemoryStore(MemoryReader):
    """The memories of the store, to read and to write."""

    def remember(
        self,
        draft: Mapping[str, Any],
        *,
        dedup: Dedup | None = None,
        author: str | None = None,
        reason: str | None = None,
    ) -> Memory:
        """Store one memory and return it, or the existing one that deduplication met.

        Raises:
            InvalidInputError: The draft breaks a law; see `Drafter.draft`.
            DuplicateError: `dedup` is `reject` and the content is known.
            ConflictError: Its id is taken.
            AccessDeniedError: The scope is out of reach.
        """
        context = self._context
        with context.database.write() as connection:
            signature = context.signature(author, reason)
            batch = Batch(self, context, connection, dedup=dedup, signature=signature)
            batch.add(draft)
            report = batch.finish()
            if report.ids:
                return _written(connection, report.ids[0])
            return self.get(*report.skipped, *report.merged)

    def remember_many(
        self,
        drafts: Iterable[Mapping[str, Any]],
        *,
        dedup: Dedup | None = None,
        author: str | None = None,
        reason: str | None = None,
        keep_going: bool = False,
    ) -> RememberReport:
        """Store many memories in one transaction: all, or none.

        With `keep_going` a draft that is refused is reported and the others are stored.

        Raises:
            InvalidInputError: A draft breaks a law; `row` says which.
            DuplicateError, ConflictError, AccessDeniedError: See `remember`.
        """
        context = self._context
        refused = []
        with context.database.write() as connection:
            signature = context.signature(author, reason)
            batch = Batch(self, context, connection, dedup=dedup, signature=signature)
            for number, draft in enumerate(drafts):
                try:
                    batch.add(draft)
                except (InvalidInputError, AccessDeniedError, ConflictError) as error:
                    if not keep_going:
                        raise _at_row(error, number) from None
                    refused.append(RefusedRow(row=number, reason=str(error)))
            return replace(batch.finish(), refused=tuple(refused))

    def update(
        self,
        id: str,  # noqa: A002 - the word users know
        changes: Mapping[str, Any],
        *,
        version: int | None = None,
        author: str | None = None,
        reason: str | None = None,
    ) -> Memory:
        """Change fields of a memory and return its new version; None clears a field.

        Where nothing differs, nothing is written.

        Raises:
            VersionConflictError: `version` is given and is not the present one.
            NotFoundError: There is none that may be seen, or it is forgotten.
            AccessDeniedError: Its scope, or the one it moves to, may not be written.
            InvalidInputError: See `Drafter.revise`.
        """
        context = self._context
        with context.database.write() as connection:
            pk, memory = self.find(connection, id)
            context.check_scope(connection, memory.scope, "write")
            if version is not None and version != memory.version:
                raise VersionConflictError(id, expected=version, actual=memory.version)
            now = context.now()
            revised = context.drafter.revise(memory, changes, at=now)
            context.check_scope(connection, revised.scope, "write")
            if revised.workspace != memory.workspace:
                default_scope(context, connection, revised.workspace, at=now)
            # Compared as they are stored: for Python, `True` and 1 are the same metadata.
            before = self._prepared(memory)
            if self._prepared(revised, stored="metadata" not in changes) != before:
                self._write(connection, pk, memory, revised, "update", author, reason)
            return _written(connection, id)

    def forget(
        self,
        id: str,  # noqa: A002
        *,
        version: int | None = None,
        author: str | None = None,
        reason: str | None = None,
    ) -> None:
        """Hide a memory from every read; `restore` brings it back.

        What a dream derived from it, and may quote it, is hidden with it, be it out of reach.

        Raises:
            NotFoundError, AccessDeniedError, VersionConflictError: See `update`.
        """
        with self._context.database.write() as connection:
            pk = self._forget(id, version=version, author=author, reason=reason)
            for derived, memory in derived_from(connection, [pk]):
                if memory.forgotten_at is None:
                    told = reason or f"derived from {id}"
                    self._hide(connection, derived, memory, author, told)

    def _forget(
        self,
        id_: str,
        *,
        version: int | None = None,
        author: str | None = None,
        reason: str | None = None,
    ) -> int:
        """Hide one memory alone and return its row."""
        context = self._context
        with context.database.write() as connection:
            pk, memory = self.find(connection, id_)
            context.check_scope(connection, memory.scope, "write")
            if version is not None and version != memory.version:
                raise VersionConflictError(id_, expected=version, actual=memory.version)
            self._hide(connection, pk, memory, author, reason)
            return pk

    def _hide(
        self,
        connection: apsw.Connection,
        pk: int,
        memory: Memory,
        author: str | None,
        reason: str | None,
    ) -> None:
        gone = replace(memory, forgotten_at=max(self._context.now(), memory.updated_at))
        self._write(connection, pk, memory, gone, "forget", author, reason)

    def restore(
        self,
        id: str,  # noqa: A002
        *,
        version: int | None = None,
        author: str | None = None,
        reason: str | None = None,
    ) -> Memory:
        """Bring back a forgotten memory, or the state of an earlier version, as a new version.

        Raises:
            NotFoundError: There is no such memory or version that may be seen.
            ConflictError: It is not forgotten, and no version was named.
            AccessDeniedError: Its scope, or the one it had then, may not be written.
        """
        context = self._context
        with context.database.write() as connection:
            pk, memory = self.find(connection, id, forgotten=True)
            context.check_scope(connection, memory.scope, "write")
            state = memory if version is None else self._version(connection, id, version)
            context.check_scope(connection, state.scope, "write")
            if version is None and memory.forgotten_at is None:
                raise ConflictError(
                    f"memory {id} is not forgotten: name the version to go back to, if any"
                )
            # What the store counts goes on; what the state says comes back.
            back = replace(
                state,
                forgotten_at=None,
                version=memory.version,
                updated_at=memory.updated_at,
                access_count=memory.access_count,
                last_accessed_at=memory.last_accessed_at,
            )
            if back.expires_at is not None and back.expires_at <= context.now():
                raise InvalidInputError(
                    f"version {state.version} of memory {id} expired at {back.expires_at}: "
                    "update its tier or expires_at instead"
                )
            self._write(connection, pk, memory, back, "restore", author, reason)
            return _written(connection, id)

    def _version(self, connection: apsw.Connection, id_: str, version: int) -> Memory:
        row = connection.execute(
            f"SELECT {select_columns('m', private=True)} FROM {STATES} AS m "
            "WHERE m.id = ? AND m.version = ?",
            (id_, version),
        ).fetchone()
        if row is None:
            raise NotFoundError(f"there is no version {version} of this memory")
        return memory_of(row)

    def _write(
        self,
        connection: apsw.Connection,
        pk: int,
        old: Memory,
        new: Memory,
        action: str,
        author: str | None,
        reason: str | None,
    ) -> None:
        """Make `new` the present state and keep `old` as a version."""
        context = self._context
        signature = context.signature(author, reason)
        # A clock that was set back must not make a version older than the one before it.
        at = max(context.now(), old.updated_at)
        new = replace(new, version=old.version + 1, updated_at=at)
        after = self._prepared(new)
        connection.execute(_ARCHIVE, (to_us(at), pk))
        seq = log(
            connection,
            at=at,
            action=action,
            target="memory",
            id=new.id,
            version=new.version,
            author=signature[0],
            reason=signature[1],
        )
        unindex(connection, pk, old.metadata)
        connection.execute(_UPDATE, (*to_row(pk, after, seq)[1:], pk))
        index_rows(connection, pk, pk, path_rows(pk, after.leaves))
        if new.content != old.content:
            connection.execute("DELETE FROM vectors WHERE pk = ?", (pk,))

    def _prepared(self, memory: Memory, *, stored: bool = True) -> Prepared:
        return self._context.drafter.prepare(fields_of(memory), stored=stored)


def _written(connection: apsw.Connection, id_: str) -> Memory:
    """Return what was just written, also to an agent that may write there and not read."""
    return memory_of(fetch(connection, _WRITTEN, (id_,))[0])


def _at_row(error: EngramError, row: int) -> EngramError:
    return error.at_row(row) if isinstance(error, InvalidInputError) else error

"""The dreams of the store: what they did, in one transaction each, and the way back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from engram_lab.core.checks import check_label, check_limit, check_workspace
from engram_lab.core.clock import to_us
from engram_lab.core.errors import ConflictError, NotFoundError
from engram_lab.core.sqlite.changes import next_number
from engram_lab.core.sqlite.dream_locks import DreamLocks, check_lock
from engram_lab.core.sqlite.dream_records import (
    RUN_COLUMNS,
    as_json,
    change_of,
    run_of,
    write_steps,
)
from engram_lab.core.sqlite.dream_undo import Undoing
from engram_lab.core.sqlite.dream_writing import Carrying
from engram_lab.core.sqlite.reading import STATES
from engram_lab.core.sqlite.rows import fetch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    import apsw

    from engram_lab.core.dreams import Change, DreamRun, UndoReport

__all__ = ["Dreams"]

_NEW_RUN: Final = f"INSERT INTO dream_runs VALUES ({', '.join('?' * 17)})"
_SELECT: Final = f"SELECT {RUN_COLUMNS} FROM dream_runs"
_CHANGES: Final = (
    "SELECT j.step, j.action, j.id, j.fields, j.reason, j.sources, j.seen, "
    "CASE WHEN j.action = 'remember' THEN "
    f"(SELECT s.content FROM {STATES} AS s WHERE s.id = j.id AND s.version = 1) END "
    "FROM dream_journal AS j WHERE j.run = ? ORDER BY j.number"
)


class Dreams(DreamLocks):
    """The dreams of the store; see `core.protocols.Dreams`."""

    def apply(
        self,
        run: DreamRun,
        changes: Sequence[Change],
        *,
        owner: str,
        progress: Callable[[int], None] | None = None,
    ) -> DreamRun:
        """Carry out changes in order, in one transaction with the journal and the record of it.

        Raises:
            DreamLockedError: The lock is no longer the owner's; nothing was written.
            InvalidInputError: A change breaks a law of memory, or leaves the workspace.
            ConflictError: There is a run of this id already.
            AccessDeniedError: An agent asks.
        """
        self._owner()
        check_workspace(run.workspace)
        check_label(run.id, field="id")
        check_label(run.author, field="author")
        with self._context.database.write() as connection:
            at = self._context.now()
            check_lock(connection, run.workspace, owner, at=at)
            number = self._begin(connection, run, at)
            carrying = Carrying(self._context, connection, run, number=number, at=at)
            write_steps(connection, number, carrying.carry_out(changes, progress))
            connection.execute(
                "UPDATE dream_runs SET last_seq = ? WHERE number = ?",
                (next_number(connection) - 1, number),
            )
            return self._get(connection, run.id)[1]

    def _begin(self, connection: apsw.Connection, run: DreamRun, at: datetime) -> int:
        if connection.execute("SELECT 1 FROM dream_runs WHERE id = ?", (run.id,)).get:
            raise ConflictError(f"there already is a dream {run.id}: give the run a new id")
        last: int = connection.execute("SELECT coalesce(max(number), 0) FROM dream_runs").get
        first = next_number(connection)
        connection.execute(
            _NEW_RUN,
            (
                last + 1,
                run.id,
                run.workspace,
                "applied",
                run.author,
                check_label(run.config_hash, field="config_hash"),
                to_us(run.started_at),
                to_us(max(run.ended_at, at)),
                None,
                int(run.memories_before),
                int(run.memories_after),
                int(run.tokens_before),
                int(run.tokens_after),
                as_json(run.state, field="state"),
                run.stopped,
                first,
                first - 1,
            ),
        )
        return last + 1

    def undo(
        self, run_id: str, *, keep_later: bool = False, author: str | None = None
    ) -> UndoReport:
        """Put everything back as it was before a dream, to the last bit, in one transaction.

        Raises:
            NotFoundError: There is no such run.
            ConflictError: It was undone before.
            UndoConflictError: A later write touched something, and `keep_later` is not set.
            AccessDeniedError: An agent asks.
        """
        self._owner()
        signature = self._context.signature("undo" if author is None else author, None)[0]
        with self._context.database.write() as connection:
            at = self._context.now()
            number, run = self._get(connection, run_id)
            if run.status == "undone":
                raise ConflictError(f"dream {run_id} was undone at {run.undone_at}: once is enough")
            undoing = Undoing(connection, number, run_id)
            report = undoing.put_back(keep_later=keep_later, author=signature, at=at)
            connection.execute(
                "UPDATE dream_runs SET status = 'undone', undone_at = ? WHERE number = ?",
                (to_us(at), number),
            )
        return report

    def get(self, run_id: str) -> DreamRun:
        """Return a run.

        Raises:
            NotFoundError: There is none.
            AccessDeniedError: An agent asks.
        """
        self._owner()
        with self._context.database.snapshot() as connection:
            return self._get(connection, run_id)[1]

    def _get(self, connection: apsw.Connection, run_id: str) -> tuple[int, DreamRun]:
        rows = fetch(connection, f"{_SELECT} WHERE id = ?", (run_id,))
        if not rows:
            raise NotFoundError(f"there is no dream {run_id!r}")
        return rows[0][0], run_of(connection, rows[0])

    def all(self, *, workspace: str | None = None, limit: int = 100) -> list[DreamRun]:
        """Return the runs, latest first.

        Raises:
            InvalidInputError: A limit below 1.
            AccessDeniedError: An agent asks.
        """
        self._owner()
        values: tuple[Any, ...] = (workspace, check_limit(limit))
        with self._context.database.snapshot() as connection:
            rows = fetch(
                connection,
                f"{_SELECT} WHERE ?1 IS NULL OR workspace = ?1 ORDER BY number DESC LIMIT ?2",
                values,
            )
            return [run_of(connection, row) for row in rows]

    def changes_of(self, run_id: str) -> list[Change]:
        """Return what a run carried out, in order. What was purged since is left out.

        What a dream remembered and an undo took away again is told without its words.

        Raises:
            NotFoundError: There is no such run.
            AccessDeniedError: An agent asks.
        """
        self._owner()
        with self._context.database.snapshot() as connection:
            number, _ = self._get(connection, run_id)
            return [change_of(row) for row in connection.execute(_CHANGES, (number,))]

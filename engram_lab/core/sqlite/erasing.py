"""Taking memories away for good, and the clean-up of what has expired or is beyond a policy."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from engram_lab.core.checks import check_label
from engram_lab.core.clock import to_us
from engram_lab.core.errors import NotFoundError
from engram_lab.core.reports import CleanupReport, PurgeReport
from engram_lab.core.sqlite.changes import log
from engram_lab.core.sqlite.indexing import unindex
from engram_lab.core.sqlite.provenance import derived_from, drop_traces
from engram_lab.core.sqlite.reading import STATES
from engram_lab.core.sqlite.rows import fetch, memory_of, select_columns
from engram_lab.core.sqlite.writing import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    import apsw

    from engram_lab.core.types import Memory

__all__ = ["ErasableMemories"]

_DROP_UNMENTIONED: Final = (
    "DELETE FROM entities WHERE id = ?1 "
    "AND NOT EXISTS (SELECT 1 FROM mentions WHERE entity_id = ?1)"
)
_BLANK_ERRORS: Final = (
    "UPDATE embedding_queue SET error = NULL WHERE failure IS NOT NULL AND (queue, failure) IN "
    "(SELECT queue, failure FROM embedding_queue WHERE pk = ? AND failure IS NOT NULL)"
)
"""What went wrong with many at once is kept with each, and may quote any of them."""

_BEYOND_LIMIT: Final = """
SELECT m.id FROM memories AS m JOIN workspaces AS w ON w.name = m.workspace
WHERE w.name = ? AND m.forgotten_at IS NULL AND NOT m.pinned
ORDER BY m.importance, m.updated_at, m.id
LIMIT max(0, (SELECT count(*) FROM memories
              WHERE workspace = ? AND forgotten_at IS NULL) - ?)
"""


class ErasableMemories(MemoryStore):
    """The memories of the store, with the verbs that have no way back."""

    def purge(
        self, ids: Sequence[str], *, author: str | None = None, reason: str | None = None
    ) -> PurgeReport:
        """Remove memories from every table, index and version, and their bytes from the file.

        What a dream derived from one of them, and may quote it, goes with it, be it out of reach,
        and so does all that the journals of dreams tell of them.

        The change log keeps that an id was purged, when, by whom and why, so that derived indexes
        can follow; what it said of earlier changes of that memory is blanked.

        Raises:
            NotFoundError: One is not to be seen; nothing is purged then.
            AccessDeniedError: One lies in a scope without admin access.
        """
        context = self._context
        wanted = list(dict.fromkeys(check_label(each, field="id") for each in ids))
        with context.database.write() as connection:
            signature = context.signature(author, reason)
            found = [self.find(connection, id_, forgotten=True) for id_ in wanted]
            for _, memory in found:
                context.check_scope(connection, memory.scope, "admin")
            found += derived_from(connection, [pk for pk, _ in found], by_journal=True)
            self._purge_all(connection, found, *signature)
        gone = tuple(memory.id for _, memory in found)
        return PurgeReport(ids=gone, erased=context.database.erase())

    def derived(self, ids: Sequence[str]) -> list[str]:
        """Return the ids of what dreams derived from memories, which a purge takes with them.

        Raises:
            NotFoundError: One is not to be seen.
        """
        with self._context.database.snapshot() as connection:
            grants = self._context.grants(connection)
            keys = [self.find(connection, id_, forgotten=True)[0] for id_ in ids]
            return [
                memory.id
                for _, memory in derived_from(connection, keys, by_journal=True)
                if self._context.access.allows(memory.scope, "read", grants)
            ]

    def _purge_all(
        self,
        connection: apsw.Connection,
        memories: Sequence[tuple[int, Memory]],
        author: str,
        reason: str | None,
    ) -> None:
        drop_traces(connection, ((pk, memory.id) for pk, memory in memories))
        for pk, memory in memories:
            self._purge(connection, pk, memory, author, reason)

    def _purge(
        self,
        connection: apsw.Connection,
        pk: int,
        memory: Memory,
        author: str,
        reason: str | None,
    ) -> None:
        context = self._context
        at = context.now()
        links = fetch(connection, "SELECT id FROM links WHERE from_pk = ? OR to_pk = ?", (pk, pk))
        for (link,) in links:
            log(
                connection,
                at=at,
                action="unlink",
                target="link",
                id=link,
                author=author,
                reason=None,
            )
        connection.execute(
            "UPDATE changes SET reason = NULL "
            f"WHERE seq IN (SELECT seq FROM {STATES} WHERE id = ?)",
            (memory.id,),
        )
        unindex(connection, pk, memory.metadata)
        mentioned = fetch(connection, "SELECT entity_id FROM mentions WHERE pk = ?", (pk,))
        connection.execute(_BLANK_ERRORS, (pk,))
        # Versions, vectors, links, mentions, turns, hits and what waits go by their references.
        connection.execute("DELETE FROM memories WHERE pk = ?", (pk,))
        # A name that only this memory mentioned was known from it alone.
        connection.executemany(_DROP_UNMENTIONED, mentioned)
        log(
            connection,
            at=at,
            action="purge",
            target="memory",
            id=memory.id,
            author=author,
            reason=reason,
        )

    def clean_up(self) -> CleanupReport:
        """Purge what has expired, and forget what is beyond the policy of its workspace.

        Forgetting takes the least important, then the longest unchanged first, and never what is
        pinned; it can be undone with `restore`.

        Raises:
            AccessDeniedError: An agent asks.
        """
        context = self._context
        context.access.check_owner("clean up the store")
        now = context.now()
        with context.database.write() as connection:
            expired = fetch(
                connection,
                f"SELECT {select_columns('m', private=True)}, m.pk FROM memories AS m "
                "WHERE m.expires_at <= ?",
                (to_us(now),),
            )
            gone = [(row[-1], memory_of(row)) for row in expired]
            gone += derived_from(connection, [pk for pk, _ in gone], by_journal=True)
            self._purge_all(connection, gone, "clean-up", "expired")
            aged = over = 0
            for name, days, limit in fetch(
                connection, "SELECT name, max_age_days, max_memories FROM workspaces"
            ):
                if days is not None:
                    aged += self._forget_older(connection, name, now - timedelta(days=days))
                if limit is not None:
                    beyond = fetch(connection, _BEYOND_LIMIT, (name, name, limit))
                    over += self._forget_all(beyond, f"workspace holds at most {limit}")
        if expired:
            context.database.truncate_log()
        return CleanupReport(expired=len(expired), aged_out=aged, over_limit=over)

    def _forget_older(self, connection: apsw.Connection, workspace: str, oldest: datetime) -> int:
        aged = fetch(
            connection,
            "SELECT id FROM memories WHERE workspace = ? AND created_at < ? "
            "AND forgotten_at IS NULL AND NOT pinned ORDER BY id",
            (workspace, to_us(oldest)),
        )
        return self._forget_all(aged, "older than the workspace keeps")

    def _forget_all(self, rows: list[tuple[str]], reason: str) -> int:
        forgotten = 0
        for (id_,) in rows:
            with suppress(NotFoundError):  # it may have expired since this clean-up began
                self._forget(id_, author="clean-up", reason=reason)
                forgotten += 1
        return forgotten

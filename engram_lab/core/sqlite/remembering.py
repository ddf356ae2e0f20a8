"""Many new memories in one transaction: checked, deduplicated, written in bulk."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from engram_lab.core.checks import check_workspace
from engram_lab.core.clock import to_us
from engram_lab.core.drafts import DEFAULT_WORKSPACE
from engram_lab.core.errors import ConflictError, DuplicateError, InvalidInputError, shown
from engram_lab.core.reports import RememberReport
from engram_lab.core.sqlite.changes import log_many, next_number
from engram_lab.core.sqlite.indexing import index_rows, path_rows
from engram_lab.core.sqlite.rows import INSERT_MEMORY, to_row
from engram_lab.core.sqlite.workspaces import inherited_scope, make_if_new
from engram_lab.core.types import DEDUP_MODES

if TYPE_CHECKING:
    import apsw

    from engram_lab.core.drafts import Prepared
    from engram_lab.core.sqlite.context import Context
    from engram_lab.core.sqlite.indexing import PathRow
    from engram_lab.core.sqlite.writing import MemoryStore
    from engram_lab.core.types import Dedup

__all__ = ["Batch"]

_ROWS_AT_ONCE: Final = 10_000
_SAME: Final = (
    "SELECT id FROM memories WHERE content_hash = ? AND workspace = ? AND scope = ? "
    "AND forgotten_at IS NULL AND (expires_at IS NULL OR expires_at > ?) ORDER BY id LIMIT 1"
)


class Batch:
    """The new memories of one transaction, held back until there are enough to write at once.

    Two memories are the same where workspace, scope and normalised content are. Who may write in a
    scope may read there, so that nobody meets what is hidden from them.
    """

    def __init__(
        self,
        store: MemoryStore,
        context: Context,
        connection: apsw.Connection,
        *,
        dedup: Dedup | None,
        signature: tuple[str, str | None],
    ) -> None:
        self._store = store
        self._context = context
        self._connection = connection
        self._dedup = context.settings.dedup if dedup is None else dedup
        if self._dedup not in DEDUP_MODES:
            raise InvalidInputError(
                f"dedup is {shown(dedup)}: allowed are {', '.join(DEDUP_MODES)}"
            )
        self._author, self._reason = signature
        self._at = context.now()
        self._default_scopes: dict[str, str] = {}
        self._workspaces: set[str] = set()
        self._writable: set[str] = set()
        self._first = 0
        self._rows: list[tuple[Any, ...]] = []
        self._paths: list[PathRow] = []
        self._waiting_keys: set[tuple[str, ...]] = set()
        self._ids: list[str] = []
        self._skipped: list[str] = []
        self._merged: list[str] = []

    def add(self, draft: Mapping[str, Any]) -> None:
        """Take one draft; a refused one leaves the batch as it was."""
        context = self._context
        if type(draft) is not dict and not isinstance(draft, Mapping):
            raise InvalidInputError(
                f"a memory is an object with at least 'content', not a {type(draft).__name__}"
            )
        fields = context.drafter.draft(
            draft, id=context.ids.new(self._at), scope=self._default_scope(draft), at=self._at
        )
        if (scope := fields["scope"]) not in self._writable:
            context.check_scope(self._connection, scope, "write")
            self._writable.add(scope)
        prepared = context.drafter.prepare(fields)
        if self._dedup != "allow":
            if (same := self._find_same(fields)) is not None:
                self._meet(same, draft)
                return
            self._waiting_keys.add(_same_key(fields))
        if draft.get("id") is not None:
            self._check_new(fields["id"])
        self._hold(prepared)

    def _hold(self, prepared: Prepared) -> None:
        """Keep a row for the next flush. Its number is that of its first change.

        What waits is tuples of plain values, which the garbage collector need not look at again.
        """
        workspace = prepared.fields.get("workspace", DEFAULT_WORKSPACE)
        if workspace not in self._workspaces:
            scope = self._default_scopes[workspace]
            make_if_new(self._connection, workspace, scope=scope, at=self._at)
            self._workspaces.add(workspace)
        if not self._rows:
            self._first = next_number(self._connection)
        number = self._first + len(self._rows)
        self._rows.append(to_row(number, prepared, number))
        self._paths += path_rows(number, prepared.leaves)
        self._ids.append(prepared.fields["id"])
        if len(self._rows) >= _ROWS_AT_ONCE:
            self._flush()

    def finish(self) -> RememberReport:
        """Write what waits and return the report."""
        self._flush()
        return RememberReport(
            ids=tuple(self._ids), skipped=tuple(self._skipped), merged=tuple(self._merged)
        )

    def _default_scope(self, draft: Mapping[str, Any]) -> str:
        name = draft.get("workspace")
        if name is None:
            name = DEFAULT_WORKSPACE
        known = self._default_scopes.get(name) if type(name) is str else None
        if known is None:
            known = inherited_scope(self._context, self._connection, check_workspace(name))
            self._default_scopes[name] = known
        return known

    def _check_new(self, id_: str) -> None:
        self._flush()
        if self._connection.execute("SELECT 1 FROM memories WHERE id = ?", (id_,)).get:
            raise ConflictError(
                f"there already is a memory {id_}: update it, or leave out the id to get a new one"
            )

    def _find_same(self, fields: Mapping[str, Any]) -> str | None:
        if _same_key(fields) in self._waiting_keys:
            self._flush()
        found: str | None = self._connection.execute(
            _SAME, (*_same_key(fields), to_us(self._at))
        ).get
        return found

    def _meet(self, same: str, draft: Mapping[str, Any]) -> None:
        if self._dedup == "reject":
            raise DuplicateError(same)
        if self._dedup == "skip":
            self._skipped.append(same)
            return
        self._flush()  # the update takes the next number of the log
        known = self._store.get(same, private=self._context.access.principal is None)
        checked = self._context.drafter.check_fields(draft)
        changes: dict[str, Any] = {
            "tags": [*known.tags, *checked.get("tags", ())],
            "metadata": {**known.metadata, **checked.get("metadata", {})},
            "importance": max(known.importance, checked.get("importance", 0.0)),
        }
        self._store.update(same, changes, author=self._author, reason=self._reason or "merged")
        self._merged.append(same)

    def _flush(self) -> None:
        """Write what waits."""
        if not self._rows:
            return
        if behind := next_number(self._connection) - self._first:
            self._move_on(behind)
        log_many(
            self._connection,
            (("memory", row[1], 1) for row in self._rows),
            first=self._first,
            at=self._at,
            action="remember",
            author=self._author,
            reason=self._reason,
        )
        self._connection.executemany(INSERT_MEMORY, self._rows)
        index_rows(self._connection, self._first, self._rows[-1][0], self._paths)
        self._rows, self._paths = [], []
        self._waiting_keys.clear()

    def _move_on(self, behind: int) -> None:
        """Give what waits later numbers: the source of the drafts has itself written meanwhile."""
        self._first += behind
        self._rows = [(row[0] + behind, *row[1:-1], row[-1] + behind) for row in self._rows]
        self._paths = [(path, value, number + behind) for path, value, number in self._paths]


def _same_key(fields: Mapping[str, Any]) -> tuple[str, ...]:
    return fields["content_hash"], fields.get("workspace", DEFAULT_WORKSPACE), fields["scope"]

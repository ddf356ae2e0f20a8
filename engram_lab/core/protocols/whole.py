"""What concerns a store as a whole: its changes, its tables out and in, its health, its copies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    import pyarrow as pa

    from engram_lab.core.reports import BackupReport, CheckResult, ImportReport, RefusedRow
    from engram_lab.core.selection import Selection
    from engram_lab.core.types import LogEntry

__all__ = ["Backups", "ChangeLog", "Chunk", "Doctor", "Loader", "Tables"]


class Chunk(NamedTuple):
    """Some rows of one exported table, each with its position in the input.

    `rows` have every column of the table's schema, in its types; `refused` are rows that had not.
    """

    table: str
    rows: Sequence[tuple[int, Mapping[str, Any]]]
    refused: Sequence[RefusedRow] = ()


class ChangeLog(Protocol):
    """What changed in a store: how a derived index catches up.

    Guarantees: numbers start at 1 and have no gaps, also after a transaction that was undone; the
    order of numbers is the order in which the changes took effect.
    """

    def last(self) -> int:
        """Return the number of the newest change, 0 where there is none."""
        ...

    def since(self, number: int, *, limit: int = 1000) -> list[LogEntry]:
        """Return the changes after `number`, oldest first, at most `limit`.

        Raises:
            AccessDeniedError: An agent asks; the log tells of every scope.
        """
        ...


class Tables(Protocol):
    """The tables of a store as Arrow, to be read whole; `schemas.SCHEMAS` names them.

    Guarantees: a table has the columns and types of its schema, and its rows are in the order of
    its key. Rows that hang on memories are there where those memories are in the selection.
    """

    def scan(
        self, name: str, selection: Selection | None = None, *, batch_rows: int = 16_384
    ) -> pa.RecordBatchReader:
        """Return a table as a stream of record batches, all of one state of the store.

        Never more than a batch is in memory. Close a stream that is not read to its end: until then
        it may hold what another reader waits for.

        Raises:
            InvalidInputError: An unknown table; a filter or `as_of` for another table than
                `memories`; or both at once.
            AccessDeniedError: An agent asks for private sections.
        """
        ...

    def snapshot(self) -> AbstractContextManager[Callable[..., Iterator[pa.RecordBatch]]]:
        """Lend a `scan(name, selection, batch_rows=…)` whose every call sees the same state."""
        ...

    def counts(self, selection: Selection | None = None) -> dict[str, int]:
        """Return how many rows of each table `scan` would show.

        Raises:
            InvalidInputError, AccessDeniedError: See `scan`.
        """
        ...


class Loader(Protocol):
    """Takes exported tables back into a store.

    Guarantees: every row is checked by the laws of memory and kept to the last field, so that what
    `EVERYTHING` selects of one store, loaded into an empty one, scans there the same.
    """

    def load(self, chunks: Iterable[Chunk], *, keep_going: bool = False) -> ImportReport:
        """Take rows in one transaction: all, or none.

        A row that is already there, identical, counts as unchanged; one that contradicts what is
        there, or names what is not there, is refused. With `keep_going` refused rows are reported
        and the others are kept.

        Args:
            chunks: The tables in the order of `schemas.SCHEMAS`, each after those it names.
            keep_going: Whether refused rows let the others pass.

        Raises:
            ImportRefusedError: Rows were refused, and `keep_going` is False.
            AccessDeniedError: An agent asks.
        """
        ...


class Doctor(Protocol):
    """Check-ups of a store; for its owner alone."""

    def examine(self) -> list[CheckResult]:
        """Return what was looked at, sound or not: what is stored, what is derived, the log.

        Raises:
            AccessDeniedError: An agent asks.
        """
        ...

    def repair(self) -> list[CheckResult]:
        """Rebuild all that is derived from the memories, remove orphans, and examine again.

        Not guaranteed: that memories which are themselves damaged come back.

        Raises:
            AccessDeniedError: An agent asks.
        """
        ...


class Backups(Protocol):
    """Copies of a store that lives in a file; for its owner alone."""

    def backup(
        self, target: str, *, progress: Callable[[int, int], None] | None = None
    ) -> BackupReport:
        """Copy the store to a new file while it is read and written, then verify the copy.

        The copy is of one state.

        Args:
            target: The file to make; it must not exist.
            progress: Called with how much is done and how much there is in all.

        Raises:
            BackupError: The target exists, or the copy does not verify.
            AccessDeniedError: An agent asks.
        """
        ...

    def vacuum_into(self, target: str) -> BackupReport:
        """Write a compact copy of the store to a new file, then verify it.

        Raises:
            BackupError, AccessDeniedError: See `backup`.
        """
        ...

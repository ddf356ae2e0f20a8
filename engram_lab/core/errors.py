"""Every error this package raises on purpose.

EngramError
├── InvalidInputError(ValueError)      a value that the laws of memory refuse
│   ├── InvalidFilterError             a filter that names no field or no operator
│   └── SchemaMismatchError            a table that does not fit its Arrow schema
├── ConfigError(ValueError)            every problem of a configuration at once
├── NotFoundError(LookupError)         no such memory, session, identity … that you may see
├── ConflictError                      the store holds something that contradicts the request
│   ├── VersionConflictError           somebody changed the memory since you read it
│   ├── DuplicateError                 the same content is already remembered
│   ├── DreamLockedError               somebody else dreams of this workspace
│   ├── DreamRefusedError              a dream would take more away than is allowed in one pass
│   └── UndoConflictError              what a dream changed was changed again since
├── AccessDeniedError(PermissionError) an agent reached outside its scope without a grant
├── ImportRefusedError                 an import with refused rows; nothing was written
├── BackupError                        a backup that does not verify
├── EmbedderError                      a model or its provider failed, or cannot be loaded
├── EvaluationError                    something that cannot be judged
│   ├── DatasetMissingError(LookupError) a data set is not on this machine: skip it, with its reason
│   ├── DatasetChangedError(ValueError) a file is not the one that its manifest names
│   ├── InvalidRunError(ValueError)    a run, judgements or results file that cannot be read
│   ├── IncomparableError(ValueError)  two results of different questions, data or measures
│   └── PromotionRefusedError          a configuration whose evidence does not hold
├── MissingDependencyError(ImportError) an optional package is absent; names the extra
└── StoreError                         the database itself
    ├── StoreBusyError(TimeoutError)   another writer held the lock for too long
    ├── StoreFullError                 the disk is full
    ├── StoreReadOnlyError             the file or the engine is read-only
    ├── StoreCorruptError              the file is damaged
    ├── StoreClosedError               used after close, or in a forked child
    ├── NotAnEngramFileError           some other program's file
    └── SchemaTooNewError              written by a newer version of this program

Each leaf also is the builtin that a caller would already catch. A message says what was given, what
is allowed, and what to do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from engram_lab.core.reports import ImportReport

__all__ = [
    "AccessDeniedError",
    "BackupError",
    "ConfigError",
    "ConflictError",
    "DatasetChangedError",
    "DatasetMissingError",
    "DreamLockedError",
    "DreamRefusedError",
    "DuplicateError",
    "EmbedderError",
    "EngramError",
    "EvaluationError",
    "ImportRefusedError",
    "IncomparableError",
    "InvalidFilterError",
    "InvalidInputError",
    "InvalidRunError",
    "MissingDependencyError",
    "NotAnEngramFileError",
    "NotFoundError",
    "PromotionRefusedError",
    "SchemaMismatchError",
    "SchemaTooNewError",
    "StoreBusyError",
    "StoreClosedError",
    "StoreCorruptError",
    "StoreError",
    "StoreFullError",
    "StoreReadOnlyError",
    "UndoConflictError",
    "VersionConflictError",
    "shown",
]


class EngramError(Exception):
    """The root: catch this to catch all that this package raises on purpose."""

    def __reduce__(self) -> tuple[Any, ...]:
        # As made, not made anew: constructors differ, and worker processes send errors home.
        return _revived, (type(self), self.args, vars(self))


def _revived(kind: type[EngramError], args: tuple[Any, ...], state: dict[str, Any]) -> EngramError:
    error = kind.__new__(kind, *args)
    vars(error).update(state)
    return error


class InvalidInputError(EngramError, ValueError):
    """A value that the laws of memory refuse.

    Attributes:
        row: Position in the input where there were many rows, counted from 0.
    """

    def __init__(self, message: str, *, row: int | None = None) -> None:
        super().__init__(message if row is None else f"row {row}: {message}")
        self.reason = message
        self.row = row

    def at_row(self, row: int) -> Self:
        """Return this error, now naming the row of the input at fault."""
        self.row = row
        self.args = (f"row {row}: {self.reason}",)
        return self


class InvalidFilterError(InvalidInputError):
    """A filter that names no known field or operator, or compares unlike things."""


class SchemaMismatchError(InvalidInputError):
    """A table that does not fit its Arrow schema.

    Attributes:
        table: Name of the table, such as `memories`.
        column: The column at fault.
    """

    def __init__(self, message: str, *, table: str, column: str, row: int | None = None) -> None:
        super().__init__(f"table {table!r}, column {column!r}: {message}", row=row)
        self.table = table
        self.column = column


class ConfigError(EngramError, ValueError):
    """A configuration that cannot be used; lists every problem with its source.

    Attributes:
        problems: One sentence each.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        count = len(self.problems)
        head = "1 problem" if count == 1 else f"{count} problems"
        lines = "".join(f"\n  - {problem}" for problem in self.problems)
        super().__init__(f"the configuration has {head}:{lines}")


class NotFoundError(EngramError, LookupError):
    """No such thing, or none that the asking agent may see."""


class ConflictError(EngramError):
    """The store holds something that contradicts the request."""


class VersionConflictError(ConflictError):
    """Somebody changed the memory since it was read.

    Attributes:
        expected: The version the caller had read.
        actual: The version the store holds.
    """

    def __init__(self, memory_id: str, *, expected: int, actual: int) -> None:
        super().__init__(
            f"memory {memory_id} is at version {actual}, not {expected}: read it again and retry"
        )
        self.expected = expected
        self.actual = actual


class DuplicateError(ConflictError):
    """The same content is already remembered, as `existing_id`, and `dedup` is set to `reject`."""

    def __init__(self, existing_id: str) -> None:
        super().__init__(
            f"the same content is already memory {existing_id}: update that one, "
            "or remember with dedup='allow', 'skip' or 'merge'"
        )
        self.existing_id = existing_id


class DreamLockedError(ConflictError):
    """Somebody else, `owner`, dreams of it until `expires_at`; or one's own lock ran out (None)."""

    def __init__(self, workspace: str, *, owner: str | None, expires_at: datetime | None) -> None:
        told = f"the lock on dreams of workspace {workspace!r} ran out, so nothing was changed: "
        told += "dream again, with a longer dream.lock_s"
        if owner is not None:
            told = f"{owner} dreams of workspace {workspace!r} until {expires_at:%F %T} UTC: wait"
        super().__init__(told)
        self.owner, self.expires_at = owner, expires_at


class DreamRefusedError(ConflictError):
    """A dream would hide `removed` of `total` memories, too many at once; nothing was changed.

    Where `ends` is set, it would not hide them, but say that they no longer hold.
    """

    def __init__(self, *, removed: int, total: int, most: float, ends: bool = False) -> None:
        does = f"say of {removed} of {total} memories that they no longer hold"
        if not ends:
            does = f"take {removed} of {total} memories out of recall"
        super().__init__(
            f"this dream would {does}, more than dream.most_removed ({most:.0%}) allows: look at "
            "it with dry_run=True (--dry-run), then say yes=True (--yes), or set a milder policy"
        )
        self.removed, self.total, self.ends = removed, total, ends


class UndoConflictError(ConflictError):
    """What a dream changed, `ids`, was changed again since; nothing was undone."""

    def __init__(self, run_id: str, ids: Sequence[str]) -> None:
        super().__init__(
            f"dream {run_id} cannot be undone whole: later writes touched {', '.join(ids)[:200]}; "
            "undo those first, or undo the rest alone with keep_later=True (--keep-later)"
        )
        self.ids = tuple(ids)


class AccessDeniedError(EngramError, PermissionError):
    """An agent reached outside its scope without a grant."""


class ImportRefusedError(EngramError):
    """An import with refused rows; nothing was written.

    Attributes:
        report: What would have been imported, and each refused row with its reason.
    """

    def __init__(self, report: ImportReport) -> None:
        first = report.refused[0]
        super().__init__(
            f"{len(report.refused)} of {report.total} rows were refused, so nothing was imported; "
            f"the first is row {first.row} of {first.table!r}: {first.reason}"
        )
        self.report = report


class BackupError(EngramError):
    """A backup that cannot be made, or does not verify."""


class EmbedderError(EngramError):
    """A model or its provider failed, or cannot be loaded.

    Attributes:
        retryable: Whether the same request may succeed later.
        retry_after_s: How long the provider asks to wait, in seconds, where it says so.
    """

    def __init__(
        self, message: str, *, retryable: bool = False, retry_after_s: float | None = None
    ) -> None:
        super().__init__(message)
        self.retryable = retryable
        self.retry_after_s = retry_after_s


class EvaluationError(EngramError):
    """Something that cannot be judged."""


class DatasetMissingError(EvaluationError, LookupError):
    """A data set is not on this machine: whoever evaluates skips it, with this as the reason."""


class DatasetChangedError(EvaluationError, ValueError):
    """A file is not the one that its manifest names."""


class InvalidRunError(EvaluationError, ValueError):
    """A run, judgements or results file that cannot be read.

    Attributes:
        file: Its name, where it is one.
        line: Where in it, counted from 1.
    """

    def __init__(self, message: str, *, file: str | None = None, line: int | None = None) -> None:
        place = "".join((f"{file}: " if file else "", f"line {line}: " if line else ""))
        super().__init__(place + message)
        self.file = file
        self.line = line


class IncomparableError(EvaluationError, ValueError):
    """Two results of different questions, data or measures."""


class PromotionRefusedError(EvaluationError):
    """A configuration whose evidence does not hold."""


class MissingDependencyError(EngramError, ImportError):
    """An optional package is absent, which `extra` of this project brings."""

    def __init__(self, package: str, *, feature: str, extra: str) -> None:
        super().__init__(
            f"{feature} needs the package {package!r}: install engram-lab with its extra "
            f'{extra!r}, as `pip install ".[{extra}]"` does in its checkout'
        )
        self.extra = extra


class StoreError(EngramError):
    """The database itself failed."""


class StoreBusyError(StoreError, TimeoutError):
    """Another writer held the lock for longer than `store.busy_timeout_ms`."""


class StoreFullError(StoreError):
    """The disk is full; the transaction was rolled back and nothing was lost."""


class StoreReadOnlyError(StoreError):
    """The file or the engine is read-only."""


class StoreCorruptError(StoreError):
    """The file is damaged."""


class StoreClosedError(StoreError):
    """Used after close, or carried into a forked process."""


class NotAnEngramFileError(StoreError):
    """The file belongs to another program."""


class SchemaTooNewError(StoreError):
    """The file was written by a newer version of this program."""


def shown(value: object, *, limit: int = 40) -> str:
    """Return a value as a message quotes it: short, and without failing, whatever it is."""
    try:
        text = str(value)
    except Exception:  # noqa: BLE001 - such as a number of more digits than Python will print
        text = f"<{type(value).__name__}>"
    return repr(text[:limit])

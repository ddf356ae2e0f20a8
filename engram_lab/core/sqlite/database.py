"""One SQLite file: one writer at a time, many readers, threads and processes."""

from __future__ import annotations

import os
from collections import deque
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import BoundedSemaphore, RLock, get_ident
from typing import TYPE_CHECKING, Any, Final

import apsw

from engram_lab.core.errors import (
    InvalidInputError,
    NotFoundError,
    StoreBusyError,
    StoreClosedError,
    StoreError,
    StoreReadOnlyError,
)
from engram_lab.core.sqlite.faults import DAMAGE, refuse_type, translated
from engram_lab.core.sqlite.migrations import check_identity, check_migrated, migrate
from engram_lab.core.sqlite.pragmas import prepare_reader, prepare_writer
from engram_lab.core.sqlite.undone import Undone

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engram_lab.core.clock import Clock
    from engram_lab.core.settings import StoreSettings

__all__ = ["MEMORY", "Database"]

MEMORY: Final = ":memory:"


class _Cursor(apsw.Cursor):
    """Says of a value that SQLite cannot hold that it is bad input."""

    def execute(self, *query: Any, **options: Any) -> apsw.Cursor:
        try:
            return super().execute(*query, **options)
        except (UnicodeEncodeError, OverflowError) as error:
            raise InvalidInputError(f"a value cannot be stored, nor looked for: {error}") from None


class Database:
    """The connections to one file.

    Guarantees: `write` is atomic and, once it returns, durable; transactions of this process follow
    one another, other processes' are waited for up to `busy_timeout_ms`. Inside a `write` the same
    thread's reads see what it wrote. A database in memory has one connection, which threads share
    in turn.

    Args:
        path: The file, made where it is missing, or `":memory:"`.
        settings: See `StoreSettings`.
        clock: Stamps the migrations.
        read_only: Never write; the file must exist.

    Raises:
        NotFoundError: No such file, though `read_only` needs one.
        NotAnEngramFileError: Another program's file.
        SchemaTooNewError: A newer version's file.
    """

    def __init__(
        self, path: str, settings: StoreSettings, *, clock: Clock, read_only: bool = False
    ) -> None:
        self.path = path
        self.read_only = read_only
        self._settings = settings
        self._pid = os.getpid()
        self._timeout_s = settings.busy_timeout_ms / 1000
        self._lock = RLock()
        self._writing_thread: int | None = None
        self._idle: deque[apsw.Connection] = deque()
        self._free = BoundedSemaphore(settings.readers)
        self._closed = False
        self._watcher: apsw.Connection | None = None
        self.undone = Undone()
        if path != MEMORY:
            self._check_place(Path(path))
        try:
            self._writer = self._open_first(clock)
        except apsw.Error as error:
            raise translated(error, path) from error

    def _check_place(self, file: Path) -> None:
        if self.read_only and not file.exists():
            raise NotFoundError(f"{file} does not exist: it can't be opened for reading alone")
        if file.is_dir():
            raise StoreError(f"{file} is a folder: give the path of a file in it")
        if not file.parent.is_dir():
            raise StoreError(f"the folder {file.parent} does not exist: create it first")

    def _open_first(self, clock: Clock) -> apsw.Connection:
        connection = self._connect(read_only=self.read_only)
        try:
            connection.set_busy_timeout(self._settings.busy_timeout_ms)
            connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
            check_identity(connection, self.path)  # a foreign file keeps every byte, and its log
            connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0)
            if self.read_only:
                check_migrated(connection, self.path)
                prepare_reader(connection, self._settings)
            else:
                prepare_writer(connection, self._settings)
                migrate(connection, clock)
        except BaseException:
            connection.close()
            raise
        return connection

    def _connect(self, *, read_only: bool) -> apsw.Connection:
        flags = apsw.SQLITE_OPEN_READONLY
        if not read_only:
            flags = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE
        connection = apsw.Connection(self.path, flags=flags, statementcachesize=256)
        connection.cursor_factory = _Cursor
        connection.convert_binding = refuse_type
        return connection

    @contextmanager
    def read(self) -> Iterator[apsw.Connection]:
        """Lend a connection to read with; several statements may see several states."""
        if self._writing_thread == get_ident():
            self._check_usable()  # a child may have been forked within the transaction
            yield self._writer
            return
        connection = self._borrow()
        try:
            yield connection
        except (apsw.Error, *DAMAGE) as error:
            raise translated(error, self.path) from error
        finally:
            self._give_back(connection)

    @contextmanager
    def snapshot(self) -> Iterator[apsw.Connection]:
        """Lend a connection on which every statement sees the same state."""
        with self.read() as connection:
            # A database in memory has one connection: an open read there would bar its own writes.
            if connection.in_transaction or self.path == MEMORY:
                yield connection
                return
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                with suppress(apsw.Error):
                    connection.execute("ROLLBACK")

    @contextmanager
    def write(self) -> Iterator[apsw.Connection]:
        """Lend the writer for one transaction; inside another, for one savepoint of it."""
        self._check_usable()
        if self.read_only:
            raise StoreReadOnlyError(f"{self.path} was opened with read_only=True")
        self._acquire()
        outer = self._writing_thread
        begin, commit, rollback = _TRANSACTION if outer is None else _SAVEPOINT
        try:
            self._check_usable()  # it may have been closed while this thread waited
            began = outer is None  # an interrupt that came while BEGIN waited is raised after it
            try:
                self._writer.execute(begin)
                began = True
                self._writing_thread = get_ident()
                yield self._writer
                self._writer.execute(commit)
            except BaseException:
                # A full disk may have ended it already, or an interrupt have come after RELEASE.
                if began and self._writer.in_transaction:
                    with suppress(apsw.SQLError):  # there is none: the first error counts
                        self._writer.execute(rollback)
                self.undone.after_rollback(self._writer)
                raise
            finally:
                self._writing_thread = outer
        except apsw.Error as error:
            raise translated(error, self.path) from error
        finally:
            self._lock.release()

    @contextmanager
    def write_unsynced(self) -> Iterator[apsw.Connection]:
        """Lend the writer as `write` does, for what may be lost with the power of the machine.

        It waits for no disk: whole or not at all, it is there for all processes, and as durable as
        anything once another transaction is. Inside another transaction it is a part of that.
        """
        self._check_usable()
        self._acquire()
        try:
            self._check_usable()  # it may have been closed while this thread waited
            relaxed = self._writing_thread is None and not self.read_only
            try:
                if relaxed:
                    self._writer.pragma("synchronous", "normal")
                with self.write() as connection:
                    yield connection
            finally:
                if relaxed:
                    self._writer.pragma("synchronous", self._settings.synchronous)
        finally:
            self._lock.release()

    def _acquire(self) -> None:
        if not self._lock.acquire(timeout=self._timeout_s):
            raise StoreBusyError(
                f"{self.path}: another thread held it for longer than store.busy_timeout_ms"
            )

    @contextmanager
    def outside_transaction(self) -> Iterator[apsw.Connection]:
        """Lend the writer for what SQLite does in no transaction: a checkpoint, `VACUUM INTO`."""
        self._check_usable()
        with self._lock:
            if self._writing_thread is not None:
                raise StoreError("this cannot be done inside a transaction: end it first")
            try:
                yield self._writer
            except apsw.Error as error:
                raise translated(error, self.path) from error

    def revision(self) -> tuple[int, int]:
        """Return a value that differs after any commit, by this process or another."""
        self._check_usable()  # before the lock, which in a forked child nobody may ever release
        with self._lock:
            self._check_usable()
            if self._watcher is None:
                self._watcher = self._writer if self.path == MEMORY else self._open_reader()
            return self._watcher.pragma("data_version"), self._watcher.total_changes()

    def truncate_log(self) -> bool:
        """Empty the write-ahead log into the file; False while it is still needed.

        Another process that reads an older state needs it, and so does a transaction that this
        thread has not ended.
        """
        if self.path == MEMORY:
            return True
        if self._writing_thread == get_ident():
            return False
        with self.outside_transaction() as connection:
            connection.set_busy_timeout(min(self._settings.busy_timeout_ms, 1000))
            try:
                busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()[0]
            except (apsw.BusyError, apsw.FullError):  # what was written before is kept all the same
                return False
            finally:
                connection.set_busy_timeout(self._settings.busy_timeout_ms)
            return not busy

    def erase(self) -> bool:
        """Write the file anew and empty its log: nothing that was removed is left in either.

        SQLite overwrites what it deletes, but not the copies that stay behind in a page when rows
        move to another one. Takes about a second for 100 MB. False where it could not be done now:
        see `truncate_log`; or the disk is full, or a read on this connection is not finished.
        """
        if self.path != MEMORY and self._writing_thread != get_ident():
            with self.outside_transaction() as connection:
                try:
                    connection.execute("VACUUM")
                except (apsw.BusyError, apsw.FullError, apsw.SQLError):
                    return False
        return self.truncate_log()

    def close(self) -> None:
        """Close every connection; a second call does nothing."""
        if os.getpid() != self._pid:
            self._closed = True
            return  # the parent owns the connections; closing them here would harm its locks
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._close_idle()
            for connection in filter(None, (self._watcher, self._writer)):
                connection.close()

    def _close_idle(self) -> None:
        """Close the readers that nobody borrows; taking each out first keeps borrowers off it."""
        with suppress(IndexError):
            while True:
                self._idle.pop().close()

    def _check_usable(self) -> None:
        if self._closed:
            raise StoreClosedError(f"{self.path} is closed: open it again")
        if os.getpid() != self._pid:
            raise StoreClosedError(
                f"{self.path} was opened before this process was forked: open it anew in the child"
            )

    def _borrow(self) -> apsw.Connection:
        self._check_usable()
        if self.path == MEMORY:
            self._acquire()
            return self._writer
        if not self._free.acquire(timeout=self._timeout_s):
            raise StoreBusyError(
                f"{self.path}: all {self._settings.readers} readers are in use: "
                "close unfinished scans, or raise store.readers"
            )
        try:
            self._check_usable()  # it may have been closed while this thread waited
            try:
                return self._idle.pop()
            except IndexError:
                return self._open_reader()
        except BaseException as error:
            self._free.release()
            if isinstance(error, apsw.Error):
                raise translated(error, self.path) from error
            raise

    def _open_reader(self) -> apsw.Connection:
        connection = self._connect(read_only=True)
        prepare_reader(connection, self._settings)
        return connection

    def _give_back(self, connection: apsw.Connection) -> None:
        if self.path == MEMORY:
            self._lock.release()
            return
        if connection.txn_state() == apsw.SQLITE_TXN_NONE:
            self._idle.append(connection)
        else:  # rows left unread would hold the next borrower in the past
            connection.close(force=True)
        if self._closed:
            self._close_idle()
        self._free.release()


_TRANSACTION: Final = ("BEGIN IMMEDIATE", "COMMIT", "ROLLBACK")
_SAVEPOINT: Final = (
    "SAVEPOINT inner_step",
    "RELEASE inner_step",
    "ROLLBACK TO inner_step; RELEASE inner_step",
)

"""The settings of every connection, each a small function with its reason."""

from __future__ import annotations

from time import monotonic, sleep
from typing import TYPE_CHECKING

import apsw

if TYPE_CHECKING:
    from engram_lab.core.settings import StoreSettings

__all__ = ["prepare_reader", "prepare_writer"]


def _wait_for_locks(connection: apsw.Connection, settings: StoreSettings) -> None:
    """A lock held by another process is waited for, but not for ever."""
    connection.set_busy_timeout(settings.busy_timeout_ms)


def _enforce_references(connection: apsw.Connection) -> None:
    """SQLite checks foreign keys only where asked to."""
    connection.pragma("foreign_keys", True)  # noqa: FBT003 - apsw's way


def _cache(connection: apsw.Connection, settings: StoreSettings) -> None:
    """A negative cache size is in KiB."""
    connection.pragma("cache_size", -1024 * settings.cache_mib)


def _distrust_the_schema(connection: apsw.Connection) -> None:
    """A file from elsewhere must not run functions through its views and triggers."""
    connection.pragma("trusted_schema", False)  # noqa: FBT003


def _write_ahead_log(connection: apsw.Connection, settings: StoreSettings) -> None:
    """Readers never wait for the writer, nor the writer for readers.

    Two that make the same file would deadlock if SQLite waited here: it refuses one at once.
    """
    end = monotonic() + settings.busy_timeout_ms / 1000
    while True:
        try:
            connection.pragma("journal_mode", "wal")
        except apsw.BusyError:
            if monotonic() > end:
                raise
            sleep(0.002)
        else:
            return


def _acknowledge_only_what_is_on_disk(connection: apsw.Connection, settings: StoreSettings) -> None:
    """In WAL mode FULL syncs the log at each commit; NORMAL leaves the last ones to chance."""
    connection.pragma("synchronous", settings.synchronous)


def _overwrite_what_is_deleted(connection: apsw.Connection) -> None:
    """A purge removes the bytes, not only the rows that point to them."""
    connection.pragma("secure_delete", True)  # noqa: FBT003


def prepare_reader(connection: apsw.Connection, settings: StoreSettings) -> None:
    """Make a connection ready to read."""
    _wait_for_locks(connection, settings)
    _cache(connection, settings)
    _distrust_the_schema(connection)


def prepare_writer(connection: apsw.Connection, settings: StoreSettings) -> None:
    """Make a connection ready to write."""
    prepare_reader(connection, settings)
    _write_ahead_log(connection, settings)
    _acknowledge_only_what_is_on_disk(connection, settings)
    _overwrite_what_is_deleted(connection)
    _enforce_references(connection)

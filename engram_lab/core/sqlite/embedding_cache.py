"""Vectors that outlive the process, in a file of their own that threads and processes share."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any, Final, Self

import apsw
import numpy as np

from engram_lab.core.errors import (
    InvalidInputError,
    NotAnEngramFileError,
    SchemaTooNewError,
    StoreClosedError,
    StoreCorruptError,
    StoreError,
)
from engram_lab.core.settings import StoreSettings
from engram_lab.core.sqlite.faults import translated
from engram_lab.core.sqlite.pragmas import prepare_writer
from engram_lab.core.sqlite.rows import fetch
from engram_lab.core.sqlite.vectors import check_values, embedder_number

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

__all__ = ["CACHE_APPLICATION_ID", "EmbeddingCache", "open_embedding_cache"]

CACHE_APPLICATION_ID: Final = 0x456E_4361
"""Marks a SQLite file as such a cache: "EnCa" in ASCII."""

_SCHEMA: Final = 1
_TABLES: Final = """
CREATE TABLE embedders (
    number INTEGER PRIMARY KEY, fingerprint TEXT NOT NULL UNIQUE, dim INTEGER NOT NULL
) STRICT;
CREATE TABLE vectors (
    hash BLOB NOT NULL, -- of the text
    embedder INTEGER NOT NULL REFERENCES embedders (number),
    data BLOB NOT NULL, -- float32, little-endian
    PRIMARY KEY (hash, embedder)
) STRICT;
"""
_HASH_BYTES: Final = 32
_FIND: Final = (
    "SELECT v.hash, v.data FROM embedders AS e CROSS JOIN carray(?) AS c CROSS JOIN vectors AS v "
    "ON v.hash = c.value AND v.embedder = e.number "
    "WHERE e.fingerprint = ? AND length(v.data) = 4 * e.dim"
)
_ADVICE: Final = "it is a cache, so you may delete it, with its -wal and -shm, and lose nothing"


def open_embedding_cache(path: str | os.PathLike[str]) -> EmbeddingCache:
    """Open the cache at a path, made where it is missing; `":memory:"` lasts until closed.

    Raises:
        NotAnEngramFileError: Another program's file.
        StoreCorruptError: It is damaged.
        SchemaTooNewError: It was written by a newer version.
        StoreError: It cannot be used; says why.
    """
    return EmbeddingCache(str(path))


class EmbeddingCache:
    """Vectors by embedder and by the SHA-256 of the text; see `core.protocols.EmbeddingCache`.

    What a loss of power takes with it is computed again, so that no write waits for the disk.
    """

    def __init__(self, path: str) -> None:
        self.path = path if path == ":memory:" else str(Path(path).expanduser())
        self._pid = os.getpid()
        self._lock = RLock()
        self._closed = False
        if path != ":memory:":
            _check_place(Path(self.path))
        with self._translated():
            self._connection = _opened(self.path)

    def get(self, fingerprint: str, hashes: Sequence[bytes]) -> list[NDArray[np.float32] | None]:
        """Return the vectors in order, None where one is not known. They are not to be written to.

        Raises:
            InvalidInputError: A hash that is no SHA-256.
        """
        wanted = _check_hashes(hashes)
        if not wanted:
            return []
        with self._lent() as connection:
            rows = fetch(connection, _FIND, (apsw.carray(wanted), fingerprint))
        found = {hash_: np.frombuffer(data, dtype="<f4") for hash_, data in rows}
        return [found.get(each) for each in hashes]

    def put(self, fingerprint: str, hashes: Sequence[bytes], values: NDArray[np.float32]) -> None:
        """Keep vectors, float32 [n, dim], in one transaction.

        Raises:
            InvalidInputError: Another shape, another dimension than this embedder's, values that
                are not finite, or no SHA-256.
        """
        table = check_values(values, len(hashes))
        if not _check_hashes(hashes):
            return
        with self._lent() as connection, _transaction(connection):
            number = embedder_number(connection, fingerprint, table.shape[1])
            connection.executemany(
                "INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)",
                ((each, number, row.tobytes()) for each, row in zip(hashes, table, strict=True)),
            )

    def remove(self, hashes: Sequence[bytes]) -> None:
        """Forget the vectors of these texts, of every embedder, also in the write-ahead log.

        Raises:
            InvalidInputError: A hash that is no SHA-256.
        """
        gone = _check_hashes(hashes)
        with self._lent() as connection:
            before = connection.total_changes()
            with _transaction(connection):
                connection.executemany(
                    "DELETE FROM vectors WHERE hash = ?", ((each,) for each in gone)
                )
            if connection.total_changes() > before:
                with suppress(apsw.BusyError):  # while another process reads: with a later one
                    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def close(self) -> None:
        """Close it; a second call does nothing."""
        if os.getpid() != self._pid:
            self._closed = True
            return  # closing the parent's connection here would harm its locks
        with self._lock:
            if not self._closed:
                self._closed = True
                self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    @contextmanager
    def _lent(self) -> Iterator[apsw.Connection]:
        """Lend the connection to one thread at a time."""
        if os.getpid() != self._pid:
            raise StoreClosedError(f"{self.path} was opened before this process was forked")
        with self._lock:
            if self._closed:
                raise StoreClosedError(f"{self.path} is closed: open it again")
            with self._translated():
                yield self._connection

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (apsw.CorruptError, UnicodeDecodeError) as error:
            raise StoreCorruptError(f"{self.path} is damaged ({error}): {_ADVICE}") from error
        except apsw.NotADBError as error:
            raise NotAnEngramFileError(
                f"{self.path} is no SQLite database, and was left as it is: "
                "give the path of another file"
            ) from error
        except apsw.Error as error:
            raise translated(error, self.path) from error


def _check_place(file: Path) -> None:
    if file.is_dir():
        raise StoreError(f"{file} is a folder: give the path of a file in it")
    if not file.parent.is_dir():
        raise StoreError(f"the folder {file.parent} does not exist: create it first")


def _check_hashes(hashes: Sequence[bytes]) -> tuple[bytes, ...]:
    given: Sequence[Any] = hashes
    wanted = tuple(dict.fromkeys(given))
    if not all(isinstance(each, bytes) and len(each) == _HASH_BYTES for each in wanted):
        raise InvalidInputError(f"hashes holds no SHA-256: give the {_HASH_BYTES} bytes of each")
    return wanted


@contextmanager
def _transaction(connection: apsw.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _opened(path: str) -> apsw.Connection:
    connection = apsw.Connection(path)
    try:
        settings = StoreSettings(synchronous="normal", cache_mib=8)
        connection.set_busy_timeout(settings.busy_timeout_ms)
        connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
        is_new = _check_identity(connection, path)  # a foreign file keeps every byte, and its log
        connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0)
        prepare_writer(connection, settings)
        if is_new:
            _make(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _check_identity(connection: apsw.Connection, path: str) -> bool:
    """Tell whether the file is new; refuse another program's, and a newer version's; reads only."""
    with connection:  # one state: another process may be making this very file
        mark = connection.pragma("application_id")
        schema = connection.pragma("user_version")
        tables = connection.execute("SELECT count(*) FROM sqlite_schema").get
    if mark != CACHE_APPLICATION_ID:
        if mark or tables:
            raise NotAnEngramFileError(
                f"{path} is no cache of embeddings but another database, and was left as it is: "
                "give the path of another file"
            )
        return True
    if schema > _SCHEMA:
        raise SchemaTooNewError(
            f"{path} is a cache of embeddings of schema {schema} and this version knows up to "
            f"{_SCHEMA}: upgrade engram-lab, or delete it"
        )
    return False


def _make(connection: apsw.Connection) -> None:
    with _transaction(connection):
        if connection.pragma("application_id") == CACHE_APPLICATION_ID:
            return  # another process made it while this one waited
        connection.pragma("application_id", CACHE_APPLICATION_ID)
        connection.execute(_TABLES)
        connection.pragma("user_version", _SCHEMA)

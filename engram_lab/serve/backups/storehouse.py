"""The place where backups are kept: a folder, or a bucket of storage that speaks S3."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

import obstore
from obstore import exceptions as faults
from obstore.store import LocalStore, S3Store

from engram_lab.core.errors import (
    ConfigError,
    ConflictError,
    InvalidInputError,
    NotFoundError,
    StoreFullError,
)
from engram_lab.serve.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from obstore.store import ClientConfig, RetryConfig, S3Config

    from engram_lab.config import BackupSettings

__all__ = ["Entry", "Storehouse", "StorehouseError"]

_S3: Final = "s3://"
_PART_BYTES: Final = 8 * 1_048_576
_MOST_PARTS: Final = 9_000
"""S3 takes 10,000 parts of an upload."""

_PART: Final = "#[0-9]*"
"""How a file is called that is not whole yet, after its name."""

_AT_ONCE: Final = 2
_READ_BYTES: Final = 1_048_576
_SMALL_BYTES: Final = 65_536

_RETRY: Final[RetryConfig] = {"max_retries": 3, "retry_timeout": timedelta(seconds=30)}
_NO_BUCKET: Final = (
    "the bucket of backups.place cannot be used: set AWS_ACCESS_KEY_ID and "
    "AWS_SECRET_ACCESS_KEY, and see backups.s3_endpoint and backups.s3_region"
)
_CLIENT: Final[ClientConfig] = {
    "connect_timeout": timedelta(seconds=5),
    "read_timeout": timedelta(seconds=30),
    "timeout": timedelta(hours=1),  # of a whole answer, and a large backup is one answer
}


class StorehouseError(UnavailableError):
    """The place of the backups does not answer, or refuses. Its cause names it, the message not."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """Something that is kept."""

    path: str
    size_bytes: int
    modified_at: datetime


class Storehouse:
    """Puts, gets, lists and deletes; safe to share between threads.

    Args:
        store: Where.
        folder: Of a place on this machine, so that what is put is waited for until it is on disk.
    """

    def __init__(self, store: LocalStore | S3Store, *, folder: Path | None = None) -> None:
        self._store = store
        self._folder = folder

    @classmethod
    def at(cls, settings: BackupSettings) -> Self:
        """Open the place that is set; credentials for S3 come from the environment (`AWS_…`).

        Raises:
            ConfigError: No place is set, or none that can be used.
        """
        place = settings.place
        if not place:
            raise ConfigError(
                ["no place for backups is set: give backups.place a folder, or s3://bucket/prefix"]
            )
        if place.startswith(_S3):
            return cls(_bucket(place, settings))
        if "://" in place:
            raise ConfigError(
                [f"backups.place is {place[:40]!r}: give a folder, or s3://bucket/prefix"]
            )
        folder = Path(place).expanduser().absolute()
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            return cls(LocalStore(folder), folder=folder)
        except (OSError, faults.BaseError) as error:
            raise ConfigError([f"backups.place: {folder} cannot be used as a folder"]) from error

    def claim(self, path: str, content: bytes) -> None:
        """Put something small where nothing is; of two who try, one wins.

        Raises:
            ConflictError: Something is there.
            StorehouseError, StoreFullError: It cannot be put.
        """
        with _told():
            obstore.put(self._store, path, content, mode="create")
        self._settle(path)

    def note(self, path: str, content: bytes) -> None:
        """Put something small, in the place of what was there.

        Raises:
            StorehouseError, StoreFullError: It cannot be put.
        """
        with _told():
            obstore.put(self._store, path, content, use_multipart=False)
        self._settle(path)

    def put(self, path: str, pieces: Iterable[bytes], *, size_bytes: int) -> None:
        """Put something large: it is there whole, or not at all.

        The path is to be claimed before, as uploads in parts know no condition.

        Raises:
            StorehouseError, StoreFullError: It cannot be put.
        """
        with _told():
            obstore.put(
                self._store,
                path,
                iter(pieces),
                use_multipart=True,
                chunk_size=max(_PART_BYTES, -(-size_bytes // _MOST_PARTS)),
                max_concurrency=_AT_ONCE,
            )
        self._settle(path)

    def get(self, path: str) -> Iterator[bytes]:
        """Yield what is kept, in pieces.

        Raises:
            NotFoundError: Nothing is there.
            StorehouseError: It cannot be had.
        """
        with _told():
            stream = iter(obstore.get(self._store, path).stream(min_chunk_size=_READ_BYTES))
        while True:
            with _told():
                piece = next(stream, None)
            if piece is None:
                return
            yield bytes(piece)

    def read(self, path: str) -> bytes:
        """Return the first bytes of something small.

        Raises:
            NotFoundError, StorehouseError: See `get`.
        """
        with _told():
            for piece in obstore.get(self._store, path).stream(min_chunk_size=_SMALL_BYTES):
                return bytes(piece)[:_SMALL_BYTES]
        return b""

    def list(self, folder: str) -> list[Entry]:
        """Return all that is kept below a folder, in the order of their paths.

        Raises:
            StorehouseError: It cannot be had.
        """
        with _told():
            found = [
                Entry(path=each["path"], size_bytes=each["size"], modified_at=each["last_modified"])
                for batch in obstore.list(self._store, folder)
                for each in batch
            ]
        return sorted(found, key=lambda entry: entry.path)

    def is_empty(self, folder: str) -> bool:
        """Tell whether nothing is kept below a folder.

        Raises:
            StorehouseError: It cannot be had.
        """
        with _told():
            return not any(len(batch) for batch in obstore.list(self._store, folder, chunk_size=1))

    def delete(self, paths: Sequence[str]) -> None:
        """Delete, one after the other; what is not there is passed over.

        Raises:
            StorehouseError: One cannot be deleted; those before it are.
        """
        for path in paths:
            try:
                with _told():
                    obstore.delete(self._store, path)
            except NotFoundError:
                continue

    def give_up(self, path: str) -> None:
        """Remove what a killed process left of something that it was putting.

        Only a folder shows such parts; a bucket has rules that end uploads nobody finished.

        Raises:
            StorehouseError: It cannot be removed.
        """
        if self._folder is None:
            return
        file = self._folder / path
        with _told():
            for part in file.parent.glob(f"{file.name}{_PART}"):
                part.unlink(missing_ok=True)

    def clear(self, folder: str) -> int:
        """Delete all that is kept below a folder, and the folder; return how much there was.

        Raises:
            StorehouseError: Something cannot be deleted.
        """
        found = self.list(folder)
        self.delete([each.path for each in found])
        if self._folder is not None:
            with _told():
                for part in (self._folder / folder).glob(f"*{_PART}"):
                    part.unlink(missing_ok=True)
            with suppress(OSError):  # it is not there, or somebody puts something there now
                (self._folder / folder).rmdir()
                (self._folder / folder).parent.rmdir()
        return len(found)

    def _settle(self, path: str) -> None:
        """Wait until a file, and its name, are on the disk of this machine."""
        if self._folder is None:
            return
        file = self._folder / path
        with _told():
            for place in (file, file.parent):
                descriptor = os.open(place, os.O_RDONLY | os.O_CLOEXEC)
                try:
                    os.fsync(descriptor)
                finally:
                    os.close(descriptor)


def _bucket(place: str, settings: BackupSettings) -> S3Store:
    bucket, _, prefix = place.removeprefix(_S3).partition("/")
    if not bucket:
        raise ConfigError([f"backups.place is {place[:40]!r}, without a bucket"])
    config: S3Config = {"bucket": bucket}
    if settings.s3_region:
        config["region"] = settings.s3_region
    client: ClientConfig = {**_CLIENT}
    if settings.s3_endpoint:
        config["endpoint"] = settings.s3_endpoint
        client["allow_http"] = settings.s3_endpoint.startswith("http://")
    try:
        return S3Store(
            prefix=prefix.strip("/") or None,
            config=config,
            client_options=client,
            retry_config=_RETRY,
        )
    except (faults.BaseError, ValueError) as error:
        raise ConfigError([_NO_BUCKET]) from error


@contextmanager
def _told() -> Iterator[None]:
    """Tell what went wrong in our own words, which name no address and no key."""
    try:
        yield
    except faults.AlreadyExistsError:
        raise ConflictError("a backup of this name exists and is kept") from None
    except (FileNotFoundError, faults.NotFoundError) as error:
        if "NoSuchBucket" in str(error):
            raise StorehouseError("the place of the backups knows no such bucket") from error
        raise NotFoundError("there is no such backup") from None
    except (PermissionError, faults.PermissionDeniedError, faults.UnauthenticatedError) as error:
        raise StorehouseError("the place of the backups refuses us: see its rights") from error
    except ValueError as error:  # whoever gives the pieces may raise one too
        if "parse path" not in str(error):
            raise
        raise InvalidInputError("this is no name of a backup") from error
    except (faults.BaseError, OSError) as error:
        if "No space left" in str(error) or "StorageFull" in str(error):
            raise StoreFullError("there is no room left where the backups are kept") from error
        raise StorehouseError("the place of the backups does not answer") from error

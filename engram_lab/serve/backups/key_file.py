"""The keys that backups are sealed with, in one file that only its owner may read.

Each line is a key: a word, its id, the key itself, when it was made. The last one seals; those
above it are kept, so that what they sealed still opens. Whoever loses this file loses every backup.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import secrets
import stat
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from engram_lab.core.errors import BackupError, ConflictError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

__all__ = ["BackupKey", "KeyFile", "KeyRing"]

_WORD: Final = "engram-backup-key-1"
_KEY_BYTES: Final = 32
_ID_DIGITS: Final = 16
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_LARGEST: Final = 1_048_576
_INTRODUCTION: Final = (
    "# What the backups are sealed with. Keep a copy of this file elsewhere, and tell nobody.\n"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class BackupKey:
    """A key of 256 bits.

    Attributes:
        id: 16 hexadecimal digits, which say nothing of the key; safe to show.
        made_at: When, as ISO 8601.
    """

    id: str
    made_at: str
    secret: bytes = field(repr=False)

    @classmethod
    def new(cls, at: datetime) -> BackupKey:
        """Return a key that nobody else has."""
        return cls.of(secrets.token_bytes(_KEY_BYTES), made_at=f"{at:%Y-%m-%dT%H:%M:%SZ}")

    @classmethod
    def of(cls, secret: bytes, *, made_at: str) -> BackupKey:
        """Return the key of these bytes; the id follows from them."""
        digest = hashlib.sha256(b"id of an engram backup key" + secret).hexdigest()
        return cls(id=digest[:_ID_DIGITS], made_at=made_at, secret=secret)

    def line(self) -> str:
        """Return the line of a key file."""
        return f"{_WORD} {self.id} {base64.b64encode(self.secret).decode()} {self.made_at}\n"


@dataclass(frozen=True, kw_only=True, slots=True)
class KeyRing:
    """All keys of a file, from the oldest to the newest."""

    keys: tuple[BackupKey, ...]

    @property
    def newest(self) -> BackupKey:
        """The one that seals."""
        return self.keys[-1]

    def get(self, key_id: str) -> BackupKey:
        """Return the key of an id.

        Raises:
            BackupError: It is not in the ring.
        """
        for key in self.keys:
            if key.id == key_id:
                return key
        raise BackupError(
            f"the backup was sealed with key {key_id}, and the key file has "
            f"{', '.join(key.id for key in self.keys)}: bring back the file that had it"
        )


class KeyFile:
    """The file of the keys. What was in it once stays in it.

    Args:
        path: Where; see `backups.key_file`.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path).expanduser()

    def exists(self) -> bool:
        """Tell whether there is one."""
        return self.path.exists()

    def make(self, at: datetime) -> BackupKey:
        """Make the file, with a first key.

        Raises:
            ConflictError: There is one; it is as it was.
            BackupError: It cannot be written.
        """
        key = BackupKey.new(at)
        with _told(self.path, "written"), self._draft([key]) as draft:
            try:
                os.link(draft, self.path)  # unlike a rename, this never takes another's place
            except FileExistsError:
                raise ConflictError(
                    f"{self.path} exists and is kept: its keys open the backups"
                ) from None
            _sync(self.path.parent)
        return key

    def rotate(self, at: datetime) -> BackupKey:
        """Add a key, which seals from now on; those before it stay.

        Raises:
            BackupError: There is no such file, or it cannot be read or written.
        """
        with _told(self.path, "written"), self._alone():
            key = BackupKey.new(at)
            with self._draft([*self.read().keys, key]) as draft:
                draft.replace(self.path)
                _sync(self.path.parent)
        return key

    def read(self) -> KeyRing:
        """Return the keys.

        Raises:
            BackupError: The file is missing, damaged, or may be read by others.
        """
        with _told(self.path, "read"):
            descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
            with os.fdopen(descriptor, "rb") as stream:
                if stat.S_IMODE(os.fstat(descriptor).st_mode) & _OTHERS:
                    raise BackupError(
                        f"others than its owner may read {self.path}: chmod 600 it, "
                        "and rotate the key if somebody may have"
                    )
                text = stream.read(_LARGEST)
        keys = tuple(
            self._parsed(number, line)
            for number, line in enumerate(text.decode("ascii", "replace").splitlines(), 1)
            if line.strip() and not line.startswith("#")
        )
        if not keys:
            raise BackupError(f"{self.path} has no key in it: bring back the copy that you kept")
        return KeyRing(keys=keys)

    def _parsed(self, number: int, line: str) -> BackupKey:
        try:
            word, key_id, encoded, made_at = line.split()
            key = BackupKey.of(base64.b64decode(encoded, validate=True), made_at=made_at)
        except (ValueError, binascii.Error):
            word, key_id, key = "", "", None
        if key is None or word != _WORD or key.id != key_id or len(key.secret) != _KEY_BYTES:
            raise BackupError(
                f"{self.path}, line {number}, is no whole key: bring back the copy that you kept"
            )
        return key

    @contextmanager
    def _draft(self, keys: list[BackupKey]) -> Iterator[Path]:
        """Lend a file with these keys beside the real one, on the disk and not yet in use."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = self.path.with_name(f".{self.path.name}.{secrets.token_hex(8)}")
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        try:
            with os.fdopen(os.open(draft, flags, 0o600), "w", encoding="ascii") as stream:
                stream.write(_INTRODUCTION + "".join(key.line() for key in keys))
                stream.flush()
                os.fsync(stream.fileno())
            yield draft
        finally:
            draft.unlink(missing_ok=True)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Let one process at a time add a key, or one of two keys would be lost."""
        import fcntl

        self.read()  # or the lock would be all there is
        with self.path.with_name(f".{self.path.name}.lock").open("w", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


@contextmanager
def _told(path: Path, deed: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise BackupError(
            f"the key of the backups is missing: {path} is not there, bring back the copy that "
            "you kept"
        ) from None
    except OSError as error:
        raise BackupError(f"{path} cannot be {deed}: {error.strerror}") from error


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

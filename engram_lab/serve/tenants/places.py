"""Where tenants' databases lie: `tenants/{id}/engram.db` in the data folder, and nowhere else."""

from __future__ import annotations

import os
import re
import shutil
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Final

from engram_lab.core.clock import from_us
from engram_lab.core.errors import InvalidInputError, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

__all__ = ["Identity", "Places", "born", "identity_of"]

Identity = tuple[int, int]
"""Of a file: its device and its number there. Another file at the same path has another one."""

_OURS = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\Z")
_DATABASE: Final = "engram.db"
_BESIDE: Final = ("-wal", "-shm", ".index")
_GONE: Final = ".gone-"
_OWNER_ALONE: Final = 0o700


class Places:
    """The folders of tenants. Threads and processes may share them.

    A tenant is named by its id alone, a UUIDv7 in its one spelling, so that no text of a request
    ever becomes a part of a path. What lies there is looked at again at each use: a symbolic link
    in the place of a folder or a file is refused, wherever it leads.

    Args:
        root: The data folder; made where it is missing, readable by its owner alone.
    """

    def __init__(self, root: Path) -> None:
        self.root = root.expanduser().resolve()  # whoever runs the server may link to it
        self._tenants = self.root / "tenants"

    def folder(self, tenant_id: str) -> Path:
        """Return the folder of a tenant, which may not exist yet.

        Raises:
            InvalidInputError: That is no id of a tenant.
            StoreError: A link or a file lies in the place of a folder.
        """
        if _OURS.match(tenant_id) is None:
            raise InvalidInputError(
                "that is no id of a tenant: give a UUIDv7 in lower case, as `engram tenant list` "
                "shows it"
            )
        folder = self._tenants / tenant_id
        for each in (self._tenants, folder):
            _check_kind(each, stat.S_ISDIR)
        return folder

    def database(self, tenant_id: str) -> Path:
        """Return the path of a tenant's database, which may not exist yet.

        Raises:
            InvalidInputError, StoreError: See `folder`.
        """
        file = self.folder(tenant_id) / _DATABASE
        _check_kind(file, stat.S_ISREG)
        for ending in _BESIDE:
            _check_kind(Path(f"{file}{ending}"), _is_plain)
        return file

    def identity(self, tenant_id: str) -> Identity | None:
        """Return which file a tenant's database is; None where there is none.

        Raises:
            InvalidInputError, StoreError: See `folder`.
        """
        return identity_of(str(self.database(tenant_id)))

    def exists(self, tenant_id: str) -> bool:
        """Tell whether a tenant has a database.

        Raises:
            InvalidInputError, StoreError: See `folder`.
        """
        return self.identity(tenant_id) is not None

    def make(self, tenant_id: str) -> Path:
        """Make the folder of a tenant where it is missing; only its owner may look into it.

        Raises:
            InvalidInputError, StoreError: See `folder`.
        """
        folder = self.folder(tenant_id)
        self._tenants.mkdir(mode=_OWNER_ALONE, parents=True, exist_ok=True)
        folder.mkdir(mode=_OWNER_ALONE, exist_ok=True)
        folder.chmod(_OWNER_ALONE)  # whatever the mask of the process is
        _sync(self._tenants)
        return folder

    def size(self, tenant_id: str) -> int:
        """Return the bytes of a tenant on disk: the database, its log, its index files.

        Raises:
            InvalidInputError, StoreError: See `folder`.
        """
        return _bytes_in(self.folder(tenant_id))

    def all(self) -> list[str]:
        """Return the ids of the tenants that have a folder."""
        if not self._tenants.is_dir():
            return []
        return sorted(each.name for each in self._tenants.iterdir() if _OURS.match(each.name))

    def remove(self, tenant_id: str) -> bool:
        """Remove a tenant's folder for good; False where there was none.

        It is renamed first, so that at no moment a half of it is there.

        Raises:
            InvalidInputError, StoreError: See `folder`; or it cannot be removed.
        """
        folder = self.folder(tenant_id)
        gone = self._tenants / f"{_GONE}{tenant_id}"
        try:
            if gone.exists():  # of a removal that was cut short
                shutil.rmtree(gone)
            try:
                folder.rename(gone)
            except FileNotFoundError:
                return False
            _sync(self._tenants)
            shutil.rmtree(gone)
        except OSError as error:
            raise StoreError(f"the folder {folder} cannot be removed: {error.strerror}") from error
        return True

    def sweep(self) -> int:
        """Finish removals that were cut short; return how many."""
        if not self._tenants.is_dir():
            return 0
        left = [each for each in self._tenants.iterdir() if each.name.startswith(_GONE)]
        for each in left:
            shutil.rmtree(each, ignore_errors=True)
        return len(left)


def identity_of(path: str) -> Identity | None:
    """Return which file lies at a path now, a link not followed; None where there is none."""
    try:
        found = os.lstat(path)  # asked at each request: a Path would double its time
    except (FileNotFoundError, NotADirectoryError):
        return None
    return found.st_dev, found.st_ino


def born(tenant_id: str) -> datetime:
    """Return when the id of a tenant was made, to the millisecond.

    Source: RFC 9562, section 5.7.
    """
    return from_us(int(tenant_id[:13].replace("-", ""), 16) * 1000)


def _check_kind(path: Path, right: Callable[[int], bool]) -> None:
    try:
        mode = path.lstat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return
    if not right(mode):
        raise StoreError(f"{path} is a link, or of another kind than belongs there: look at it")


def _is_plain(mode: int) -> bool:
    return stat.S_ISREG(mode) or stat.S_ISDIR(mode)


def _bytes_in(folder: Path) -> int:
    total = 0
    for entry in _entries(folder):
        if entry.is_dir(follow_symlinks=False):
            total += _bytes_in(Path(entry.path))
        else:
            try:
                total += entry.stat(follow_symlinks=False).st_size
            except FileNotFoundError:  # a log may go at any time
                continue
    return total


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            yield from entries
    except FileNotFoundError:
        return


def _sync(folder: Path) -> None:
    """Let the disk have what a folder holds: a rename or a new entry."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

"""Backups of tenants: made while a database is in use, sealed, kept, read back, put in place."""

from __future__ import annotations

import hashlib
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from engram_lab.core.copies import restore_backup, verify_backup
from engram_lab.core.errors import (
    BackupError,
    ConflictError,
    EngramError,
    NotFoundError,
    StoreFullError,
)
from engram_lab.core.protocols import HasBackups
from engram_lab.serve.backups.drill import rehearse
from engram_lab.serve.backups.key_file import KeyFile
from engram_lab.serve.backups.layout import folder_of
from engram_lab.serve.backups.records import Label, Made, Restored, Verified
from engram_lab.serve.backups.scratch import Scratch
from engram_lab.serve.backups.sealing import open_sealed, seal, sealed_size
from engram_lab.serve.backups.shelf import Shelf
from engram_lab.serve.backups.storehouse import Storehouse
from engram_lab.serve.backups.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from engram_lab.config import BackupSettings
    from engram_lab.core.clock import Clock
    from engram_lab.core.reports import BackupReport
    from engram_lab.engine import Engine
    from engram_lab.serve.backups.key_file import BackupKey
    from engram_lab.serve.backups.records import Backup, DrillReport

__all__ = ["TenantBackups"]

_NO_ROOM: Final = "there is no room on this machine for a copy of the database"
_SILENT: Final = Watch()


class TenantBackups:
    """Everything that is done with backups of tenants. Its verbs block: call them in threads.

    Args:
        settings: Where they go, how many stay, and where the key is.
        clock: Tells when one was made.
        scratch: A folder for copies on their way, in the clear, on a disk with room for the
            largest database; what a killed process left there is removed now.
        timer: Measures, in seconds.

    Raises:
        ConfigError: No place is set, or none that can be used.
    """

    def __init__(
        self,
        settings: BackupSettings,
        *,
        clock: Clock,
        scratch: Path,
        timer: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._timer = timer
        self._scratch = Scratch(scratch)
        self._scratch.tidy()
        self._shelf = Shelf(Storehouse.at(settings), clock)
        self.key_file = KeyFile(settings.key_file)

    def make(self, tenant_id: str, engine: Engine, *, watch: Watch = _SILENT) -> Made:
        """Back up a database that is in use; it is verified before it is sealed.

        The first backup of all makes the key.

        Args:
            tenant_id: Whose.
            engine: On their database.
            watch: Told of progress, and asked whether to go on.

        Raises:
            BackupError: The copy does not verify, or the key is missing.
            StorehouseError, StoreFullError: It cannot be kept; nothing is left of it.
            BackupStoppedError: It was stopped; nothing is left of it.
        """
        began = self._timer()
        folder_of(tenant_id)
        key = self._key()
        with self._scratch.room() as room:
            file = room / "copy.sqlite"
            report = _copied(engine, file, watch)
            label = self._shelf.claim(tenant_id, report, key.id)
            size = sealed_size(label.size_bytes, label.to_bytes())
            try:
                with file.open("rb") as source:
                    pieces = watch.over(seal(source, key, label.to_bytes()), "store", size)
                    backup = self._shelf.put(label, pieces, size_bytes=size)
            except BaseException:
                with suppress(EngramError):  # the place may be away: what went wrong is said
                    self._shelf.remove(tenant_id, label.name)
                raise
        return Made(backup=backup, seconds=self._timer() - began)

    def all(self, tenant_id: str) -> tuple[Backup, ...]:
        """Return the backups of a tenant, newest first.

        Raises:
            StorehouseError: They cannot be had.
        """
        return self._shelf.all(tenant_id)

    def verify(self, tenant_id: str, name: str, *, watch: Watch = _SILENT) -> Verified:
        """Read a backup back, open it, and check its pages, its schema and its counts.

        Raises:
            NotFoundError: There is none of this name.
            BackupError: It was changed, is another's, or does not verify.
        """
        began = self._timer()
        with self._scratch.room() as room:
            label = self._fetch(tenant_id, name, room / "copy.sqlite", watch)
        return Verified(label=label, seconds=self._timer() - began)

    def restore(
        self,
        tenant_id: str,
        name: str,
        target: Path,
        *,
        replace: bool = False,
        watch: Watch = _SILENT,
    ) -> Restored:
        """Put a backup in place: verified first, then by one rename.

        Args:
            tenant_id: Whose.
            name: Which.
            target: The database to be.
            replace: Take the place of one that is there, which is kept beside it.
            watch: See `make`.

        Raises:
            NotFoundError: There is none of this name.
            ConflictError: There is a file at the target, and `replace` was not said.
            BackupError: It does not verify; the target is as it was.
            StoreBusyError: Somebody has the target open; it is as it was.
        """
        began = self._timer()
        if target.exists() and not replace:
            raise ConflictError(
                "there is a database in that place: say that it is to be replaced, or give another"
            )
        with self._scratch.room() as room:
            file = room / "copy.sqlite"
            label = self._fetch(tenant_id, name, file, watch)
            report = restore_backup(file, target)
        return Restored(
            label=label, path=report.path, kept=report.kept, seconds=self._timer() - began
        )

    def prune(self, tenant_id: str) -> tuple[str, ...]:
        """Delete the oldest beyond `backups.keep`, but never the newest that was read back.

        Returns:
            The names of what was deleted.

        Raises:
            StorehouseError: One cannot be deleted.
        """
        kept = self._shelf.all(tenant_id)
        read_back = [each.name for each in kept if each.verified_at is not None][:1]
        gone = [each.name for each in kept[self._settings.keep :] if each.name not in read_back]
        for name in reversed(gone):
            self._shelf.remove(tenant_id, name)
        self._shelf.give_up(tenant_id)
        return tuple(gone)

    def erase(self, tenant_id: str) -> int:
        """Delete every backup of a tenant, for good; return how many there were.

        Raises:
            StorehouseError: One cannot be deleted.
        """
        return self._shelf.erase(tenant_id)

    def drill(
        self, tenant_id: str, open_engine: Callable[[Path], Engine], *, watch: Watch = _SILENT
    ) -> DrillReport:
        """Rehearse a restore: the newest backup, opened elsewhere and asked something.

        Args:
            tenant_id: Whose.
            open_engine: Opens an engine on a path, as the server does.
            watch: See `make`.

        Raises:
            NotFoundError: There is no backup.
            StorehouseError: It cannot be had.
        """
        newest = next(iter(self.all(tenant_id)), None)
        if newest is None:
            raise NotFoundError("there is no backup of this tenant yet: make one")
        with self._scratch.room() as room:
            return rehearse(
                newest,
                lambda file: self._fetch(tenant_id, newest.name, file, watch),
                open_engine,
                room / "engram.db",
                age_s=(self._clock.now() - newest.made_at).total_seconds(),
                timer=self._timer,
            )

    def _key(self) -> BackupKey:
        """Return the key that seals; the first of all is made, a lost one is not."""
        if not self.key_file.exists() and self._shelf.is_empty():
            with suppress(ConflictError):  # somebody else was faster, and theirs is as good
                return self.key_file.make(self._clock.now())
        return self.key_file.read().newest

    def _fetch(self, tenant_id: str, name: str, file: Path, watch: Watch) -> Label:
        """Write a backup to a new file, and believe it only when all of it is proven."""
        opened = open_sealed(self._shelf.get(tenant_id, name), self.key_file.read())
        label = Label.from_bytes(opened.label)
        if (label.tenant_id, label.name, label.key_id) != (tenant_id, name, opened.key_id):
            raise BackupError("this is another backup than its name and place say: it is refused")
        digest = _write(watch.over(opened, "fetch", label.size_bytes), file)
        report = verify_backup(file)
        if digest != label.sha256 or dict(report.counts) != dict(label.counts):
            raise BackupError("the backup holds something else than its label says: it is refused")
        with suppress(EngramError):  # to read is enough, where writing is not allowed
            self._shelf.mark(tenant_id, name)
        return label


def _copied(engine: Engine, file: Path, watch: Watch) -> BackupReport:
    """Copy a database and verify the copy."""
    try:
        engine.flush()
        if not isinstance(engine.store, HasBackups):
            return engine.backup(file)  # which says why there can be none
        return engine.store.backups.backup(
            str(file), progress=lambda done, total: watch.step("copy", done, total)
        )
    except StoreFullError as error:  # told without the path, as the tenant is told
        raise StoreFullError(_NO_ROOM) from error


def _write(pieces: Iterator[bytes], file: Path) -> str:
    """Write a new file, and return its SHA-256."""
    digest = hashlib.sha256()
    try:
        with file.open("xb") as stream:
            for piece in pieces:
                digest.update(piece)
                stream.write(piece)
    except OSError as error:
        raise StoreFullError(_NO_ROOM) from error
    return digest.hexdigest()

"""What lies where backups are kept: listed, claimed, marked, deleted; sealed or not is all one."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from engram_lab.core.errors import BackupError, ConflictError, NotFoundError
from engram_lab.serve.backups.layout import (
    RECORD,
    SEALED,
    TENANTS,
    VERIFIED,
    BackupName,
    folder_of,
    stem_of,
)
from engram_lab.serve.backups.records import Backup, Label

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from engram_lab.core.clock import Clock
    from engram_lab.core.reports import BackupReport
    from engram_lab.serve.backups.storehouse import Storehouse

__all__ = ["Shelf"]

_UNFINISHED: Final = timedelta(days=1)
"""A name that was claimed so long ago, and nothing came, is given up."""


class Shelf:
    """The backups of all tenants, as files with names.

    Args:
        storehouse: Where.
        clock: Tells when one is made.
    """

    def __init__(self, storehouse: Storehouse, clock: Clock) -> None:
        self._kept = storehouse
        self._clock = clock

    def is_empty(self) -> bool:
        """Tell whether there is nothing of anybody."""
        return self._kept.is_empty(TENANTS)

    def all(self, tenant_id: str) -> tuple[Backup, ...]:
        """Return the backups of a tenant, newest first."""
        folder = folder_of(tenant_id)
        entries = self._kept.list(folder)
        seen = {
            name: each.modified_at for each in entries if (name := stem_of(each.path, VERIFIED))
        }
        sealed = {name: each for each in entries if (name := stem_of(each.path, SEALED))}
        return tuple(
            Backup(
                tenant_id=tenant_id,
                name=str(name),
                made_at=name.at,
                schema_version=name.schema,
                size_bytes=sealed[name].size_bytes,
                verified_at=seen.get(name),
                label=self._record(f"{folder}/{name}{RECORD}"),
            )
            for name in sorted(sealed, reverse=True)
        )

    def claim(self, tenant_id: str, report: BackupReport, key_id: str) -> Label:
        """Put the record under a name that is later than all there are, whatever the clock says."""
        folder = folder_of(tenant_id)
        taken = [name for each in self._kept.list(folder) if (name := stem_of(each.path, RECORD))]
        name = BackupName(at=self._clock.now(), schema=report.schema)
        if taken and name.at <= max(taken).at:
            name = BackupName(at=max(taken).at, schema=report.schema).later()
        while True:
            label = Label(
                tenant_id=tenant_id,
                name=str(name),
                ts=name.at.isoformat(),
                schema_version=report.schema,
                size_bytes=report.size_bytes,
                sha256=report.sha256,
                key_id=key_id,
                last_change=report.last_change,
                counts=report.counts,
            )
            try:
                self._kept.claim(f"{folder}/{name}{RECORD}", label.to_bytes())
            except ConflictError:
                name = name.later()
            else:
                return label

    def put(self, label: Label, pieces: Iterable[bytes], *, size_bytes: int) -> Backup:
        """Put what was sealed beside its record; where that fails, neither is left."""
        folder = folder_of(label.tenant_id)
        path = f"{folder}/{label.name}{SEALED}"
        self._kept.put(path, pieces, size_bytes=size_bytes)
        there = {each.path: each.size_bytes for each in self._kept.list(folder)}
        if there.get(path) != size_bytes or f"{folder}/{label.name}{RECORD}" not in there:
            raise BackupError("what was kept is not what was sent: try again")
        name = BackupName.parse(label.name)
        return Backup(
            tenant_id=label.tenant_id,
            name=label.name,
            made_at=name.at,
            schema_version=name.schema,
            size_bytes=size_bytes,
            label=label,
        )

    def get(self, tenant_id: str, name: str) -> Iterator[bytes]:
        """Yield a backup, sealed.

        Raises:
            NotFoundError: There is none of this name.
        """
        return self._kept.get(f"{folder_of(tenant_id)}/{BackupName.parse(name)}{SEALED}")

    def mark(self, tenant_id: str, name: str) -> None:
        """Note that a backup was read back, and is sound."""
        mark = f'{{"at":"{self._clock.now().isoformat()}"}}'.encode()
        self._kept.note(f"{folder_of(tenant_id)}/{BackupName.parse(name)}{VERIFIED}", mark)

    def remove(self, tenant_id: str, name: str) -> None:
        """Delete a backup; its record last, as that holds the name."""
        path = f"{folder_of(tenant_id)}/{BackupName.parse(name)}"
        self._kept.delete([path + ending for ending in (SEALED, VERIFIED, RECORD)])

    def give_up(self, tenant_id: str) -> None:
        """Delete records and marks whose backup never came, or is gone, as after a `kill -9`."""
        before = self._clock.now() - _UNFINISHED
        entries = self._kept.list(folder_of(tenant_id))
        kept = {stem_of(each.path, SEALED) for each in entries}
        for entry in entries:
            name = stem_of(entry.path, RECORD) or stem_of(entry.path, VERIFIED)
            if name is not None and name not in kept and name.at < before:
                self._kept.give_up(f"{folder_of(tenant_id)}/{name}{SEALED}")
                self._kept.delete([entry.path])

    def erase(self, tenant_id: str) -> int:
        """Delete all of a tenant, for good; return how many backups there were."""
        backups = len(self.all(tenant_id))
        self._kept.clear(folder_of(tenant_id))
        return backups

    def _record(self, path: str) -> Label | None:
        try:
            return Label.from_bytes(self._kept.read(path))
        except (NotFoundError, BackupError):
            return None

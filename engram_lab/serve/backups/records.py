"""What is told of backups: their labels, and what was done with them."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Self

import orjson

from engram_lab.core.errors import BackupError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Backup", "DrillReport", "Label", "Made", "Restored", "Verified"]

_NO_LABEL: Final = "the backup says of itself what this version does not understand"


@dataclass(frozen=True, kw_only=True, slots=True)
class Label:
    """What a backup says of itself; sealed with it, so that it stays with it.

    Attributes:
        name: Its own name, so that an old one cannot stand in for a new one.
        schema_version: Of the database.
        size_bytes, sha256: Of the database, not sealed.
        last_change: The number of the last change that is in it.
        counts: How many rows, by table.
    """

    tenant_id: str
    name: str
    ts: str
    schema_version: int
    size_bytes: int
    sha256: str
    key_id: str
    last_change: int
    counts: Mapping[str, int] = field(hash=False)

    def to_bytes(self) -> bytes:
        """Return it as JSON, always in the same order."""
        record = {each.name: getattr(self, each.name) for each in fields(self)}
        return orjson.dumps(record | {"counts": dict(self.counts)}, option=orjson.OPT_SORT_KEYS)

    @classmethod
    def from_bytes(cls, text: bytes) -> Self:
        """Return what JSON says.

        Raises:
            BackupError: It is no label.
        """
        try:
            record: dict[str, Any] = orjson.loads(text)
            told = {each.name: record[each.name] for each in fields(cls)}
            counts = {str(name): int(count) for name, count in told["counts"].items()}
        except (ValueError, TypeError, KeyError, AttributeError):
            raise BackupError(_NO_LABEL) from None
        kinds = {"schema_version": int, "size_bytes": int, "last_change": int, "counts": dict}
        if not all(isinstance(value, kinds.get(name, str)) for name, value in told.items()):
            raise BackupError(_NO_LABEL)
        return cls(**(told | {"counts": counts}))


@dataclass(frozen=True, kw_only=True, slots=True)
class Backup:
    """One backup, as listed.

    Attributes:
        name: What `verify` and `restore` ask for.
        made_at: When.
        size_bytes: What it takes where it is kept.
        verified_at: When it was last read back and found sound; each also was before it was kept.
        label: What its record says; None where that is missing or cannot be read.
    """

    tenant_id: str
    name: str
    made_at: datetime
    schema_version: int
    size_bytes: int
    verified_at: datetime | None = None
    label: Label | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Made:
    """A backup that was made, and how long that took."""

    backup: Backup
    seconds: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Verified:
    """A backup that was read back, opened and counted."""

    label: Label
    seconds: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Restored:
    """A backup that was put in place; `kept` is where the file that was there now is."""

    label: Label
    path: str
    kept: str | None
    seconds: float


@dataclass(frozen=True, kw_only=True, slots=True)
class DrillReport:
    """A rehearsal of a restore: what was found, and how long until questions were answered.

    Attributes:
        name: The backup, the newest one.
        age_s: How old it was: what would have been lost.
        seconds: From the first byte to the first answer: how long a restore takes.
        fetch_s, open_s, recall_s: The parts of that.
        counts: Of the restored database, by table.
        checked: So many memories say what their hashes say.
        problems: What was not as it should be, one sentence each.
    """

    tenant_id: str
    name: str
    age_s: float
    seconds: float
    fetch_s: float
    open_s: float
    recall_s: float
    counts: Mapping[str, int] = field(hash=False)
    checked: int = 0
    problems: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether a restore would have worked."""
        return not self.problems

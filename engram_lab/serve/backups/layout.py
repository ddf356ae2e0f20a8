"""What backups are called, and where they lie.

    tenants/{tenant_id}/db/{ts}_v{schema}.sqlite.sealed          the database, sealed
    tenants/{tenant_id}/db/{ts}_v{schema}.sqlite.json            what it is: its label, in the clear
    tenants/{tenant_id}/db/{ts}_v{schema}.sqlite.verified.json   when it was last read back

The label is in the sealed file, where nobody can change it, and that is the one that is believed.
The record beside it is for whoever lists without a key, and claims the name: a large upload knows
no condition, a small one does, so the record comes first and only one process can put it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Self

from engram_lab.core.errors import InvalidInputError, shown

__all__ = ["RECORD", "SEALED", "TENANTS", "VERIFIED", "BackupName", "folder_of", "stem_of"]

TENANTS: Final = "tenants"
SEALED: Final = ".sealed"
RECORD: Final = ".json"
VERIFIED: Final = ".verified.json"

_ID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_NAME: Final = re.compile(r"([0-9]{8}T[0-9]{12})Z_v([0-9]{1,6})\.sqlite")
_TIME: Final = "%Y%m%dT%H%M%S%f"


def folder_of(tenant_id: str) -> str:
    """Return where the backups of a tenant lie.

    Raises:
        InvalidInputError: It is no id, so that no text can lead out of the folder.
    """
    if not _ID.fullmatch(tenant_id):
        raise InvalidInputError(f"{shown(tenant_id)} is no id of a tenant: give a UUID")
    return f"{TENANTS}/{tenant_id}/db"


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class BackupName:
    """When a backup was made, in UTC, and the schema of its database; later ones are greater."""

    at: datetime
    schema: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the name that a text says.

        Raises:
            InvalidInputError: It says none.
        """
        found = _NAME.fullmatch(text)
        try:
            if found:
                at = datetime.strptime(found[1], _TIME).replace(tzinfo=UTC)
                return cls(at=at, schema=int(found[2]))
        except ValueError:  # such as a thirteenth month
            pass
        raise InvalidInputError(
            f"{shown(text)} is no name of a backup: give one such as "
            "20260501T120000000000Z_v1.sqlite"
        )

    def __str__(self) -> str:
        at = self.at
        return f"{at.year:04}{at:%m%dT%H%M%S%f}Z_v{self.schema}.sqlite"

    def later(self) -> Self:
        """Return the next name that is free of this one's moment."""
        return type(self)(at=self.at + timedelta(microseconds=1), schema=self.schema)


def stem_of(path: str, ending: str) -> BackupName | None:
    """Return the name in the path of something that is kept; None where it is something else."""
    file = path.rsplit("/", 1)[-1]
    if not file.endswith(ending):
        return None
    try:
        return BackupName.parse(file.removesuffix(ending))
    except InvalidInputError:
        return None

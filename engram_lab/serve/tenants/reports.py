"""Reports of imports, beside the database, for whoever lost the connection."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import orjson

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from engram_lab.serve.tenants.places import Places

__all__ = ["ImportReports"]

_ID: Final = re.compile(r"[0-9a-f-]{36}\Z")
_MOST: Final = 100


class ImportReports:
    """Keeps the newest reports of each tenant. Blocks: for threads."""

    def __init__(self, places: Places) -> None:
        self._places = places

    def keep(self, tenant_id: str, import_id: str, report: Mapping[str, Any]) -> None:
        """Write a report; of more than a hundred the oldest go."""
        folder = self._folder(tenant_id)
        folder.mkdir(mode=0o700, exist_ok=True)
        part = folder / f"{import_id}.part"
        part.write_bytes(orjson.dumps(report))
        part.replace(folder / f"{import_id}.json")
        for old in sorted(folder.glob("*.json"), reverse=True)[_MOST:]:  # ids rise with time
            old.unlink(missing_ok=True)

    def read(self, tenant_id: str, import_id: str) -> dict[str, Any] | None:
        """Return a report, None where there is none of this id."""
        if _ID.match(import_id) is None:
            return None
        try:
            content = (self._folder(tenant_id) / f"{import_id}.json").read_bytes()
        except FileNotFoundError:
            return None
        report: dict[str, Any] = orjson.loads(content)
        return report

    def _folder(self, tenant_id: str) -> Path:
        return self._places.folder(tenant_id) / "imports"

"""Reports of imports, beside the database, for whoever lost the connection.

A report is found by the id that the client gave to its import, or by that of the request. Its file
is named after both, the request's first, so that names sort as the imports began.
"""

from __future__ import annotations

import hashlib
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import orjson

from engram_lab.serve.errors import RefusedConflictError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from engram_lab.serve.tenants.places import Places

__all__ = ["IMPORT_ID", "ImportReports"]

IMPORT_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:~-]{0,127}\Z")
"""What an id of an import looks like, which stands in addresses."""

_OWN: Final = re.compile(r"[0-9a-f-]{36}\Z")
_MOST: Final = 100


class ImportReports:
    """Keeps the newest reports of each tenant. All but `alone` blocks: for threads."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._under_way: set[tuple[str, str]] = set()

    @contextmanager
    def alone(self, tenant_id: str, key: str | None) -> Iterator[None]:
        """Bar others from an import under the same key while the block goes on. For event loops.

        Raises:
            RefusedConflictError: There is one under way here.
        """
        if key is None:
            yield
            return
        if (tenant_id, key) in self._under_way:
            raise RefusedConflictError(
                "an import with this Idempotency-Key is under way: its report tells when it is done"
            )
        self._under_way.add((tenant_id, key))
        try:
            yield
        finally:
            self._under_way.discard((tenant_id, key))

    def keep(self, tenant_id: str, request_id: str, report: Mapping[str, Any]) -> None:
        """Write a report, in place of a former one of the same request.

        Of more than a hundred the oldest go.

        Args:
            tenant_id: Whose.
            request_id: Of the import.
            report: What became of it; `id` is what the client calls it.
        """
        folder = self._folder(tenant_id)
        folder.mkdir(mode=0o700, exist_ok=True)
        name = f"{request_id}.{_sign(report['id'])}"
        part = folder / f"{name}.part"
        part.write_bytes(orjson.dumps(report, option=orjson.OPT_UTC_Z))
        part.replace(folder / f"{name}.json")
        for old in self._latest(tenant_id)[_MOST:]:
            old.unlink(missing_ok=True)

    def read(self, tenant_id: str, import_id: str) -> dict[str, Any] | None:
        """Return the latest report of an import, None where there is none of this id."""
        if IMPORT_ID.match(import_id) is None:
            return None
        sign = _sign(import_id)
        for file in self._latest(tenant_id):
            own, _, theirs = file.stem.partition(".")
            if theirs == sign or (own == import_id and _OWN.match(import_id)):
                return next(_read([file]), None)
        return None

    def all(self, tenant_id: str, *, limit: int) -> list[dict[str, Any]]:
        """Return reports, the latest first."""
        return list(_read(self._latest(tenant_id)[:limit]))

    def _latest(self, tenant_id: str) -> list[Path]:
        return sorted(self._folder(tenant_id).glob("*.json"), reverse=True)  # ids rise with time

    def _folder(self, tenant_id: str) -> Path:
        return self._places.folder(tenant_id) / "imports"


def _sign(import_id: str) -> str:
    return hashlib.sha256(import_id.encode()).hexdigest()[:32]


def _read(files: list[Path]) -> Iterator[dict[str, Any]]:
    for file in files:
        try:
            yield orjson.loads(file.read_bytes())
        except (FileNotFoundError, orjson.JSONDecodeError):  # it went meanwhile, or a power cut
            continue

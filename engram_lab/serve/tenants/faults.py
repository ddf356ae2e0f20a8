"""Databases that could not be opened, remembered for a while: not tried again at each request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engram_lab.core.errors import EngramError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from engram_lab.serve.errors import ServeError
    from engram_lab.serve.tenants.places import Places

__all__ = ["Faults"]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Fault:
    """Why a database could not be opened, with what, what its file was like, and until when."""

    error: ServeError
    version: Hashable
    seen: tuple[int, ...] | None
    until: float


class Faults:
    """What could not be opened. Not safe to share between threads: its holder sees to that.

    Args:
        places: Where databases lie.
        timer: Tells seconds.
        lasting_s: For so long one is not tried again, unless its file or its configuration changes.
    """

    def __init__(self, places: Places, *, timer: Callable[[], float], lasting_s: float) -> None:
        self._places = places
        self._timer = timer
        self._lasting_s = lasting_s
        self._faults: dict[str, _Fault] = {}

    def keep(self, tenant_id: str, version: Hashable, error: ServeError) -> None:
        """Remember what is told of a tenant's database that could not be opened."""
        self._faults[tenant_id] = _Fault(
            error=_anew(error),
            version=version,
            seen=self._seen(tenant_id),
            until=self._timer() + self._lasting_s,
        )

    def check(self, tenant_id: str, version: Hashable) -> None:
        """Raise what is told of a tenant's database, unless it is worth a try."""
        fault = self._faults.get(tenant_id)
        if fault is None:
            return
        stands = (
            fault.version == version
            and self._timer() < fault.until
            and fault.seen == self._seen(tenant_id)
        )
        if stands:
            raise _anew(fault.error)
        del self._faults[tenant_id]

    def forget(self, tenant_id: str) -> None:
        """Forget what is known of a tenant."""
        self._faults.pop(tenant_id, None)

    def _seen(self, tenant_id: str) -> tuple[int, ...] | None:
        """Return what the file of a tenant looks like, so that a repair is noticed."""
        try:
            found = self._places.database(tenant_id).stat()
        except (OSError, EngramError):
            return None
        return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _anew(error: ServeError) -> ServeError:
    """Return an error that says the same: one that was raised holds on to all it came through."""
    return type(error)(str(error), headers=error.headers, details=error.details)

"""Opening the database of a tenant, and what is told where that cannot be done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from engram_lab.serve.errors import ServeError, UnavailableError
from engram_lab.serve.tenants.places import identity_of
from engram_lab.serve.tenants.shelf import TRY_AGAIN

if TYPE_CHECKING:
    from collections.abc import Callable

    from engram_lab.engine import Engine
    from engram_lab.serve.control.records import Tenant
    from engram_lab.serve.tenants.places import Identity, Places

__all__ = ["OUT_OF_REACH", "opened", "told_of"]

OUT_OF_REACH: Final = "the memories of this tenant cannot be reached now"


def opened(
    tenant: Tenant, places: Places, open_engine: Callable[[Tenant], Engine]
) -> tuple[str, Identity, Engine]:
    """Return the path and the identity of a database that exists, and its engine.

    Raises:
        UnavailableError: There is none, or another one took its place meanwhile.
        EngramError: It cannot be opened.
    """
    path = str(places.database(tenant.id))
    identity = identity_of(path)
    if identity is None:
        raise UnavailableError(OUT_OF_REACH, headers=TRY_AGAIN)
    engine = open_engine(tenant)
    if identity_of(path) != identity:
        engine.close()
        raise UnavailableError(OUT_OF_REACH, headers=TRY_AGAIN)
    return path, identity, engine


def told_of(error: BaseException) -> ServeError:
    """Return what is told of an error: those of stores name files."""
    if isinstance(error, ServeError):
        return error
    return UnavailableError(OUT_OF_REACH, headers=TRY_AGAIN)

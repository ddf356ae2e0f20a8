"""Which tenant a request is for: from the host, else from the header `X-Engram-Tenant`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from engram_lab.core.errors import shown
from engram_lab.serve.errors import InvalidRequestError
from engram_lab.serve.tenants.slugs import is_label

if TYPE_CHECKING:
    from engram_lab.config import TenancySettings
    from engram_lab.serve.call import Call
    from engram_lab.serve.control import Lookups

__all__ = ["TenantStage"]

_HEADER: Final = "x-engram-tenant"
_HOST: Final = re.compile(r"(?P<name>\[[0-9a-f:.]+\]|[a-z0-9._-]+?)\.?(?::[0-9]{1,5})?\Z")
_SHARED: Final = frozenset({"api", "www"})
"""Hosts below the domain that are no tenant's: the header says which one is meant."""


def _host_of(call: Call) -> str | None:
    """Return the name of the host that was asked for, None where it is absent or malformed."""
    found = _HOST.match((call.header("host") or "").lower())
    return found["name"] if found else None


class TenantStage:
    """Finds the tenant.

    An unknown name is no error here: to whoever has no credential, an unknown tenant and a known
    one look alike.

    Args:
        settings: The domain, and the tenant of those who name none.
        lookups: Knows the tenants.
    """

    def __init__(self, settings: TenancySettings, lookups: Lookups) -> None:
        self._domain = settings.domain.lower().strip(".") if settings.domain else None
        self._default = settings.default
        self._lookups = lookups

    async def __call__(self, call: Call) -> None:
        """Set `tenant` where there is one of the name.

        Raises:
            InvalidRequestError: No name, two that differ, or a malformed one.
        """
        call.tenant = await self._lookups.tenant_by_slug(self._named(call))

    def _named(self, call: Call) -> str:
        by_host = self._by_host(call)
        given = call.headers.get(_HEADER, ())
        if len(given) > 1:
            raise InvalidRequestError("X-Engram-Tenant is given more than once: give it once")
        names = {name for name in (by_host, *given) if name}
        if len(names) > 1:
            raise InvalidRequestError(
                "the host names one tenant and X-Engram-Tenant another: name one tenant"
            )
        slug = next(iter(names), self._default)
        if slug is None:
            where = f"as in https://acme.{self._domain}, or " if self._domain else ""
            raise InvalidRequestError(
                f"no tenant is named: name one {where}in the header X-Engram-Tenant"
            )
        if not is_label(slug):
            raise InvalidRequestError(
                f"the tenant {shown(slug)} is no name of one: allowed are 1 to 63 of a-z, 0-9 and "
                "-, not at either end"
            )
        return slug

    def _by_host(self, call: Call) -> str | None:
        host = _host_of(call)
        if host is None:
            raise InvalidRequestError("the header Host is missing or malformed: give it once")
        if self._domain and host.endswith(f".{self._domain}"):
            name = host.removesuffix(f".{self._domain}")
            return None if name in _SHARED else name
        return None

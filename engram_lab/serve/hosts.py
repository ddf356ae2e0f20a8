"""Which names of hosts and origins of pages a server answers to, against rebound names.

A page in a browser can have its own name lead to this machine, and so ask a server that only
listens here. The name that it asked for gives it away.

Source: the Model Context Protocol, "Streamable HTTP", security warning; RFC 9110 §7.2 (Host).
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final, Self
from urllib.parse import urlsplit

from engram_lab.serve.errors import ForbiddenError

if TYPE_CHECKING:
    from engram_lab.config.serving import AuthSettings, ServeSettings, TenancySettings

__all__ = ["HostRules", "is_loopback"]

_LOCAL_NAMES: Final = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, kw_only=True)
class HostRules:
    """Which hosts and origins are answered.

    Attributes:
        names: Hosts, in lower case and without a port.
        domain: Of this and of all below it, too.
        origins: Of web pages, as `https://app.example.org`; beside those of the hosts above.
        any_host: Whatever name was asked for: the names of this server are not known.
    """

    names: frozenset[str] = _LOCAL_NAMES
    domain: str | None = None
    origins: frozenset[str] = frozenset()
    any_host: bool = False

    @classmethod
    def of(
        cls, serve: ServeSettings, tenancy: TenancySettings, auth: AuthSettings | None = None
    ) -> Self:
        """Return the rules that follow from where a server listens.

        A server that listens on this machine alone answers to local names, its domain and its
        host. One that has no domain, and listens to others or asks everybody for a key, answers to
        any name: it cannot know how others, or a proxy before it, call it, and a page that has no
        key learns nothing.
        """
        host = serve.host.strip("[]").lower()
        local = is_loopback(host)
        origins = (serve.cors_origins or "").split(",")
        return cls(
            names=_LOCAL_NAMES | {host},
            domain=None if tenancy.domain is None else tenancy.domain.lower().strip("."),
            origins=frozenset(each.strip().lower().rstrip("/") for each in origins if each.strip()),
            any_host=tenancy.domain is None and (not local or (auth is not None and auth.enabled)),
        )

    def check(self, host: str | None, origin: str | None) -> None:
        """Refuse a request that was sent to another name, or by a page from elsewhere.

        Raises:
            ForbiddenError: It was.
        """
        asked = _hostname(f"//{host}") if host else None
        if not self.any_host and not self._is_ours(asked):
            raise ForbiddenError(
                "this server does not answer to the name in Host: ask it by its own name"
            )
        if origin is None or origin.lower().rstrip("/") in self.origins or "*" in self.origins:
            return
        page = _hostname(origin)
        if not self._is_ours(page) and not (self.any_host and page is not None and page == asked):
            raise ForbiddenError(
                "pages from this Origin may not ask here: set serve.cors_origins to allow it"
            )

    def _is_ours(self, name: str | None) -> bool:
        if name is None:
            return False
        return name in self.names or (
            self.domain is not None and (name == self.domain or name.endswith(f".{self.domain}"))
        )


def _hostname(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine and nothing else."""
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False

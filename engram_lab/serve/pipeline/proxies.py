"""Where a request came from: what a trusted proxy says, and nobody else."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

from engram_lab.core.errors import ConfigError, shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import Scope

__all__ = ["Proxies"]


class Proxies:
    """The networks whose `X-Forwarded-For` and `X-Forwarded-Proto` count.

    Args:
        networks: With commas between them, such as `10.0.0.0/8, ::1`.

    Raises:
        ConfigError: One is no network.
    """

    def __init__(self, networks: str | None) -> None:
        given = [each.strip() for each in (networks or "").split(",") if each.strip()]
        problems = [each for each in given if not _is_network(each)]
        if problems:
            raise ConfigError(
                [
                    f"serve.trusted_proxies has {shown(each)}: give networks such as 10.0.0.0/8"
                    for each in problems
                ]
            )
        self._networks = [ip_network(each, strict=False) for each in given]

    def seen(self, scope: Scope, headers: Mapping[str, list[str]]) -> tuple[str, bool]:
        """Return the client's address and whether it came by TLS.

        Of several addresses in `X-Forwarded-For`, the last that is no trusted proxy's: what stands
        before it anybody may have written.
        """
        client = scope.get("client") or ("", 0)
        address, secure = client[0], scope.get("scheme") == "https"
        if not self._networks or not self._trusted(address):
            return address, secure
        said = headers.get("x-forwarded-proto", [])
        secure = said[-1].split(",")[-1].strip() == "https" if said else secure
        passed = [each.strip() for each in ",".join(headers.get("x-forwarded-for", [])).split(",")]
        for each in reversed([each for each in passed if each]):
            address = each
            if not self._trusted(each):
                break
        return (address if _is_address(address) else client[0]), secure

    def _trusted(self, address: str) -> bool:
        return _is_address(address) and any(ip_address(address) in each for each in self._networks)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _is_network(text: str) -> bool:
    try:
        ip_network(text, strict=False)
    except ValueError:
        return False
    return True

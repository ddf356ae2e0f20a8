"""How much heavy work one tenant may have going on: dreams, exports, imports, backups."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from engram_lab.serve.errors import RateLimitedError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["MOST_AT_ONCE", "Turns"]

MOST_AT_ONCE: Final = 3
"""Of one tenant: each may hold a file as large as its database, or as an import may be."""

_AGAIN_S: Final = 5


class Turns:
    """Counts what is going on for each tenant. For one event loop."""

    def __init__(self, most: int = MOST_AT_ONCE) -> None:
        self._most = most
        self._taken: dict[str, int] = {}

    @property
    def going_on(self) -> int:
        """How many there are, of all tenants."""
        return sum(self._taken.values())

    @contextmanager
    def turn(self, tenant_id: str) -> Iterator[None]:
        """Count one more for the block.

        Raises:
            RateLimitedError: There are as many as one tenant may have.
        """
        self.take(tenant_id)
        try:
            yield
        finally:
            self.give_back(tenant_id)

    def take(self, tenant_id: str) -> None:
        """Count one more until it is given back.

        Raises:
            RateLimitedError: There are as many as one tenant may have.
        """
        taken = self._taken.get(tenant_id, 0)
        if taken >= self._most:
            raise RateLimitedError(
                f"this tenant has {taken} dreams, exports, imports and backups going on, which is "
                "the most at once: try again when one has ended",
                headers={"Retry-After": str(_AGAIN_S)},
            )
        self._taken[tenant_id] = taken + 1

    def give_back(self, tenant_id: str) -> None:
        """Count one less."""
        left = self._taken.pop(tenant_id) - 1
        if left:
            self._taken[tenant_id] = left

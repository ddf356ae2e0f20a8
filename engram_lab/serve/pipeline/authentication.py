"""Who asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engram_lab.serve.auth import Authenticator
    from engram_lab.serve.call import Call

__all__ = ["AuthenticationStage"]


class AuthenticationStage:
    """Finds out who asks."""

    def __init__(self, authenticator: Authenticator) -> None:
        self._authenticator = authenticator

    async def __call__(self, call: Call) -> None:
        """Set `actor`.

        Raises:
            ServeError: See `Authenticator.authenticate`.
        """
        call.actor = await self._authenticator.authenticate(call)

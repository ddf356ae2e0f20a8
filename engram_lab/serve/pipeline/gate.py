"""The pipeline, as the Model Context Protocol meets it: each message is admitted by itself."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeVar

from engram_lab.serve.call import Needs
from engram_lab.serve.errors import ServeError
from engram_lab.serve.mcp.tools import TOOLS
from engram_lab.serve.pipeline.edge import call_of
from engram_lab.serve.tenants.dreaming import work_once

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import Scope

    from engram_lab.engine import Engine
    from engram_lab.serve.call import Call
    from engram_lab.serve.pipeline.ending import Ending
    from engram_lab.serve.services import Services

__all__ = ["McpGate"]

T = TypeVar("T")
_OK = 200
_ENTERING: Final = Needs(route="MCP other", scope=None)
_LONG: Final = frozenset(tool.needs.route for tool in TOOLS.values() if tool.long)


class McpGate:
    """Admits messages to the tenant of the request that carries them.

    A message that stands alone is the request itself, which the edge tells of. Each part of a batch
    is a call of its own, with its own id, limits, usage and audit.
    """

    def __init__(self, services: Services, ending: Ending) -> None:
        self._services = services
        self._ending = ending

    async def admit(self, scope: Scope, needs: Needs, *, part: int | None = None) -> Call:
        """Let a message in; see `mcp.http.Gate`.

        Raises:
            ServeError: Of the piece of the pipeline that refused it.
        """
        call = call_of(scope)
        if part is not None:
            call = replace(
                call,
                request_id=self._services.minting.new_id(),
                used={},
                extra={},
                answer_headers={},
                admitted=False,
                error_code=None,
                began=self._services.timer(),
            )
            call.extra["part"] = part
        try:
            await self._services.admission(call, needs)
        except ServeError as error:
            call.error_code = error.code
            if part is not None:
                self._ending(call, error.status, self._services.timer() - call.began)
            raise
        return call

    async def enter(self, scope: Scope) -> None:
        """Let somebody in who belongs here, before their message is read.

        Raises:
            ServeError: They do not.
        """
        await self._services.admission.enter(call_of(scope), _ENTERING)

    async def use(self, call: Call, work: Callable[[Engine], T], /) -> T:
        """Return what the work returns, done in a thread over the engine of the tenant.

        What may take long, such as a dream, is done in a process of its own: no search waits.
        """
        if call.needs is None or call.needs.route not in _LONG:
            makes = call.needs.makes if call.needs is not None else ()
            return await self._services.use(call, work, makes=makes)
        with self._services.turns.turn(call.within.id):
            return await self._services.elsewhere(call, work_once, work)

    def refused(self, scope: Scope, code: str) -> None:
        """Note why a request gets no further."""
        call_of(scope).error_code = code

    def failed(self, call: Call | None, error: Exception) -> None:
        """Log an error that nobody foresaw."""
        self._services.log.log_error(error, call)

    async def done(self, call: Call) -> None:
        """Tell of a part of a batch."""
        if "part" in call.extra:
            self._ending(call, _OK, self._services.timer() - call.began)

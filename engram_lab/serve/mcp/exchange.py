"""One request and its answer, without a session: how a bare `tools/call` is served."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import anyio
from mcp import MCPError, types
from mcp.server.connection import Connection
from mcp.server.runner import serve_one
from mcp.shared.exceptions import NoBackChannelError
from mcp.shared.transport_context import TransportContext
from mcp.types.version import LATEST_HANDSHAKE_VERSION
from pydantic import ValidationError

from engram_lab.serve.mcp.faults import protocol_error

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mcp.server import Server

    from engram_lab.serve.mcp.messages import Message

__all__ = ["answer", "refusal"]

_TRANSPORT: Final = TransportContext(kind="bare", can_send_request=False)


@dataclass
class _Exchange:
    """What the protocol's kernel needs to know of a request that stands alone."""

    request_id: types.RequestId
    transport: TransportContext = _TRANSPORT
    message_metadata: None = None
    cancel_requested: anyio.Event = field(default_factory=anyio.Event)
    can_send_request: bool = False

    async def send_raw_request(
        self,
        method: str,
        params: Mapping[str, Any] | None,  # noqa: ARG002 - named by the protocol
        opts: Any = None,  # noqa: ARG002
    ) -> dict[str, Any]:
        """Refuse: nobody listens for questions."""
        raise NoBackChannelError(method)

    async def notify(self, method: str, params: Mapping[str, Any] | None, opts: Any = None) -> None:
        """Tell nobody: there is one answer, and it comes at the end."""

    async def progress(
        self, progress: float, total: float | None = None, message: str | None = None
    ) -> None:
        """Tell nobody."""


async def answer(
    server: Server[Any], message: Message, *, failed: Callable[[Exception], None]
) -> dict[str, Any]:
    """Return the JSON-RPC answer to a request, whatever becomes of it.

    Args:
        server: Of `build_mcp`.
        message: The request.
        failed: Told of an error that nobody foresaw.
    """
    exchange = _Exchange(request_id=message.id if isinstance(message.id, str | int) else 0)
    connection = Connection.from_envelope(LATEST_HANDSHAKE_VERSION, None, None)
    try:
        result = await serve_one(
            server,
            exchange,
            message.method,
            message.params,
            connection=connection,
            lifespan_state={},
        )
    except MCPError as error:
        return refusal(_data(error), id_=message.id)
    except ValidationError as error:
        return refusal(_bad_params(error, message.method), id_=message.id)
    except Exception as error:  # noqa: BLE001 - told without what it says
        failed(error)
        return refusal(_data(protocol_error(error)), id_=message.id)
    return {"jsonrpc": "2.0", "id": message.id, "result": result}


def refusal(error: Mapping[str, Any], *, id_: Any) -> dict[str, Any]:
    """Return the JSON-RPC answer that tells of an error."""
    return {"jsonrpc": "2.0", "id": id_, "error": dict(error)}


def _data(error: MCPError) -> dict[str, Any]:
    data = {"code": error.code, "message": error.message}
    return data if error.data is None else {**data, "data": error.data}


def _bad_params(error: ValidationError, method: str) -> dict[str, Any]:
    """Say what is wrong with params, without what the library would add."""
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(map(str, first["loc"])) or "params"
    said = f"params of {method}: {place}: {first['msg'][:1].lower()}{first['msg'][1:]}"
    return {"code": types.INVALID_PARAMS, "message": said}

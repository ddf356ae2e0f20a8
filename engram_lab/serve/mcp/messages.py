"""Messages of JSON-RPC as they come: read, checked, and what each asks of whoever sent it.

Source: JSON-RPC 2.0 (jsonrpc.org/specification), §4 and §5.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from engram_lab.core.errors import shown
from engram_lab.serve.call import Needs
from engram_lab.serve.mcp.tools import TOOLS

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "INVALID_REQUEST",
    "PARSE_ERROR",
    "BadMessageError",
    "Message",
    "needs_of",
    "parsed",
    "read_message",
]

PARSE_ERROR: Final = -32700
INVALID_REQUEST: Final = -32600
INVALID_PARAMS: Final = -32602

_NOTIFICATION: Final = "notifications/"
_LARGEST_ID: Final = 2**53  # beyond, a number is not exact in every client

_OPEN: Final = ("initialize", "ping", "server/discover", "tools/list", "resources/list",
                "resources/templates/list", "prompts/list")  # fmt: skip
_PROMPTS: Final[Mapping[str, Needs]] = MappingProxyType(
    {
        "recall-context": Needs(route="MCP prompts/get", scope="search", meter="searches"),
        "summarise-day": Needs(route="MCP prompts/get", scope="memories:read"),
    }
)
_METHODS: Final[Mapping[str, Needs]] = MappingProxyType(
    {name: Needs(route=f"MCP {name}", scope=None) for name in _OPEN}
    | {"resources/read": Needs(route="MCP resources/read", scope="memories:read")}
)
_HOOK: Final = "MCP memory_hook"
_OTHER: Final = Needs(route="MCP other", scope=None)


class BadMessageError(Exception):
    """What came is no request of JSON-RPC.

    Attributes:
        code: `PARSE_ERROR`, `INVALID_REQUEST` or `INVALID_PARAMS`.
        id: Of the request, where it could be made out.
    """

    def __init__(self, code: int, message: str, *, id: Any = None) -> None:  # noqa: A002
        super().__init__(message)
        self.code = code
        self.id = id


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """One request or notification.

    Attributes:
        id: None where there was none: such a request is answered all the same, with `id: null`.
        params: As given.
        whole: The message itself.
    """

    id: str | int | float | None
    method: str
    params: dict[str, Any] | None
    whole: Mapping[str, Any]

    @property
    def is_notification(self) -> bool:
        """Whether nobody waits for an answer.

        By its name alone: JSON-RPC calls everything without `id` a notification, but people who
        write `tools/call` by hand leave the `id` out and do want the answer.
        """
        return self.id is None and self.method.startswith(_NOTIFICATION)


def parsed(body: bytes) -> Any:
    """Return the JSON of a body: UTF-8, without NaN, whole numbers exact.

    Raises:
        BadMessageError: It is none.
    """
    try:
        value = json.loads(body.decode(), parse_constant=_no_number, parse_float=_finite)
        if b"\\u" in body:  # a lone surrogate can be written that way, and never be sent back
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        said = str(error) if isinstance(error, json.JSONDecodeError) else "it is not UTF-8 JSON"
        raise BadMessageError(PARSE_ERROR, f"the body cannot be read: {said}") from None
    return value


def _finite(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise ValueError(digits)
    return value


def _no_number(name: str) -> float:
    raise ValueError(name)


def read_message(value: Any) -> Message:
    """Return the message that a value of JSON is.

    Raises:
        BadMessageError: It is none.
    """
    if not isinstance(value, dict):
        raise BadMessageError(
            INVALID_REQUEST, f"a request is an object, and this is of type {type(value).__name__}"
        )
    id_ = value.get("id")
    if not _is_id(id_):
        raise BadMessageError(
            INVALID_REQUEST, f"id is {shown(id_)}: give a text, a number below 2^53, or none"
        )
    if value.get("jsonrpc") != "2.0":
        raise BadMessageError(
            INVALID_REQUEST, f'jsonrpc is {shown(value.get("jsonrpc"))}: give "2.0"', id=id_
        )
    method, params = value.get("method"), value.get("params")
    if not isinstance(method, str):
        raise BadMessageError(
            INVALID_REQUEST, "method is missing: give one, such as tools/call", id=id_
        )
    if params is not None and not isinstance(params, dict):
        raise BadMessageError(
            INVALID_PARAMS, f"params is of type {type(params).__name__}: give an object", id=id_
        )
    return Message(id=id_, method=method, params=params, whole=value)


def _is_id(value: object) -> bool:
    if isinstance(value, int | float):
        return not isinstance(value, bool) and abs(value) < _LARGEST_ID
    return value is None or isinstance(value, str)


def needs_of(message: Message) -> Needs:
    """Return what a message asks of whoever sent it.

    Unknown tools and methods share one route each, so that nobody can make up new ones.
    """
    params = message.params or {}
    name = params.get("name")
    if message.method == "tools/call":
        tool = TOOLS.get(name) if isinstance(name, str) else None
        if tool is None:
            return Needs(route="MCP tools/call", scope=None)
        return _with_arguments(tool.needs, params.get("arguments"))
    if message.method == "prompts/get":
        known = _PROMPTS.get(name) if isinstance(name, str) else None
        return known or Needs(route="MCP prompts/get", scope=None)
    return _METHODS.get(message.method, _OTHER)


def _with_arguments(needs: Needs, arguments: object) -> Needs:
    """Return what a tool asks of a caller who gives it these arguments."""
    given = arguments if isinstance(arguments, dict) else {}
    if not needs.grows:
        return needs
    memories = given.get("memories")
    each = memories if isinstance(memories, list) else [given]
    named = (one.get("workspace") for one in each if isinstance(one, dict))
    needs = replace(needs, makes=frozenset(name for name in named if isinstance(name, str)))
    if needs.route == _HOOK:  # as a session starts, it shows what is known; else it keeps something
        starts = given.get("event") == "SessionStart"
        return replace(needs, also="memories:read" if starts else None, adds_memories=not starts)
    return replace(needs, adds_memories=len(each)) if needs.adds_memories and each else needs

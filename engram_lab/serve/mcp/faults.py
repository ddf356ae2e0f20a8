"""What goes wrong, told so that a model or a program can put it right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

from mcp import MCPError, types
from pydantic import BaseModel, ValidationError

from engram_lab.core.errors import shown
from engram_lab.serve.errors import InvalidRequestError, ServeError, refusal_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pydantic_core import ErrorDetails

__all__ = ["checked", "error_data", "failed", "is_for_the_caller", "protocol_error"]

A = TypeVar("A", bound=BaseModel)

_OUTSIDE_OF_TOOLS: Final = frozenset({-32001, -32002, -32003, -32004, -32005, -32008})
"""What is no matter of a tool's arguments: who may, how much, how fast, how long."""

_HIDES_ITS_CAUSE: Final = "INTERNAL_ERROR"
_MOST_TOLD: Final = 5


def checked(model: type[A], arguments: Mapping[str, Any], *, of: str) -> A:
    """Return arguments as their model.

    Raises:
        InvalidRequestError: They do not fit; says of each what was given and what is allowed.
    """
    try:
        return model.model_validate(arguments)
    except ValidationError as error:
        raise _refused(error, of=of, allowed=model.model_fields) from None


def _refused(error: ValidationError, *, of: str, allowed: Iterable[str]) -> InvalidRequestError:
    faults = error.errors(include_url=False, include_context=True)
    told = [_fault(each, allowed) for each in faults[:_MOST_TOLD]]
    if len(faults) > _MOST_TOLD:
        told.append(f"and {len(faults) - _MOST_TOLD} more")
    return InvalidRequestError(f"{of}: {'; '.join(told)}")


def _fault(fault: ErrorDetails, allowed: Iterable[str]) -> str:
    place = ".".join(map(str, fault["loc"])) or "arguments"
    if fault["type"] == "missing":
        return f"{place} is missing: give it"
    if fault["type"] == "extra_forbidden":
        among = f": allowed are {', '.join(allowed)}" if len(fault["loc"]) == 1 else ""
        return f"{shown(place, limit=80)} is no argument{among}"
    message = fault["msg"][:1].lower() + fault["msg"][1:]
    return f"{place} is {shown(fault['input'])}: {message}"


def is_for_the_caller(refusal: ServeError) -> bool:
    """Tell whether it is an error of the protocol, not the answer of a tool."""
    return refusal.rpc_code in _OUTSIDE_OF_TOOLS or refusal.code == _HIDES_ITS_CAUSE


def failed(refusal: ServeError) -> types.CallToolResult:
    """Return a refusal as a tool answers it, for a model to read and put right."""
    return types.CallToolResult(
        content=[types.TextContent(type="text", text=str(refusal))],
        is_error=True,
        _meta=_more(refusal),
    )


def protocol_error(error: Exception) -> MCPError:
    """Return an error as the protocol tells it; of one that we did not foresee, nothing."""
    if isinstance(error, MCPError):
        return error
    refusal = refusal_of(error)
    return MCPError(refusal.rpc_code, str(refusal), _more(refusal))


def error_data(refusal: ServeError) -> dict[str, Any]:
    """Return the `error` member of a JSON-RPC answer. Source: JSON-RPC 2.0 §5.1."""
    return {"code": refusal.rpc_code, "message": str(refusal), "data": _more(refusal)}


def _more(refusal: ServeError) -> dict[str, Any]:
    return {"code": refusal.code, **({"details": refusal.details} if refusal.details else {})}

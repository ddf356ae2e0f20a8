"""What a server refuses, and as what: a status of HTTP, a code, and one of JSON-RPC.

ServeError                  an answer that is no success
├── InvalidRequestError     400 INVALID_REQUEST
├── UnauthorizedError       401 UNAUTHORIZED            -32001
├── QuotaExceededError      402 QUOTA_EXCEEDED          -32004
├── ForbiddenError          403 FORBIDDEN               -32001
│   └── TenantSuspendedError 403 TENANT_SUSPENDED       -32003
├── AbsentError             404 NOT_FOUND
│   └── TenantNotFoundError 404 TENANT_NOT_FOUND        -32002
├── MethodNotAllowedError   405 METHOD_NOT_ALLOWED
├── NotAcceptableError      406 NOT_ACCEPTABLE
├── RefusedConflictError    409 CONFLICT
├── PreconditionError       412 PRECONDITION_FAILED
├── TooLargeError           413 CONTENT_TOO_LARGE
├── UnsupportedTypeError    415 UNSUPPORTED_MEDIA_TYPE
├── UnprocessedError        422 UNPROCESSABLE           an idempotency key with another request
├── RateLimitedError        429 RATE_LIMITED            -32005
├── InternalError           500 INTERNAL_ERROR          says nothing of what went wrong
├── UnavailableError        503 UNAVAILABLE
├── TimedOutError           504 TIMEOUT                 -32008
└── DiskFullError           507 INSUFFICIENT_STORAGE
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from engram_lab.core import errors as core

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "AbsentError",
    "DiskFullError",
    "ForbiddenError",
    "InternalError",
    "InvalidRequestError",
    "MethodNotAllowedError",
    "NotAcceptableError",
    "PreconditionError",
    "QuotaExceededError",
    "RateLimitedError",
    "RefusedConflictError",
    "ServeError",
    "TenantNotFoundError",
    "TenantSuspendedError",
    "TimedOutError",
    "TooLargeError",
    "UnauthorizedError",
    "UnavailableError",
    "UnprocessedError",
    "UnsupportedTypeError",
    "malformed",
    "refusal_of",
]

_INVALID_PARAMS = -32602
_INTERNAL = -32603
_MOST_FAULTS = 10


class ServeError(core.EngramError):
    """An answer that is no success.

    Attributes:
        status: The status of HTTP.
        code: For programs.
        rpc_code: The code of JSON-RPC, where the request came that way.
        headers: To be sent with it.
        details: More for programs, such as what limit was met.
    """

    status: ClassVar[int] = 500
    code: ClassVar[str] = "INTERNAL_ERROR"
    rpc_code: ClassVar[int] = _INTERNAL

    def __init__(
        self,
        message: str,
        *,
        headers: Mapping[str, str] | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.headers = dict(headers or {})
        self.details = dict(details or {})


class InvalidRequestError(ServeError):
    """Something in it is wrong; says what, and what is allowed."""

    status, code, rpc_code = 400, "INVALID_REQUEST", _INVALID_PARAMS


class UnauthorizedError(ServeError):
    """No credential, or none that is believed. Which part was wrong is not said."""

    status, code, rpc_code = 401, "UNAUTHORIZED", -32001


class QuotaExceededError(ServeError):
    """The plan allows no more; `details` has metric, current, limit and plan."""

    status, code, rpc_code = 402, "QUOTA_EXCEEDED", -32004


class ForbiddenError(ServeError):
    """Known, and not allowed to."""

    status, code, rpc_code = 403, "FORBIDDEN", -32001


class TenantSuspendedError(ForbiddenError):
    """The tenant is not active."""

    code, rpc_code = "TENANT_SUSPENDED", -32003


class AbsentError(ServeError):
    """There is nothing here that you may see."""

    status, code, rpc_code = 404, "NOT_FOUND", _INVALID_PARAMS


class TenantNotFoundError(AbsentError):
    """There is no such tenant, or none that the credential belongs to."""

    code, rpc_code = "TENANT_NOT_FOUND", -32002


class MethodNotAllowedError(ServeError):
    """The address is known, and not asked in this way."""

    status, code, rpc_code = 405, "METHOD_NOT_ALLOWED", _INVALID_PARAMS


class NotAcceptableError(ServeError):
    """What `Accept` asks for is not what can be sent; says what can."""

    status, code, rpc_code = 406, "NOT_ACCEPTABLE", _INVALID_PARAMS


class RefusedConflictError(ServeError):
    """What is stored contradicts the request."""

    status, code, rpc_code = 409, "CONFLICT", _INVALID_PARAMS


class PreconditionError(ServeError):
    """`If-Match` or `version` names another state than the one that is there."""

    status, code, rpc_code = 412, "PRECONDITION_FAILED", _INVALID_PARAMS


class TooLargeError(ServeError):
    """The body is larger than is allowed."""

    status, code, rpc_code = 413, "CONTENT_TOO_LARGE", _INVALID_PARAMS


class UnsupportedTypeError(ServeError):
    """The body is of a kind that is not read here."""

    status, code, rpc_code = 415, "UNSUPPORTED_MEDIA_TYPE", _INVALID_PARAMS


class UnprocessedError(ServeError):
    """An idempotency key came with another request before."""

    status, code, rpc_code = 422, "UNPROCESSABLE", _INVALID_PARAMS


class RateLimitedError(ServeError):
    """Too fast; `Retry-After` says when again."""

    status, code, rpc_code = 429, "RATE_LIMITED", -32005


class InternalError(ServeError):
    """Something went wrong here; the log has it under the request's id."""


class UnavailableError(ServeError):
    """Not now: too busy, draining, or something that it needs is away."""

    status, code = 503, "UNAVAILABLE"


class TimedOutError(ServeError):
    """It took longer than is allowed."""

    status, code, rpc_code = 504, "TIMEOUT", -32008


class DiskFullError(ServeError):
    """There is no room left to write; nothing was changed."""

    status, code = 507, "INSUFFICIENT_STORAGE"


_KINDS: tuple[tuple[type[core.EngramError], type[ServeError]], ...] = (
    (core.NotFoundError, AbsentError),
    (core.VersionConflictError, PreconditionError),
    (core.ConflictError, RefusedConflictError),
    (core.AccessDeniedError, ForbiddenError),
    (core.ImportRefusedError, InvalidRequestError),
    (core.InvalidInputError, InvalidRequestError),
    (core.ConfigError, InvalidRequestError),
    (core.StoreFullError, DiskFullError),
    (core.StoreBusyError, UnavailableError),
    (core.EmbedderError, UnavailableError),
)

_SAID: dict[type[ServeError], str] = {
    DiskFullError: "there is no room left on the disk of the server: nothing was changed",
    UnavailableError: "try again in a moment",
}
"""In place of what such errors say, which names files."""


def malformed(faults: Sequence[Mapping[str, Any]]) -> InvalidRequestError:
    """Return the refusal of a request in which pydantic found faults.

    It says where and what; never what was given, which may be a secret.
    """
    said = "; ".join(map(_fault, faults[:_MOST_FAULTS]))
    return InvalidRequestError(said or "the request is malformed")


def _fault(fault: Mapping[str, Any]) -> str:
    place = ".".join(str(each) for each in fault["loc"] if each != "body") or "the body"
    said = str(fault["msg"]).removeprefix("Value error, ")
    return f"{place}: {said[:1].lower()}{said[1:]}"


def refusal_of(error: Exception) -> ServeError:
    """Return what a client is told of an error.

    What the laws of memory refuse is told as it was said. Of anything else, a damaged database
    among it, a client learns nothing but that it went wrong: such errors name files.
    """
    if isinstance(error, ServeError):
        return error
    for kind, told in _KINDS:
        if isinstance(error, kind):
            said = _SAID.get(told, str(error))
            return told(said, headers={"Retry-After": "1"} if told is UnavailableError else None)
    if isinstance(error, core.StoreError):
        return UnavailableError("the memories of this tenant cannot be reached now")
    return InternalError("something went wrong here; the request's id is in our log")

"""What is sent back: one envelope around every answer.

{"data": …, "meta": {"request_id": …}}
{"data": null, "meta": {"request_id": …}, "error": {"code": …, "message": …, "details": {…}}}
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import orjson
from starlette.responses import Response

if TYPE_CHECKING:
    from engram_lab.serve.call import Call
    from engram_lab.serve.errors import ServeError

__all__ = ["JSON", "answer", "as_json", "refusal"]

JSON = "application/json"
_OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS | orjson.OPT_SERIALIZE_NUMPY


def as_json(value: object) -> bytes:
    """Return a value as JSON: records by their fields, times in UTC with a `Z`."""
    return orjson.dumps(value, default=_plain, option=_OPTIONS)


def answer(
    call: Call,
    data: object,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    **meta: object,
) -> Response:
    """Return a success."""
    told = {"request_id": call.request_id, **meta}
    content = as_json({"data": data, "meta": told})
    return Response(content, status, headers=headers, media_type=JSON)


def refusal(call: Call, error: ServeError) -> Response:
    """Return a refusal, and note its code for the log."""
    call.error_code = error.code
    told: dict[str, Any] = {"code": error.code, "message": str(error)}
    if error.details:
        told["details"] = error.details
    content = {"data": None, "meta": {"request_id": call.request_id}, "error": told}
    return Response(as_json(content), error.status, headers=error.headers, media_type=JSON)


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    raise TypeError(type(value).__name__)

"""What a provider's answer means: vectors in the order of the texts, or a fault and what to do."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import orjson

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Fault", "Malformed", "Refusal", "by_index", "fault_of", "in_order", "json_of"]

_TRANSIENT: Final = frozenset({408, 425, 429})
_TOO_LARGE: Final = 413
_FAILED: Final = 500
_TOO_LARGE_TO_PROCESS: Final = "too large to process"  # llama.cpp says it with 500, of one text
_REFUSED: Final = frozenset({400, 422})
_SERVER_FAULTS: Final = range(500, 600)
_LASTING: Final = frozenset({501, 505})  # server faults that waiting does not mend
_REDIRECTS: Final = range(300, 400)
_WORDS_LOOKED_AT: Final = 2000

# What providers and servers say of a request that asks for too much at once.
_TOO_MANY = re.compile(
    r"batch[ _]size|array too long|array_above_max_length|too many (?:inputs|texts|items|documents)"
    r"|number of (?:inputs|texts|items|documents)|length of the list|list length"
)
_TOO_LONG = re.compile(
    r"too long|too large|context[ _]length|max_tokens_per_request|max allowed tokens"
    r"|(?:maximum|number of|too many|max\w*) (?:\w+ )?tokens|token limit|input length"
)


class Refusal(Enum):
    """What there was too much of in a request."""

    MANY = "texts"
    LONG = "text"


class Malformed(Exception):  # noqa: N818 - says what happened; it never leaves this package
    """An answer of status 200 that does not hold what was asked for; says what it holds."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """Why a request brought no vectors: never in the provider's words, which may quote a text.

    Attributes:
        what: What the provider did, as the sentence after its name.
        advice: What to do about it.
        again: Whether the same request may succeed later.
        retry_after_s: How long the provider asks to wait, in seconds, where it says so.
        refusal: What there was too much of, where less may succeed at once.
    """

    what: str
    advice: str
    again: bool
    retry_after_s: float | None = None
    refusal: Refusal | None = None


def fault_of(
    status: int,
    body: bytes,
    *,
    model: str,
    key_from: str,
    missing_model: str = "",
    retry_after_s: float | None = None,
) -> Fault:
    """Return what an answer of any status but 200 means.

    Args:
        status: Its HTTP status.
        body: What the provider says, which decides but is never repeated.
        model: The model that was asked for.
        key_from: Where the key is set, as `OPENAI_API_KEY`.
        missing_model: How the provider is given a model that it lacks, where that is up to us.
        retry_after_s: How long it asks to wait.
    """
    said = _said(body)
    refusal = _refusal(status, said)
    out_of_quota = status == HTTPStatus.TOO_MANY_REQUESTS and "insufficient_quota" in said
    by_status = {
        401: f"check the key in api_key or {key_from}",
        403: f"check that the key in api_key or {key_from} may use the model {model!r}",
        404: f"check the url and the model {model!r}{missing_model}",
        429: "try again later, or lower requests_per_minute",
    }
    if out_of_quota:
        advice = "the account has no quota left, check its plan and billing"
    elif refusal is not None:
        advice = "lower the batch" if refusal is Refusal.MANY else "shorten the texts"
    elif status in _REFUSED:
        advice = f"check the model {model!r}, the dimensions and that no text is too long"
    elif status in _REDIRECTS:
        advice = "it is not followed, set the url to the address where the provider itself answers"
    else:
        advice = by_status.get(status, "try again later" if _passes(status) else "check the url")
    return Fault(
        what=f"answered {_named(status)}",
        advice=advice,
        again=_passes(status) and not out_of_quota and refusal is None,
        retry_after_s=retry_after_s,
        refusal=refusal,
    )


def _passes(status: int) -> bool:
    return status in _TRANSIENT or (status in _SERVER_FAULTS and status not in _LASTING)


def _named(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _refusal(status: int, said: str) -> Refusal | None:
    if status == _TOO_LARGE:
        return Refusal.LONG
    if status not in _REFUSED and status != _FAILED:
        return None
    if _TOO_LARGE_TO_PROCESS in said:
        return Refusal.LONG
    if status == _FAILED:
        return None
    if _TOO_MANY.search(said):
        return Refusal.MANY
    return Refusal.LONG if _TOO_LONG.search(said) else None


def _said(body: bytes) -> str:
    """Return the message and the code of an error's body, in lower case.

    Other fields are left out: some servers send the request back in them.
    """
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        return body[:_WORDS_LOOKED_AT].decode("utf-8", "replace").lower()
    found = [answer]
    if isinstance(answer, dict):
        found = [answer.get(name) for name in ("message", "detail", "error", "code", "type")]
        if isinstance(inner := answer.get("error"), dict):
            found += [inner.get(name) for name in ("message", "code", "type")]
    return " ".join(each[:_WORDS_LOOKED_AT] for each in found if isinstance(each, str)).lower()


def json_of(body: bytes) -> dict[str, Any]:
    """Return the JSON object of an answer.

    Raises:
        Malformed: It is none, such as a page of HTML or JSON that was cut off.
    """
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Malformed("no whole JSON") from None
    if not isinstance(answer, dict):
        raise Malformed("no JSON object")
    return answer


def by_index(rows: object, n: int) -> NDArray[np.float64]:
    """Return float64 [n, dim] of `[{"index": …, "embedding": […]}, …]`, given in any order.

    Raises:
        Malformed: There are not n of them, one each for the indexes from 0, all of one length.
    """
    if not isinstance(rows, list):
        raise Malformed("no list of vectors")
    _check_count(rows, n)
    placed: list[Any] = [None] * n
    for row in rows:
        index = row.get("index") if isinstance(row, dict) else None
        if type(index) is not int or not 0 <= index < n:
            raise Malformed("a vector without an index that belongs to a text")
        if placed[index] is not None:
            raise Malformed(f"two vectors of the index {index}")
        placed[index] = row.get("embedding")
        if placed[index] is None:
            raise Malformed(f"no vector at the index {index}")
    return in_order(placed, n)


def in_order(rows: object, n: int) -> NDArray[np.float64]:
    """Return float64 [n, dim] of `[[…], …]`, given in the order of the texts.

    Raises:
        Malformed: They are not n lists of one length, of finite numbers that are not all 0.
    """
    if not isinstance(rows, list):
        raise Malformed("no list of vectors")
    _check_count(rows, n)
    try:
        table = np.asarray(rows, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise Malformed("vectors of unequal lengths, or of what is no number") from None
    if table.ndim != 2 or table.shape[1] == 0:  # noqa: PLR2004 - texts by dimensions
        raise Malformed("vectors without numbers")
    if not np.isfinite(table).all():
        raise Malformed("NaN or infinity in a vector")
    if not table.any(axis=1).all():
        raise Malformed("a vector of zeros")
    return table


def _check_count(rows: list[Any], n: int) -> None:
    if len(rows) != n:
        raise Malformed(f"{len(rows)} vectors for {n} texts")

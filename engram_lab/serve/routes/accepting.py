"""What form an answer is sent in, by `Accept`.

Source: RFC 9110, section 12.5.1 (Accept) and 12.4.2 (quality values).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from engram_lab.core.errors import shown
from engram_lab.serve.errors import InvalidRequestError, NotAcceptableError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["accepted"]

_QUALITY: Final = re.compile(r"(?:0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)\Z")


def accepted(accept: str, offered: Sequence[str]) -> str:
    """Return which of the media types is sent: the one wanted most, then named most exactly.

    Args:
        accept: The header; an empty one takes anything.
        offered: What there is, what is sent by itself first.

    Raises:
        InvalidRequestError: A quality is no number from 0 to 1.
        NotAcceptableError: None of them is wanted.
    """
    ranges = [_range(each) for each in accept.split(",") if each.strip()]
    if not ranges:
        return offered[0]
    wanted = [_wanted(kind, ranges) for kind in offered]
    best = max(wanted)  # of equals the first is taken
    if best[0] <= 0:
        raise NotAcceptableError(
            f"nothing is sent in a form that Accept allows: accept one of {', '.join(offered)}"
        )
    return offered[wanted.index(best)]


def _wanted(kind: str, ranges: Sequence[tuple[str, float]]) -> tuple[float, int]:
    """Return how much a type is wanted, which the most exact range says, and how exact that is."""
    family = f"{kind.partition('/')[0]}/*"
    for exactness, name in ((2, kind), (1, family), (0, "*/*")):
        said = [quality for told, quality in ranges if told == name]
        if said:
            return max(said), exactness
    return 0.0, 0


def _range(told: str) -> tuple[str, float]:
    kind, *parameters = (each.strip().lower() for each in told.split(";"))
    for each in parameters:
        name, _, value = each.partition("=")
        if name.strip() == "q":
            if _QUALITY.match(value.strip()) is None:
                raise InvalidRequestError(
                    f"Accept has the quality {shown(value)}: give a number from 0 to 1"
                )
            return kind, float(value)
    return kind, 1.0

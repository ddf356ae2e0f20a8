"""A token budget: as many of the best hits as a prompt has room for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engram_lab.core.errors import InvalidInputError
from engram_lab.core.text import estimated_tokens

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engram_lab.retrieval.hits import Hit

__all__ = ["within_budget"]


def within_budget(hits: Sequence[Hit], budget: int | None) -> tuple[list[Hit], int]:
    """Return the hits that fit into so many tokens, in order, and how many were left out.

    The best is tried first. One that does not fit is left out and the next is tried, so that a long
    text does not keep short ones away; ranks stay those of the whole answer.

    Raises:
        InvalidInputError: The budget is no whole number from 1.
    """
    given: Any = budget
    if given is None:
        return list(hits), 0
    if type(given) is not int or given < 1:
        raise InvalidInputError(f"token_budget is {given!r}: give a whole number from 1")
    kept: list[Hit] = []
    room = given
    for hit in hits:
        cost = estimated_tokens(hit.memory.content)
        if cost <= room:
            kept.append(hit)
            room -= cost
    return kept, len(hits) - len(kept)

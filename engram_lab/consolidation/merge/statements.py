"""From a text to the statement that it makes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engram_lab.consolidation.merge.phrases import plainly
from engram_lab.consolidation.merge.reading import Reading
from engram_lab.consolidation.merge.stated import Statement
from engram_lab.consolidation.merge.surface import surface_of
from engram_lab.consolidation.merge.tokens import tokens

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["Statement", "read"]


def read(text: str, names: Collection[str] = ()) -> Statement:
    """Return what a text states.

    Args:
        text: Which.
        names: Words, in small letters, that are known as names: such a one is one where a sentence
            begins too, where a capital tells nothing.
    """
    plain = plainly(text)
    pieces = tokens(plain)
    return Reading(pieces, names).done(surface_of(plain, pieces))

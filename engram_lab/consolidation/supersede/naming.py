"""Which words of a statement are names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from engram_lab.consolidation.merge.apart import CLASSES
from engram_lab.consolidation.merge.words import (
    AUXILIARIES,
    COMMON_OPENERS,
    FUNCTION_WORDS,
    MARKERS,
    PAST,
)
from engram_lab.consolidation.supersede.words import ASIDE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engram_lab.consolidation.merge.tokens import Token
    from engram_lab.consolidation.supersede.casing import Known

__all__ = ["TITLES", "kind_of_name", "name_by_place"]

TITLES: Final = frozenset({"mr", "mrs", "ms", "dr", "prof", "i"})
"""Words with a capital that are no name, nor end a sentence with a dot."""
_HEADS: Final = frozenset({"project", "team", "customer", "client", "user"})
"""Words that begin a sentence by themselves, or a name together with another."""
_SHORT: Final = 2


def name_by_place(pieces: Sequence[Token], at: int) -> int:
    """Tell whether a word is a name: 1 surely, 2 perhaps, 0 not."""
    piece = pieces[at]
    word = piece.text
    if piece.kind != "word" or not piece.raised or word in TITLES or len(word) < _SHORT:
        return 0
    if not piece.first:
        return 0 if word in FUNCTION_WORDS and len(word) <= _SHORT and not piece.owns else 1
    after = pieces[at + 1] if at + 1 < len(pieces) else None
    if word in _HEADS and after is not None and after.kind == "word" and after.raised:
        return 1
    if word in FUNCTION_WORDS or word in COMMON_OPENERS or word in CLASSES:
        return 0
    if piece.owns or (after is not None and after.kind == "word" and after.raised):
        return 1
    follows = after is not None and (
        after.text in AUXILIARIES or after.text in PAST or after.text.endswith(("s", "ed"))
    )
    return 2 if follows and word not in ASIDE and word not in MARKERS else 0


def kind_of_name(pieces: Sequence[Token], at: int, known: Known) -> int:
    """Tell whether a word is a name, by its place and by what is known: 1 surely, 2 perhaps."""
    piece = pieces[at]
    kind = name_by_place(pieces, at)
    if kind == 1 or not piece.first or not piece.raised:
        return kind
    if piece.text in known.plain or piece.text in FUNCTION_WORDS:
        return 0
    return 1 if piece.text in known.names else kind

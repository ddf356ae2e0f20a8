"""What a statement says of its subject, and the remarks about the saying that stand beside it.

"By the way,", "As I said,", "Correction:", "Scratch what I said about Monday." say nothing of what
a statement is about; but they tell of a change, and what is put right.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from engram_lab.consolidation.merge.words import FUNCTION_WORDS, WEEKDAYS
from engram_lab.consolidation.supersede.naming import TITLES, name_by_place
from engram_lab.consolidation.supersede.words import ASIDE, CORRECTING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from engram_lab.consolidation.merge.tokens import Token

__all__ = ["parted"]

_LONGEST: Final = 14
"""Pieces of the longest remark that opens a sentence."""


def parted(pieces: Sequence[Token]) -> tuple[list[Token], list[Token]]:
    """Return what is said of the subject, and the remarks about the saying itself."""
    main: list[Token] = []
    asides: list[Token] = []
    for sentence in _sentences(pieces):
        rest, before = _begun(sentence), len(asides)
        while rest and (end := _opener(rest)):
            asides += rest[:end]
            rest = _begun(rest[end:])
        if rest and (_is_aside(rest) or (len(asides) > before and rest[0].text == "not")):
            asides += rest
        else:
            main += rest
    return (main, asides) if main else (list(pieces), [])


def _begun(pieces: Sequence[Token]) -> list[Token]:
    """Return pieces of which the first begins a sentence."""
    while pieces and pieces[0].kind == "stop":
        pieces = pieces[1:]
    return [pieces[0]._replace(first=True), *pieces[1:]] if pieces else []


def _sentences(pieces: Sequence[Token]) -> Iterator[list[Token]]:
    found: list[Token] = []
    for piece in pieces:
        found.append(piece)
        if piece.kind == "stop" and piece.text in ".!?\n":
            if len(found) > 2 or found[0].text not in TITLES:  # noqa: PLR2004
                yield found
                found = []
            else:
                found.pop()
    if found:
        yield found


def _opener(pieces: Sequence[Token]) -> int:
    """Return how many pieces open a sentence without saying anything of its subject."""
    comma = 0
    for at, piece in enumerate(pieces[: _LONGEST + 1]):
        if piece.kind == "word" and name_by_place(pieces, at) == 1:
            break
        if piece.kind != "stop" or not at or at + 1 >= len(pieces):
            continue
        before = pieces[:at]
        if piece.text in ",:;" and not comma and _remarks(before):
            comma = at + 1
        if piece.text == ":":
            return at + 1 if _introduces(before) else comma
    return comma


def _remarks(pieces: Sequence[Token]) -> bool:
    """Tell whether a clause is made of words about the telling alone."""
    words = [each.text for each in pieces if each.kind == "word"]
    figured = any(each.kind not in {"word", "stop"} for each in pieces)
    return bool(words) and not figured and all(word in ASIDE for word in words)


def _introduces(pieces: Sequence[Token]) -> bool:
    """Tell whether what stands before a colon is mostly about the telling, or dates it."""
    words = [each.text for each in pieces if each.kind == "word"]
    telling = [word for word in words if word not in FUNCTION_WORDS]
    remarks = sum(word in ASIDE for word in telling)
    dated = any(each.kind == "date" for each in pieces)
    return bool(remarks) and (dated or 2 * remarks > len(telling))


def _is_aside(pieces: Sequence[Token]) -> bool:
    words = {each.text for each in pieces if each.kind == "word" and each.text not in WEEKDAYS}
    named = {each.text for at, each in enumerate(pieces) if name_by_place(pieces, at) == 1}
    told = words - named - ASIDE
    if "said" in words and words & CORRECTING:
        return True  # `scratch what I said about the archive`
    return not told and (not named or bool(words & CORRECTING))

"""A statement as its frame and what fills it: names, figures, days, and the words in between.

"By the way, the door code of Falconet is 2211" has the frame "the door code of X is N", the name
"falconet" in the part of an owner, and the number 2211 as its complement. Two statements of one
frame and one name tell the same attribute, whatever else they are made of.
"""

from __future__ import annotations

import re
from itertools import pairwise, takewhile
from typing import TYPE_CHECKING, Final

from engram_lab.consolidation.merge.phrases import plainly
from engram_lab.consolidation.merge.tokens import tokens
from engram_lab.consolidation.merge.words import MARKERS, MODALITIES
from engram_lab.consolidation.supersede.casing import Known
from engram_lab.consolidation.supersede.clauses import former
from engram_lab.consolidation.supersede.forms import root
from engram_lab.consolidation.supersede.frames import FIGURES, Frame
from engram_lab.consolidation.supersede.openers import parted
from engram_lab.consolidation.supersede.reading import Reading
from engram_lab.consolidation.supersede.words import (
    ASIDE,
    CHANGE,
    CORRECTING,
    FRESH,
    HAPPENED,
    MORE,
    PARTITIVES,
    SETTLING,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from engram_lab.consolidation.supersede.frames import Filler

__all__ = ["frame_of"]

_ACRONYM: Final = re.compile(
    r"(?:(?<=\ba )|(?<=\ban )|(?<=\b[Tt]he )|(?<=\bits )|(?<=\bnew )|(?<=['\u2019]s ))"
    r"[A-Z]{2,5}\b"
)
"""Capitals after an article are no name, which takes none: `the PIN`."""
_UNKNOWN: Final = Known(frozenset(), frozenset())
_BEING: Final = frozenset({"is", "are", "be", "been"})
_SEVERAL: Final = frozenset({("one", "of"), ("is", "something"), ("are", "something")})
_SINCE: Final = frozenset({"since"})
_MAY: Final = frozenset({"can", "may", "could", "might"})
_PRESENT: Final = frozenset(
    {"is", "are", "am", "has", "have", "gets", "get", "be", "being", "will", "must", "can", "may"}
)
_WAS: Final = frozenset({"was", "were"})
_SHORTEST: Final = 4
_EARLY: Final = 3
_FIRST: Final = 4
_DEFINITE: Final = frozenset(
    {"the", "my", "our", "your", "his", "her", "their", "its", "this", "i", "we", "user", "it"}
)
_INDEFINITE: Final = frozenset({"a", "an", "some", "any", "no", "there", "nobody", "group", "one"})
_DOING: Final = frozenset({"is", "are", "am", "was", "were"})
_MOVES: Final = {("move", "to"): "live", ("join", ""): "work"}
"""By a verb and the part of a name: what is so once that is done."""


def frame_of(text: str, known: Known = _UNKNOWN) -> Frame:
    """Return the frame of a text.

    Args:
        text: Which.
        known: Which words are names, and which are none.
    """
    plain = _ACRONYM.sub(lambda match: match.group().lower(), plainly(text))
    main, remarks = parted(tokens(plain))
    reading, beside = Reading(main, known), Reading(remarks, known)
    reading.read()
    beside.read()
    return _done(reading, beside)


def _done(reading: Reading, beside: Reading) -> Frame:
    """Return the frame; what a remark puts right held until now."""
    fillers, here = reading.fillers, {*reading.words}
    words = {*here, *beside.words}
    old = former(fillers, reading.clauses, reading.denied, here)
    held = [each for at, each in enumerate(fillers) if at not in old]
    runs = tuple(each for each in held if each.kind == "words")
    names = tuple(each for each in held if each.kind == "name")
    corrects = bool(words & CORRECTING)
    were = [fillers[at] for at in sorted(old)]
    content = frozenset(str(word) for each in runs for word in each.value)
    content |= {each.counted for each in held if each.counted}  # `9 of us` counts members
    return Frame(
        text=_text(reading, old),
        names=names,
        figures=tuple(each for each in held if each.kind in FIGURES),
        runs=runs,
        were=(*were, *(each for each in beside.fillers if corrects and _tells(each))),
        content=content | _become(content, names),
        plain=frozenset(reading.plain),
        cues=frozenset(words & CHANGE | {*beside.words} & CORRECTING)
        - (_SINCE - set(reading.words[:1])),
        denies=frozenset() if old else _denies(reading),
        several=bool(here & PARTITIVES or {*beside.words} & MORE)
        or bool(_SEVERAL & {*pairwise(reading.words)}),
        exists=any(a == "there" and b in _BEING for a, b in pairwise(reading.words)),
        past=_is_past(reading, here) and not words & (FRESH - _SINCE | SETTLING),
        copula=reading.copula,
        may=bool(here & _MAY),
        meant=_is_meant(reading),
        definite=_is_definite(reading),
        corrects=corrects or bool(reading.denied),
    )


def _tells(each: Filler) -> bool:
    """Tell whether something in a remark is more than a word about the telling."""
    return each.kind != "words" or not ASIDE.issuperset(each.told.split())


def _become(content: frozenset[str], names: Sequence[Filler]) -> frozenset[str]:
    """Return what is so once what is told is done: who moved to a town lives there."""
    parts = {each.marker for each in names if each.role in {"marked", "object"}}
    return frozenset(
        root(state)
        for (verb, part), state in _MOVES.items()
        if root(verb) in content and part in parts
    )


def _text(reading: Reading, old: Collection[int]) -> str:
    shown: list[str] = []
    for word, filler in reading.shown:
        if filler in old and reading.fillers[filler].kind != "words":
            if shown and shown[-1] in MARKERS:
                shown.pop()
        else:
            shown.append(word)
    return " ".join(word for word in shown if word)


def _denies(reading: Reading) -> frozenset[str]:
    """Return the words of the clauses that deny."""
    clauses = {at for at, each in reading.clauses.items() if each.negations % 2}
    words = [each for each in reading.fillers if each.kind == "words" and each.clause in clauses]
    return frozenset(str(word) for each in words for word in each.value)


def _is_past(reading: Reading, words: Collection[str]) -> bool:
    """Tell whether it is of what happened: a verb of the past, and no auxiliary of the present."""
    told = set(words)
    if told & _PRESENT and not told & _WAS:
        return False
    if told & HAPPENED:
        return True
    return any(word.endswith("ed") and len(word) > _SHORTEST for word in _early(reading))


def _is_meant(reading: Reading) -> bool:
    """Tell whether its first clause says what somebody wants to do, and not what is."""
    first = takewhile(lambda piece: piece.kind != "stop", reading.pieces)
    return any(
        MODALITIES.get(one.text) == "wants" and other.text == "to" for one, other in pairwise(first)
    )


def _is_definite(reading: Reading) -> bool:
    """Tell whether it is of one thing: not of `a man`, `some`, `kids`, nor of what goes on."""
    going = any(
        word.endswith("ing") and _DOING & {*reading.words[max(0, at - 2) : at]}
        for at, word in enumerate(reading.words)
    )
    first = reading.pieces[:_FIRST]
    told = {piece.text for piece in first}
    coded = any(piece.kind == "code" or piece.owns for piece in first)
    return not going and (coded or bool(told & _DEFINITE)) and not told & _INDEFINITE


def _early(reading: Reading) -> Iterator[str]:
    """Yield the words among the first things of a clause, where its verb stands."""
    counts: dict[int, int] = {}
    for each in reading.fillers:
        counts[each.clause] = counts.get(each.clause, 0) + 1
        first = 1 if reading.clauses[each.clause].pronoun else _EARLY
        if each.kind == "words" and counts[each.clause] <= first:
            yield from _without_participles(each.told.split())


def _without_participles(words: Sequence[str]) -> Iterator[str]:
    """Yield words but for such as stand between a verb of the present and its object.

    In "sells used cars" and "orders pickled herring" nothing is past.
    """
    for at, word in enumerate(words):
        between = 0 < at < len(words) - 1
        if not (between and words[0].endswith("s") and not words[0].endswith("ss")):
            yield word

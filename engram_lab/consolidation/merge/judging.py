"""Which near pairs are one statement: word for word, or by their frames."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import numpy as np

from engram_lab.consolidation.merge.framed import (
    frame_of,
    kept_apart,
    least_nearness,
    names_of,
)
from engram_lab.consolidation.merge.pairs import compare
from engram_lab.consolidation.merge.simplified import simplified
from engram_lab.consolidation.merge.statements import Statement, read

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engram_lab.consolidation.step import Nearest, Scene
    from engram_lab.consolidation.view import View

__all__ = ["DAY_S", "is_state", "judged"]

DAY_S: Final = 86_400.0

_Pair = tuple[int, int]


def judged(
    view: View, scene: Scene, near: Mapping[_Pair, float], *, score: float, cosine: float
) -> tuple[dict[int, Statement], dict[_Pair, float]]:
    """Return what was read, by row, and which of near pairs are one statement, each with its score.

    Args:
        view: Whose rows.
        scene: Whose index also makes vectors of frames.
        near: Pairs of rows with their cosines.
        score: Least likelihood by the words.
        cosine: Least cosine at which two are compared by their words. Two of which one has a name
            are compared by their frames instead, however near they are.
    """
    rows = sorted({row for pair in near for row in pair})
    texts = view.texts(np.array(rows, np.int64)) if rows else []
    words = {row: simplified(text) for row, text in zip(rows, texts, strict=True)}
    told = {row: read(text) for row, text in words.items()}
    found: dict[_Pair, float] = {}
    framed: list[_Pair] = []
    for (one, other), nearness in near.items():
        a, b = told[one], told[other]
        if not _same_event(view, (one, a), (other, b)):
            continue
        if scene.nearest is not None and names_of(a, b):
            framed.append((one, other))
        elif nearness >= cosine and (likely := compare(a, b, nearness).score) >= score:
            found[one, other] = likely
    if scene.nearest is not None:
        found |= _near_by_frame(scene.nearest, framed, words, told)
    return told, found


def is_state(told: Statement) -> bool:
    """Tell whether a text tells how things are, or have become, and not what once happened."""
    return told.lasting or bool(told.words & _OF_STATES)


def _same_event(view: View, first: tuple[int, Statement], second: tuple[int, Statement]) -> bool:
    """Tell whether two may tell of one event: not of what happened on days apart.

    When something happened is told by `event_at`; and where a text says `today`, by when it was
    told.
    """
    (one, a), (other, b) = first, second
    if is_state(a) or is_state(b) or (a.dates and a.dates == b.dates):
        return True
    columns = view.columns
    times = columns.event_at
    if (a.words | b.words) & _SEEN_FROM_TELLING:
        times = np.where(np.isnan(times), columns.created_at, times)
    return not abs(float(times[one]) - float(times[other])) >= DAY_S


_OF_STATES: Final = frozenset({"is", "are", "am", "has", "have", "will", "ll", "must", "may"})
_SEEN_FROM_TELLING: Final = frozenset(
    {"today", "tonight", "yesterday", "tomorrow", "morning", "evening", "afternoon", "ago", "just"}
)


def _cased(first: str, second: str, a: Statement, b: Statement) -> tuple[str, str]:
    """Return two texts in which what is a name in one has a capital in the other.

    Somebody who writes without capitals, or with nothing else, marks no names.
    """
    return _with_names(first, b.names - a.names), _with_names(second, a.names - b.names)


def _with_names(text: str, names: frozenset[str]) -> str:
    if not names or text[1:] != text[1:].lower():
        return text
    pattern = r"\b(" + "|".join(sorted(map(re.escape, names))) + r")\b"
    return re.sub(pattern, lambda name: name[0].capitalize(), text)


def _reread(
    told: Statement,
    before: str,
    text: str,
    names: frozenset[str],
    known: dict[tuple[str, frozenset[str]], Statement],
) -> Statement:
    """Return a statement with those words as names that are names in the other one.

    A first word shows by itself as little whether it is one as any word of somebody who writes
    without capitals.
    """
    here = names & told.words
    if text == before and here <= told.names:
        return told
    if (text, here) not in known:
        known[text, here] = read(text, here)
    return known[text, here]


def _near_by_frame(
    nearest: Nearest,
    wanted: Sequence[_Pair],
    words: Mapping[int, str],
    told: Mapping[int, Statement],
) -> dict[_Pair, float]:
    """Return which of the pairs are one statement by their frames, each with their cosine."""
    frames: dict[_Pair, tuple[str, str, float]] = {}
    again: dict[tuple[str, frozenset[str]], Statement] = {}
    for one, other in wanted:
        texts = _cased(words[one], words[other], told[one], told[other])
        names = names_of(told[one], told[other])
        a = _reread(told[one], words[one], texts[0], names, again)
        b = _reread(told[other], words[other], texts[1], names, again)
        least = None if kept_apart(a, b) else least_nearness(a, b, texts)
        if least is not None:
            names = names_of(a, b)
            frames[one, other] = (frame_of(texts[0], names), frame_of(texts[1], names), least)
    distinct = sorted({text for first, second, _ in frames.values() for text in (first, second)})
    if not distinct:
        return {}
    place = {text: at for at, text in enumerate(distinct)}
    vectors = nearest.encode(distinct)
    found: dict[_Pair, float] = {}
    for pair, (first, second, least) in frames.items():
        cosine = float(vectors[place[first]] @ vectors[place[second]])
        if cosine >= least:
            found[pair] = min(1.0, cosine)
    return found

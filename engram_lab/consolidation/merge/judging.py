"""Which near pairs are one statement: word for word, or by their frames."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from engram_lab.consolidation.merge.framed import (
    frame_of,
    kept_apart,
    least_nearness,
    names_of,
    without_remarks,
)
from engram_lab.consolidation.merge.pairs import compare
from engram_lab.consolidation.merge.statements import Statement, read

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engram_lab.consolidation.step import Nearest, Scene
    from engram_lab.consolidation.view import View

__all__ = ["DAY_S", "judged"]

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
        cosine: Least cosine at which two are compared by their words; nearer or not, two of which
            one has a name are compared by their frames.
    """
    rows = sorted({row for pair in near for row in pair})
    texts = view.texts(np.array(rows, np.int64)) if rows else []
    words = {row: without_remarks(text) for row, text in zip(rows, texts, strict=True)}
    told = {row: read(text) for row, text in words.items()}
    found: dict[_Pair, float] = {}
    framed: list[_Pair] = []
    for (one, other), nearness in near.items():
        a, b = told[one], told[other]
        if not ((a.lasting and b.lasting) or _same_event(view, one, other)):
            continue
        if nearness >= cosine and (likely := compare(a, b, nearness).score) >= score:
            found[one, other] = likely
        elif names_of(a, b):
            framed.append((one, other))
    if scene.nearest is not None:
        found |= _near_by_frame(scene.nearest, framed, words, told)
    return told, found


def _same_event(view: View, one: int, other: int) -> bool:
    """Tell whether two may tell of one event: not of what happened on days apart."""
    first, second = float(view.columns.event_at[one]), float(view.columns.event_at[other])
    return not abs(first - second) >= DAY_S


def _near_by_frame(
    nearest: Nearest,
    wanted: Sequence[_Pair],
    words: Mapping[int, str],
    told: Mapping[int, Statement],
) -> dict[_Pair, float]:
    """Return which of the pairs are one statement by their frames, each with their cosine."""
    frames: dict[_Pair, tuple[str, str, float]] = {}
    for one, other in wanted:
        a, b = told[one], told[other]
        least = None if kept_apart(a, b) else least_nearness(a, b)
        if least is not None:
            names = names_of(a, b)
            frames[one, other] = (frame_of(words[one], names), frame_of(words[other], names), least)
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

"""Which pairs are worth a look: the same to the letter, or near by meaning; never all pairs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from engram_lab.consolidation.merge.glance import Glance
    from engram_lab.consolidation.step import Nearest, Scene
    from engram_lab.consolidation.view import View

__all__ = ["eligible", "kind_of", "near_pairs", "same_texts"]

_BATCH: Final = 2048
_WIDER: Final = 4
_WIDEST: Final = 128
_OF_OTHER_STUFF: Final = frozenset({"image", "audio", "video", "transcript_chunk", "checkpoint"})
"""Types whose words are but a caption, or whose place is what matters."""
_TELLING: Final = frozenset(
    {
        "context", "decision", "episodic", "fact", "learning", "lesson", "note", "preference",
        "semantic",
    }
)  # fmt: skip


def eligible(
    view: View, now_s: float, *, turns: bool = False, closed: bool = False
) -> NDArray[np.bool_]:
    """Tell which rows may be compared as statements, bool [n].

    Those that recall may find, that hide nothing, that still hold and do not expire, and that no
    dream made: what expires must not stand for what was to stay.

    Args:
        view: Whose rows.
        now_s: The moment, in seconds since 1970.
        turns: Whether turns of conversations may be, which say something by their place too.
        closed: Whether those may be that no longer hold.
    """
    columns = view.columns
    may = view.findable & ~columns.private & np.isnan(columns.expires_at)
    if not closed:
        may &= ~(columns.valid_to <= now_s)
    if not turns:
        may &= ~columns.turns
    fit = [
        kind not in _OF_OTHER_STUFF and not (source or "").startswith("dream:")
        for kind, source in zip(columns.types, columns.sources, strict=True)
    ]
    return may & np.array(fit, np.bool_)


def kind_of(type_: str) -> str:
    """Return what a type stands for: all that tell how things are count as one kind."""
    return "" if type_ in _TELLING else type_


def same_texts(view: View, may: NDArray[np.bool_]) -> list[list[int]]:
    """Return the rows that have the same text, scope and kind, in groups of two and more."""
    columns = view.columns
    groups: dict[tuple[str, str, str], list[int]] = {}
    for row in np.flatnonzero(may).tolist():
        told = (columns.content_hashes[row], columns.scopes[row], kind_of(columns.types[row]))
        groups.setdefault(told, []).append(row)
    return [rows for rows in groups.values() if len(rows) > 1]


def near_pairs(
    view: View,
    scene: Scene,
    may: NDArray[np.bool_],
    *,
    cosine: float,
    near: int,
    crowded: float | None = None,
    widest: int = _WIDEST,
    glance: Glance | None = None,
) -> dict[tuple[int, int], float]:
    """Return the pairs of rows, lower first, with one in focus, that are near, by their cosine.

    A row whose last neighbour is still near is asked about again, more widely: copies of one text
    would else fill the list and hide what is near as well.

    Args:
        view: Whose rows.
        scene: Whose focus, and index.
        may: Which rows may be in a pair, bool [n].
        cosine: Least cosine of a pair.
        near: How many nearest of each are looked at.
        crowded: From which cosine of the last one on more are looked at; else from `cosine` on.
        widest: At most so many are looked at then.
        glance: Leaves out pairs of which it shows that they are not one statement.
    """
    crowded = cosine if crowded is None else crowded
    found: dict[tuple[int, int], float] = {}
    if scene.nearest is None:
        return found
    rows = view.rows(scene.focus)
    rows = rows[rows >= 0]
    asked = view.columns.keys[rows[may[rows]]]
    while len(asked):
        full: list[NDArray[np.int64]] = []
        for keys, there, cosines in _asked(scene.nearest, asked, near):
            _take(view, may, keys, there, cosines, cosine, found, glance)
            full.append(keys[(cosines[:, -1] >= crowded) & (there[:, -1] > 0)])
        near *= _WIDER
        if near > widest:
            break
        asked = np.concatenate(full)
    return dict(sorted(found.items()))


def _asked(
    nearest: Nearest, keys: NDArray[np.int64], near: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]]:
    for start in range(0, len(keys), _BATCH):
        batch = keys[start : start + _BATCH]
        there, cosines = nearest.near(batch, near)
        yield batch, there, cosines


def _take(
    view: View,
    may: NDArray[np.bool_],
    keys: NDArray[np.int64],
    there: NDArray[np.int64],
    cosines: NDArray[np.float32],
    least: float,
    found: dict[tuple[int, int], float],
    glance: Glance | None,
) -> None:
    rows = view.rows(there)
    enough = (rows >= 0) & (cosines >= least) & (there > 0)
    enough &= may[np.maximum(rows, 0)]
    at, place = np.nonzero(enough)
    ours = view.rows(keys)[at].tolist()
    theirs = rows[at, place].tolist()
    if glance is not None:
        glance.look([*ours, *theirs])
    scopes = view.columns.scopes
    for one, other, value in zip(ours, theirs, cosines[at, place].tolist(), strict=True):
        if one == other or scopes[one] != scopes[other]:
            continue
        if glance is None or not glance.apart(one, other):
            found[(one, other) if one < other else (other, one)] = value

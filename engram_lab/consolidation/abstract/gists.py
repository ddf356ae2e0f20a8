"""The gists that are there: of which memories each is, and whether these still say the same."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engram_lab.consolidation.holding import Holding
    from engram_lab.consolidation.view import View

__all__ = ["GIST_SOURCE", "Gist", "fingerprint", "gists_of"]

GIST_SOURCE: Final = "dream:abstract"
"""The source of gists, and of their links."""


class Gist(NamedTuple):
    """A gist, as a row, and what became of its sources.

    Attributes:
        row: Of the gist.
        sources: Rows of the memories of which it is, as far as they are left.
        holding: Those of them that still hold.
        changed: Whether they say something else than when it was made.
        missing: Whether some of them were forgotten since.
    """

    row: int
    sources: tuple[int, ...]
    holding: tuple[int, ...]
    changed: bool
    missing: bool


def fingerprint(view: View, rows: Sequence[int]) -> str:
    """Return a hash of which memories these are and what they say, in whatever order."""
    columns = view.columns
    told = sorted(f"{columns.ids[row]} {columns.content_hashes[row]}" for row in rows)
    return hashlib.sha256("\n".join(told).encode()).hexdigest()


def gists_of(view: View, holding: Holding) -> list[Gist]:
    """Return the gists of a view, in the order of their keys.

    One whose metadata do not tell of what it was made, as somebody edited them, counts as
    unchanged: it is theirs now.
    """
    rows = [row for row, each in enumerate(view.columns.sources) if each == GIST_SOURCE]
    if not rows:
        return []
    places = np.array(rows, np.int64)
    links = view.links(view.columns.keys[places], types=("derived_from",))
    sources: dict[int, list[int]] = {row: [] for row in rows}
    for near, far in zip(
        view.rows(links.from_keys).tolist(), view.rows(links.to_keys).tolist(), strict=True
    ):
        if near in sources and far >= 0 and far not in sources:
            sources[near].append(far)
    found: list[Gist] = []
    for row, details in zip(rows, view.details(places), strict=True):
        own = tuple(sorted(set(sources[row])))
        holds = tuple(each for each in own if not holding.closed[each])
        was, count = details.metadata.get("gist_of"), details.metadata.get("gist_sources")
        told = isinstance(was, str) and isinstance(count, int)
        found.append(
            Gist(
                row=row,
                sources=own,
                holding=holds,
                changed=told and fingerprint(view, holds) != was,
                missing=told and len(own) < count,  # type: ignore[operator]
            )
        )
    return found

"""All tellings of what a memory says: its own words, and those of memories that it stands for.

What was merged says the same. So what one telling of it names, its former value or the sort of what
it speaks of, is known of them all, whichever of them was kept.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    import numpy as np
    from numpy.typing import NDArray

    from engram_lab.consolidation.supersede.frames import Frame
    from engram_lab.consolidation.view import View

__all__ = ["absorbed", "distinct"]

_ONE_OF: Final = re.compile(r"\bone of\b")
_MERGED_INTO: Final = ("merged_into",)


def absorbed(view: View, chosen: NDArray[np.bool_], fit: NDArray[np.bool_]) -> dict[int, int]:
    """Return the archived rows that chosen ones stand for, each with the one that does.

    Args:
        view: Whose rows.
        chosen: Rows that may stand for others, bool [n].
        fit: Rows that may be read, bool [n].
    """
    links = view.links(types=_MERGED_INTO)
    ends = zip(view.rows(links.from_keys).tolist(), view.rows(links.to_keys).tolist(), strict=True)
    planned = ((one, other) for one, other, _ in view.planned_links(_MERGED_INTO))
    into = {one: other for one, other in (*ends, *planned) if min(one, other) >= 0}
    found: dict[int, int] = {}
    hidden = view.columns.archived & fit
    for row in sorted(into):
        last, steps = row, 0
        while last in into and view.columns.archived[last] and steps <= len(into):
            last, steps = into[last], steps + 1
        if hidden[row] and chosen[last]:
            found[row] = last
    return found


def distinct(
    frames: Mapping[int, Frame], stands: Mapping[int, int], kept: Collection[int]
) -> dict[int, Frame]:
    """Return the frames of kept rows, and those of others that say it in other words.

    Args:
        frames: By row.
        stands: By row, which row stands for it.
        kept: The rows that are kept in any case.
    """
    found = {row: frames[row] for row in kept}
    seen = set(found.items())
    for row in sorted(stands):
        told = stands[row], frames[row]
        if told not in seen and not _ONE_OF.search(told[1].text):
            seen.add(told)
            found[row] = frames[row]
    return found

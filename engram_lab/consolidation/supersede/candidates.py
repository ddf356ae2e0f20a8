"""Which pairs of statements are worth a look: those that share a name and a word beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from engram_lab.consolidation.supersede.words import GENERIC

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from engram_lab.consolidation.supersede.frames import Frame

__all__ = ["sharing"]

_FOLLOWING: Final = 16
"""With so many that follow in time each is compared, of those that share one name and one word."""


def sharing(
    frames: Mapping[int, Frame],
    ranks: NDArray[np.int64],
    scopes: Sequence[str],
    focus: NDArray[np.bool_],
) -> Iterator[tuple[int, int]]:
    """Yield pairs of rows, older first, one of them in focus, that share a name and a word.

    Work grows with the number of memories, never with its square: among those that share a name
    and a word, each is compared with the next few in time, of one text with the first alone.
    """
    blocks: dict[tuple[object, ...], list[int]] = {}
    for row in sorted(frames, key=lambda each: int(ranks[each])):
        frame = frames[row]
        for name in dict.fromkeys(each.value for each in frame.names):
            for word in frame.content - GENERIC:
                blocks.setdefault((scopes[row], name, word), []).append(row)
    seen: set[tuple[int, int]] = set()
    for rows in blocks.values():
        for at, older in enumerate(rows):
            for newer in rows[at + 1 : at + 1 + _FOLLOWING]:
                pair = older, newer
                if (focus[older] or focus[newer]) and pair not in seen:
                    seen.add(pair)
                    yield pair

"""Links by meaning: what lies near in the space of vectors."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from engram_lab.consolidation.links.placing import Ties, Wanted, groups_of, settled, strongest
from engram_lab.consolidation.step import STEPS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from engram_lab.config import DreamSettings
    from engram_lab.consolidation.step import Nearest, Scene
    from engram_lab.consolidation.view import View
    from engram_lab.core.dreams import Change

__all__ = ["SIMILAR", "SemanticLinks"]

SIMILAR: Final = "similar_to"
"""The type of the links: in both directions alike."""

_AT_ONCE: Final = 4096
_SPARE: Final = 3
"""So many times more neighbours are asked for, as some are of another workspace or scope."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SemanticLinks:
    """Memories whose vectors have at least some cosine are linked; the cosine is the weight.

    What changed is compared with its nearest, through the index. Of the pairs the nearest stay, as
    long as both ends have room, so that no memory has more than `most` of these links. Where a
    memory was changed, its links are weighed anew, and go where it has moved too far away. What
    dreams made is left out: a gist is joined to its sources as it is.

    Attributes:
        cosine: The least, 0 to 1.
        most: How many of these links a memory may have.
    """

    cosine: float = 0.75
    most: int = 5

    @property
    def name(self) -> str:
        """Its registered name."""
        return "link-semantic"

    @property
    def parameters(self) -> Mapping[str, Any]:
        """What it was set to."""
        return asdict(self)

    def plan(self, view: View, scene: Scene) -> Iterator[Change]:
        """Return the links that are made, weighed anew or end."""
        rows = view.rows(scene.focus)
        rows = rows[rows >= 0]
        rows = rows[view.told[rows]]
        if scene.nearest is None or not len(rows):
            return
        near = self._near(view, rows, scene.nearest)
        touched = np.unique(np.concatenate([rows, near.starts, near.ends]))
        ties = Ties.of(view, SIMILAR, self.name, view.columns.keys[touched])
        changed = np.zeros(len(view), np.bool_)
        changed[rows] = True
        judged = ties.ours & (changed[ties.low] | changed[ties.high])
        weights = ties.weights.copy()
        weights[judged] = _cosines(view, scene.nearest, ties.low[judged], ties.high[judged])
        old = ties.ours & (~judged | (weights >= self.cosine))
        fresh = ~np.isin(near.codes(len(view)), ties.codes)
        wanted = Wanted(
            starts=np.concatenate([ties.low[old], near.starts[fresh]]),
            ends=np.concatenate([ties.high[old], near.ends[fresh]]),
            weights=np.concatenate([weights[old], near.weights[fresh]]),
        )
        wanted = wanted.only(strongest(wanted.starts, wanted.ends, wanted.weights, self.most))
        yield from settled(
            ties,
            scene,
            wanted,
            np.ones(len(ties), np.bool_),
            reason=f"cosine at least {self.cosine:g}",
            gone="others are nearer, or it has moved away",
        )

    def _near(self, view: View, rows: NDArray[np.int64], nearest: Nearest) -> Wanted:
        """Return the pairs of some rows and their nearest that may be linked, each once."""
        groups, size, told = groups_of(view.columns.scopes), len(view), view.told
        codes = [np.empty(0, np.int64)]
        for begin in range(0, len(rows), _AT_ONCE):
            part = rows[begin : begin + _AT_ONCE]
            found = nearest.near(view.columns.keys[part], self.most * _SPARE)
            others = view.rows(found.keys)
            own = np.broadcast_to(part[:, None], others.shape)
            # A little below the least, as an index may know the vectors less exactly.
            may = (others >= 0) & (others != own) & (found.cosines >= self.cosine - 0.02)
            own, others = own[may], others[may]
            may = told[others] & (groups[own] == groups[others])
            own, others = own[may], others[may]
            codes.append(np.minimum(own, others) * size + np.maximum(own, others))
        pairs = np.unique(np.concatenate(codes))
        low, high = pairs // max(1, size), pairs % max(1, size)
        near = Wanted(starts=low, ends=high, weights=_cosines(view, nearest, low, high))
        return near.only(near.weights >= self.cosine)


def _cosines(
    view: View, nearest: Nearest, low: NDArray[np.int64], high: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the cosine of the vectors of two rows each, 0 where one has none, float64 [p]."""
    told = np.zeros(len(low))
    keys = view.columns.keys
    for begin in range(0, len(low), _AT_ONCE):
        part = slice(begin, begin + _AT_ONCE)
        one, has = nearest.vectors(keys[low[part]])
        two, also = nearest.vectors(keys[high[part]])
        lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(two, axis=1)
        dots = np.einsum("nd,nd->n", one.astype(np.float64), two.astype(np.float64))
        both = has & also & (lengths > 0)
        told[part] = np.where(both, dots / np.where(lengths > 0, lengths, 1.0), 0.0)
    return told.clip(0.0, 1.0)


@STEPS.register("link-semantic")
def _semantic(settings: DreamSettings) -> SemanticLinks:
    return SemanticLinks(cosine=settings.link_cosine, most=settings.link_most)

"""Links by time: what happened, or was remembered, at about the same moment."""

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
    from engram_lab.consolidation.step import Scene
    from engram_lab.consolidation.view import View
    from engram_lab.core.dreams import Change

__all__ = ["NEAR_IN_TIME", "TemporalLinks", "times_of"]

NEAR_IN_TIME: Final = "near_in_time"
"""The type of the links: in both directions alike."""


def times_of(view: View) -> NDArray[np.float64]:
    """Return when what each memory tells of happened, else when it was made, float64 [n]."""
    columns = view.columns
    return np.where(np.isnan(columns.event_at), columns.created_at, columns.event_at)


@dataclass(frozen=True, kw_only=True, slots=True)
class TemporalLinks:
    """Memories less than a window apart are linked, by the weight 1 - Δ ÷ window.

    Of the pairs the nearest in time stay, as long as both ends have room, so that no memory has
    more than `most` of these links. What dreams made is left out: it did not happen.

    Attributes:
        window_s: Seconds, above 0.
        most: How many of these links a memory may have.
    """

    window_s: float = 1800.0
    most: int = 5

    @property
    def name(self) -> str:
        """Its registered name."""
        return "link-temporal"

    @property
    def parameters(self) -> Mapping[str, Any]:
        """What it was set to."""
        return asdict(self)

    def plan(self, view: View, scene: Scene) -> Iterator[Change]:
        """Return the links that are made, weighed anew or end."""
        rows = view.rows(scene.focus)
        changed = np.zeros(len(view), np.bool_)
        changed[rows[rows >= 0]] = True
        changed &= view.told
        if not changed.any():
            return
        times = times_of(view)
        near = self._near(view, times, changed)
        touched = np.flatnonzero(changed)
        touched = np.unique(np.concatenate([touched, near.starts, near.ends]))
        ties = Ties.of(view, NEAR_IN_TIME, self.name, view.columns.keys[touched])
        judged = ties.ours & (changed[ties.low] | changed[ties.high])
        weights = np.where(judged, self._weights(times, ties.low, ties.high), ties.weights)
        old = ties.ours & (weights > 0)
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
            reason=f"less than {self.window_s:g} seconds apart",
            gone="others are nearer in time",
        )

    def _weights(
        self, times: NDArray[np.float64], one: NDArray[np.int64], two: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        apart = np.abs(times[one] - times[two])
        return np.asarray((1.0 - apart / self.window_s).clip(0.0, 1.0), np.float64)

    def _near(self, view: View, times: NDArray[np.float64], changed: NDArray[np.bool_]) -> Wanted:
        """Return the pairs of what changed and its nearest in time on either side, each once."""
        groups, findable = groups_of(view.columns.scopes), np.flatnonzero(view.told)
        order = findable[np.lexsort((findable, times[findable], groups[findable]))]
        low, high = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
        for apart in range(1, min(self.most, len(order) - 1) + 1):
            one, two = order[:-apart], order[apart:]
            may = (groups[one] == groups[two]) & (changed[one] | changed[two])
            may &= times[two] - times[one] < self.window_s
            low.append(np.minimum(one, two)[may])
            high.append(np.maximum(one, two)[may])
        starts, ends = np.concatenate(low), np.concatenate(high)
        return Wanted(starts=starts, ends=ends, weights=self._weights(times, starts, ends))


@STEPS.register("link-temporal")
def _temporal(settings: DreamSettings) -> TemporalLinks:
    return TemporalLinks(window_s=settings.link_window_s, most=settings.link_most)

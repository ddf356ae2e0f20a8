"""The step "supersede": where a newer statement says otherwise, the validity of the older ends."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np

from engram_lab.consolidation.merge.candidates import eligible, near_pairs
from engram_lab.consolidation.merge.statements import read
from engram_lab.consolidation.step import STEPS
from engram_lab.consolidation.supersede.candidates import sharing
from engram_lab.consolidation.supersede.casing import known_from, recased
from engram_lab.consolidation.supersede.claims import claims, contradictions
from engram_lab.consolidation.supersede.framing import Frame, frame_of
from engram_lab.consolidation.supersede.judging import BOUNDS, Bounds, Verdict, judge
from engram_lab.consolidation.supersede.nearness import alike
from engram_lab.consolidation.supersede.planning import CONTRADICTS, NAME, SUPERSEDES, planned
from engram_lab.consolidation.supersede.times import Chains, Found, Times

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from engram_lab.config import DreamSettings
    from engram_lab.consolidation.step import Scene
    from engram_lab.consolidation.view import View
    from engram_lab.core.dreams import Change

__all__ = ["CONTRADICTS", "SUPERSEDES", "Supersede"]

_MOST_CHARS: Final = 600
_PAST_DATE: Final = 0.4


@STEPS.register(NAME)
def _of(settings: DreamSettings) -> Supersede:
    return Supersede.of(settings)


@dataclass(frozen=True, kw_only=True, slots=True)
class Supersede:
    """Finds what a later statement changed, by what both claim; see `claims`.

    When something began to hold, or happened, decides what is newer: `valid_from`, else `event_at`,
    else when it was recorded. So what is told late of an earlier time is closed at once. The older
    one gets `valid_to`, where the newer began, and a link `supersedes` from the newer, its
    confidence as weight; nothing is hidden. Protected ones, doubtful ones and those of the same
    moment are linked `contradicts` alone.

    Compared are the memories in focus with one another, by their claims, and with those that are
    near them by meaning.

    Attributes:
        cosine: Least cosine of a neighbour that is read.
        near: How many nearest are read.
        confidence: Least confidence at which validity is closed.
        doubtful: Least confidence at which a contradiction is linked.
    """

    cosine: float = 0.5
    near: int = 16
    confidence: float = 0.7
    doubtful: float = 0.5
    bounds: Bounds = BOUNDS

    @classmethod
    def of(cls, settings: DreamSettings) -> Self:
        """Return the step that settings ask for."""
        return cls(
            cosine=settings.supersede_cosine,
            near=settings.supersede_near,
            confidence=settings.supersede_confidence,
            doubtful=settings.supersede_doubtful,
        )

    @property
    def name(self) -> str:
        """Its registered name."""
        return NAME

    @property
    def parameters(self) -> Mapping[str, Any]:
        """What it was set to."""
        return asdict(self)

    def plan(self, view: View, scene: Scene) -> Iterable[Change]:
        """Return what is closed and linked, by rising row of the memory that is changed."""
        times = Times.of(view)
        sure: list[Found] = []
        doubted: dict[tuple[int, int], Found] = {}
        for found in self._found(view, scene, times):
            if found.sure >= self.confidence and times.key(found.newer) != times.key(found.older):
                sure.append(found)
            else:
                doubted[found.newer, found.older] = found
        yield from planned(view, scene, Chains.of(sure, times), doubted, times)

    def _found(self, view: View, scene: Scene, times: Times) -> list[Found]:
        """Return which rows say otherwise than which older ones."""
        may = eligible(view, scene.now_s, closed=True) & (view.columns.chars <= _MOST_CHARS)
        focus = np.zeros(len(view), np.bool_)
        rows = view.rows(scene.focus)
        focus[rows[rows >= 0]] = True
        chosen, pairs = self._chosen(view, scene, may, focus)
        if not len(chosen):
            return []
        texts = recased(view.texts(chosen))
        known = known_from(texts)
        frames = {
            row: frame_of(text, known) for row, text in zip(chosen.tolist(), texts, strict=True)
        }
        folded = {
            row: " ".join(text.casefold().split())
            for row, text in zip(chosen.tolist(), texts, strict=True)
        }
        candidates = dict.fromkeys(sharing(frames, times.ranks, view.columns.scopes, focus))
        likely: list[tuple[int, int, Verdict]] = []
        for pair in dict.fromkeys((*candidates, *map(times.ordered, pairs))):
            older, newer = pair
            if folded[older] == folded[newer]:
                continue
            if times.created[older] > times.created[newer] and frames[older].corrects:
                older, newer = newer, older
            verdict = judge(frames[older], frames[newer], self.bounds)
            if _was_over(frames[older], *times.moments[[older, newer]]):
                verdict = verdict._replace(sure=min(verdict.sure, _PAST_DATE))
            if verdict.sure >= self.doubtful:
                likely.append((older, newer, verdict))
        shown = [
            verdict.masked or (frames[older].text, frames[newer].text)
            for older, newer, verdict in likely
        ]
        near = alike(shown, scene.nearest)
        claimed = contradictions(
            {row: claims(read(text)) for row, text in zip(chosen.tolist(), texts, strict=True)},
            times,
            view.columns.scopes,
        )
        return [
            *(each for each in claimed if focus[each.older] or focus[each.newer]),
            *(
                Found(verdict.sure, newer, older)
                for (older, newer, verdict), cosine in zip(likely, near, strict=True)
                if cosine >= verdict.least
            ),
        ]

    def _chosen(
        self, view: View, scene: Scene, may: NDArray[np.bool_], focus: NDArray[np.bool_]
    ) -> tuple[NDArray[np.int64], list[tuple[int, int]]]:
        """Return the rows that are read, those in focus and what is near them, and near pairs."""
        chosen = focus.copy()
        pairs: list[tuple[int, int]] = []
        if (may & ~chosen).any():  # else all are read: none need be looked for
            pairs = list(
                near_pairs(view, scene, may, cosine=self.cosine, near=self.near, widest=self.near)
            )
            for pair in pairs:
                chosen[list(pair)] = True
        return np.flatnonzero(may & chosen), pairs


def _was_over(frame: Frame, told: float, moment: float) -> bool:
    """Tell whether the dates of a statement had passed by a moment: then another is another day's.

    A date without a year is of the year in which it was told.
    """
    dates = [each.value for each in frame.figures if each.kind == "date"]
    if not dates:
        return False
    at = datetime.fromtimestamp(told, UTC)
    last = max((y or at.year, m or 12, d or 31) for y, m, d in dates)  # type: ignore[misc]
    then = datetime.fromtimestamp(moment, UTC)
    return at.timetuple()[:3] <= last < then.timetuple()[:3]

"""The step "supersede": where a newer statement says otherwise, the validity of the older ends."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np

from engram_lab.consolidation.merge.asserted import manner_of
from engram_lab.consolidation.merge.candidates import eligible, near_pairs
from engram_lab.consolidation.merge.glance import NameGlance
from engram_lab.consolidation.merge.simplified import simplified
from engram_lab.consolidation.merge.statements import read
from engram_lab.consolidation.step import STEPS
from engram_lab.consolidation.supersede.candidates import sharing
from engram_lab.consolidation.supersede.casing import known_from, recased
from engram_lab.consolidation.supersede.claims import Claim, claims, contradictions
from engram_lab.consolidation.supersede.forms import root
from engram_lab.consolidation.supersede.framing import frame_of
from engram_lab.consolidation.supersede.judging import BOUNDS, Bounds, Verdict, judge
from engram_lab.consolidation.supersede.nearness import alike
from engram_lab.consolidation.supersede.planning import CONTRADICTS, NAME, SUPERSEDES, planned
from engram_lab.consolidation.supersede.tellings import absorbed, distinct
from engram_lab.consolidation.supersede.times import Chains, Found, Times

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from engram_lab.config import DreamSettings
    from engram_lab.consolidation.step import Scene
    from engram_lab.consolidation.supersede.frames import Frame
    from engram_lab.consolidation.view import View
    from engram_lab.core.dreams import Change

__all__ = ["CONTRADICTS", "SUPERSEDES", "Supersede"]

_MOST_CHARS: Final = 600
_LIKES: Final = frozenset(map(root, ("like", "dislike", "hate", "loathe", "detest")))


@STEPS.register(NAME)
def _of(settings: DreamSettings) -> Supersede:
    return Supersede.of(settings)


@dataclass(frozen=True, kw_only=True, slots=True)
class Supersede:
    """Finds what a later statement changed: another value of what has but one; see `judging`.

    When something began to hold, or happened, decides what is newer: `valid_from`, else `event_at`,
    else when it was recorded. So what is told late of an earlier time is closed at once. A telling
    that puts right what was told before is newer than that, of whatever time both are.

    The older one gets `valid_to`, where the newer began, and a link `supersedes` from the newer,
    its confidence as weight; the newer gets `valid_from` where it has none; nothing is hidden.
    Protected ones are linked alone. Doubtful ones and those of the same moment are linked
    `contradicts`. A question, a condition, a wish, a fiction, or what but may be so says nothing of
    what is: it neither closes nor is closed; see `merge.asserted`.

    Compared are the memories in focus with one another, where they share a name and a word, and
    with those that are near them by meaning.

    Attributes:
        cosine: Least cosine of a neighbour that is read.
        near: How many nearest are read.
        confidence: Least confidence at which validity is closed.
        doubtful: Least confidence at which a contradiction is linked.
        bounds: How near frames must be.
    """

    cosine: float = 0.4
    near: int = 24
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
        for found in sure:  # one telling of it may say surely what another leaves in doubt
            doubted.pop((found.newer, found.older), None)
            doubted.pop((found.older, found.newer), None)
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
        hidden = np.flatnonzero(view.columns.archived)  # merged ones may have told it in capitals
        stands = self._stands(view, chosen)
        all_rows = np.array([*chosen.tolist(), *stands], np.int64)
        texts = recased(view.texts(all_rows), lambda: view.texts(hidden))
        known = known_from(texts[: len(chosen)])
        told = {
            row: text
            for row, text in zip(all_rows.tolist(), texts, strict=True)
            if not manner_of(simplified(text))
        }
        kept = dict.fromkeys(row for row in chosen.tolist() if row in told)
        stands = {row: stand for row, stand in stands.items() if row in told and stand in kept}
        frames = distinct({r: frame_of(t, known) for r, t in told.items()}, stands, kept)
        ranks = times.ranks.copy()
        for row, stand in stands.items():
            ranks[row], focus[row] = ranks[stand], focus[stand]
        sharing_ = sharing(frames, ranks, view.columns.scopes, focus)
        said = (times.ordered(pair) for pair in pairs if told.keys() >= {*pair})
        candidates = dict.fromkeys((*sharing_, *said))
        found = self._judged(candidates, told, frames, times, stands)
        near = alike([verdict.shown for _, _, verdict in found], scene.nearest)
        claimed = contradictions(
            {row: _claims(told[row], frames[row]) for row in kept},
            times,
            view.columns.scopes,
        )
        return [
            *(each for each in claimed if focus[each.older] or focus[each.newer]),
            *(
                Found(verdict.sure, newer, older)
                for (older, newer, verdict), cosine in zip(found, near, strict=True)
                if cosine >= verdict.least
            ),
        ]

    def _judged(
        self,
        pairs: Iterable[tuple[int, int]],
        told: Mapping[int, str],
        frames: Mapping[int, Frame],
        times: Times,
        stands: Mapping[int, int],
    ) -> list[tuple[int, int, Verdict]]:
        """Return the pairs of which language says that the newer says otherwise, older first.

        What puts right what was told before is newer than that, of whatever time both are. What
        was merged is as old as what stands for it, and that is returned in its place.
        """
        folded = {row: " ".join(text.casefold().split()) for row, text in told.items()}
        found: list[tuple[int, int, Verdict]] = []
        for one, other in pairs:
            pair = stands.get(one, one), stands.get(other, other)
            if folded[one] == folded[other] or pair[0] == pair[1]:
                continue
            older, newer = one, other
            if times.created[pair[0]] > times.created[pair[1]] and frames[older].corrects:
                older, newer, pair = other, one, pair[::-1]
            verdict = judge(frames[older], frames[newer], self.bounds)
            if verdict.sure < self.doubtful:
                continue
            if not _was_over(frames[older], *times.moments[[*pair]].tolist()):
                found.append((*pair, verdict))
        return found

    def _stands(self, view: View, chosen: NDArray[np.int64]) -> dict[int, int]:
        """Return which archived rows are read as well, and the chosen one that stands for each."""
        may = np.zeros(len(view), np.bool_)
        may[chosen] = True
        short = ~view.columns.private & (view.columns.chars <= _MOST_CHARS)
        return absorbed(view, may, short)

    def _chosen(
        self, view: View, scene: Scene, may: NDArray[np.bool_], focus: NDArray[np.bool_]
    ) -> tuple[NDArray[np.int64], list[tuple[int, int]]]:
        """Return the rows that are read, those in focus and what is near them, and near pairs."""
        chosen = focus.copy()
        pairs: list[tuple[int, int]] = []
        if (may & ~chosen).any():  # else all are read: none need be looked for
            near = near_pairs(
                view,
                scene,
                may,
                cosine=self.cosine,
                near=self.near,
                widest=self.near,
                glance=NameGlance(view),
            )
            pairs = list(near)
            for pair in pairs:
                chosen[list(pair)] = True
        return np.flatnonzero(may & chosen), pairs


def _claims(text: str, frame: Frame) -> list[Claim]:
    """Return what is claimed beside what frames tell: of what has no name, and of likes.

    What has no name is told of one thing where it is definite. That a man is running, or nobody is,
    may be of any man.
    """
    if not frame.names:
        numbered = frame.copula and any(not each.late for each in frame.figures)
        return claims(read(text)) if frame.definite and not numbered else []
    if not _LIKES & frame.content:
        return []
    return [each for each in claims(read(text)) if each.key[0] == "likes"]


def _was_over(frame: Frame, told: float, moment: float) -> bool:
    """Tell whether the dates of a statement had passed by a moment: then another is another day's.

    A date without a year is of the year in which it was told.
    """
    dates = [each.value for each in frame.figures if each.kind == "date"]
    if not dates:
        return False
    at = datetime.fromtimestamp(told, UTC)
    last = max((y or at.year, m or 12, d or 31) for y, m, d in dates)
    then = datetime.fromtimestamp(moment, UTC)
    return at.timetuple()[:3] <= last < then.timetuple()[:3]

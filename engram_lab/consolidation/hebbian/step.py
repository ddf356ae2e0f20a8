"""The step that learns links from recalls."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np

from engram_lab.consolidation.hebbian.activity import PairSums, activity_of
from engram_lab.consolidation.hebbian.rules import Concordance, Counting, Rule
from engram_lab.consolidation.links.placing import DIGITS, Ties, groups_of, strongest
from engram_lab.consolidation.step import STEPS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from engram_lab.config import DreamSettings
    from engram_lab.consolidation.hebbian.activity import Activity
    from engram_lab.consolidation.step import Scene
    from engram_lab.consolidation.view import View
    from engram_lab.core.dreams import Change

__all__ = ["COACTIVATION", "Hebbian"]

COACTIVATION: Final = "coactivation"
"""The type of the links: between memories that were recalled together."""

_DAY: Final = 86_400.0
_LEARNED: Final = "recalled together, or one without the other"
_FADED: Final = "not used since"
_WEAK: Final = "weaker than the floor"
_CROWDED_OUT: Final = "others are stronger"


@dataclass(frozen=True, kw_only=True, slots=True)
class Hebbian:
    """Memories that are recalled together are linked; links that are not used fade.

    A link stands once, from the memory of the smaller key to that of the greater, and means the
    same in both directions. A weight w that was written at the moment t₀ is worth
    w · 2^(-(t - t₀) ÷ half-life) at t, however many dreams lie between: two decays are one. What
    the recalls of a dream touch is brought up to the moment and learns by the rule. The rest is
    looked through once a day at most, and written only where it has lost `refresh` of its weight,
    or has sunk below the floor and goes. So a dream writes as much as happened.

    Links that are pinned, or that anybody but this step made, are never changed nor doubled.

    Attributes:
        rule: `concordance`, or `counting`; see `Concordance` and `Counting`.
        rate: How fast it learns, above 0 and at most 1.
        prior: See `Concordance`.
        least: See `Concordance`.
        hits: How many of the best of a recall are looked at.
        slope: How fast activity falls with the rank.
        score_share: How much scores count beside the rank.
        half_life_days: After how many days without use a link is worth half; None for never.
        refresh: The share of its weight that a link loses before its fading is written down.
        floor: A link below it goes, and none is made.
        most: How many links of one memory stay: the strongest.
    """

    learns_from_events: ClassVar[bool] = True

    rule: str = "concordance"
    rate: float = 0.2
    prior: float = 10.0
    least: float = 0.2
    hits: int = 10
    slope: float = 0.5
    score_share: float = 0.5
    half_life_days: float | None = 60.0
    refresh: float = 0.2
    floor: float = 0.01
    most: int = 10

    @property
    def name(self) -> str:
        """Its registered name."""
        return "hebbian"

    @property
    def parameters(self) -> Mapping[str, Any]:
        """What it was set to."""
        return asdict(self)

    @property
    def _half_life_s(self) -> float:
        return float("inf") if self.half_life_days is None else self.half_life_days * _DAY

    def plan(self, view: View, scene: Scene) -> Iterator[Change]:
        """Return the links that change: those learned, then those that faded."""
        active: NDArray[np.int64] = np.empty(0, np.int64)
        if scene.events and len(view):
            activity = activity_of(
                view,
                scene.events,
                now_s=scene.now_s,
                half_life_s=self._half_life_s,
                most=self.hits,
                slope=0.0 if self.rule == "counting" else self.slope,
                score_share=0.0 if self.rule == "counting" else self.score_share,
            )
            active = activity.active()
            if len(active):
                yield from self._learned(view, scene, activity, active)
        if self._sweeps(scene):
            yield from self._faded(view, scene, active)

    def _rule(self) -> Rule:
        return (
            Counting()
            if self.rule == "counting"
            else Concordance(prior=self.prior, least=self.least)
        )

    def _learned(
        self, view: View, scene: Scene, activity: Activity, active: NDArray[np.int64]
    ) -> Iterator[Change]:
        ties = Ties.of(view, COACTIVATION, self.name, view.columns.keys[active])
        pairs = activity.pairs(groups_of(view.columns.scopes))
        fresh = ~np.isin(pairs.low * len(view) + pairs.high, ties.codes)
        both = _joined(pairs, fresh, ties, len(view))
        before = np.concatenate([self._now(ties, scene), np.zeros(int(fresh.sum()))])
        after = self._rule().learned(before, both, activity, rate=self.rate)
        count = len(ties)
        after[:count] = np.where(ties.ours, after[:count], ties.weights)
        after = np.round(after, DIGITS)
        stays = after >= self.floor
        judged = np.concatenate([ties.ours, np.ones(len(after) - count, np.bool_)]) & stays
        places = np.flatnonzero(judged)
        crowded = places[~strongest(both.low[places], both.high[places], after[places], self.most)]
        stays[crowded] = False
        for place in range(count):
            if not ties.ours[place]:
                continue
            if not stays[place]:
                why = _WEAK if after[place] < self.floor else _CROWDED_OUT
                yield ties.gone(place, reason=why)
            elif after[place] != ties.weights[place]:
                yield ties.changed(place, float(after[place]), reason=_LEARNED)
        for place in (np.flatnonzero(stays[count:]) + count).tolist():
            low, high = int(both.low[place]), int(both.high[place])
            weight = float(after[place])
            yield ties.made(scene, low, high, weight, reason=_LEARNED)

    def _now(self, ties: Ties, scene: Scene) -> NDArray[np.float64]:
        """Return what links are worth at the moment, float64 [m]."""
        idle = np.maximum(0.0, scene.now_s - ties.updated_s)
        return ties.weights * np.exp2(-idle / self._half_life_s)

    def _sweeps(self, scene: Scene) -> bool:
        if self.half_life_days is None:
            return False
        # A day that began since the last dream; also in the first one, which has none before it.
        return not scene.now_s // _DAY <= scene.cursor // _DAY

    def _faded(self, view: View, scene: Scene, active: NDArray[np.int64]) -> Iterator[Change]:
        ties = Ties.of(view, COACTIVATION, self.name)
        worth = self._now(ties, scene)
        touched = np.zeros(len(view), np.bool_)
        touched[active] = True
        idle = ties.ours & ~touched[ties.low] & ~touched[ties.high]
        lost = (worth < self.floor) | (worth <= ties.weights * (1.0 - self.refresh))
        for place in np.flatnonzero(idle & lost & (worth < ties.weights)).tolist():
            if worth[place] < self.floor:
                yield ties.gone(place, reason=_FADED)
            else:
                weight = round(float(worth[place]), DIGITS)
                yield ties.changed(place, weight, reason=_FADED)


def _joined(pairs: PairSums, fresh: NDArray[np.bool_], ties: Ties, size: int) -> PairSums:
    """Return the pairs that are linked, in the order of their links, then the fresh ones."""
    codes = pairs.low * size + pairs.high
    places = np.searchsorted(codes, ties.codes).clip(max=max(0, len(codes) - 1))
    if len(codes):
        found = codes[places] == ties.codes
        together = np.where(found, pairs.together[places], 0.0)
        times = np.where(found, pairs.times[places], 0.0)
    else:
        together = times = np.zeros(len(ties))
    return PairSums(
        low=np.concatenate([ties.low, pairs.low[fresh]]),
        high=np.concatenate([ties.high, pairs.high[fresh]]),
        together=np.concatenate([together, pairs.together[fresh]]),
        times=np.concatenate([times, pairs.times[fresh]]),
    )


@STEPS.register("hebbian")
def _hebbian(settings: DreamSettings) -> Hebbian:
    return Hebbian(
        rule=settings.hebbian_rule,
        rate=settings.hebbian_rate,
        prior=settings.hebbian_prior,
        least=settings.hebbian_least,
        hits=settings.hebbian_hits,
        slope=settings.hebbian_slope,
        score_share=settings.hebbian_score_share,
        half_life_days=settings.hebbian_half_life_days,
        refresh=settings.hebbian_refresh,
        floor=settings.hebbian_floor,
        most=settings.hebbian_most,
    )

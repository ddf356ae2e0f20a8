"""The step "fade": what is not used becomes stale, and what is stale for long may be archived."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Self, cast

import numpy as np

from engram_lab.consolidation.decay.protocol import DAY_S
from engram_lab.consolidation.holding import Holding
from engram_lab.consolidation.salience import frequency, last_use
from engram_lab.consolidation.step import STEPS
from engram_lab.core.dreams import Change
from engram_lab.core.errors import InvalidInputError
from engram_lab.core.types import LIFECYCLES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from engram_lab.config import DreamSettings
    from engram_lab.consolidation.step import Scene
    from engram_lab.consolidation.view import View

__all__ = ["Fade", "FadeArchives"]

FadeArchives = Literal["closed", "unused"]

_NAME = "fade"


@dataclass(frozen=True, kw_only=True, slots=True)
class Fade:
    """Active → stale → archived by the time since the last use, and back by being recalled.

    Let m = (1 + importance_factor · importance) · (1 + frequency_factor · frequency), or less where
    `most_days` says so. An active memory that was not made, changed or recalled for `stale_days` ·
    m becomes stale. A stale one that was not made or recalled for `archive_days` · m, and was stale
    and unchanged for the days in between, is archived, where `archives` says that it may be: what
    no longer holds (its validity is closed, or something supersedes it), or whatever is unused; but
    never what supersedes a memory that stays. Nothing is archived that was not stale before, so
    nothing disappears unannounced, and to be stale hides nothing.

    A stale memory that was recalled since it became stale is active again; so is an archived one
    that was recalled since the last dream, unless it was merged into another or no longer holds.
    Whoever marks a memory stale or archived by hand is believed until it is recalled.

    The thresholds are times, so a pass takes nothing away by itself: thirty passes in one night do
    what one does. Protected memories stay as they are. All else about a memory, its type foremost,
    stays too.

    Source: the lifecycle of today's memory systems (30 and 90 days, stretched by 1 + 3 ·
    importance); that it is the time since the last use that counts, and that each use lengthens it:
    Anderson and Schooler, "Reflections of the Environment in Memory" (Psychological Science 2,
    1991).

    Attributes:
        stale_days: Above 0.
        archive_days: Not below `stale_days`; None archives nothing.
        importance_factor, frequency_factor: See above; from 0.
        most_days: Days to archive after which nothing stretches any more; those to stale shrink
            alike. None for no such bound.
        full_count: So many recalls are as frequent as it gets.
        archives: What may be archived: "closed" or "unused".

    Raises:
        InvalidInputError: Memories would be archived before they are stale.
    """

    stale_days: float = 30.0
    archive_days: float | None = 90.0
    importance_factor: float = 3.0
    frequency_factor: float = 1.0
    most_days: float | None = None
    full_count: int = 100
    archives: FadeArchives = "closed"

    def __post_init__(self) -> None:
        if self.archive_days is not None and self.archive_days < self.stale_days:
            raise InvalidInputError(
                f"memories would be archived after {self.archive_days:g} days and be stale after "
                f"{self.stale_days:g}: archive later than that, or never"
            )

    @classmethod
    def of(cls, settings: DreamSettings) -> Self:
        """Return it as settings say."""
        return cls(
            stale_days=settings.fade_stale_days,
            archive_days=settings.fade_archive_days,
            importance_factor=settings.fade_importance,
            frequency_factor=settings.fade_frequency,
            most_days=settings.fade_most_days,
            full_count=settings.salience_full_count,
            archives=cast("FadeArchives", settings.fade_archives),
        )

    @property
    def name(self) -> str:
        """Its registered name."""
        return _NAME

    @property
    def parameters(self) -> Mapping[str, Any]:
        """What it was set to."""
        return {name: getattr(self, name) for name in type(self).__dataclass_fields__}

    def plan(self, view: View, scene: Scene) -> Iterator[Change]:
        """Return what fades and what comes back, in the order of keys."""
        columns, now = view.columns, scene.now_s
        holding = Holding.of(view, now)
        stretch = self._stretch(view)
        free = ~view.protected
        idle = (now - last_use(columns)) / DAY_S
        active = ~columns.stale & ~columns.archived
        # A comparison with nan is False: what was never recalled has not come back.
        woken = (columns.accessed_at > columns.updated_at) & (idle < self.stale_days * stretch)
        # What a clock that ran ahead has stamped is left until its time has come.
        since_dream = (columns.accessed_at > scene.cursor) & (columns.accessed_at <= now)
        back = free & woken & columns.stale
        back |= free & woken & columns.archived & since_dream & ~holding.absorbed & ~holding.closed
        stale = free & active & (idle >= self.stale_days * stretch)
        archived = np.zeros(len(view), np.bool_)
        if self.archive_days is not None:
            kept = (now - columns.updated_at) / DAY_S
            between = (self.archive_days - self.stale_days) * stretch
            archived = free & columns.stale & ~back
            archived &= (idle >= self.archive_days * stretch) & (kept >= between)
            if self.archives == "closed":
                archived &= holding.closed
            archived &= ~holding.bound(view.findable & ~archived)
        yield from self._changes(view, idle, back=back, stale=stale, archived=archived)

    def _changes(
        self,
        view: View,
        idle: NDArray[np.float64],
        *,
        back: NDArray[np.bool_],
        stale: NDArray[np.bool_],
        archived: NDArray[np.bool_],
    ) -> Iterator[Change]:
        columns = view.columns
        rows = np.flatnonzero(back | stale | archived)
        gone = "it no longer holds and was not" if self.archives == "closed" else "it was not"
        told = zip(
            rows.tolist(),
            np.where(back, 0, np.where(stale, 1, 2))[rows].tolist(),
            np.fmax(idle, 0.0)[rows].tolist(),
            columns.version[rows].tolist(),
            strict=True,
        )
        for row, place, days, version in told:
            reason = (
                "it was recalled again"
                if not place
                else f"{'it was not' if place == 1 else gone} used for {days:.0f} days"
            )
            yield Change(
                step=_NAME,
                action="update",
                id=columns.ids[row],
                fields={"lifecycle": LIFECYCLES[place]},
                reason=reason,
                seen=version,
            )

    def _stretch(self, view: View) -> NDArray[np.float64]:
        """Return by how much the days of each memory are stretched, float64 [n], 1 or more."""
        columns = view.columns
        often = frequency(columns.access_count, full_count=self.full_count)
        stretch = (1.0 + self.importance_factor * columns.importance) * (
            1.0 + self.frequency_factor * often
        )
        if self.most_days is not None:
            longest = self.stale_days if self.archive_days is None else self.archive_days
            stretch = np.minimum(stretch, max(1.0, self.most_days / longest))
        return np.asarray(stretch, np.float64)


STEPS.add(_NAME, Fade.of)

"""How much a memory is worth keeping: recency, frequency, importance and feedback in one number."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

import numpy as np

from engram_lab.consolidation.decay.power import Power
from engram_lab.consolidation.decay.protocol import DAY_S, Uses
from engram_lab.consolidation.decay.registry import law_of
from engram_lab.core.errors import InvalidInputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from engram_lab.config import DreamSettings
    from engram_lab.consolidation.decay.protocol import Law
    from engram_lab.core.protocols import MemoryColumns

__all__ = ["NO_FEEDBACK", "Salience", "frequency", "last_use", "uses_of"]

NO_FEEDBACK = 0.5
"""What counts where nobody said whether a memory was of use: neither good nor bad."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Salience:
    """The weighted mean of four numbers from 0 to 1; by it memories are ordered, never scored.

    - recency: what a law of decay leaves of it since its last use; making and changing it are uses;
    - frequency: ln(1 + recalls) / ln(1 + `full_count`), at most 1, so that what is recalled all the
      time does not outweigh all else;
    - importance: as told;
    - feedback: as told, `NO_FEEDBACK` where nothing was.

    It depends on times and counts alone, not on how often it was asked for: repeated passes take
    nothing away.

    Source: the four parts and the logarithm are common to today's memory systems; recency times
    importance as a mean is that of Park et al., "Generative Agents" (UIST 2023), §4.1.

    Attributes:
        law: Of decay.
        recency, frequency, importance, feedback: Weights, from 0, not all 0.
        full_count: So many recalls are as frequent as it gets.

    Raises:
        InvalidInputError: All weights are 0, or one is below.
    """

    law: Law = field(default_factory=Power)
    recency: float = 0.3
    frequency: float = 0.2
    importance: float = 0.3
    feedback: float = 0.2
    full_count: int = 100

    def __post_init__(self) -> None:
        weights = (self.recency, self.frequency, self.importance, self.feedback)
        if min(weights) < 0 or not 0 < sum(weights) < np.inf:
            raise InvalidInputError(
                f"the weights of salience are {', '.join(f'{each:g}' for each in weights)}: "
                "give numbers from 0, at least one of them above"
            )

    @classmethod
    def of(cls, settings: DreamSettings) -> Self:
        """Return it with the law and the weights that settings name."""
        return cls(
            law=law_of(settings),
            recency=settings.salience_recency,
            frequency=settings.salience_frequency,
            importance=settings.salience_importance,
            feedback=settings.salience_feedback,
            full_count=settings.salience_full_count,
        )

    def scores(
        self, columns: MemoryColumns, now_s: float, *, feedback: NDArray[np.float64] | None = None
    ) -> NDArray[np.float64]:
        """Return the salience of each memory, float64 [n], from 0 to 1.

        Args:
            columns: The memories.
            now_s: Seconds since 1970; what is dated later counts as of now.
            feedback: From 0 to 1, nan where nothing was told, float64 [n].
        """
        told = np.full(len(columns), NO_FEEDBACK) if feedback is None else feedback
        told = np.clip(np.nan_to_num(told, nan=NO_FEEDBACK), 0.0, 1.0)
        total = (
            self.recency * self.law.retention(uses_of(columns, now_s))
            + self.frequency * frequency(columns.access_count, full_count=self.full_count)
            + self.importance * columns.importance
            + self.feedback * told
        )
        weights = self.recency + self.frequency + self.importance + self.feedback
        return np.asarray(np.clip(total / weights, 0.0, 1.0), np.float64)


def frequency(counts: NDArray[np.int64], *, full_count: int) -> NDArray[np.float64]:
    """Return ln(1 + count) / ln(1 + full_count), from 0 for never to 1, float64 [n]."""
    return np.asarray(np.log1p(np.clip(counts, 0, full_count)) / np.log1p(full_count), np.float64)


def last_use(columns: MemoryColumns) -> NDArray[np.float64]:
    """Return when each memory was last made, changed or recalled: seconds since 1970, float64 [n].

    Of a stale one the last change does not count: most often it is that which made it stale.
    """
    changed = np.where(columns.stale, np.nan, columns.updated_at)
    last = np.fmax(np.fmax(columns.created_at, columns.accessed_at), changed)
    return np.asarray(last, np.float64)


def uses_of(columns: MemoryColumns, now_s: float) -> Uses:
    """Return the uses of memories as a law of decay wants them: making counts as the first."""
    return Uses.of(
        idle=(now_s - last_use(columns)) / DAY_S,
        age=(now_s - columns.created_at) / DAY_S,
        count=columns.access_count + 1,
    )

"""Tasks that observe what they are told to: a benchmark that is over at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from engram_lab.evaluation.consolidation.outcome import Curve, Observed, Outcome

if TYPE_CHECKING:
    from engram_lab.evaluation.consolidation.outcome import Setting

__all__ = ["MadeUp", "observed"]

UNITS = 60


def observed(
    system: str, measure: str, *, share: float, seed: int = 0, units: int = UNITS, first: int = 0
) -> list[Observed]:
    """Return values of 0 and 1, of units in clusters of three."""
    values = np.random.default_rng(seed).random(units) < share
    return [
        Observed(system, measure, f"some::u{first + unit}", f"c{(first + unit) // 3}", float(value))
        for unit, value in enumerate(values.tolist())
    ]


@dataclass(frozen=True, kw_only=True)
class MadeUp:
    """A task in which the dream is better than a placebo in one measure, and no other."""

    name: str = "made-up"
    curves: tuple[Curve, ...] = ()
    facts: tuple[tuple[str, float], ...] = field(default=(("made-up.count", 3.0),))

    def run(self, setting: Setting) -> Outcome:
        """Return the same for the same seed."""
        setting.say("making it up")
        some = [
            *observed("dream", "retention_auc", share=0.9, seed=setting.seed),
            *observed("lru", "retention_auc", share=0.3, seed=setting.seed + 1),
            *observed("dream", "stale@1", share=0.05, seed=setting.seed + 2),
            *observed("no_dream", "stale@1", share=0.8, seed=setting.seed + 3),
            *observed("dream", "current@1", share=0.5, seed=setting.seed + 4),
            *observed("no_dream", "current@1", share=0.5, seed=setting.seed + 4),
            *observed("dream", "survival@30", share=1.0, seed=setting.seed + 5),
        ]
        return Outcome(task=self.name, observed=tuple(some), curves=self.curves, facts=self.facts)

"""Mentions of time in questions and texts: found, resolved to intervals, and compared."""

from engram_lab.retrieval.times.fit import Fits, fit, fits
from engram_lab.retrieval.times.mentions import Interval, mentions
from engram_lab.retrieval.times.periods import Grain
from engram_lab.retrieval.times.questions import Asked, asked
from engram_lab.retrieval.times.turns import TurnTimes, of_turns, together

__all__ = [
    "Asked",
    "Fits",
    "Grain",
    "Interval",
    "TurnTimes",
    "asked",
    "fit",
    "fits",
    "mentions",
    "of_turns",
    "together",
]

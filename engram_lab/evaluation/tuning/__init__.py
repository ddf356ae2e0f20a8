"""Tuning: search the engine's settings, and tell what the best of them is worth elsewhere."""

from engram_lab.evaluation.tuning.folds import Fold, Folds, chosen_units, make_folds, units
from engram_lab.evaluation.tuning.ledger import DataRef, Entry, Ledger, default_ledger
from engram_lab.evaluation.tuning.on_suite import TunedSuite, base_of, tune_suite
from engram_lab.evaluation.tuning.space import Choice, Range, Space, parse_space, read_space
from engram_lab.evaluation.tuning.trials import Objective, Trial
from engram_lab.evaluation.tuning.tune import EXPLORING, Exploring, Plan, Tuned, tune

__all__ = [
    "EXPLORING",
    "Choice",
    "DataRef",
    "Entry",
    "Exploring",
    "Fold",
    "Folds",
    "Ledger",
    "Objective",
    "Plan",
    "Range",
    "Space",
    "Trial",
    "Tuned",
    "TunedSuite",
    "base_of",
    "chosen_units",
    "default_ledger",
    "make_folds",
    "parse_space",
    "read_space",
    "tune",
    "tune_suite",
    "units",
]

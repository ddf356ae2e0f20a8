"""The same measures once more, on a world that is told in words as free as people choose them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from engram_lab.evaluation.consolidation.outcome import Observed, Setting

__all__ = ["MOST_REWORDED", "REWORDED", "in_free_words", "reworded"]

REWORDED: Final = (
    *("merge_precision", "merge_recall", "near_miss_overmerge"),
    *("current@1", "stale@1", "as_of_accuracy"),
)
"""Measures that are taken of both wordings; those of the free one end in `.reworded`."""

MOST_REWORDED: Final = 2_000
"""The most memories that the world in free words has."""


def in_free_words(setting: Setting) -> Setting:
    """Return the setting for the world in free words: of the same seed, and not too large."""
    return replace(setting, size=min(setting.size, MOST_REWORDED))


def reworded(observed: Iterable[Observed]) -> Iterator[Observed]:
    """Yield what was observed on the world in free words, under names of its own.

    Units are named anew too: at another size, the same key is another memory.
    """
    for each in observed:
        if each.measure in REWORDED:
            unit = f"reworded::{each.unit}"
            yield each._replace(measure=f"{each.measure}.reworded", unit=unit)

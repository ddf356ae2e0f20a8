"""Weights of features that were set by hand, for any embedder: nothing was trained.

What was known: words and meaning count alike, late interaction as much as both, what stands beside
a turn half as much; a question asks for what one of the speakers said, and a turn that asks seldom
answers; a time that is asked for is a strong hint.
"""

from __future__ import annotations

from typing import Final

from engram_lab.retrieval.learned.record import LearnedRecord

__all__ = ["BY_HAND"]

BY_HAND: Final = LearnedRecord(
    scale="unit-range",
    weights={
        "words-without-names": 1.0,
        "words-of-window": 0.5,
        "words-of-session": 0.5,
        "cosine-in-first-person": 1.0,
        "cosine-of-window": 0.5,
        "late": 1.0,
        "late-with-before": 1.0,
        "late-answer": 0.25,
        "speaker": 0.5,
        "question": -0.25,
        "tells-of-oneself": 0.25,
        "time-said": 2.0,
        "time-told": 1.0,
        "time-relative": 0.5,
        "tells-when": 0.5,
        "tells-how-long": 0.5,
        "links": 0.5,
    },
)

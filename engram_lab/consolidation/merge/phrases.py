"""Words that mean something else together, put as one word before anything is read."""

from __future__ import annotations

import re
from typing import Final

from engram_lab.consolidation.merge.alike import PHRASES

__all__ = ["plainly"]


def plainly(text: str) -> str:
    """Return a text with single spaces, and such phrases put as what they mean."""
    plain = " ".join(text.split())
    lower = plain.lower()
    if any(phrase in lower for phrase in PHRASES):  # rare: the pattern itself is the slower test
        return _PHRASE.sub(_replaced, plain)
    return plain


def _replaced(match: re.Match[str]) -> str:
    told = match.group()
    other = PHRASES[" ".join(told.lower().split())]
    return other.capitalize() if told[0].isupper() else other


_PHRASE: Final = re.compile(
    r"(?<!\w)(?:" + "|".join(re.escape(each) for each in PHRASES) + r")(?!\w)",
    re.IGNORECASE,
)

"""From a pattern to a sentence as somebody would type it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from engram_lab.evaluation.datasets.fiction.dice import Dice

__all__ = ["again_exactly", "joined", "sentence"]

_ARTICLE: Final = re.compile(r"\b([Aa]) (?=[aeiouAEIOU])")
_TWICE: Final = re.compile(r"\b([Tt]he) the ")


def sentence(pattern: str, **gaps: str) -> str:
    """Return a pattern with its gaps filled, its articles right and its first letter a capital."""
    text = _TWICE.sub(r"\1 ", _ARTICLE.sub(r"\1n ", pattern.format(**gaps)))
    return text[0].upper() + text[1:]


def joined(opener: str, pattern: str, **gaps: str) -> str:
    """Return a sentence after an opener; it goes on in small letters after a comma."""
    text = sentence(pattern, **gaps)
    if not opener:
        return text
    begins_large = pattern.startswith("I ") or _begins_with_a_name(pattern, gaps)
    if opener.endswith(", ") and not begins_large:
        text = text[0].lower() + text[1:]
    return opener + text


def _begins_with_a_name(pattern: str, gaps: dict[str, str]) -> bool:
    if not pattern.startswith("{"):
        return False
    return gaps[pattern[1 : pattern.index("}")]][:1].isupper()


def again_exactly(text: str, dice: Dice) -> str:
    """Return a text once more, perhaps in another case or spacing: the same when normalised."""
    match dice.below(5):
        case 0:
            return text.lower()
        case 1:
            return text.replace(" ", "  ", 1 + dice.below(3))
        case 2:
            return f" {text}\n"
        case 3:
            return text.upper()
        case _:
            return text

"""Texts without capitals, or in capitals alone, put as others write the same words.

Names are told by their capitals. What was typed in small letters, or is shouted, tells none; but
the words of its names stand in other memories, with capitals.

Source: L. V. Lita et al., "tRuEcasIng", ACL 2003: a word is written as it mostly is.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Known", "known_from", "recased"]

_WORD: Final = re.compile(r"[^\W\d_]+")
_SMALL: Final = re.compile(r"(?<!\w)[^\W\d_A-Z][^\W\d_A-Z]{2,}(?!\w)")
_RAISED: Final = re.compile(r"(?<=[^\W\d_A-Z] )[A-Z][^\W\d_A-Z]{2,}(?!\w)")
_FEWEST_LETTERS: Final = 4


class Known(NamedTuple):
    """What the words of many texts are, in small letters.

    Attributes:
        plain: Those that stand in small letters anywhere: they are no names.
        names: Those that stand with a capital inside a sentence, and never without.
    """

    plain: frozenset[str]
    names: frozenset[str]


def recased(
    texts: Sequence[str], others: Callable[[], Sequence[str]] = tuple[str, ...]
) -> list[str]:
    """Return texts, those of one case put as the others write their words.

    Args:
        texts: Which.
        others: Gives more texts to go by; asked only where there is one of one case.
    """
    odd = [at for at, text in enumerate(texts) if _one_case(text)]
    if not odd:
        return list(texts)
    known = [*texts, *others()]
    wanted = {word for at in odd for word in _WORD.findall(texts[at].lower())}
    skipped = set(odd)
    counts: dict[str, Counter[str]] = {}
    for at, text in enumerate(known):
        if at not in skipped:
            for match in _WORD.finditer(text):
                whole = match.group()
                lower = whole.lower()
                first = match.start() == 0 or text[match.start() - 2 : match.start() - 1] in ".:!?"
                if lower in wanted and not (first and whole != lower):
                    counts.setdefault(lower, Counter())[whole] += 1
    usual = {
        word: min(forms, key=lambda each: (-forms[each], each)) for word, forms in counts.items()
    }
    cased = {_folded(text): text for text in known if not _one_case(text)}
    found = list(texts)
    for at in odd:
        if (same := cased.get(_folded(texts[at]))) is not None:
            found[at] = same
            continue
        lower = texts[at].lower()
        put = _WORD.sub(lambda match: usual.get(match.group(), match.group()), lower)
        found[at] = put[:1].upper() + put[1:]
    return found


def known_from(texts: Sequence[str]) -> Known:
    """Return what the capitals of texts tell of their words."""
    plain = {word for text in texts for word in _SMALL.findall(text)}
    names = {word.lower() for text in texts for word in _RAISED.findall(text)}
    return Known(frozenset(plain), frozenset(names - plain))


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())


def _one_case(text: str) -> bool:
    letters = sum(each.isalpha() for each in text)
    return letters >= _FEWEST_LETTERS and (text == text.lower() or text == text.upper())

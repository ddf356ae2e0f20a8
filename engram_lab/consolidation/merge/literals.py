"""What stands in a text that is neither word nor figure: quoted, so that it counts to the letter.

`O+`, `>=`, `!enabled`, `/etc/foo`, `C#` or a tick are no words, and no table can tell which of them
mean the same. What is written so is mentioned rather than used, hence another sign is another
thing. The same goes for the case of a word that mixes letters with figures, or has a capital
inside: nobody writes `Hunter2` or `camelCase` so by chance, while the case of a plain word tells
nothing but where a sentence begins.

Source: W. V. Quine, "Mathematical Logic" (1940), section 4, of use and mention.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["literals"]

_SYMBOLS: Final = re.compile(
    r"([\u2190-\u21ff\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff]\ufe0f?)"
)
"""Arrows and pictures: each stands for itself, whatever it is written to."""
_OPENING: Final = "\"'\u2018\u2019\u201c\u201d\u201e\u00ab\u00bb([{\u00bf\u00a1*_`"
_CLOSING: Final = "\"'\u2018\u2019\u201c\u201d\u00ab\u00bb)]}.,;:?!\u2026*_`\u3002"
_PAUSES: Final = re.compile(
    r"[-\u2013\u2014\u2022*|&/.,;:!?\u2026#\"'()\[\]]|[.!?]{2,}|-{2,}|\*{2,}|#{2,}"
)
"""What alone between two spaces is a pause, a bullet, or `and`."""
_WORD: Final = r"[^\W\d_]+(?:['\u2019\u2010\u2011-][^\W\d_]+)*['\u2019]?"
_UNIT: Final = (
    r"(?:[%\u20ac$\u00a3\u00a5]|\u00b0[CF]?|[^\W\d_]{1,2}|min|sec|hrs?|mins|kph|mph|bn|mio)"
)
_FIGURE: Final = r"[-+\u2212\u2013#]?[\u20ac$\u00a3\u00a5]?[-\u2212]?\d+(?:[.,:/\u2013-]\d+)*"
_PLAIN: Final = re.compile(
    rf"{_WORD}|{_FIGURE}-?{_UNIT}?|{_FIGURE}-{_WORD}|(?:[^\W\d_]\.)+[^\W\d_]?"
)
_INNER_CAPITAL: Final = re.compile(r"[^\W\d_]*[a-z][A-Z]|[A-Z]{2,}[a-z]{2,}")
_ADDRESS: Final = re.compile(r"\S+@\S+\.\w+|https?://[^/\s]+/?")
_LONGEST: Final = 200
"""No word is longer."""
_PAIRS: Final = {")": "(", "]": "[", "}": "{"}


def literals(text: str) -> tuple[str, ...]:
    """Return what stands in a text to be taken to the letter, sorted.

    Plain words and figures are none, nor are the marks of sentences around them, bullets, and marks
    of emphasis. Addresses of mail and of hosts have no case.
    """
    if text.isascii() and text.replace(" ", "").replace("-", "").replace(".", "").isalpha():
        chunks = [each for each in text.split() if not _is_plain(each.rstrip("."))]
    else:
        chunks = _SYMBOLS.sub(r" \1 ", text).split()
    found = [core for each in chunks if (core := _core(each)) and not _is_plain(core)]
    return tuple(sorted(_without_case(each) for each in found))


def _is_plain(core: str) -> bool:
    return _PLAIN.fullmatch(core) is not None and _INNER_CAPITAL.match(core) is None


def _without_case(core: str) -> str:
    return core.lower() if _ADDRESS.fullmatch(core) else core


def _core(chunk: str) -> str:
    """Return a piece between two spaces without the marks of sentences around it."""
    if len(chunk) > _LONGEST:
        return chunk
    if _PAUSES.fullmatch(chunk):
        return ""
    core = chunk.lstrip(_OPENING)
    while core and core[-1] in _CLOSING and _PAIRS.get(core[-1], "\0") not in core:
        core = core[:-1]
    return core or chunk

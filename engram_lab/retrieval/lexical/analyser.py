"""From a text to the terms it is found by.

A word is letters, digits and `_`, with the marks upon them; case, compatibility forms and
diacritics are folded (NFKD, case folding, NFC). A run of Chinese, Japanese or Korean characters
becomes its overlapping pairs, as those scripts put no spaces where we could use them. English words
are cut to their stems by the Snowball stemmer ("Porter2").

Source: Porter, "Snowball: A language for stemming algorithms" (2001), through PyStemmer.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, Self

from engram_lab.core.errors import InvalidInputError
from engram_lab.retrieval.lexical.stopwords import STOP_WORDS

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ANALYSERS", "Analyser", "without_endings"]

ANALYSERS: Final = ("english", "simple")
_VERSION: Final = 2  # part of the fingerprint: raise it when a text would get other terms
_MAX_WORDS: Final = 200_000  # whose stems are kept

# Begun where a word begins alone: else a line of `_` is read anew from each of them.
_ASCII_WORD: Final = re.compile(r"(?<![a-z0-9_])_*[a-z0-9][a-z0-9_]*")
_ENGLISH_ENDING: Final = re.compile(r"(?<=[^\W_])['\u2019](?:s|t|d|m|ll|re|ve)\b", re.IGNORECASE)
_CJK: Final = (
    "\u1100-\u11ff\u3005-\u3007\u3041-\u3096\u3099-\u309a\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff"
    "\u3105-\u312f\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff"
    "\uf900-\ufaff\U00020000-\U0003ffff"
)
_RUNS: Final = re.compile(rf"([{_CJK}]+)|([^ {_CJK}]+)")
# The blocks of combining diacritical marks; the vowel signs of other scripts are no diacritics.
_DIACRITICS: Final = re.compile(
    r"[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+"
)
# Letters with a stroke or a tie, which Unicode does not take apart.
_LETTERS: Final = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ħ": "h", "ŧ": "t", "\u0131": "i", "æ": "ae", "œ": "oe"}
)


@dataclass(frozen=True, kw_only=True)
class Analyser:
    """Turns texts and queries into terms, always in the same way. Threads may share it.

    Attributes:
        name: "english" (words are cut to their stems, and words that say nothing of what a text is
            about are no terms), or "simple" (words are left whole, all of them).

    Raises:
        InvalidInputError: There is no such analyser.
    """

    name: str = "english"
    _stems: _Stems = field(init=False, repr=False, compare=False)
    _separators: _Separators = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.name not in ANALYSERS:
            raise InvalidInputError(
                f"the analyser {self.name!r} is unknown: choose one of {', '.join(ANALYSERS)}"
            )
        stem = _english_stem() if self.name == "english" else str
        object.__setattr__(self, "_stems", _Stems(stem))
        object.__setattr__(self, "_separators", _Separators())

    @classmethod
    def named(cls, name: str) -> Self:
        """Return the analyser of a name; raises what the constructor does."""
        return cls(name=name)

    def __reduce__(self) -> tuple[Callable[[str], Analyser], tuple[str]]:
        return type(self).named, (self.name,)

    @cached_property
    def fingerprint(self) -> str:
        """What an index was made with: equal where the same texts get the same terms."""
        kind = self.name
        if kind == "english":
            kind += f"-snowball{_stemmer().version()}"
        return f"{kind}-unicode{unicodedata.unidata_version}-v{_VERSION}"

    def terms(self, text: str) -> list[str]:
        """Return the terms of a text in their order, as often as they stand there."""
        return list(filter(None, map(self._stems.__getitem__, self._words(text))))

    def query_terms(self, text: str) -> list[str]:
        """Return the distinct terms of a query, which may be none.

        Any text is a query: operators and punctuation mean nothing.
        """
        return list(dict.fromkeys(self.terms(text)))

    def _words(self, text: str) -> list[str]:
        if self.name == "english":
            text = without_endings(text)
        if text.isascii():
            return _ASCII_WORD.findall(text.lower())
        words: list[str] = []
        for run, word in _RUNS.findall(_folded(text).translate(self._separators)):
            words.extend([word] if word else _pairs(run))
        return [word for word in words if any(map(str.isalnum, word))]


def without_endings(text: str) -> str:
    """Return an English text without what follows an apostrophe: Mary's, don't, they'll."""
    return _ENGLISH_ENDING.sub("", text) if "'" in text or "\u2019" in text else text


def _stemmer() -> Any:
    return import_module("Stemmer")  # it has no types


def _english_stem() -> Callable[[str], str]:
    stem: Callable[[str], str] = _stemmer().Stemmer("english", 0).stemWord
    return lambda word: "" if word in STOP_WORDS else stem(word)


def _folded(text: str) -> str:
    apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return unicodedata.normalize("NFC", _DIACRITICS.sub("", apart)).translate(_LETTERS)


def _pairs(run: str) -> list[str]:
    return [run[i : i + 2] for i in range(len(run) - 1)] or [run]


class _Stems(dict[str, str]):
    """Word to term, worked out when first asked for; to nothing for a stop word."""

    def __init__(self, stem: Callable[[str], str]) -> None:
        super().__init__()
        self._stem = stem
        self._lock = threading.Lock()  # a Snowball stemmer serves one thread at a time

    def __missing__(self, word: str) -> str:
        with self._lock:
            stem = self._stem(word)
            if len(self) >= _MAX_WORDS:
                self.clear()
            self[word] = stem
        return stem


class _Separators(dict[int, int]):
    """What becomes of a character: itself within a word, else a space. For `str.translate`."""

    def __missing__(self, code: int) -> int:
        character = chr(code)
        within = (
            character.isalnum()
            or character == "_"
            or unicodedata.category(character).startswith("M")
        )
        self[code] = result = code if within else 32
        return result

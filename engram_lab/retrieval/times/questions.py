"""What a question asks of time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from engram_lab.retrieval.times.reading import words_of
from engram_lab.retrieval.times.words import ASKING, AUXILIARIES, KNOWING, MANY, TIMES

if TYPE_CHECKING:
    from engram_lab.retrieval.times.reading import Words

__all__ = ["Asked", "asked"]

_AFTER_TIME: Final = AUXILIARIES | {"", "?", "'", ".", "in", "and", "or", "exactly"}
_WHOLES: Final = frozenset({"the", "day", "month", "year"})
_SINCE: Final = frozenset({"ago", "before", "after"})
_SPAN: Final = 6


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """What a question asks of time.

    Attributes:
        time: It asks when: `when did`, `what year`, `which day`, `how long ago`.
        length: It asks how long: `how long has`, `how many weeks`. `How long ago` is both.
    """

    time: bool
    length: bool


def asked(question: str) -> Asked:
    """Return what a question asks of time.

    A `when` that joins two clauses, as in `what did she say when they met`, asks for none.
    """
    words = words_of(question, None)
    places = range(len(words.lower))
    return Asked(
        time=any(_asks_when(words, at) for at in places),
        length=any(_asks_length(words, at) for at in places),
    )


def _asks_when(words: Words, at: int) -> bool:
    word = words.at(at)
    if word == "when":
        return _is_question(words, at)
    if word in {"what", "which"}:
        return words.at(at + 1) in TIMES and (
            words.at(at + 2) in _AFTER_TIME
            or (words.at(at + 2) == "of" and words.at(at + 3) in _WHOLES)
        )
    if word != "how":
        return False
    if words.at(at + 1) in {"recently", "soon"}:
        return True
    if words.at(at + 1) not in {"long", "many"}:
        return False
    return any(words.at(after) in _SINCE for after in range(at + 2, at + 2 + _SPAN))


def _is_question(words: Words, at: int) -> bool:
    """Tell whether `when` asks: an auxiliary follows, or a word of knowing stands before it.

    One that opens a text asks too if nothing else in it does and no comma ends its clause.
    """
    before, after = words.at(at - 1), words.at(at + 1)
    if after in AUXILIARIES or after in {"'", "exactly"}:
        return not before.isalpha() or before in KNOWING or at <= 1
    if at == 0 and words.lower[-1] == "?":
        return "," not in words.lower and ASKING.isdisjoint(words.lower)
    return before in KNOWING or after in {"", "?"}


def _asks_length(words: Words, at: int) -> bool:
    if words.at(at) != "how":
        return False
    many = words.at(at + 1) == "many" and words.at(at + 2) in MANY
    return many or words.at(at + 1) == "long"

"""The names that a turn uses: to call somebody, to say who speaks, or in talk about others.

Read from one text alone; who is meant is for `people` to find out.
"""

from __future__ import annotations

import re
from enum import IntEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from engram_lab.core.text import normalise
from engram_lab.retrieval.conversation.words import CALLS, GREETINGS, NO_NAMES, TITLES

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Use", "Used", "names_used"]


class Use(IntEnum):
    """How a turn uses a name.

    Attributes:
        GREETS: Begins with a call: "Hey Mel!", "Thanks, Mel."
        CALLS: Calls later on: "… Congrats, Mel!"
        ENDS: Stands at the end of a clause, after a comma: "That is great, Mel!"
        BEGINS: Stands at the beginning of a sentence, before a comma: "Mel, what is it?", or is
            cried out first of all: "Mel! Come in."
        IS: Says who speaks: "call me Jo", "it's Jo here", "Hi, I'm Jo", "- Jo" at the end.
        IS_PERHAPS: May say so: "I'm Jo" as "I'm Greek", "Jo here" as "Same here".
        TELLS: Tells of somebody or something: "I saw Mel there".
    """

    GREETS = 0
    CALLS = 1
    ENDS = 2
    BEGINS = 3
    IS = 4
    IS_PERHAPS = 5
    TELLS = 6


class Used(NamedTuple):
    """A name as it is written, and how it is used."""

    name: str
    use: Use


_YOU: Final = frozenset({"bless", "love", "meet", "miss", "see", "thank"})
"""What makes `you` before a name a call: "thank you, Mel"."""
_BEFORE_CALLS: Final = frozenset(
    {
        "a", "again", "and", "glad", "good", "great", "lovely", "many", "meet", "much", "nice",
        "oh", "pleased", "so", "to", "very", "well", "wow", "yeah",
    }
)  # fmt: skip
"""What may stand before a call at the beginning of a turn: "oh, hey Mel!"."""

_NAME_WORD: Final = r"[^\W\d_][\w]*(?:['\u2019.-][^\W\d_]\w*)*"
_RUN: Final = re.compile(rf"(?<![\w@#/'\u2019]){_NAME_WORD}(?: {_NAME_WORD})*")
_DRAWN_OUT: Final = re.compile(r"(\w)\1\1")
_POSSESSIVE: Final = re.compile(r"['\u2019]s$", re.IGNORECASE)
_SENTENCE_END: Final = re.compile(r"(?:^|[.!?\u2026:;\n\"\u201c(*>\u2014])\s*$")
_GOES_ON: Final = frozenset("'\u2019-&/@#_%+=")
_WORD_BEFORE: Final = re.compile(r"([^\W\d_]+)(\s*[,!.]*\s*)$")
_IS_CALLED: Final = re.compile(
    r"\b(?:calls? me|called me|my (?:\w+ )?name(?:['\u2019]s| is)|i go by|i am called"
    r"|i['\u2019]m called)\s+(?:just |simply )?$",
    re.IGNORECASE,
)
_I_AM: Final = re.compile(r"\b(?:i['\u2019]?m|i am)\s+$", re.IGNORECASE)
_IT_IS: Final = re.compile(r"\b(?:it['\u2019]?s|it is|this is|that['\u2019]s)\s+$", re.IGNORECASE)
_HERE: Final = re.compile(r"\s+(?:here|speaking|calling)\b(?=\s*(?:[^\w\s]|$))", re.IGNORECASE)
_HELLO: Final = re.compile(r"^\W*(?:hey|hi|hello|good \w+|greetings|nice to meet)\b", re.IGNORECASE)
_SIGNS: Final = re.compile(
    r"(?:[.!?)\n\u2026]\s*[-\u2013\u2014~]{1,2}\s*"
    r"|(?:^|[.!?\n]\s*)(?:love|yours(?: truly)?|best|(?:best |kind |warm )?regards|sincerely"
    r"|xoxo|xx+|hugs),?\s*"
    r"|,\s*\n\s*)$",
    re.IGNORECASE,
)
_TITLE: Final = re.compile(rf"\b(?:{'|'.join(sorted(TITLES))})\.?\s+$", re.IGNORECASE)
_NEAR: Final = 60
"""So many characters before a name are looked at."""
_MOST_WORDS: Final = 3
_BEGINNING: Final = 60


def names_used(text: str) -> list[Used]:
    """Return the names that a text uses, in order.

    A name begins with a capital letter, or is of a script that has none, and is of up to three
    words. Where a text writes nothing with capitals there are none.
    """
    return [used for match in _RUN.finditer(text) for used in _of_run(text, match)]


def _of_run(text: str, match: re.Match[str]) -> Iterator[Used]:
    """Yield the names in a run of words that only single spaces divide."""
    words = match[0].split(" ")
    starts = []
    at = match.start()
    for word in words:
        starts.append(at)
        at += len(word) + 1
    place = 0
    while place < len(words):
        end = place
        while end < len(words) and _may_be_name(words[end]) and end - place < _MOST_WORDS:
            end += 1
        if end == place:
            place += 1
            continue
        start, stop = starts[place], starts[end - 1] + len(words[end - 1])
        name = text[start:stop]
        if normalise(name) not in TITLES:
            yield Used(_POSSESSIVE.sub("", name), _use(text, start, stop))
        place = end


def _may_be_name(word: str) -> bool:
    if word[0].lower() == word[0] and word[0].upper() != word[0]:
        return False
    plain = _POSSESSIVE.sub("", word).replace("\u2019", "'").lower()
    if plain in NO_NAMES or plain in CALLS or plain.partition("'")[0] in {"i", "it", "that"}:
        return False
    return len(plain) > 1 and _DRAWN_OUT.search(plain) is None  # Awww


def _use(text: str, start: int, stop: int) -> Use:
    before = text[max(0, start - _NEAR) : start]
    if titled := _TITLE.search(before):
        before, start = before[: titled.start()], start - len(titled[0])
    after = text[stop:].lstrip(" \t")[:1]
    begins = _SENTENCE_END.search(before) is not None
    if _POSSESSIVE.search(text[start:stop]):
        return Use.TELLS
    if (said := _is_self(text, before, start, stop, begins=begins)) is not None:
        return said
    bounded = not after or not (after.isalnum() or after in _GOES_ON)
    if (called := _is_called(text[:start], before, after, bounded=bounded)) is not None:
        return called
    if begins:
        first = after == "," or (start == 0 and after == "!")
        return Use.BEGINS if first else Use.TELLS
    return Use.ENDS if bounded and after != "," and _follows_clause(before) else Use.TELLS


def _is_called(whole: str, before: str, after: str, *, bounded: bool) -> Use | None:
    """Return whether a name is called by a word before it, at the beginning or later on."""
    opened = _opening(before)
    if opened is None:
        return None
    greets, comma = opened
    if not bounded and not (greets and not comma and after.islower()):
        return None
    return Use.GREETS if len(whole) <= _BEGINNING and _is_opening(whole) else Use.CALLS


def _is_self(text: str, before: str, start: int, stop: int, *, begins: bool) -> Use | None:
    rest = text[stop:]
    if _IS_CALLED.search(before):
        return Use.IS
    if _HERE.match(rest) and (begins or _IT_IS.search(before)):
        return Use.IS_PERHAPS if begins else Use.IS  # "Same here!" is no name
    if not rest.strip(" \t\n.!*_~)") and _SIGNS.search(before):
        return Use.IS
    if _I_AM.search(before):
        after = rest.lstrip(" \t")[:1]
        if after and (after.isalnum() or after in _GOES_ON):
            return None
        early = start <= _BEGINNING and _HELLO.search(text[:start])
        return Use.IS if early else Use.IS_PERHAPS
    return None


def _opening(before: str) -> tuple[bool, bool] | None:
    """Return whether the word of a call before a name greets, and whether a comma follows it."""
    found = _WORD_BEFORE.search(before)
    if found is None or found[2].strip() not in {"", ","}:
        return None
    word = found[1].lower()
    if word not in CALLS:
        return None
    if word == "you":
        earlier = _WORD_BEFORE.search(before[: found.start()])
        if earlier is None or earlier[1].lower() not in _YOU:
            return None
    return word in GREETINGS, "," in found[2]


def _is_opening(before: str) -> bool:
    """Tell whether nothing but a call stands before the name in the text."""
    return all(
        each.lower() in CALLS or each.lower() in _BEFORE_CALLS
        for each in re.findall(r"\w+", before)
    )


def _follows_clause(before: str) -> bool:
    """Tell whether a comma stands before the name, and no other name before that, as in lists."""
    if not before.rstrip().endswith(","):
        return False
    word = before.rstrip()[:-1].rpartition(" ")[2]
    return bool(word) and (not word[0].isupper() or word.lower() in NO_NAMES | CALLS)

"""A statement put simply: without what introduces it, what it was before, and turns of speech.

What is left says what holds now, in the order of plain sentences, so that two tellings of it are
easier to compare. The patterns are of English, and of its grammar: none knows what is spoken of.
"""

from __future__ import annotations

import re
from typing import Final

from engram_lab.consolidation.merge.clefts import straight
from engram_lab.consolidation.merge.words import FUNCTION_WORDS, MARKERS

__all__ = ["simplified"]

_REMARK = re.compile(
    r"^\s*(?:(?:and|so|well|oh|ok|okay|again|also|anyway|actually|fyi|btw|by the way|as i said"
    r"|as mentioned|one more thing|for the record|for your information|for completeness"
    r"|just so you know|in case you forgot|note that|remember that|please note|please remember"
    r"|did i mention it\?|to repeat|before i forget|come to think of it|incidentally)"
    r"\s*[,:;?]?\s+)+",
    re.IGNORECASE,
)
_LABEL = re.compile(r"^\s*(?!not\b)[^\W\d_][^:.?!\d]{0,40}:\s+", re.IGNORECASE)
_MOST_LABEL_WORDS: Final = 3
_LEAST_WORDS: Final = 4
"""So many words must follow a label: else it is the label that says something."""

_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z\"'(])")
_OF_BEFORE = re.compile(
    r"\b(?:(?:what|as) i (?:said|told|wrote)|i (?:got|had) (?:it|that|this|the .{1,40}) wrong"
    r"|was wrong|(?:scratch|forget|ignore) (?:what|that)|things have changed|change of plan)\b",
    re.IGNORECASE,
)
_CHANGED = re.compile(
    r"\b(?:chang|mov|pass|switch|rais|lower|increas|decreas|cut|went|gone|goes|shift|swap|transfer"
    r"|upgrad|updat|renam|reset|reschedul|postpon|drop|rose|risen|f[ae]ll)\w*\b",
    re.IGNORECASE,
)
_FROM_TO = re.compile(r"\bfrom\s+(?:(?!\bto\b).){1,60}?\s+to\s+", re.IGNORECASE)
_NO_LONGER = re.compile(r"\bno longer\s+(?P<how>[^;]*?)\s+but\s+", re.IGNORECASE)
_DAYS: Final = r"(?:mon|tues|wednes|thurs|fri|satur|sun)days?"
_VALUE: Final = rf"(?:\b\d[\w.:/]*\b(?:\s?[ap]\.?m\b)?|\b{_DAYS}\b)"
_NO_LONGER_SO = re.compile(
    rf"\bno longer\s+(?P<how>(?:(?!{_VALUE})[^;])*)(?P<old>{_VALUE})"
    rf"(?P<rest>(?:(?!{_VALUE})[^;])*?)"
    rf"\s+but\s+(?:[a-z]+\s+){{0,2}}(?P<new>{_VALUE})(?P<unit>(?:\s+[^\W\d_]+)?)(?=\s*(?:[.,;]|$))",
    re.IGNORECASE,
)
"""Where a value of figures, or a day, was another: what stands beside it is so still."""
_SWAPPED = re.compile(
    r"\b(?:swap|exchang|trad)(?:p?ed|s)\s+(?:(?!\bwith\b)[^.;]){1,40}?\s+for\s+", re.IGNORECASE
)
_ACRONYM = re.compile(
    r"(?:(?<=\ba )|(?<=\ban )|(?<=\b[Tt]he )|(?<=\bits )|(?<=['\u2019]s ))[A-Z]{2,5}\b"
)
"""Capitals after an article are no name, which takes none: `the PIN`."""
_HEARER: Final = r"(?:you|we|anybody|anyone|somebody)\b"
_BISCUIT = re.compile(rf"\b(?:if|in case)\s+(?={_HEARER})", re.IGNORECASE)
_AFTERTHOUGHT = re.compile(rf",\s+(?:so\s+[a-z]|(?:if|in case)\s+{_HEARER})[^;]*$", re.IGNORECASE)
_WHOLE_WORD = re.compile(r"\b[^\W\d_]+\b")
_DEGREES = re.compile(r"\s*°\s*[CF]?\b|\s*°")
_VERSION = re.compile(r"\bv(?=\d+\.\d)")


def simplified(text: str) -> str:
    """Return a text put simply; the text itself where nothing would be left.

    - A text without a small letter is put in small ones, as its capitals tell no name; but for
      what is written with figures.
    - Left out: what the teller remarks before it (`by the way`, `Reminder:`), sentences about what
      was said before, the old value of a change (`from A to B`, `no longer A but B`).
    - Clefts are put straight: `the one who leads it is Ada` becomes `Ada leads it`, and `Ada has
      Bo as a mentor` becomes `Bo is Ada's mentor`.
    - `if you need it` conditions nothing: "There are biscuits on the sideboard if you want some".

    Source: J. L. Austin, "Ifs and Cans" (1956), for such conditions; O. Jespersen, "Analytic
    Syntax" (1937), chapter 25, for clefts.
    """
    line = " ".join(text.split())
    if line.isupper() and len(line.split()) > 1:
        line = _WHOLE_WORD.sub(lambda word: word[0].lower(), line)
    line = _DEGREES.sub(" degrees", _VERSION.sub("", line))
    line = _introduced(line)
    said = [each for each in _SENTENCE.split(line) if not _OF_BEFORE.search(each)]
    line = _introduced(" ".join(said)) or line
    line = _AFTERTHOUGHT.sub("", _without_old(line))
    line = _BISCUIT.sub("when ", line)
    line = _ACRONYM.sub(_in_small_letters, straight(line))
    return (line[:1].upper() + line[1:]) if line else text


def _introduced(line: str) -> str:
    """Return a text without remarks and labels before it."""
    before = ""
    while line != before:
        before = line
        line = _REMARK.sub("", line)
        label = _LABEL.match(line)
        if label and _is_label(label[0], line[label.end() :]):
            line = line[label.end() :]
    return line


def _is_label(label: str, rest: str) -> bool:
    words = label.split()
    names = any(word[:1].isupper() for word in words[1:])
    return not names and len(words) <= _MOST_LABEL_WORDS and len(rest.split()) >= _LEAST_WORDS


def _without_old(line: str) -> str:
    if _CHANGED.search(line):
        line = _FROM_TO.sub("to ", line)
    line = _NO_LONGER_SO.sub(_put_in_place, line)
    line = _SWAPPED.sub("has ", line)
    return _NO_LONGER.sub(_kept_how, line)


def _put_in_place(match: re.Match[str]) -> str:
    """Put the new value where the old one stood: `uses locker 5 at the pool but 7`."""
    rest, unit = match["rest"], match["unit"]
    first, _, after = rest.strip().partition(" ")
    if unit and first and first.lower() not in MARKERS:
        rest = f" {after}" if after else ""
    return f"{match['how']}{match['new']}{unit}{rest}"


def _in_small_letters(match: re.Match[str]) -> str:
    word = match[0].lower()
    return match[0] if word in FUNCTION_WORDS else word


def _kept_how(match: re.Match[str]) -> str:
    """Keep the verb of `no longer runs on A but on B`; `no longer A but B` has none there."""
    first, *_ = match["how"].split() or [""]
    return f"{first} " if first.endswith(("s", "ed")) else ""

"""A statement put simply: without what introduces it, what it was before, and turns of speech.

What is left says what holds now, in the order of plain sentences, so that two tellings of it are
easier to compare. The patterns are of English, and of its grammar: none knows what is spoken of.
"""

from __future__ import annotations

import re
from typing import Final

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
    r"|upgrad|updat|renam|drop|rose|risen|f[ae]ll)\w*\b",
    re.IGNORECASE,
)
_FROM_TO = re.compile(r"\bfrom\s+(?:(?!\bto\b).){1,60}?\s+to\s+", re.IGNORECASE)
_NO_LONGER = re.compile(r"\bno longer\s+(?P<how>[^;]*?)\s+but\s+", re.IGNORECASE)
_WHO: Final = r"[A-Z][^.;,]*?"
_NAME: Final = r"(?:the\s+(?:[a-z]+\s+)?)?(?:[A-Z][\w'-]*\s+)+(?:[a-z]+\s+)?"
_PERSON: Final = r"(?:[A-Z][\w'-]*\s+)+"
_SUBJECT_CLEFT = re.compile(
    rf"^the (?:one|person|man|woman) (?:who|that)\s+(?P<does>.+?)\s+(?:is|was)\s+"
    rf"(?P<who>{_WHO})\.?$"
)
_OBJECT_CLEFT = re.compile(
    rf"^the (?:one|person|man|woman) (?:whom|that|who)\s+(?P<who>{_NAME})(?P<does>.+?)\s+"
    rf"(?:is|was)\s+(?P<whom>{_WHO})\.?$"
)
_WHOM_CLEFT = re.compile(
    rf"^the (?P<what>[a-z][a-z -]*?) whom\s+(?P<whose>{_PERSON})[a-z].*?\s+(?:is|was)\s+"
    rf"(?P<who>{_WHO})\.?$"
)
_TO_WHOM = re.compile(
    rf"^(?P<whom>{_PERSON})is the (?:one|person) to whom\s+(?P<who>{_PERSON})(?P<does>[a-z].*?)\.?$"
)
_IT_CLEFT = re.compile(rf"^it (?:is|was)\s+(?P<who>{_NAME})who\s+(?P<does>.+)$")
_HAS_AS = re.compile(
    rf"^(?P<whose>{_NAME})has\s+(?P<who>{_NAME})as\s+(?:an?|the|his|her|their)\s+"
    r"(?P<what>[^.;]+?)\.?$"
)
_AS_HAS = re.compile(
    rf"^as\s+(?:an?|the)\s+(?P<what>[a-z][a-z -]*?)\s+(?P<whose>{_NAME})has\s+(?P<who>{_WHO})\.?$"
)
_HEARER: Final = r"(?:you|we|anybody|anyone|somebody)\b"
_BISCUIT = re.compile(rf"\b(?:if|in case)\s+(?={_HEARER})", re.IGNORECASE)
_AFTERTHOUGHT = re.compile(rf",\s+(?:so\s+[a-z]|(?:if|in case)\s+{_HEARER})[^;]*$", re.IGNORECASE)
_DEGREES = re.compile(r"\s*°\s*[CF]?\b|\s*°")
_VERSION = re.compile(r"\bv(?=\d+\.\d)")


def simplified(text: str) -> str:
    """Return a text put simply; the text itself where nothing would be left.

    - A text without a small letter is put in small ones, as its capitals tell no name.
    - Left out: what the teller remarks before it (`by the way`, `Reminder:`), sentences about what
      was said before, the old value of a change (`from A to B`, `no longer A but B`).
    - Clefts are put straight: `the one who leads it is Ada` becomes `Ada leads it`, and `Ada has
      Bo as a mentor` becomes `Bo is Ada's mentor`.
    - `if you need it` conditions nothing: "There are biscuits on the sideboard if you want some".

    Source: J. L. Austin, "Ifs and Cans" (1956), for such conditions; O. Jespersen, "Analytic
    Syntax" (1937), chapter 25, for clefts.
    """
    line = " ".join(text.split())
    line = line.lower() if line.isupper() and len(line.split()) > 1 else line
    line = _DEGREES.sub(" degrees", _VERSION.sub("", line))
    line = _introduced(line)
    said = [each for each in _SENTENCE.split(line) if not _OF_BEFORE.search(each)]
    line = _introduced(" ".join(said)) or line
    line = _AFTERTHOUGHT.sub("", _without_old(line))
    line = _BISCUIT.sub("when ", line)
    line = _straight(line)
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
    return _NO_LONGER.sub(_kept_how, line)


def _kept_how(match: re.Match[str]) -> str:
    """Keep the verb of `no longer runs on A but on B`; `no longer A but B` has none there."""
    first, *_ = match["how"].split() or [""]
    return f"{first} " if first.endswith(("s", "ed")) else ""


def _straight(line: str) -> str:
    for pattern, order in (
        (_OBJECT_CLEFT, "{who} {does} {whom}"),
        (_SUBJECT_CLEFT, "{who} {does}"),
        (_WHOM_CLEFT, "{who} is {whose}'s {what}"),
        (_TO_WHOM, "{who} {does} to {whom}"),
        (_IT_CLEFT, "{who} {does}"),
        (_HAS_AS, "{who} is {whose}'s {what}"),
        (_AS_HAS, "{who} is {whose}'s {what}"),
    ):
        told = pattern.match(line) or pattern.match(line[:1].lower() + line[1:])
        if told:
            parts = {name: part.strip() for name, part in told.groupdict().items()}
            return order.format(**parts)
    return line

"""Sentences put in plain order that were turned round to say of what they speak first.

"The one who leads it is Ada", "one of those who lead it is Ada" and "Ada is among those who lead
it" say that Ada leads it: whoever is one of those who do something does it.

Source: O. Jespersen, "Analytic Syntax" (1937), chapter 25, of clefts; E. Prince, "A Comparison of
Wh-Clefts and It-Clefts in Discourse", Language 54 (1978).
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["straight"]

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
_PEOPLE: Final = r"(?:those|the people|the ones|the persons)"
_ONE_OF_THEM = re.compile(
    rf"^(?:one of|among) {_PEOPLE} (?:who|that)\s+(?P<does>.+?)\s+(?:is|was)\s+(?P<who>{_WHO})\.?$"
)
_AMONG_THEM = re.compile(
    rf"^(?P<who>{_NAME})(?:is|was)\s+(?:among|one of) {_PEOPLE} (?:who|that)\s+(?P<does>.+?)\.?$"
)
_ITS_NAME: Final = r"(?:the\s+(?:[a-z]+\s+)?)?(?:[A-Z][\w-]*\s+)+(?:[a-z]+\s+)?"
_OF_WHAT: Final = (
    rf"(?:one of|among) (?:the [a-z]+(?:\s+(?:that|which|whom|who))?|what)\s+(?P<who>{_ITS_NAME})"
    r"(?P<does>(?:ha[sd]\s+)?[a-z]+?)"
)
_ONE_OF_WHAT = re.compile(rf"^{_OF_WHAT}\s+(?:is|are|was|were)\s+(?P<whom>[^.;]+?)\.?$")
_IS_OF_WHAT = re.compile(rf"^(?P<whom>[A-Za-z][^.;,]*?)\s+(?:is|are|was|were)\s+{_OF_WHAT}\.?$")
_ONE_DONE_BY = re.compile(
    rf"^(?:one of|among) the [a-z]+ (?P<done>[a-z]+)\s+by\s+(?P<who>{_PERSON})(?:is|are)\s+"
    rf"(?P<whom>{_WHO})\.?$"
)
_HAS_NAMED = re.compile(
    rf"^(?P<whose>{_NAME})has\s+(?:got\s+)?an?\s+(?:new\s+)?(?P<what>[a-z][a-z -]*?):\s+"
    rf"(?P<who>{_WHO})\.?$"
)
_HAS_VALUED = re.compile(
    rf"^(?P<whose>{_NAME})has\s+an?\s+(?P<what>[A-Z]{{2,5}}|[a-z][a-z -]*?),\s+"
    r"(?:and\s+(?:it['\u2019]s|it is)"
    r"|which is)\s+(?P<value>[^.;]+?)\.?$",
)
_ACTS_AS = re.compile(
    r"\b(?:(?:is|was)\s+the\s+(?:one|person|man|woman)\s+(?:who|that)\s+)?(?:acts|serves|functions)"
    r"\s+as\b"
)
"""Verbs that say no more than the copula."""


def straight(line: str) -> str:
    """Return a sentence in plain order."""
    line = _ACTS_AS.sub("is", line)
    for pattern, order in (
        (_OBJECT_CLEFT, "{who} {does} {whom}"),
        (_SUBJECT_CLEFT, "{who} {does}"),
        (_WHOM_CLEFT, "{who} is {whose}'s {what}"),
        (_TO_WHOM, "{who} {does} to {whom}"),
        (_IT_CLEFT, "{who} {does}"),
        (_HAS_AS, "{who} is {whose}'s {what}"),
        (_ONE_OF_THEM, "{who} {does}"),
        (_AMONG_THEM, "{who} {does}"),
        (_ONE_OF_WHAT, "{who} {does} {whom}"),
        (_IS_OF_WHAT, "{who} {does} {whom}"),
        (_ONE_DONE_BY, "{whom} is {done} by {who}"),
        (_HAS_NAMED, "{who} is {whose}'s {what}"),
        (_HAS_VALUED, "the {what} of {whose} is {value}"),
        (_AS_HAS, "{who} is {whose}'s {what}"),
    ):
        told = pattern.match(line) or pattern.match(line[:1].lower() + line[1:])
        if told:
            parts = {name: part.strip() for name, part in told.groupdict().items()}
            if pattern is _IS_OF_WHAT:
                parts["whom"] = _inside(parts["whom"])
            return order.format(**parts)
    return line


def _inside(part: str) -> str:
    """Return what begins a sentence as it stands in the midst of one: `Soil science` is no name."""
    first, _, rest = part.partition(" ")
    common = rest[:1].islower() and first[1:].islower() and rest.split(" ")[0] not in _AFTER_NAMES
    return part[:1].lower() + part[1:] if common else part


_AFTER_NAMES: Final = frozenset({"and", "of", "or"})

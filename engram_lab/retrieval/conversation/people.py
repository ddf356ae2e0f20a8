"""Who is meant by a name: a speaker's own, one that an identity has, or what others call him.

What others call somebody is learned from the conversation itself: "Thanks, Mel!" said to Melanie
twice makes Mel a name of hers, and so does "Hi, I'm Jo" said by Joanna once.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np

from engram_lab.core.text import normalise
from engram_lab.retrieval.conversation.bearers import bearers
from engram_lab.retrieval.conversation.evidence import Evidence
from engram_lab.retrieval.conversation.first_person import Mention, first_person
from engram_lab.retrieval.conversation.names import Use
from engram_lab.retrieval.conversation.words import ALSO_WORDS, NO_NAMES, ROLES, TITLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from engram_lab.core.types import Identity
    from engram_lab.retrieval.conversation.sight import Sight
    from engram_lab.retrieval.conversation.turns import Turns

__all__ = ["People", "PeopleIndex"]

_Span = tuple[int, int, frozenset[str]]
_WORD: Final = re.compile(r"\w+")
_PART: Final = re.compile(r"[^\W\d_]{3,}")
_WRITTEN: Final = re.compile(r"([^\W\d_]{3,})(?:['\u2019]s)?(?!\w)")
_IS_POSSESSIVE: Final = re.compile(r"['\u2019]s?$")
_ASKER: Final = re.compile(r"\b(?:i|me|my|mine|myself|i['\u2019]\w+)\b", re.IGNORECASE)
_ASKED: Final = re.compile(r"\b(?:you|your|yours|yourself|you['\u2019]\w+)\b", re.IGNORECASE)
_WHO_ASKS: Final = frozenset({"user", "human", "me", "customer"})
_WHO_ANSWERS: Final = frozenset({"assistant", "ai", "bot", "chatbot", "agent", "model"})
_SHORTEST: Final = 3
_MODALS: Final = frozenset({"may", "will"})
"""What begins a question with a capital, and is a name as well."""


@dataclass(frozen=True, kw_only=True, eq=False)
class People:
    """The people of the conversations of a store, as they are after one change.

    Depends on the turns and identities alone, not on the order in which they came.

    Guarantees, where `sight` is given: what is returned depends on turns that whoever asks may see,
    and on identities, which all may read; a turn out of sight teaches no name, stands between no
    two others, and makes no speaker known. What remains is the time that it takes.

    Attributes:
        evidence: How the turns use names.
        identities: Of the store.
    """

    evidence: Evidence
    identities: Sequence[Identity] = ()
    _learned: dict[str, frozenset[int]] = field(default_factory=dict, init=False, repr=False)

    @property
    def turns(self) -> Turns:
        """The turns."""
        return self.evidence.turns

    def named(self, question: str, sight: Sight | None = None) -> frozenset[str]:
        """Return the speakers that a question is about, by their names as the turns have them.

        Each name, alias or part of a longer name that stands in it as whole words names all whom
        it fits; of two that overlap the longer one counts. Where none does, a name that begins as a
        speaker's does, or the other way round, is taken for that, unless turns tell of somebody of
        that name, or that speaker calls others so. `I`
        and `you` name speakers called `user` and `assistant`, or the like.

        Args:
            question: Free text, in any case.
            sight: What whoever asks may see; all unless told.
        """
        of_roles = self._names(self._of_roles(question), sight)
        return of_roles.union(*(each.speakers for each in self.mentions(question, sight)))

    def mentions(self, question: str, sight: Sight | None = None) -> tuple[Mention, ...]:
        """Return where a question names speakers, by rising place; see `named`.

        Args:
            question: Free text, in any case.
            sight: What whoever asks may see; all unless told.
        """
        found = {
            (start, stop, self._names(self._bearers(name, sight), sight))
            for start, stop, name in self._spans(question)
        }
        meant = _outermost(each for each in found if each[2])
        if not meant:
            meant = {
                (start, stop, self._names(numbers, sight))
                for start, stop, numbers in self._resembling(question, sight)
            }
        whom: dict[tuple[int, int], frozenset[str]] = {}
        for start, stop, speakers in meant:
            whom[start, stop] = whom.get((start, stop), frozenset()) | speakers
        return tuple(
            Mention(
                start=start,
                stop=stop,
                possessive=_IS_POSSESSIVE.search(question[start:stop]) is not None,
                speakers=whom[start, stop],
            )
            for start, stop in sorted(whom)
            if whom[start, stop]
        )

    def first_person(self, question: str, sight: Sight | None = None) -> str:
        """Return a question as the speaker whom it names first would have said it.

        See `first_person.first_person`; the question as it is where it names no speaker.

        Args:
            question: Free text, in any case.
            sight: What whoever asks may see; all unless told.
        """
        return first_person(question, self.mentions(question, sight))

    def _names(self, numbers: Iterable[int], sight: Sight | None) -> frozenset[str]:
        names = self.turns.speaker_names
        return frozenset(names[each] for each in numbers if self._is_seen(each, sight))

    def aliases(self, sight: Sight | None = None) -> Mapping[str, frozenset[str]]:
        """Return the names that were learned of each speaker of whom any was, as they are written.

        Args:
            sight: What whoever asks may see; all unless told.
        """
        found: dict[str, set[str]] = {}
        for name in self.evidence.called():
            for number in self._learn(name, sight):
                written = self._written(name, sight)
                found.setdefault(self.turns.speaker_names[number], set()).add(written)
        return {name: frozenset(found[name]) for name in sorted(found)}

    def _written(self, name: str, sight: Sight | None) -> str:
        """Return how a name is mostly written."""
        places = self.evidence.places(name)
        if sight is not None:
            places = places[sight(self.evidence.rows[places])]
        counts = np.bincount(self.evidence.numbers[places])
        forms: list[str] = [
            self.evidence.names[each] for each in (counts == counts.max()).nonzero()[0]
        ]
        return min(forms)

    @cached_property
    def _speakers(self) -> dict[str, list[int]]:
        """The numbers of speakers by their whole names."""
        found: dict[str, list[int]] = {}
        for number, name in enumerate(self.turns.speaker_names):
            found.setdefault(normalise(name), []).append(number)
        return found

    @cached_property
    def _parts(self) -> dict[str, list[int]]:
        """The numbers of speakers by each word of a longer name."""
        found: dict[str, list[int]] = {}
        for number, name in enumerate(self.turns.speaker_names):
            whole = normalise(name)
            for word in set(_PART.findall(whole)) - TITLES - NO_NAMES - ROLES - {whole}:
                found.setdefault(word, []).append(number)
        return found

    @cached_property
    def _identified(self) -> dict[str, list[int]]:
        """The numbers of speakers by the aliases of their identities."""
        found: dict[str, list[int]] = {}
        for identity in self.identities:
            aliases = sorted({normalise(each) for each in (identity.name, *identity.aliases)})
            numbers = [number for each in aliases for number in self._speakers.get(each, ())]
            for alias in aliases if numbers else ():
                found.setdefault(alias, []).extend(numbers)
        return found

    @cached_property
    def _lexicon(self) -> dict[str, list[str]]:
        """All names that may be meant, by their first words."""
        found: dict[str, list[str]] = {}
        for name in sorted(
            {*self._speakers, *self._parts, *self._identified, *self.evidence.called()}
        ):
            if words := _WORD.findall(name):
                found.setdefault(words[0], []).append(name)
        return found

    def _spans(self, question: str) -> Iterator[tuple[int, int, str]]:
        """Yield where names stand in a question, with each name in small letters."""
        text, places = _folded(question)
        for word in dict.fromkeys(_WORD.findall(text)):
            beginnings = (word, word[:-1]) if word.endswith("s") else (word,)  # also Johns's
            for name in {each for some in beginnings for each in self._lexicon.get(some, ())}:
                for match in _pattern(name).finditer(text):
                    start, stop = places[match.start()], places[match.end()]
                    if name not in ALSO_WORDS or _is_name(name, question, start, stop):
                        yield start, stop, name

    def _bearers(self, name: str, sight: Sight | None) -> Iterable[int]:
        yield from self._speakers.get(name, ())
        yield from self._identified.get(name, ())
        yield from self._parts.get(name, ())
        yield from self._learn(name, sight)

    def _learn(self, name: str, sight: Sight | None) -> frozenset[int]:
        if name in NO_NAMES:
            return frozenset()
        if sight is not None:
            return bearers(self.evidence, name, sight)
        if name not in self._learned:
            self._learned[name] = bearers(self.evidence, name)
        return self._learned[name]

    def _of_roles(self, question: str) -> set[int]:
        roles: set[str] = set()
        if _ASKER.search(question):
            roles |= _WHO_ASKS
        if _ASKED.search(question):
            roles |= _WHO_ANSWERS
        return {number for role in roles for number in self._speakers.get(role, ())}

    def _resembling(
        self, question: str, sight: Sight | None
    ) -> Iterator[tuple[int, int, list[int]]]:
        """Yield names that tell of nobody, with speakers whose names begin so, or the other way."""
        for match in _WRITTEN.finditer(question):
            name = normalise(match[1])
            if name in NO_NAMES or not _is_capital(question, match.start(), match.end()):
                continue
            places = self.evidence.places(name)
            if sight is not None:
                places = places[sight(self.evidence.rows[places])]
            if (self.evidence.uses[places] == Use.TELLS).any():  # that of somebody told of
                continue
            callers = set(self.turns.speakers[self.evidence.rows[places]].tolist())
            for speaker, numbers in self._speakers.items():
                shorter = min(len(name), len(speaker))
                if shorter >= _SHORTEST and name[:shorter] == speaker[:shorter]:
                    yield match.start(), match.end(), [n for n in numbers if n not in callers]

    def _is_seen(self, speaker: int, sight: Sight | None) -> bool:
        """Tell whether any turn of a speaker is in sight."""
        if sight is None:
            return True
        rows = (self.turns.speakers == speaker).nonzero()[0]
        at, count = 0, 16
        while at < len(rows):
            if sight(rows[at : at + count]).any():
                return True
            at, count = at + count, count * 4
        return False


class PeopleIndex:
    """Follows the turns of a store: what was read of a text is not read again until it changes."""

    def __init__(self) -> None:
        self._people: People | None = None

    def follow(self, turns: Turns, identities: Sequence[Identity] = ()) -> People:
        """Return the people of turns.

        Args:
            turns: See `TurnIndex.catch_up`.
            identities: Of the store.
        """
        people = self._people
        if people is None or people.turns is not turns:
            before = None if people is None else people.evidence
            people = People(evidence=Evidence.of(turns, before), identities=tuple(identities))
        elif people.identities != tuple(identities):
            people = People(evidence=people.evidence, identities=tuple(identities))
        self._people = people
        return people

    def close(self) -> None:
        """Let go of everything; a second call does nothing. Used again, it begins anew."""
        self._people = None


def _outermost(spans: Iterable[_Span]) -> set[_Span]:
    """Return the names that overlap no longer one, nor one as long that begins before."""
    kept: set[_Span] = set()
    for span in sorted(spans, key=lambda each: (each[0] - each[1], each[0])):
        start, stop, _ = span
        if all(
            stop <= first or last <= start or (start, stop) == (first, last)
            for first, last, _ in kept
        ):
            kept.add(span)
    return kept


def _folded(question: str) -> tuple[str, list[int]]:
    """Return a text as `normalise` folds it, and the place that each character of it comes from."""
    starts = [
        place for place, each in enumerate(question) if not place or not unicodedata.combining(each)
    ]
    ends = [*starts, len(question)][1:]
    parts = [
        unicodedata.normalize("NFC", unicodedata.normalize("NFC", question[start:end]).casefold())
        for start, end in zip(starts, ends, strict=True)
    ]
    places = [start for start, part in zip(starts, parts, strict=True) for _ in part]
    return "".join(parts), [*places, len(question)]


def _pattern(name: str) -> re.Pattern[str]:
    """Return what finds a name in small letters, and a possessive after it."""
    words = r"\s+".join(map(re.escape, name.split()))
    return re.compile(rf"(?<!\w){words}(?:s?['\u2019]s?)?(?!\w)")


def _is_name(word: str, question: str, start: int, stop: int) -> bool:
    """Tell whether a word that may be a name is written as one."""
    if word in NO_NAMES or word in _MODALS:
        return _is_capital(question, start, stop)
    return question[start].isupper()


def _is_capital(question: str, start: int, stop: int) -> bool:
    """Tell whether a name is surely written with a capital: not merely as the first word."""
    if not question[start].isupper():
        return False
    return bool(question[:start].strip()) or _IS_POSSESSIVE.search(question[start:stop]) is not None

"""A statement as its frame and what fills it: names, figures, days, and the words in between.

"By the way, the door code of Falconet is 2211" has the frame "the door code of X is N", the name
"falconet" in the part of an owner, and the number 2211 as its complement. Two statements of one
frame and one name tell the same attribute, whatever else they are made of.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

from engram_lab.consolidation.merge.apart import CLASSES
from engram_lab.consolidation.merge.phrases import plainly
from engram_lab.consolidation.merge.roots import root as row_of
from engram_lab.consolidation.merge.roots import stem
from engram_lab.consolidation.merge.tokens import Token, tokens
from engram_lab.consolidation.merge.words import (
    AUXILIARIES,
    COMMON_OPENERS,
    COPULAS,
    FUNCTION_WORDS,
    MARKERS,
    MODALITIES,
    NEGATIONS,
    PAST,
    UNITS,
    WEEKDAYS,
)
from engram_lab.consolidation.supersede.words import (
    ASIDE,
    CHANGE,
    CORRECTING,
    ENDED,
    FRESH,
    HAPPENED,
    IRREGULAR,
    MORE,
    OLD_MARKERS,
    PARTITIVES,
    REPLACING,
    REPLACING_PHRASES,
    SETTLING,
    WRONG,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["FIGURES", "Filler", "Frame", "frame_of"]

FIGURES: Final = ("number", "date", "day", "time", "code")
_TITLES: Final = frozenset({"mr", "mrs", "ms", "dr", "prof", "i"})
_MODAL: Final = frozenset(MODALITIES) - {"wants", "want", "planned", "plan", "plans"}
_AMBIGUOUS: Final = frozenset(
    {"run", "runs", "running", "state", "states", "set", "sets", "stand", "stands", "sit", "sits"}
)
"""Words of too many meanings to be put into one row with others; see `merge.roots`."""
_RELATIVES: Final = frozenset({"that", "who", "which", "where", "when", "if", "whom"})
_BEING: Final = frozenset({"is", "are", "be", "been"})
_ACRONYM: Final = re.compile(
    r"(?:(?<=\ba )|(?<=\ban )|(?<=\bthe )|(?<=\bThe )|(?<=\bits )|(?<=\bnew )|(?<=['’]s ))[A-Z]{2,5}\b"
)
"""Capitals after an article are no name, which takes none: `the PIN`."""
_VERSION: Final = re.compile(r"^v(?=\d)")
_HEADS: Final = frozenset({"project", "team", "customer", "client", "user"})
"""Words that begin a sentence by themselves, or a name together with another."""
_VERBS: Final = frozenset(
    {"take", "open", "close", "go", "get", "need", "come", "use", "run", "start"}
)
_SEVERAL: Final = frozenset({("one", "of"), ("is", "something"), ("are", "something")})
_GIVEN_UP: Final = frozenset({("gave", "up"), ("given", "up"), ("gives", "up")})
_SINCE: Final = frozenset({"since"})
_SUBJECTS: Final = frozenset({"it", "that", "there", "what", "who", "he", "she", "here", "where"})
_PRONOUNS: Final = frozenset({"i", "you", "we", "they", "he", "she", "it"})
_MAY: Final = frozenset({"can", "may", "could", "might"})
_ARTICLES: Final = frozenset({"a", "an", "the"})
_SPLITS: Final = frozenset({"and", "but"})
_SLOTS: Final = {"date": "date", "day": "day", "time": "time", "name": "X"}
_LONGEST_ASIDE: Final = 14
_WHOLE_WEEKDAY: Final = 6


class Filler(NamedTuple):
    """A name, a figure, or a run of words, with the part that it plays.

    Attributes:
        kind: `name`, `number`, `date`, `day`, `time`, `code` or `words`.
        value: Its words, or its value; equal where two say the same.
        role: `owner`, `subject`, `object`, `complement` or `marked`, by a preposition.
        marker: That preposition.
        clause: The number of the clause.
        indefinite: Whether `a` stands before it.
        definite: Whether `the` does.
        sure: Whether it is surely of its kind.
        told: How it stands in the frame.
        counted: Of a number, the root of what it counts: `seat` in `90 seats`.
        label: Of a number, the root of what it numbers: `room` in `room 90`.
        beside: Of a name, the roots of what it is called with it: `pool` in `the Falconet pool`.
    """

    kind: str
    value: tuple[object, ...]
    role: str
    marker: str = ""
    clause: int = 0
    indefinite: bool = False
    definite: bool = False
    sure: bool = True
    beside: frozenset[str] = frozenset()
    told: str = ""
    counted: str = ""
    label: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Frame:
    """What two statements are compared by; see the module.

    Attributes:
        text: The frame, to be compared by meaning.
        names: Names, in order.
        figures: Numbers, dates, days, times and codes that hold.
        runs: Runs of words with a meaning of their own.
        were: Names and figures of which it says that they held until now.
        content: Roots of the words in `runs`.
        plain: Those words, lower case.
        cues: Words that tell of a change.
        denies: Roots of the words that stand where it denies; none where it does not.
        several: Whether it says that there may be more.
        exists: Whether it says that there is something.
        past: Whether it tells what happened once.
        copula: Whether it says that something is something.
        may: Whether it tells of what can or may be.
        corrects: Whether it puts right what was told before.
    """

    text: str
    names: tuple[Filler, ...]
    figures: tuple[Filler, ...]
    runs: tuple[Filler, ...]
    were: tuple[Filler, ...]
    content: frozenset[str]
    plain: frozenset[str]
    cues: frozenset[str]
    denies: frozenset[str]
    several: bool
    exists: bool
    past: bool
    copula: bool
    may: bool
    corrects: bool


def frame_of(text: str, common: frozenset[str] = frozenset()) -> Frame:
    """Return the frame of a text.

    Args:
        text: Which.
        common: Words that are known to be no names, in small letters.
    """
    plain = _ACRONYM.sub(lambda match: match.group().lower(), plainly(text))
    main, asides = _parted(tokens(plain))
    reading = _Reading(main, common)
    reading.read()
    beside = _Reading(asides, common)
    beside.read()
    return reading.done(beside)


def _parted(pieces: Sequence[Token]) -> tuple[list[Token], list[Token]]:
    """Return what is said of the subject, and the remarks about the saying itself."""
    main: list[Token] = []
    asides: list[Token] = []
    for sentence in _sentences(pieces):
        rest = _begun(sentence)
        while rest and (end := _opener(rest)):
            asides += rest[:end]
            rest = _begun(rest[end:])
        if rest and _is_aside(rest):
            asides += rest
        else:
            main += rest
    return (main, asides) if main else (list(pieces), [])


def _begun(pieces: Sequence[Token]) -> list[Token]:
    """Return pieces of which the first begins a sentence."""
    while pieces and pieces[0].kind == "stop":
        pieces = pieces[1:]
    return [pieces[0]._replace(first=True), *pieces[1:]] if pieces else []


@lru_cache(maxsize=65_536)
def root(word: str) -> str:
    """Return what a word is compared by, in whatever form it stands."""
    word = IRREGULAR.get(word, word)
    return stem(word) if word in _AMBIGUOUS else row_of(word)


def _sentences(pieces: Sequence[Token]) -> Iterator[list[Token]]:
    found: list[Token] = []
    for piece in pieces:
        found.append(piece)
        if piece.kind == "stop" and piece.text in ".!?\n":
            if len(found) > 2 or found[0].text not in _TITLES:  # noqa: PLR2004
                yield found
                found = []
            else:
                found.pop()
    if found:
        yield found


def _opener(pieces: Sequence[Token]) -> int:
    """Return how many pieces open a sentence without saying anything of its subject."""
    comma = 0
    for at, piece in enumerate(pieces[: _LONGEST_ASIDE + 1]):
        if piece.kind == "word" and _is_name(pieces, at) == 1:
            break
        if piece.kind != "stop" or not at or at + 1 >= len(pieces):
            continue
        words = [each.text for each in pieces[:at] if each.kind == "word"]
        figured = any(each.kind not in {"word", "stop"} for each in pieces[:at])
        if (
            piece.text in ",:;"
            and words
            and not comma
            and not figured
            and all(word in ASIDE for word in words)
        ):
            comma = at + 1
        if piece.text == ":":
            telling = [word for word in words if word not in FUNCTION_WORDS]
            asides = sum(word in ASIDE for word in telling)
            dated = any(each.kind == "date" for each in pieces[:at])
            if asides and (dated or 2 * asides > len(telling)):
                return at + 1
            break
    return comma


def _is_aside(pieces: Sequence[Token]) -> bool:
    words = {each.text for each in pieces if each.kind == "word" and each.text not in WEEKDAYS}
    named = {each.text for at, each in enumerate(pieces) if _is_name(pieces, at) == 1}
    told = words - named - ASIDE
    if "said" in words and words & CORRECTING:
        return True  # `scratch what I said about the archive`
    return not told and (not named or bool(words & CORRECTING))


def _names(pieces: Sequence[Token], at: int) -> bool:
    return _is_name(pieces, at) == 1


def _is_name(pieces: Sequence[Token], at: int) -> int:
    """Tell whether a word is a name: 1 surely, 2 perhaps, 0 not."""
    piece = pieces[at]
    word = piece.text
    if piece.kind != "word" or not piece.raised or word in _TITLES or len(word) < 2:  # noqa: PLR2004
        return 0
    if not piece.first:
        return 0 if word in FUNCTION_WORDS and len(word) < 3 and not piece.owns else 1  # noqa: PLR2004
    after = pieces[at + 1] if at + 1 < len(pieces) else None
    if word in _HEADS and after is not None and after.kind == "word" and after.raised:
        return 1
    if word in FUNCTION_WORDS or word in COMMON_OPENERS or word in CLASSES:
        return 0
    if piece.owns or (after is not None and after.kind == "word" and after.raised):
        return 1
    follows = after is not None and (
        after.text in AUXILIARIES or after.text in PAST or after.text.endswith(("s", "ed"))
    )
    return 2 if follows and word not in ASIDE and word not in MARKERS else 0


@dataclass(kw_only=True, slots=True)
class _Clause:
    """What is known of the clause that is being read."""

    number: int = 0
    negations: int = 0
    ended: bool = False
    wrong: bool = False
    pronoun: bool = False  # it begins with one: a verb comes next
    bare: bool = False  # it denies without a verb: `teal, not blue`
    but: bool = False
    before: str = ""  # what the word before was: nothing, "verb", "copula", "relative"
    marker: str = ""
    article: str = ""
    named_the: int = -1  # the name that `the` stands before, and no word since


class _Reading:
    """One pass over the pieces of a statement."""

    def __init__(self, pieces: Sequence[Token], common: frozenset[str]) -> None:
        self.pieces = pieces
        self.common = common
        self.clause = _Clause()
        self.clauses: dict[int, _Clause] = {0: self.clause}
        self.fillers: list[Filler] = []
        self.shown: list[tuple[str, int]] = []  # words of the frame; the filler, else -1
        self.words: list[str] = []
        self.plain: list[str] = []
        self.copula = False
        self.denied: set[int] = set()  # fillers right after `not`
        self._not = False
        self._owned = False
        self.heading = -1  # the run that names what the name before it is: `the Falconet pool`

    def read(self) -> None:
        at = 0
        while at < len(self.pieces):
            at += self._take(at)

    def _take(self, at: int) -> int:
        piece = self.pieces[at]
        if piece.kind == "stop":
            self._shows("")
            self._next_clause(reset=True)
            return 1
        if piece.kind == "word":
            return self._word(at, piece)
        if piece.kind in {"number", "ordinal"}:
            return self._number(at, piece)
        if piece.kind in {"date", "time"}:
            value = piece.value if piece.kind == "date" else (piece.value,)
            self._fill(piece.kind, tuple(value), piece.kind)  # type: ignore[arg-type]
        elif piece.kind == "code":
            self._fill("code", (_VERSION.sub("", piece.text),), "N")
        return 1

    def _next_clause(self, *, reset: bool) -> None:
        before = "" if reset else self.clause.before
        self.clause = _Clause(number=len(self.clauses), before=before)
        self.clauses[self.clause.number] = self.clause
        self._not = False

    def _number(self, at: int, piece: Token) -> int:
        before = self.pieces[at - 1] if at else None
        after = self.pieces[at + 1] if at + 1 < len(self.pieces) else None
        unit = UNITS.get(before.text, "") if before is not None and before.kind == "sign" else ""
        taken = 1
        if after is not None and after.kind == "word" and after.text in UNITS:
            unit, taken = UNITS[after.text], 2
        elif after is not None and _abbreviates(after):
            unit, taken = after.text, 2
        self._fill("number", (piece.value, unit), f"N {unit}".strip())
        last = self.fillers[-2] if len(self.fillers) > 1 else None
        follows = self.pieces[at + taken] if at + taken < len(self.pieces) else None
        counts = follows is not None and follows.kind == "word" and not unit
        counts = counts and follows.text not in FUNCTION_WORDS | MARKERS  # type: ignore[union-attr]
        if counts and follows is not None:
            self.fillers[-1] = self.fillers[-1]._replace(counted=root(follows.text))
        elif last is not None and last.kind == "words" and before is not None and not unit:
            word = last.told.rpartition(" ")[2]
            if before.text == word and not word.endswith("s"):
                self.fillers[-1] = self.fillers[-1]._replace(label=root(word))
        return taken

    def _word(self, at: int, piece: Token) -> int:
        word = piece.text
        self.words.append(word)
        if piece.owns and word in _SUBJECTS:  # `it's`
            self._function(word)
            self.words.append("is")
            self._function("is")
        elif word in WEEKDAYS and (piece.raised or len(word) >= _WHOLE_WEEKDAY):
            self._fill("day", (WEEKDAYS[word],), "day")
        elif (kind := _is_name(self.pieces, at)) == 1 or (kind and word not in self.common):
            return self._name(at, sure=kind == 1)
        elif word in NEGATIONS:
            begun = self.fillers and self.fillers[-1].clause == self.clause.number
            bids = not begun and at > 0 and self.pieces[at - 1].text == "do"
            self.clause.negations += not bids  # `don't go there on Monday` denies nothing
            self._not = True
            before = self.pieces[at - 1].text if at else ""
            self.clause.bare |= before not in AUXILIARIES and before != "do"
        elif word in MARKERS:
            self._shows(word)
            self.clause.marker, self.clause.article = word, ""
        elif word in FUNCTION_WORDS or word in _MODAL:
            self._function(word)
        else:
            after = self.pieces[at + 1].text if at + 1 < len(self.pieces) else ""
            self.clause.ended |= (word, after) in _GIVEN_UP
            self._content(piece)
        return 1

    def _name(self, at: int, *, sure: bool) -> int:
        end = at + 1
        while (
            end < len(self.pieces)
            and not self.pieces[end - 1].owns
            and _is_name(self.pieces, end) == 1
            and self.pieces[end].text not in WEEKDAYS
        ):
            self.words.append(self.pieces[end].text)
            end += 1
        run = self.pieces[at:end]
        told = tuple(each.text for each in run)
        owns = run[-1].owns
        here, last = self.clause, self.fillers[-1] if self.fillers else None
        before = self.pieces[at - 1].text if at else ""
        directly = last is not None and self.shown[-1][1] == len(self.fillers) - 1
        if directly and last is not None and last.kind == "words" and last.definite:
            here.marker = here.marker or last.marker  # `on the server Falconet`
            self._fill("name", told, "X's" if owns else "X", owns=owns, sure=sure)
            called = self.fillers[-1]._replace(beside=frozenset(map(str, last.value)))
            if last.role == "marked" and not owns:
                called = called._replace(role="marked")
            self.fillers[-1] = called
        else:
            self._fill("name", told, "X's" if owns else "X", owns=owns, sure=sure)
            here.named_the = len(self.fillers) - 1 if before == "the" and not owns else -1
        return end - at

    def _function(self, word: str) -> None:
        if word in _SPLITS:
            self._next_clause(reset=False)
            self.clause.but = word == "but"
        if word in COPULAS:
            self.copula = True
        if word in _PRONOUNS and not self.clause.before:
            self.clause.pronoun = True
        if word in AUXILIARIES:
            is_ = word in COPULAS or word in {"being", "been"}
            self.clause.before = "copula" if is_ else self.clause.before or "verb"
            self.clause.marker = ""
        elif word in _RELATIVES:
            self.clause.before, self.clause.marker = "", ""
        elif word in _ARTICLES:
            self.clause.article = word
        if word not in {"now", "currently", "presently", "just", "longer"}:
            self._shows(word)

    def _content(self, piece: Token) -> None:
        word = piece.text
        if word in ENDED:
            self.clause.ended = True
        self.clause.wrong |= word in WRONG
        if word in {"longer", "anymore", "yes"}:
            return
        self.plain.append(word)
        if self.clause.named_the == len(self.fillers) - 1 >= 0 and self.shown[-1][1] >= 0:
            named = self.fillers[-1]
            self.fillers[-1] = named._replace(beside=frozenset({root(word)}))
            self.heading = len(self.fillers)
        self.clause.named_the = -1
        last = self.fillers[-1] if self.fillers else None
        tail = self.shown[-1][1] if self.shown else -1
        goes_on = tail == len(self.fillers) - 1 and not self._owned
        self._owned = piece.owns
        if last is not None and last.kind == "words" and goes_on:
            self.fillers[-1] = last._replace(
                value=(*last.value, root(word)), told=f"{last.told} {word}"
            )
            if self.heading == len(self.fillers) - 1 and not _is_noun(word):
                self.heading = -1
            elif self.heading == len(self.fillers) - 1:
                named = self.fillers[-2]
                self.fillers[-2] = named._replace(beside=named.beside | {root(word)})
            self._shows(word, tail)
            self.clause.before = "verb"
            return
        self._fill("words", (root(word),), word, owns=piece.owns)

    def _fill(
        self, kind: str, value: tuple[object, ...], shown: str, *, owns: bool = False,
        sure: bool = True,
    ) -> None:  # fmt: skip
        here = self.clause
        role = "owner" if owns else "marked" if here.marker else _ROLES[here.before]
        article = here.article
        self._shows(shown, len(self.fillers))
        if self._not:
            self.denied.add(len(self.fillers))
            self._not = kind == "words"
        self.fillers.append(
            Filler(
                kind=kind,
                value=value,
                role=role,
                marker=here.marker,
                clause=here.number,
                indefinite=article in {"a", "an"},
                definite=article == "the",
                sure=sure,
                told=shown,
            )
        )
        here.marker, here.article, here.before = "", "", "verb"

    def _shows(self, word: str, filler: int = -1) -> None:
        self.shown.append((word, filler))

    def done(self, beside: _Reading) -> Frame:
        """Return the frame; what stands in remarks held until now."""
        words = {*self.words, *beside.words}
        old = self._old()
        held = [each for at, each in enumerate(self.fillers) if at not in old]
        runs = tuple(each for each in held if each.kind == "words")
        were = [self.fillers[at] for at in sorted(old)]
        corrects = bool(words & CORRECTING or self.denied)
        were += [each for each in beside.fillers if words & CORRECTING]
        plain = frozenset(self.plain)
        return Frame(
            text=self._text(old),
            names=tuple(each for each in held if each.kind == "name"),
            figures=tuple(each for each in held if each.kind in FIGURES),
            runs=runs,
            were=tuple(were),
            content=frozenset(str(word) for each in runs for word in each.value),
            plain=plain,
            cues=frozenset(words & CHANGE) - (_SINCE - set(self.words[:1])),
            denies=frozenset() if old else self._denies(),
            several=bool({*self.words} & PARTITIVES or {*beside.words} & MORE)
            or _one_of(self.words),
            exists=_exists(self.words),
            past=self._past() and not words & (FRESH - _SINCE | SETTLING),
            copula=self.copula,
            may=bool({*self.words} & _MAY),
            corrects=corrects,
        )

    def _text(self, old: set[int]) -> str:
        shown: list[str] = []
        for word, filler in self.shown:
            if filler in old and self.fillers[filler].kind != "words":
                if shown and shown[-1] in MARKERS:
                    shown.pop()
                continue
            shown.append(word)
        return " ".join(word for word in shown if word)

    def _old(self) -> set[int]:
        """Return the fillers that held until now, where another of their kind holds."""
        found = self._but() | self._words_from() | self._words_denied()
        turned = {self.fillers[at].kind for at in found} - {"words"}
        for kind in {*FIGURES, "name"} - turned:
            of_kind = [at for at, each in enumerate(self.fillers) if each.kind == kind]
            denied = [at for at in of_kind if at in self.denied]
            gone = sorted({*denied, *(at for at in of_kind if self._held_before(at))})
            if kind == "name":
                gone = denied or gone[-1:]
            if len(gone) == len(of_kind):
                gone = denied
            if len(gone) < len(of_kind):
                found.update(gone)
        return found

    def _but(self) -> set[int]:
        """Return what stands where, after `but`, something else of its kind does."""
        found: set[int] = set()
        for at, each in enumerate(self.fillers):
            clause = self.clauses[each.clause]
            if not clause.negations or each.role in {"owner", "subject"}:
                continue
            for other in self.fillers[at + 1 :]:
                after = self.clauses[other.clause]
                alike = (each.kind, each.marker) == (other.kind, other.marker)
                if after.but and alike and not after.negations:
                    found.add(at)
        return found

    def _denies(self) -> frozenset[str]:
        clauses = {at for at, each in self.clauses.items() if each.negations % 2}
        words = [each for each in self.fillers if each.kind == "words" and each.clause in clauses]
        return frozenset(str(word) for each in words for word in each.value)

    def _past(self) -> bool:
        """Tell whether it is of what happened: its verb is of the past, no auxiliary present."""
        told = set(self.words)
        if told & _PRESENT and not told & {"was", "were"}:
            return False
        if told & HAPPENED:
            return True
        return any(word.endswith("ed") and len(word) > _SHORTEST for word in self._early_words())

    def _early_words(self) -> Iterator[str]:
        """Yield the words among the first things of a clause, where its verb stands."""
        counts: dict[int, int] = {}
        for each in self.fillers:
            counts[each.clause] = counts.get(each.clause, 0) + 1
            early = 1 if self.clauses[each.clause].pronoun else _EARLY
            if each.kind == "words" and counts[each.clause] <= early:
                yield from each.told.split()

    def _words_from(self) -> set[int]:
        """Return the words that stand after `from`, where others stand after `to`."""
        marked = [at for at, each in enumerate(self.fillers) if each.kind == "words"]
        starts = [at for at in marked if self.fillers[at].marker == "from"]
        return {
            at for at in starts if any(self.fillers[b].marker == "to" for b in marked if b > at)
        }

    def _words_denied(self) -> set[int]:
        """Return the words of which a clause says but that they are not it: `teal, not blue`."""
        denied = [at for at in self.denied if self.fillers[at].kind == "words"]
        clauses = [each.clause for each in self.fillers]
        return {
            at
            for at in denied
            if at and clauses.count(clauses[at]) == 1 and self.clauses[clauses[at]].bare
        }

    def _held_before(self, at: int) -> bool:
        each = self.fillers[at]
        clause = self.clauses[each.clause]
        if each.kind == "name" and (each.role in {"owner", "subject"} or each.marker == "of"):
            return False
        if each.marker in OLD_MARKERS:
            return True
        if each.kind != "name":
            return clause.ended or clause.wrong or (clause.negations and len(self.clauses) > 1)
        if clause.ended:
            return each.role in {"marked", "object"}
        replacing = bool(REPLACING & set(self.words)) or any(
            first in self.words and second in self.words for first, second in REPLACING_PHRASES
        )
        return replacing and each.role == "object"


def _is_noun(word: str) -> bool:
    """Tell whether a word after a noun may belong to it, and is no verb by its ending."""
    return (not word.endswith(("s", "ed")) or word.endswith("ss")) and word not in _VERBS


def _abbreviates(piece: Token) -> bool:
    """Tell whether a word after a number is but the sign of a unit."""
    word = piece.text
    return (
        piece.kind == "word" and len(word) <= _SIGN and not piece.raised
        and word not in FUNCTION_WORDS and word not in MARKERS and word not in NEGATIONS
    )  # fmt: skip


_PRESENT: Final = frozenset(
    {"is", "are", "am", "has", "have", "gets", "get", "be", "being", "will", "must", "can", "may"}
)
_SHORTEST: Final = 4
_EARLY: Final = 3
_SIGN: Final = 3
_ROLES: Final = {"": "subject", "verb": "object", "copula": "complement"}


def _one_of(words: Sequence[str]) -> bool:
    return bool(_SEVERAL & set(pairwise(words)))


def _exists(words: Sequence[str]) -> bool:
    """Tell whether it speaks of something that there is, or of one of several."""
    return any(one == "there" and other in _BEING for one, other in pairwise([*words, ""]))

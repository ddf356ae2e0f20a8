"""A statement as its frame and what fills it: names, figures, days, and the words in between.

"By the way, the door code of Falconet is 2211" has the frame "the door code of X is N", the name
"falconet" in the part of an owner, and the number 2211 as its complement. Two statements of one
frame and one name tell the same attribute, whatever else they are made of.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from engram_lab.consolidation.merge.apart import CLASSES
from engram_lab.consolidation.merge.phrases import plainly
from engram_lab.consolidation.merge.roots import root, stem
from engram_lab.consolidation.merge.tokens import Token, tokens
from engram_lab.consolidation.merge.words import (
    AUXILIARIES,
    COMMON_OPENERS,
    COPULAS,
    FUNCTION_WORDS,
    MARKERS,
    NEGATIONS,
    PAST,
    UNITS,
    WEEKDAYS,
)
from engram_lab.consolidation.supersede.words import (
    ASIDE,
    CHANGE,
    ENDED,
    FRESH,
    OLD_MARKERS,
    PARTITIVES,
    REPLACING,
    REPLACING_PHRASES,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["FIGURES", "Filler", "Frame", "frame_of"]

FIGURES: Final = ("number", "date", "day", "time", "code")
_TITLES: Final = frozenset({"mr", "mrs", "ms", "dr", "prof", "i"})
_RELATIVES: Final = frozenset({"that", "who", "which", "where", "when", "if", "whom"})
_INDEFINITE: Final = frozenset({"a", "an"})
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
        sure: Whether it is surely of its kind.
    """

    kind: str
    value: tuple[object, ...]
    role: str
    marker: str = ""
    clause: int = 0
    indefinite: bool = False
    sure: bool = True


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
        negated: Whether it denies.
        several: Whether it says that there may be more.
        past: Whether it tells what happened once.
        copula: Whether it says that something is something.
    """

    text: str
    names: tuple[Filler, ...]
    figures: tuple[Filler, ...]
    runs: tuple[Filler, ...]
    were: tuple[Filler, ...]
    content: frozenset[str]
    plain: frozenset[str]
    cues: frozenset[str]
    negated: bool
    several: bool
    past: bool
    copula: bool


def frame_of(text: str) -> Frame:
    """Return the frame of a text."""
    main, asides = _parted(tokens(plainly(text)))
    reading = _Reading(main)
    reading.read()
    beside = _Reading(asides)
    beside.read()
    return reading.done(beside)


def _parted(pieces: Sequence[Token]) -> tuple[list[Token], list[Token]]:
    """Return what is said of the subject, and the remarks about the saying itself."""
    main: list[Token] = []
    asides: list[Token] = []
    for sentence in _sentences(pieces):
        rest = sentence
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
    for at, piece in enumerate(pieces[: _LONGEST_ASIDE + 1]):
        if piece.kind == "stop" and piece.text in ",:;" and at:
            before = pieces[:at]
            if at + 1 >= len(pieces) or any(_names(before, k) for k in range(at)):
                return 0
            words = [each.text for each in before if each.kind == "word"]
            if all(word in ASIDE for word in words):
                return at + 1
            telling = [word for word in words if word not in FUNCTION_WORDS]
            if piece.text == ":" and 2 * sum(word in ASIDE for word in telling) > len(telling):
                return at + 1
            return 0
    return 0


def _is_aside(pieces: Sequence[Token]) -> bool:
    words = [each.text for each in pieces if each.kind == "word" and each.text not in WEEKDAYS]
    return all(word in ASIDE for word in words)


def _names(pieces: Sequence[Token], at: int) -> bool:
    return _is_name(pieces, at) == 1


def _is_name(pieces: Sequence[Token], at: int) -> int:
    """Tell whether a word is a name: 1 surely, 2 perhaps, 0 not."""
    piece = pieces[at]
    word = piece.text
    if piece.kind != "word" or not piece.raised or word in _TITLES:
        return 0
    if not piece.first:
        return 0 if word in FUNCTION_WORDS and len(word) < 3 and not piece.owns else 1  # noqa: PLR2004
    if word in FUNCTION_WORDS or word in COMMON_OPENERS or word in CLASSES:
        return 0
    after = pieces[at + 1] if at + 1 < len(pieces) else None
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
    negated: bool = False
    ended: bool = False
    before: str = ""  # what the word before was: nothing, "verb", "copula", "relative"
    marker: str = ""
    article: str = ""


class _Reading:
    """One pass over the pieces of a statement."""

    def __init__(self, pieces: Sequence[Token]) -> None:
        self.pieces = pieces
        self.clause = _Clause()
        self.clauses: dict[int, _Clause] = {0: self.clause}
        self.fillers: list[Filler] = []
        self.shown: list[tuple[str, int]] = []  # words of the frame; the filler, else -1
        self.words: list[str] = []
        self.plain: list[str] = []
        self.negations = 0
        self.copula = False
        self.denied: set[int] = set()  # fillers right after `not`
        self._not = False

    def read(self) -> None:
        at = 0
        while at < len(self.pieces):
            at += self._take(at)

    def _take(self, at: int) -> int:
        piece = self.pieces[at]
        if piece.kind == "stop":
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
            self._fill("code", (piece.text,), "N")
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
        if after is not None and after.text in UNITS:
            unit, taken = UNITS[after.text], 2
        self._fill("number", (piece.value, unit), f"N {unit}".strip())
        return taken

    def _word(self, at: int, piece: Token) -> int:
        word = piece.text
        self.words.append(word)
        if word in WEEKDAYS and (piece.raised or len(word) >= _WHOLE_WEEKDAY):
            self._fill("day", (WEEKDAYS[word],), "day")
        elif kind := _is_name(self.pieces, at):
            return self._name(at, sure=kind == 1)
        elif word in NEGATIONS:
            self.negations += 1
            self.clause.negated = self._not = True
        elif word in MARKERS:
            self._shows(word)
            self.clause.marker, self.clause.article = word, ""
        elif word in FUNCTION_WORDS:
            self._function(word)
        else:
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
        self._fill("name", told, "X's" if owns else "X", owns=owns, sure=sure)
        return end - at

    def _function(self, word: str) -> None:
        if word in _SPLITS:
            self._next_clause(reset=False)
        if word in COPULAS:
            self.copula = True
        if word in AUXILIARIES:
            self.clause.before = "copula" if word in COPULAS else self.clause.before or "verb"
            self.clause.marker = ""
        elif word in _RELATIVES:
            self.clause.before, self.clause.marker = "", ""
        elif word in _INDEFINITE:
            self.clause.article = word
        if word not in {"now", "currently", "presently", "just", "longer"}:
            self._shows(word)

    def _content(self, piece: Token) -> None:
        word = piece.text
        if word in ENDED:
            self.clause.ended = True
        if word in {"longer", "anymore"}:
            return
        self.plain.append(word)
        last = self.fillers[-1] if self.fillers else None
        tail = self.shown[-1][1] if self.shown else -1
        if last is not None and last.kind == "words" and tail == len(self.fillers) - 1:
            self.fillers[-1] = last._replace(value=(*last.value, root(word)))
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
        indefinite = bool(here.article)
        self._shows(shown, len(self.fillers))
        if self._not:
            self.denied.add(len(self.fillers))
            self._not = kind == "words"
        self.fillers.append(Filler(kind, value, role, here.marker, here.number, indefinite, sure))
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
        were += [each for each in beside.fillers if each.kind != "words"]
        plain = frozenset(self.plain)
        return Frame(
            text=self._text(old),
            names=tuple(each for each in held if each.kind == "name"),
            figures=tuple(each for each in held if each.kind in FIGURES),
            runs=runs,
            were=tuple(were),
            content=frozenset(str(word) for each in runs for word in each.value),
            plain=plain,
            cues=frozenset(words & CHANGE),
            negated=self.negations % 2 == 1 and not old,
            several=bool(words & PARTITIVES) or _partitive(self.pieces),
            past=_past(self.words) and not words & FRESH,
            copula=self.copula,
        )

    def _text(self, old: set[int]) -> str:
        shown: list[str] = []
        for word, filler in self.shown:
            if filler in old and self.fillers[filler].kind != "words":
                if shown and shown[-1] in MARKERS:
                    shown.pop()
                continue
            shown.append(word)
        return " ".join(shown)

    def _old(self) -> set[int]:
        """Return the fillers that held until now, where another of their kind holds."""
        found: set[int] = set()
        for kind in (*FIGURES, "name"):
            of_kind = [at for at, each in enumerate(self.fillers) if each.kind == kind]
            if len(of_kind) < 2:  # noqa: PLR2004
                continue
            gone = [at for at in of_kind if self._held_before(at)]
            if len(gone) < len(of_kind) - (kind == "name"):
                found.update(gone)
        return found

    def _held_before(self, at: int) -> bool:
        each = self.fillers[at]
        clause = self.clauses[each.clause]
        if each.kind == "name" and each.role in {"owner", "subject"}:
            return False
        if at in self.denied or each.marker in OLD_MARKERS:
            return True
        if each.kind != "name":
            return clause.ended or (clause.negated and len(self.clauses) > 1)
        if clause.ended:
            return each.role in {"marked", "object"}
        replacing = bool(REPLACING & set(self.words)) or any(
            first in self.words and second in self.words for first, second in REPLACING_PHRASES
        )
        return replacing and each.role == "object"


_ROLES: Final = {"": "subject", "verb": "object", "copula": "complement"}


def _partitive(pieces: Sequence[Token]) -> bool:
    """Tell whether it speaks of one of several, or of something that there is."""
    words = [each.text for each in pieces]
    pairs = set(zip(words, words[1:], strict=False))
    return bool(
        ("one", "of") in pairs
        or ("there", "is") in pairs
        or ("there", "are") in pairs
        or ("there", "s") in pairs
        or any(a == "there" and piece.owns for a, piece in zip(words, pieces, strict=True))
    )


def _past(words: Sequence[str]) -> bool:
    """Tell whether it is of what happened: a past verb that no auxiliary of the present goes with."""
    told = set(words)
    if told & {"is", "are", "am"} and not told & {"was", "were"}:
        return False
    if told & PAST and not told & {"is", "are"}:
        return True
    done = [word for word in words if len(word) > 4 and word.endswith("ed")]  # noqa: PLR2004
    return bool(done) and not told & {"is", "are"} and not told & {"has", "have"}


def stems_of(words: frozenset[str]) -> frozenset[str]:
    """Return the stems of words."""
    return frozenset(stem(word) for word in words)

"""One pass over the pieces of a statement: what it speaks of, and which part each word plays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from engram_lab.consolidation.merge.alike import LIGHT
from engram_lab.consolidation.merge.apart import CLASSES
from engram_lab.consolidation.merge.irregular import IRREGULAR
from engram_lab.consolidation.merge.roots import is_known, root, stem
from engram_lab.consolidation.merge.stated import Statement
from engram_lab.consolidation.merge.tokens import Token
from engram_lab.consolidation.merge.words import (
    AUXILIARIES,
    COMMON_OPENERS,
    COPULAS,
    FREQUENCIES,
    FUNCTION_WORDS,
    LEFT_UNDONE,
    MARKERS,
    MODALITIES,
    NEGATIONS,
    NO_MORE,
    PAST,
    QUANTIFIERS,
    UNITS,
    WEEKDAYS,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from engram_lab.consolidation.merge.surface import Surface

__all__ = ["Reading"]

_TITLES: Final = frozenset({"mr", "mrs", "ms", "dr", "prof", "i"})
_REPEATS: Final = frozenset({"a", "an", "per", "every", "each"})
_PERIODS: Final = frozenset({"hour", "day", "week", "month", "quarter", "year", "night"})
_SPANS: Final = frozenset({"in", "for", "after", "within", "of", "than", "about", "last", "took"})
_AGENT: Final = "by"
_WHOLE_WEEKDAY: Final = 6
_LEAST_DOING: Final = 4
_IS: Final = frozenset({"is", "are", "am"})
_BEING: Final = COPULAS | {"been", "being"}


def _is_participle(word: str) -> bool:
    return word.endswith("ed") or word in IRREGULAR


class Reading:
    """One pass over the tokens of a statement."""

    def __init__(self, pieces: Sequence[Token], known: Collection[str] = ()) -> None:
        self.pieces = pieces
        self.known = known
        self.roots: list[str] = []
        self.words: list[str] = []
        self.plain: list[str] = []
        self.names: list[str] = []
        self.entities: list[list[str]] = []
        self.openers: list[str] = []
        self.numbers: list[tuple[float, str]] = []
        self.order: list[tuple[str, object, str]] = []
        self.dates: list[tuple[int, int, int]] = []
        self.times: list[float] = []
        self.codes: list[str] = []
        self.rhythm: set[str] = set()
        self.moods: set[str] = set()
        self.amounts: set[str] = set()
        self.classes: dict[str, set[str]] = {}
        self.negations = 0
        self.bare: list[str] = []
        self.marked: dict[str, str] = {}
        self.copulas: list[int] = []
        self.joined: set[frozenset[str]] = set()
        self._marker = ""  # the preposition that the present noun phrase stands under
        self._filled = False  # whether that phrase has a word yet
        self._named_at = -2
        self._and_after = ""
        self._helped = False
        self.passive = False
        self.undergone: set[str] = set()
        self.agent = ""

    def done(self, surface: Surface) -> Statement:
        """Read all pieces, and return the statement."""
        at = 0
        while at < len(self.pieces):
            at += self._take(at)
        halves = None
        if len(self.copulas) == 1 and 0 < (cut := self.copulas[0]) < len(self.roots):
            halves = frozenset(self.roots[:cut]), frozenset(self.roots[cut:])
        return Statement(
            roots=tuple(self.roots),
            content=frozenset(self.roots),
            words=frozenset(self.words),
            stems=frozenset(stem(each) for each in self.words),
            plain=frozenset(self.plain),
            names=frozenset(self.names),
            named=frozenset(stem(each) for each in self.names),
            entities=tuple(frozenset(each) for each in self.entities),
            openers=frozenset(self.openers),
            numbers=tuple(sorted(self.numbers)),
            order=tuple(self.order),
            dates=tuple(sorted(self.dates)),
            times=tuple(sorted(self.times)),
            codes=tuple(sorted(self.codes)),
            rhythm=frozenset(self.rhythm),
            negations=self.negations,
            moods=frozenset(self.moods),
            amounts=frozenset(self.amounts),
            classes={name: frozenset(each) for name, each in self.classes.items()},
            bare=tuple(self.bare),
            marked=self.marked,
            agent=self.agent,
            passive=self.passive,
            undergone=frozenset(self.undergone),
            copula=self.copulas[0] if len(self.copulas) == 1 else -1,
            halves=halves,
            joined=frozenset(self.joined),
            lasting=self._lasting(),
            surface=surface,
        )

    def _lasting(self) -> bool:
        words = set(self.words)
        if words & PAST:
            return False
        done = any(len(each) > 4 and each.endswith("ed") for each in words)  # noqa: PLR2004
        return not done or bool(words & _IS)

    def _take(self, at: int) -> int:
        """Take a piece, perhaps with those after it, and return how many."""
        piece = self.pieces[at]
        kind = piece.kind
        if kind == "word":
            return self._word(at, piece)
        if kind in {"number", "ordinal", "date", "time"}:
            self.order.append((kind, piece.value, self._marker))
        if kind == "number":
            return self._number(at, piece)
        if kind == "ordinal":
            self.numbers.append((float(piece.value), "th"))  # type: ignore[arg-type]
        elif kind == "date":
            self.dates.append(piece.value)  # type: ignore[arg-type]
        elif kind == "time":
            self.times.append(float(piece.value))  # type: ignore[arg-type]
        elif kind == "code":
            self.codes.append(piece.text)
        elif kind == "stop":
            self._marker = ""
            self._and_after = ""
        return 1

    def _number(self, at: int, piece: Token) -> int:
        before = self.pieces[at - 1] if at else None
        after = self.pieces[at + 1] if at + 1 < len(self.pieces) else None
        value = float(piece.value)  # type: ignore[arg-type]
        if after is not None and (unit := UNITS.get(after.text)):
            self.numbers.append((value, unit))
            return 2
        signed = before is not None and before.kind == "sign"
        self.numbers.append((value, UNITS.get(before.text, "") if signed and before else ""))
        return 1

    def _word(self, at: int, piece: Token) -> int:
        word = piece.text
        self.words.append(word)
        if word in _REPEATS and (period := self._period(at)):
            self.rhythm.add(period)
            return 2
        if self._closed(at, piece):
            pass
        elif word in MARKERS:
            self._marker, self._filled = word, False
        elif word in FUNCTION_WORDS and not self._is_name(at, piece):
            self._function(word)
        else:
            self._content(at, piece)
        return 1

    def _function(self, word: str) -> None:
        if word == "and" and self.roots:
            self._and_after = self.roots[-1]
        elif word in AUXILIARIES:
            self._auxiliary(word)
        elif self._filled:
            self._marker = ""  # a determiner or pronoun begins another phrase

    def _period(self, at: int) -> str:
        after = self.pieces[at + 1] if at + 1 < len(self.pieces) else None
        if after is None or after.text not in _PERIODS:
            return ""
        before = self.pieces[at - 1].text if at else ""
        if self.pieces[at].text in {"a", "an"} and before in _SPANS:
            return ""
        return "day" if after.text == "night" else after.text

    def _closed(self, at: int, piece: Token) -> bool:
        """Take a word of a closed table that stands for no thing of its own."""
        word = piece.text
        mood = self._mood(word, piece, at)
        if word in NEGATIONS or self._implies_not(at, word):
            self.negations += 1
        elif word in FREQUENCIES:
            self.rhythm.add(FREQUENCIES[word])
        elif word in WEEKDAYS and (piece.raised or len(word) >= _WHOLE_WEEKDAY):
            self.classes.setdefault("weekday", set()).add(WEEKDAYS[word])
            if word.endswith("days"):
                self.amounts.add("all")
        elif word in {"longer", "anymore"}:
            self.moods.add("nolonger")
            self.negations += word == "anymore" and not self.negations
        elif mood:
            self.moods.add(mood)
        elif word in QUANTIFIERS:
            self.amounts.add(QUANTIFIERS[word])
        else:
            return False
        return True

    def _implies_not(self, at: int, word: str) -> bool:
        """Tell whether a verb implies that what follows it is not so.

        "Ada forgot to lock the door" implies that she did not; "she stopped smoking", that she does
        not. Without what follows, as in "the bus stopped", they imply nothing.

        Source: L. Karttunen, "Implicative Verbs", Language 47 (1971).
        """
        after = self.pieces[at + 1].text if at + 1 < len(self.pieces) else ""
        return (word in LEFT_UNDONE and after == "to") or (
            word in NO_MORE and len(after) > _LEAST_DOING and after.endswith("ing")
        )

    def _mood(self, word: str, piece: Token, at: int) -> str:
        mood = MODALITIES.get(word, "")
        if not mood or (piece.raised and not piece.first):
            return ""
        after = self.pieces[at + 1] if at + 1 < len(self.pieces) else Token("stop", "")
        loose = word in {"about", "around"} and after.kind not in {"number", "sign"}
        return "" if loose or (mood == "wants" and after.text != "to") else mood

    def _auxiliary(self, word: str) -> None:
        self._marker = ""
        if word in COPULAS or word in {"being", "been"}:
            self._helped = True
        if word in COPULAS:
            self.copulas.append(len(self.roots))

    def _is_name(self, at: int, piece: Token) -> bool:
        """Tell whether a word is surely a name: a capital where no sentence begins."""
        word = piece.text
        if not piece.raised or word in _TITLES:
            return False
        if not piece.first:
            return True
        if word in FUNCTION_WORDS or word in COMMON_OPENERS or word in LIGHT or word in CLASSES:
            return False
        if piece.owns or word in self.known:
            return True
        after = self.pieces[at + 1] if at + 1 < len(self.pieces) else None
        return after is not None and after.kind == "word" and after.raised

    def _may_be_name(self, at: int, word: str) -> bool:
        """Tell whether a first word may be a name: an unknown one, and no preposition follows."""
        if word in COMMON_OPENERS or word in LIGHT or is_known(word):
            return False
        after = self.pieces[at + 1].text if at + 1 < len(self.pieces) else ""
        return (
            after in AUXILIARIES or after in PAST or after.endswith(("s", "ed")) or after == "and"
        )

    def _content(self, at: int, piece: Token) -> None:
        word = piece.text
        named = self._is_name(at, piece)
        if member := CLASSES.get(word):
            self.classes.setdefault(member[0], set()).add(member[1])
        if named:
            self.names.append(word)
            if piece.first and word in self.known:
                self.openers.append(word)
            if self._named_at == at - 1 and not self.pieces[at - 1].owns:
                self.entities[-1].append(word)
            else:
                self.entities.append([word])
            self._named_at = at
        elif piece.first and piece.raised and self._may_be_name(at, word):
            self.openers.append(word)
        known = stem(word) if named else root(word)
        self.plain.append(stem(word))
        if at and not named and self.pieces[at - 1].text in _BEING and _is_participle(word):
            self.undergone.add(stem(word))
        if self._and_after:
            self.joined.add(frozenset((self._and_after, known)))
            self._and_after = ""
        self._place(known, owns=piece.owns)

    def _place(self, known: str, *, owns: bool) -> None:
        """Note which part a word plays: bare, or under the preposition before it."""
        if self._marker == _AGENT and self._helped and not self._filled and not self.agent:
            self.agent, self.passive = known, True
        if owns:
            self.marked.setdefault(known, "of")
        elif known in _PERIODS:
            self.marked.setdefault(known, "when")
        elif self._marker:
            if known not in self.bare:  # a word that is told twice has the part it had first
                self.marked.setdefault(known, self._marker)
            self._filled = True
        else:
            self.bare.append(known)
        self.roots.append(known)

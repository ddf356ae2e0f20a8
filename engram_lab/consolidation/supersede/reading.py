"""One pass over the pieces of a statement: what fills its places, and which part that plays."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from engram_lab.consolidation.merge.tokens import Token
from engram_lab.consolidation.merge.words import (
    AUXILIARIES,
    COPULAS,
    FUNCTION_WORDS,
    MARKERS,
    MODALITIES,
    NEGATIONS,
    UNITS,
    WEEKDAYS,
)
from engram_lab.consolidation.supersede.clauses import Clause
from engram_lab.consolidation.supersede.forms import root
from engram_lab.consolidation.supersede.frames import Filler
from engram_lab.consolidation.supersede.naming import kind_of_name, name_by_place
from engram_lab.consolidation.supersede.words import ENDED, WRONG

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engram_lab.consolidation.supersede.casing import Known

__all__ = ["Reading"]

_MODAL: Final = frozenset(MODALITIES) - {"wants", "want", "planned", "plan", "plans"}
_RELATIVES: Final = frozenset({"that", "who", "which", "where", "when", "if", "whom"})
_VERSION: Final = re.compile(r"^v(?=\d)")
_VERBS: Final = frozenset(
    {"take", "open", "close", "go", "get", "need", "come", "use", "run", "start"}
)
_GIVEN_UP: Final = frozenset({("gave", "up"), ("given", "up"), ("gives", "up")})
_SUBJECTS: Final = frozenset({"it", "that", "there", "what", "who", "he", "she", "here", "where"})
_PRONOUNS: Final = frozenset({"i", "you", "we", "they", "he", "she", "it"})
_ARTICLES: Final = frozenset({"a", "an", "the"})
_BEFORE_RANKS: Final = _ARTICLES | AUXILIARIES | MARKERS
_SPLITS: Final = frozenset({"and", "but"})
_WHOLE_WEEKDAY: Final = 6
_NO_NOUNS: Final = FUNCTION_WORDS | MARKERS
_NOTHING: Final = Token("stop", "")
_UNSAID: Final = frozenset({"now", "currently", "presently", "just", "longer"})
"""Words that a frame is without."""
_ENDS: Final = frozenset({"from", "to"})
_US: Final = frozenset({"us", "you", "them"})
_SIGN: Final = 3
_CALLED: Final = frozenset({root("called"), root("named")})
_SCALES: Final = frozenset({"c", "f"})
_ROLES: Final = {"": "subject", "verb": "object", "copula": "complement"}


class Reading:
    """One pass over the pieces of a statement.

    Args:
        pieces: In order.
        known: Which words are names, and which are none.

    Attributes:
        clauses: By number.
        fillers: What fills its places, in order.
        shown: The words of its frame, and the place of what each stands for, else -1.
        words: All its words, in order.
        plain: Those with a meaning of their own that are no names.
        copula: Whether it says that something is something.
        denied: Places of what stands right after `not`.
    """

    def __init__(self, pieces: Sequence[Token], known: Known) -> None:
        self.pieces = pieces
        self.known = known
        self.clause = Clause()
        self.clauses: dict[int, Clause] = {0: self.clause}
        self.fillers: list[Filler] = []
        self.shown: list[tuple[str, int]] = []
        self.words: list[str] = []
        self.plain: list[str] = []
        self.copula = False
        self.denied: set[int] = set()
        self._not = False
        self._owned = False
        self.heading = -1  # the run that names what the name before it is: `the Falconet pool`

    def read(self) -> None:
        """Read all pieces."""
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
        if piece.kind == "ordinal" and self._is_adverb(at):
            return 1
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
        self.clause = Clause(number=len(self.clauses), before=before)
        self.clauses[self.clause.number] = self.clause
        self._not = False

    def _number(self, at: int, piece: Token) -> int:
        before, after = self._at(at - 1), self._at(at + 1)
        unit = UNITS.get(before.text, "") if before.kind == "sign" else ""
        taken = 1
        if after.kind in {"word", "sign"} and after.text in UNITS:
            unit, taken = UNITS[after.text], 2
            taken += self._at(at + 2).text in _SCALES and after.kind == "sign"  # `20 °C`
        elif _abbreviates(after):
            unit, taken = after.text, 2
        last = self.fillers[-1] if self.fillers else None
        self._fill("number", (piece.value, unit), f"N {unit}".strip())
        follows = self._at(at + taken)
        if follows.text == "of" and self._at(at + taken + 1).text in _US:
            self.fillers[-1] = self.fillers[-1]._replace(counted=root("member"))
        elif follows.kind == "word" and not unit and follows.text not in _NO_NOUNS:
            self.fillers[-1] = self.fillers[-1]._replace(counted=root(follows.text))
        elif last is not None and last.kind == "words" and not unit:
            word = last.told.rpartition(" ")[2]
            if before.text == word and not word.endswith("s"):
                marker = last.marker if last.marker in _ENDS else self.fillers[-1].marker
                self.fillers[-1] = self.fillers[-1]._replace(label=root(word), marker=marker)
        return taken

    def _is_adverb(self, at: int) -> bool:
        """Tell whether an ordinal says when something is done, and counts nothing: `ask first`."""
        before = self._at(at - 1)
        ends = self._at(at + 1).kind == "stop" and self.pieces[at].value == 1
        return ends and before.kind == "word" and before.text not in _BEFORE_RANKS

    def _at(self, at: int) -> Token:
        """Return a piece, a stop where there is none."""
        return self.pieces[at] if 0 <= at < len(self.pieces) else _NOTHING

    def _word(self, at: int, piece: Token) -> int:
        word = piece.text
        self.words.append(word)
        if piece.owns and word in _SUBJECTS:  # `it's`
            self._function(word)
            self.words.append("is")
            self._function("is")
        elif word in WEEKDAYS and (piece.raised or len(word) >= _WHOLE_WEEKDAY):
            self._fill("day", (WEEKDAYS[word],), "day")
        elif kind := kind_of_name(self.pieces, at, self.known):
            return self._name(at, sure=kind == 1)
        elif word in NEGATIONS:
            self._negation(self._at(at - 1).text)
        elif word in MARKERS:
            self._shows(word)
            self.clause.marker, self.clause.article = word, ""
        elif word in FUNCTION_WORDS or word in _MODAL:
            ends = self._at(at + 1).kind == "stop"
            self.clause.elliptic = ends and word in AUXILIARIES and self._has_subject_alone()
            self._function(word)
        else:
            self.clause.ended |= (word, self._at(at + 1).text) in _GIVEN_UP
            self._content(piece)
        return 1

    def _has_subject_alone(self) -> bool:
        """Tell whether a clause has nothing so far but its subject."""
        here = [each.role for each in self.fillers if each.clause == self.clause.number]
        return here == ["subject"]

    def _negation(self, before: str) -> None:
        begun = self.fillers and self.fillers[-1].clause == self.clause.number
        bids = before == "do" and not begun
        self.clause.negations += not bids  # `don't go there on Monday` denies nothing
        self.clause.bare |= before not in AUXILIARIES
        self._not = not bids

    def _name(self, at: int, *, sure: bool) -> int:
        end = at + 1
        while (
            end < len(self.pieces)
            and not self.pieces[end - 1].owns
            and name_by_place(self.pieces, end) == 1
            and self.pieces[end].text not in WEEKDAYS
        ):
            self.words.append(self.pieces[end].text)
            end += 1
        run = self.pieces[at:end]
        owns, last = run[-1].owns, self.fillers[-1] if self.fillers else None
        apposed = last is not None and self._directly() and _introduces(last)
        if apposed and last is not None:
            self.clause.marker = self.clause.marker or last.marker  # `on the server Falconet`
        told = tuple(each.text for each in run)
        self._fill("name", told, "X's" if owns else "X", owns=owns, sure=sure)
        if apposed and last is not None:
            takes = last.role in {"marked", "subject"} and not owns
            role = last.role if takes else self.fillers[-1].role
            beside = frozenset(map(str, last.value))
            self.fillers[-1] = self.fillers[-1]._replace(beside=beside, role=role)
        elif self._at(at - 1).text == "the" and not owns:
            self.clause.named_the = len(self.fillers) - 1
        return end - at

    def _directly(self) -> bool:
        """Tell whether nothing was said since the last of what fills a place."""
        return bool(self.fillers) and self.shown[-1][1] == len(self.fillers) - 1

    def _function(self, word: str) -> None:
        if word in _SPLITS:
            self._next_clause(reset=False)
            self.clause.but = word == "but"
        if word in COPULAS:
            self.copula = True
        if word == "it" and self.clause.before == "verb":
            self._refers()
        if word in _PRONOUNS and not self.clause.before:
            self.clause.pronoun = True
        if word in AUXILIARIES:
            is_ = word in COPULAS or word in {"being", "been"}
            self.clause.before = "copula" if is_ else self.clause.before or "verb"
            self.clause.marker = ""
        elif word in _RELATIVES:
            self.clause.before, self.clause.marker, self.clause.article = "", "", ""
        elif word in _ARTICLES:
            self.clause.article = word
        if word not in _UNSAID:
            self._shows(word)

    def _refers(self) -> None:
        """Take `it` behind a verb as the thing of a name that was spoken of before: `the X van`."""
        number = self.clause.number
        things = [
            each
            for each in self.fillers
            if each.kind == "name" and each.beside and each.clause < number
        ]
        if things:
            self.fillers.append(things[-1]._replace(role="object", marker="", clause=number))

    def _content(self, piece: Token) -> None:
        word = piece.text
        if word in ENDED:
            self.clause.ended = True
        self.clause.wrong |= word in WRONG
        if word in {"longer", "anymore", "yes"}:
            return
        self.plain.append(word)
        if self._directly() and self.clause.named_the == len(self.fillers) - 1:
            self.fillers[-1] = self.fillers[-1]._replace(beside=frozenset({root(word)}))
            self.heading = len(self.fillers)
        self.clause.named_the = -1
        goes_on = self._directly() and self.fillers[-1].kind == "words" and not self._owned
        self._owned = piece.owns
        if goes_on:
            self._goes_on(word)
        else:
            self._fill("words", (root(word),), word, owns=piece.owns)

    def _goes_on(self, word: str) -> None:
        """Add a word to the run before it."""
        at = len(self.fillers) - 1
        last = self.fillers[at]
        self.fillers[at] = last._replace(
            value=(*last.value, root(word)), told=f"{last.told} {word}"
        )
        if self.heading == at and _is_noun(word):
            named = self.fillers[at - 1]
            self.fillers[at - 1] = named._replace(beside=named.beside | {root(word)})
        elif self.heading == at:
            self.heading = -1
        self._shows(word, at)
        self.clause.before = "verb"

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
                late=self.copula,
            )
        )
        here.marker, here.article, here.before = "", "", "verb"

    def _shows(self, word: str, filler: int = -1) -> None:
        self.shown.append((word, filler))


def _introduces(last: Filler) -> bool:
    """Tell whether a name right after a run of words is of what they say: `from server Heron`."""
    alone = last.marker in _ENDS and len(last.value) == 1
    return last.kind == "words" and (last.definite or alone or last.value[-1] in _CALLED)


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

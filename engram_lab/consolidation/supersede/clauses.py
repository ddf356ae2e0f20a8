"""The clause that is being read, and which of what fills a statement held until now."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from engram_lab.consolidation.supersede.frames import FIGURES
from engram_lab.consolidation.supersede.words import OLD_MARKERS, REPLACING, REPLACING_PHRASES

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from engram_lab.consolidation.supersede.frames import Filler

__all__ = ["Clause", "former"]

_TWO: Final = 2


@dataclass(kw_only=True, slots=True)
class Clause:
    """What is known of a clause.

    Attributes:
        number: Its place.
        negations: How often it denies.
        ended: Whether it says that something is over.
        wrong: Whether it says that something was wrong.
        pronoun: Whether it begins with one, so that a verb comes next.
        bare: Whether it denies without a verb: `teal, not blue`.
        but: Whether it begins with that.
        elliptic: Whether it is but a subject and an auxiliary: `Ada is`.
        before: What stood before: nothing, a `verb`, or a `copula`.
        marker: The preposition before what comes next.
        article: The article before it.
        named_the: The name that `the` stands before, with no word since; -1 for none.
    """

    number: int = 0
    negations: int = 0
    ended: bool = False
    wrong: bool = False
    pronoun: bool = False
    bare: bool = False
    but: bool = False
    elliptic: bool = False
    before: str = ""
    marker: str = ""
    article: str = ""
    named_the: int = -1


def former(
    fillers: Sequence[Filler],
    clauses: Mapping[int, Clause],
    denied: Collection[int],
    words: Collection[str],
) -> set[int]:
    """Return the places of what held until now, where something else of its kind holds.

    Args:
        fillers: Of the statement, in order.
        clauses: By number.
        denied: Places of what stands right after `not`.
        words: All words of the statement.
    """
    left = _left_to_another(fillers, clauses)
    denied = {at for at in denied if not any(fillers[at].clause == fillers[x].clause for x in left)}
    found = _before_but(fillers, clauses) | _from_to(fillers) | _denied(fillers, clauses, denied)
    found |= left
    turned = {fillers[at].kind for at in found} - {"words"}
    replacing = bool(REPLACING & set(words)) or any(
        first in words and second in words for first, second in REPLACING_PHRASES
    )
    for kind in (*FIGURES, "name"):
        of_kind = [at for at, each in enumerate(fillers) if each.kind == kind]
        if kind in turned or len(of_kind) < _TWO:
            continue
        said_not = [at for at in of_kind if at in denied]
        over = {at for at in of_kind if _is_over(fillers[at], clauses, replacing=replacing)}
        if (
            kind == "name"
            and not replacing
            and not any(fillers[at].marker == "to" for at in of_kind)
        ):
            over = {at for at in over if fillers[at].marker != "from"}  # `borrowed from Okri`
        gone = sorted({*said_not, *over})
        if kind == "name":
            gone = said_not or gone[-1:]
        if len(gone) == len(of_kind):
            gone = said_not
        if len(gone) < len(of_kind):
            found.update(gone)
    return found


def _before_but(fillers: Sequence[Filler], clauses: Mapping[int, Clause]) -> set[int]:
    """Return what stands where, after `but`, something else of its kind does."""
    found: set[int] = set()
    for at, each in enumerate(fillers):
        if not clauses[each.clause].negations or each.role in {"owner", "subject"}:
            continue
        for other in fillers[at + 1 :]:
            after = clauses[other.clause]
            alike = (each.kind, each.marker) == (other.kind, other.marker)
            if after.but and alike and not after.negations:
                found.add(at)
    return found


def _left_to_another(fillers: Sequence[Filler], clauses: Mapping[int, Clause]) -> set[int]:
    """Return the subjects of what is denied of them, and said of another: `A isn't, but B is`."""
    subjects = [at for at, each in enumerate(fillers) if each.role == "subject"]
    return {
        at
        for at, other in pairwise(subjects)
        if clauses[fillers[at].clause].negations % 2
        and clauses[fillers[other].clause].elliptic
        and fillers[at].kind == fillers[other].kind == "name"
    }


def _from_to(fillers: Sequence[Filler]) -> set[int]:
    """Return the words that stand after `from`, where others stand after `to`."""
    marked = [at for at, each in enumerate(fillers) if each.kind == "words"]
    ends = [at for at in marked if fillers[at].marker == "to"]
    starts = [at for at in marked if fillers[at].marker == "from"]
    return {
        at
        for at in starts
        if any(end > at and fillers[end].value != fillers[at].value for end in ends)
    }


def _denied(
    fillers: Sequence[Filler], clauses: Mapping[int, Clause], denied: Collection[int]
) -> set[int]:
    """Return the words of which a clause says but that they are not it: `teal, not blue`."""
    numbers = [each.clause for each in fillers]
    return {
        at
        for at in denied
        if at
        and at < len(fillers)
        and fillers[at].kind == "words"
        and numbers.count(numbers[at]) == 1
        and clauses[numbers[at]].bare
    }


def _is_over(each: Filler, clauses: Mapping[int, Clause], *, replacing: bool) -> bool:
    """Tell whether what is said of something is that it held until now."""
    clause = clauses[each.clause]
    if each.kind == "name" and (each.role in {"owner", "subject"} or each.marker == "of"):
        return False
    if each.marker in OLD_MARKERS:
        return True
    if each.kind != "name":
        return clause.ended or clause.wrong or bool(clause.negations and len(clauses) > 1)
    if clause.ended:
        return each.role in {"marked", "object"}
    return replacing and each.role == "object"

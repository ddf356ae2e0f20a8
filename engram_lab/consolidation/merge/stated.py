"""A statement as it is compared: what it speaks of, its figures, who does what to whom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engram_lab.consolidation.merge.surface import Surface

__all__ = ["Statement"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Statement:
    """What two tellings are compared by.

    Attributes:
        roots: Of its words with a meaning of their own, names included, in order.
        content: The same as a set.
        words: All words, as they stand, lower case.
        stems: Their stems.
        plain: Stems of its words with a meaning of their own.
        names: Words that are surely names.
        named: Their roots.
        entities: Names that stand together.
        openers: First words that may be names, or are known as such from elsewhere alone.
        numbers: Values with units, `""` where there is none, sorted.
        order: Kind and value of each number, time and date as they stand, and its preposition.
        dates: (year, month, day), 0 where it is not said, sorted.
        times: Minutes since midnight, sorted.
        codes: Versions, addresses, tickets, sorted.
        rhythm: What repeats by: `month` for `a month` and `monthly`.
        negations: How many words deny.
        moods: Kinds of modality.
        amounts: Kinds of quantifiers.
        classes: Members of closed classes, by class.
        bare: Roots that follow no preposition, in order.
        marked: By root, the preposition before it.
        agent: Root of the doer in a passive, after `by`.
        passive: Whether it is told in the passive.
        undergone: Stems of the verbs that stand right after a copula as participles.
        copula: How many roots stand before the copula, -1 where there is none or several.
        halves: Roots before and after the copula, where there is but one.
        joined: Pairs of roots that `and` joins.
        lasting: Whether it tells how things are, not what happened.
        surface: What stands in it beside its words, and how it is said.
    """

    roots: tuple[str, ...]
    content: frozenset[str]
    words: frozenset[str]
    stems: frozenset[str]
    plain: frozenset[str]
    names: frozenset[str]
    named: frozenset[str]
    entities: tuple[frozenset[str], ...]
    openers: frozenset[str]
    numbers: tuple[tuple[float, str], ...]
    order: tuple[tuple[str, object, str], ...]
    dates: tuple[tuple[int, int, int], ...]
    times: tuple[float, ...]
    codes: tuple[str, ...]
    rhythm: frozenset[str]
    negations: int
    moods: frozenset[str]
    amounts: frozenset[str]
    classes: dict[str, frozenset[str]]
    bare: tuple[str, ...]
    marked: dict[str, str]
    agent: str
    passive: bool
    undergone: frozenset[str]
    copula: int
    halves: tuple[frozenset[str], frozenset[str]] | None
    joined: frozenset[frozenset[str]]
    lasting: bool
    surface: Surface

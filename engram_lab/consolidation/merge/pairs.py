"""How likely two texts are the same statement: guards first, then a small model with plain weights.

The model is a logistic regression over five features that anyone can check by hand. It was fitted
on the 4,500 training pairs of SICK (entailed and scored 4.5 or more for relatedness, against the
rest; pairs with cosine above 0.6 that no guard keeps apart) with vectors of all-MiniLM-L6-v2, by
Newton-like descent with an L2 penalty of 0.01. SICK has neither names nor figures, so what follows
for statements that share them is set by hand, on made-up facts: what they share speaks for them,
and a word that one of them lacks speaks louder against.

Source: M. Marelli et al., "A SICK cure for the evaluation of compositional distributional semantic
models", LREC 2014.
"""

from __future__ import annotations

from math import exp
from typing import TYPE_CHECKING, Final, NamedTuple

from engram_lab.consolidation.merge.guards import difference
from engram_lab.consolidation.merge.order import converse

if TYPE_CHECKING:
    from engram_lab.consolidation.merge.statements import Statement

__all__ = ["MODEL", "Features", "Model", "Verdict", "compare", "features", "score"]


class Features(NamedTuple):
    """What a pair is judged by.

    Attributes:
        cosine: Of the vectors of the two texts.
        replaced: Words that each has and the other lacks: the smaller number of the two sides.
        added: How many more one side has of those.
        alike: 1.0 where both have the same words with a meaning of their own, else 0.0.
        moved: Shared words that another preposition, or none, stands before.
        shared: Names, figures, dates, times and codes that both have.
    """

    cosine: float
    replaced: int
    added: int
    alike: float
    moved: int
    shared: int


class Model(NamedTuple):
    """Weights of the features, in log odds."""

    constant: float
    cosine: float
    replaced: float
    added: float
    alike: float
    moved: float
    shared: float
    """For each thing shared, at most `most_shared` of them."""
    most_shared: int
    replaced_beside: float
    """More for each word replaced, and `added_beside` for each added, where anything is shared."""
    added_beside: float


MODEL: Final = Model(
    constant=-10.84,
    cosine=13.53,
    replaced=-0.435,
    added=-0.423,
    alike=0.699,
    moved=-1.186,
    shared=1.2,
    most_shared=2,
    replaced_beside=-2.5,
    added_beside=-1.0,
)


class Verdict(NamedTuple):
    """Whether two are one statement: how likely, or what keeps them apart."""

    score: float
    difference: str | None = None


def features(a: Statement, b: Statement, cosine: float) -> Features:
    """Return what a pair is judged by; the order of the two makes no difference."""
    ours, theirs = len(a.content - b.content), len(b.content - a.content)
    if converse(a, b):  # two words that say the same: neither is lacking
        ours, theirs = max(ours - 1, 0), max(theirs - 1, 0)
    both = a.content & b.content
    moved = 0
    if a.passive == b.passive:
        mine, yours = a.marked, b.marked
        moved = sum(mine.get(each, "") != yours.get(each, "") for each in both)
    shared = len(a.named & b.named) + _figures(a) + bool(_TOLD_OF & a.words & b.words)
    return Features(
        cosine, min(ours, theirs), abs(ours - theirs), float(ours + theirs == 0), moved, shared
    )


_COUNTED: Final = 20
_TOLD_OF: Final = frozenset({"user", "i", "my", "we", "our"})
"""Who is meant by these is known, as with a name."""


def _figures(a: Statement) -> int:
    """Return how many figures there are; both have the same where no guard speaks."""
    telling = sum(1 for value, unit in a.numbers if unit or value >= _COUNTED)
    return telling + len(a.dates) + len(a.times) + len(a.codes)


def score(told: Features, model: Model = MODEL) -> float:
    """Return how likely a pair with these features is one statement, 0 to 1."""
    odds = (
        model.constant
        + model.cosine * told.cosine
        + model.replaced * told.replaced
        + model.added * told.added
        + model.alike * told.alike
    )
    if told.shared:
        odds += model.shared * min(told.shared, model.most_shared)
        odds += model.replaced_beside * told.replaced + model.added_beside * told.added
    else:
        odds += model.moved * told.moved
    return 1 / (1 + exp(-odds))


def compare(a: Statement, b: Statement, cosine: float) -> Verdict:
    """Return whether two are one statement."""
    if (found := difference(a, b)) is not None:
        return Verdict(0.0, found)
    return Verdict(score(features(a, b, cosine)))

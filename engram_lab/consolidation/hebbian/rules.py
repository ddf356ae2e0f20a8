"""By which law the link of two memories changes with what recalls tell of them."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from engram_lab.consolidation.hebbian.activity import Activity, PairSums

__all__ = ["RULES", "Concordance", "Counting", "Rule"]


class Rule(Protocol):
    """Says what becomes of the weights of pairs.

    Guarantees: from weights in [0, 1] it makes weights in [0, 1], the same whichever of the two of
    a pair is named first.
    """

    def learned(
        self, before: NDArray[np.float64], pairs: PairSums, activity: Activity, *, rate: float
    ) -> NDArray[np.float64]:
        """Return the weights after some recalls, float64 [p].

        Args:
            before: The weights before them, 0 where there is no link, float64 [p].
            pairs: What the recalls tell of the pairs; zeros for one never active together.
            activity: What they tell of each memory.
            rate: How fast it learns, η.
        """
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Concordance:
    """Memories are linked as far as they are active in the same recalls, beyond chance.

    Each recall moves the strength s of a pair, whose activities are x and y, by

        ds = η · [x·y - c - s · (½(x² + y²) - c)]

    x·y strengthens (Hebb). s · ½(x² + y²) weakens it where one is active without the other (Oja's
    forgetting, symmetric), so that s stays in [0, 1] and what is in every answer is bound to
    nothing. c is what chance alone would bring (the covariance rule). Over the recalls of a dream
    this is solved at once, so that their order does not matter. With the sums C = Σ x·y and
    A = ½Σ(x² + y²), and E for chance:

        s ← r + (s - r) · exp(-η · V),    r = B ÷ V · (1 - p) · (1 - q)

        B = max(0, C - E),    V = B + A - C,    E = max(X · y̅, Y · x̅)

    where X and Y are the sums of the activities, and x̅ and y̅ what they are in the mean of all
    recalls that ever were: as active as now where they were found at all. So also a dream of few
    recalls knows what comes back always. `prior` more recalls count as seen, in which neither was
    found, so that the first few do not make everything a matter of course. p and q are the shares
    of all recalls in which the two were found: what comes back always does so together with what
    else does, and that says nothing of either.

    B ÷ V is Lin's concordance of the two activities, 0 where that is negative, if the recalls are
    all that ever were; for activities of 0 and 1 it is Cohen's κ. Several dreams give what one
    would have given up to terms in η² where they see the same shares and r is not below `least`,
    and exactly where each sees the same r and V; else the later ones count for a little more.

    Source: Hebb, "The Organization of Behavior" (1949), p. 62; Oja, "A simplified neuron model as a
    principal component analyzer" (1982), eq. (3), for the weakening; Sejnowski, "Storing covariance
    with nonlinearly interacting neurons" (1977), for chance; Lin, "A concordance correlation
    coefficient to evaluate reproducibility" (1989), for B ÷ V.

    Attributes:
        prior: Recalls that count as seen, in which neither was active; at least 0.
        least: Where r is below it, it counts as 0: a bond of so little is of chance. What is found
            often would else have weak links alone, and by these speak as loud as others by strong
            ones, as activation spreads by the share of all links.
    """

    prior: float = 10.0
    least: float = 0.2

    def learned(
        self, before: NDArray[np.float64], pairs: PairSums, activity: Activity, *, rate: float
    ) -> NDArray[np.float64]:
        """Return the weights after some recalls."""
        low, high = pairs.low, pairs.high
        sums, squares, times = (activity.sums(power) for power in (1, 2, 0))
        usual = sums / np.where(times > 0, times, 1.0)
        often = np.minimum(1.0, activity.found / max(1.0, activity.recalls + self.prior))
        usual *= often
        chance = np.maximum(sums[low] * usual[high], sums[high] * usual[low])
        beyond = np.maximum(0.0, pairs.together - chance)
        apart = np.maximum(0.0, 0.5 * (squares[low] + squares[high]) - pairs.together)
        evidence = beyond + apart
        rest = beyond / np.where(evidence > 0, evidence, 1.0)
        rest *= (1.0 - often[low]) * (1.0 - often[high])
        rest = np.where(rest >= self.least, rest, 0.0)
        after: NDArray[np.float64] = rest + (before - rest) * np.exp(-rate * evidence)
        return after.clip(0.0, 1.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Counting:
    """Every recall of both strengthens, however they ranked, and nothing competes.

    s ← s + η · (1 - s) for each of n recalls, which is s ← 1 - (1 - s) · (1 - η)ⁿ: the same in any
    order, and however the recalls are dealt out to dreams. What is in every answer is soon linked
    with everything; this is how simple systems do it, and what the other rule is compared with.

    Source: the weights of `engram-rust` ("coactivation"), rate 0.1.
    """

    def learned(
        self, before: NDArray[np.float64], pairs: PairSums, activity: Activity, *, rate: float
    ) -> NDArray[np.float64]:
        """Return the weights after some recalls."""
        del activity
        after: NDArray[np.float64] = 1.0 - (1.0 - before) * (1.0 - rate) ** pairs.times
        return after.clip(0.0, 1.0)


RULES: Final[Mapping[str, type[Concordance | Counting]]] = MappingProxyType(
    {"concordance": Concordance, "counting": Counting}
)

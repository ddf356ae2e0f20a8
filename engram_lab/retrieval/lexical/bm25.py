"""The score of a text for a query: BM25, written down once.

Source: Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009),
equations 3.15 and 3.16, without the constant factor k1 + 1, which changes no order; the inverse
document frequency is that of Lucene, which is never negative.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from engram_lab.core.errors import InvalidInputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["K1", "B", "check_parameters", "idf", "saturation"]

K1: Final = 1.2
B: Final = 0.75


def idf(df: int, n: int) -> float:
    """Return how much a term says that stands in `df` of `n` texts: ln(1 + (n - df + ½)/(df + ½)).

    Always above 0, and falling with `df`.
    """
    return math.log1p((n - df + 0.5) / (df + 0.5))


def saturation(
    tf: NDArray[Any], length: NDArray[Any], average: float, *, k1: float = K1, b: float = B
) -> NDArray[np.float64]:
    """Return what a term adds to the score of a text, as a share of its `idf`.

    tf / (tf + k1 · (1 - b + b · length / average)); rises with `tf`, falls with `length`, lies
    within [0, 1]. To the bit the same for the same numbers, in an array of any size.

    Args:
        tf: How often the term stands in each text, from 1: [n].
        length: How many words each text has: [n].
        average: How many words a text has on average, above 0.
        k1: How slowly repetition stops counting, from 0.
        b: How far length is held against a text, from 0 to 1.
    """
    result: NDArray[np.float64] = tf / (tf + k1 * ((1.0 - b) + b * (length / average)))
    return result


def check_parameters(*, k1: float, b: float) -> None:
    """Refuse what is no BM25.

    Raises:
        InvalidInputError: k1 is negative or not finite, or b lies outside 0 to 1.
    """
    if not (math.isfinite(k1) and k1 >= 0):
        raise InvalidInputError(f"k1 is {k1}: give a finite number from 0, such as {K1}")
    if not 0 <= b <= 1:
        raise InvalidInputError(f"b is {b}: give a number from 0 to 1, such as {B}")

"""Rankings within a selection: filters, scopes, expiry and lifecycle hold inside an arm.

What an index finds is looked up in the store. Where too little of it is in the selection, the index
is asked for more, and where the selection is small, within its keys alone. So an arm gives as many
as it was asked for whenever so many exist.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from engram_lab.core.protocols import Corpus
    from engram_lab.core.selection import Selection
    from engram_lab.retrieval.ranking import Ranking

__all__ = ["Search", "ranked_within"]

_WORTH_WIDENING: Final = 0.2
"""The share that passes below which the keys of the selection are fetched at once."""


class Search(Protocol):
    """One question asked of an index, as deep as is wanted."""

    def __call__(self, k: int, *, allowed: NDArray[np.int64] | None = None) -> Ranking:
        """Return the best `k`, among the allowed keys alone where these are given.

        Fewer only where there are no more.
        """
        ...


def ranked_within(
    search: Search,
    corpus: Corpus,
    selection: Selection,
    k: int,
    *,
    hidden: NDArray[np.int64] | None = None,
) -> Ranking:
    """Return the best `k` that are in the selection, or all of them where there are fewer.

    Args:
        search: Asks an index.
        corpus: As whoever asks may reach it.
        selection: Of the present.
        k: How many.
        hidden: All keys that the selection leaves out, where that is known; see `Corpus.hidden`.

    Raises:
        InvalidInputError: `as_of` in the selection.
        AccessDeniedError: See `Corpus.visible`.
    """
    found = search(k)
    if hidden is not None:
        if not len(hidden):
            return found
        seen = _apart_from(hidden, found)
        if not seen.all():  # as many more make up for all that are hidden
            found = search(k + len(hidden))
            seen = _apart_from(hidden, found)
        return found.only(seen).top(k)
    seen = corpus.visible(found.keys, selection)
    passed = int(seen.sum())
    if passed == k or len(found) < k:
        return found.only(seen)
    if passed >= k * _WORTH_WIDENING:
        wider = math.ceil(1.5 * k * k / passed)
        found = search(wider)
        seen = corpus.visible(found.keys, selection)
        if int(seen.sum()) >= k:
            return found.only(seen).top(k)
    found = search(k, allowed=corpus.keys(selection))
    return found.only(corpus.visible(found.keys, selection))


def _apart_from(hidden: NDArray[np.int64], found: Ranking) -> NDArray[np.bool_]:
    return np.isin(found.keys, hidden, invert=True)

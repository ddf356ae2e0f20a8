"""Rankings and sets of arms, for hypothesis."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from engram_lab.retrieval.ranking import Ranking

__all__ = ["arms", "rankings"]

_SCORES = st.floats(-1e6, 1e6, allow_nan=False, allow_infinity=False) | st.integers(-3, 3).map(
    float
)


@st.composite
def rankings(draw: Any, *, max_size: int = 20, most: int = 30) -> Ranking:
    """Draw a ranking of at most `max_size` keys from 1 to `most`, often with equal scores."""
    keys = draw(st.lists(st.integers(1, most), unique=True, max_size=max_size))
    scores = draw(st.lists(_SCORES, min_size=len(keys), max_size=len(keys)))
    return Ranking.of(keys, scores)


def arms(
    *, names: str = "abcd", min_size: int = 0, max_size: int = 20
) -> st.SearchStrategy[dict[str, Ranking]]:
    """Return a strategy for what several arms found, at least `min_size` arms of these names."""
    return st.dictionaries(
        st.sampled_from(names), rankings(max_size=max_size), min_size=min_size, max_size=len(names)
    )

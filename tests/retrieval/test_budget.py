"""A token budget: the best hits that there is room for."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.core.errors import InvalidInputError
from engram_lab.core.text import estimated_tokens
from engram_lab.core.types import Memory
from engram_lab.retrieval import Explanation, Hit
from engram_lab.retrieval.budget import within_budget

if TYPE_CHECKING:
    from collections.abc import Sequence

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def hits(lengths: Sequence[int]) -> list[Hit]:
    return [
        Hit(
            rank=rank,
            score=1 / rank,
            memory=Memory(
                id=f"m{rank}",
                content="x" * length,
                created_at=NOON,
                updated_at=NOON,
                content_hash="0" * 64,
            ),
            explanation=Explanation(arms=()),
        )
        for rank, length in enumerate(lengths, 1)
    ]


@pytest.mark.parametrize(("length", "tokens"), [(0, 0), (1, 1), (4, 1), (5, 2), (8, 2), (9, 3)])
def test_four_characters_are_a_token(length: int, tokens: int) -> None:
    assert estimated_tokens("x" * length) == tokens


def test_without_a_budget_all_fit() -> None:
    found = hits([1000, 1, 50])
    assert within_budget(found, None) == (found, 0)


def test_a_long_text_does_not_keep_short_ones_away() -> None:
    kept, left_out = within_budget(hits([8, 100, 8, 4, 4]), 5)
    assert [hit.rank for hit in kept] == [1, 3, 4]
    assert left_out == 2


@given(lengths=st.lists(st.integers(1, 60), max_size=8), budget=st.integers(1, 60))
def test_each_is_kept_if_it_fits_beside_the_better_ones_that_are_kept(
    lengths: list[int], budget: int
) -> None:
    found = hits(lengths)
    kept, left_out = within_budget(found, budget)
    assert len(kept) + left_out == len(found)
    assert sum(-(-len(hit.memory.content) // 4) for hit in kept) <= budget
    for hit in found:
        before = sum(-(-len(b.memory.content) // 4) for b in kept if b.rank < hit.rank)
        assert (hit in kept) == (before + -(-len(hit.memory.content) // 4) <= budget)


@pytest.mark.parametrize("budget", [0, -1, 1.5, True, "7"])
def test_a_budget_that_is_none_is_refused(budget: Any) -> None:
    with pytest.raises(InvalidInputError, match=r"token_budget is .*: give a whole number from 1"):
        within_budget([], budget)

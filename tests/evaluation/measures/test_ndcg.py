from __future__ import annotations

from collections.abc import Callable, Sequence
from math import log2
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.evaluation.measures.ndcg import LongMemEvalNdcg, RetrievedNdcg
from engram_lab.evaluation.measures.parsing import parse_measure


def late(relevances: Sequence[int]) -> float:
    """Return the DCG whose second rank weighs as the first."""
    return sum(rel / (1 if rank == 1 else log2(rank)) for rank, rel in enumerate(relevances, 1))


def usual(relevances: Sequence[int]) -> float:
    return sum(rel / log2(rank + 1) for rank, rel in enumerate(relevances, 1))


@given(data=st.data(), k=st.integers(1, 14))
def test_both_follow_their_published_form(any_world: Any, data: st.DataObject, k: int) -> None:
    world = data.draw(any_world)
    official = LongMemEvalNdcg(k=k).values(world.view).to_list()
    inflated = RetrievedNdcg(k=k).values(world.view).to_list()
    for at, query in enumerate(world.queries):
        relevant = world.relevant(query)
        if not relevant:
            assert official[at] is inflated[at] is None
            continue
        top = [int(memory in relevant) for memory in world.ranking(query)[:k]]
        ideal = late([1] * min(len(relevant), k))
        assert official[at] == pytest.approx(late(top) / ideal)
        own = usual(sorted(top, reverse=True))
        assert inflated[at] == pytest.approx(usual(top) / own if own else 0)


def test_longmemevals_does_not_tell_rank_one_from_rank_two(one_query: Callable[..., Any]) -> None:
    first, second = one_query("axy", {"a": 1}), one_query("xay", {"a": 1})
    assert LongMemEvalNdcg(k=5).values(first)[0] == LongMemEvalNdcg(k=5).values(second)[0] == 1
    standard = parse_measure("nDCG@5")
    assert standard.values(first)[0] == 1
    assert standard.values(second)[0] == pytest.approx(1 / log2(3))


def test_longmemevals_third_rank_weighs_as_the_standard_second(
    one_query: Callable[..., Any],
) -> None:
    judged = one_query("xya", {"a": 1})
    assert LongMemEvalNdcg(k=5).values(judged)[0] == pytest.approx(1 / log2(3))
    assert parse_measure("nDCG@5").values(judged)[0] == pytest.approx(1 / log2(4))


def test_mempalaces_does_not_see_what_was_not_found(one_query: Callable[..., Any]) -> None:
    judged = one_query("axy", {"a": 1, "b": 1, "c": 1})
    assert RetrievedNdcg(k=5).values(judged)[0] == 1
    ideal = 1 + 1 / log2(3) + 1 / log2(4)
    assert parse_measure("nDCG@5").values(judged)[0] == pytest.approx(1 / ideal)
    # Finding one more makes it worse.
    assert RetrievedNdcg(k=5).values(one_query("axyb", {"a": 1, "b": 1}))[0] < 1


@given(data=st.data(), k=st.integers(1, 14))
def test_mempalaces_is_never_below_the_standard_one_of_yes_and_no(
    any_world: Any, data: st.DataObject, k: int
) -> None:
    world = data.draw(any_world)
    standard = parse_measure(f"nDCG(gains={{2:1,3:1}})@{k}").values(world.view).to_list()
    inflated = RetrievedNdcg(k=k).values(world.view).to_list()
    for low, high in zip(standard, inflated, strict=True):
        assert (low is None and high is None) or low <= high + 1e-12

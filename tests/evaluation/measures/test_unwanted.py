from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.evaluation.measures.parsing import falls, higher_is_better, parse_measure


@given(data=st.data(), k=st.integers(1, 14))
def test_what_is_unwanted_is_counted_in_the_first_k_hits(
    any_world: Any, data: st.DataObject, k: int
) -> None:
    world = data.draw(any_world)
    for name, kind in (("stale", -1), ("forbidden", -2)):
        values = parse_measure(f"{name}@{k}").values(world.view).to_list()
        for query, value in zip(world.queries, values, strict=True):
            judged = world.judged.get(query, {})
            unwanted = {memory for memory, relevance in judged.items() if relevance == kind}
            shown = unwanted.intersection(world.ranking(query)[:k])
            assert value == (len(shown) if unwanted else None)


@given(data=st.data())
def test_the_current_memory_must_be_found_above_every_stale_one(
    any_world: Any, data: st.DataObject
) -> None:
    world = data.draw(any_world)
    values = parse_measure("current_above_stale").values(world.view).to_list()
    for query, value in zip(world.queries, values, strict=True):
        judged, ranking = world.judged.get(query, {}), world.ranking(query)
        relevant = world.relevant(query)
        stale = {memory for memory, relevance in judged.items() if relevance == -1}
        first = next((memory for memory in ranking if memory in relevant | stale), None)
        assert value == (float(first in relevant) if relevant and stale else None)


@pytest.mark.parametrize(
    ("ranking", "value"),
    [("cs", 1.0), ("sc", 0.0), ("xc", 1.0), ("xs", 0.0), ("x", 0.0), ("", 0.0), ("sdc", 0.0)],
)
def test_current_above_stale(one_query: Callable[..., Any], ranking: str, value: float) -> None:
    judged = one_query(ranking, {"c": 1, "d": 1, "s": -1})
    assert parse_measure("current_above_stale").values(judged)[0] == value


def test_what_was_not_shown_was_not_shown(one_query: Callable[..., Any]) -> None:
    judged = one_query("", {"s": -1, "f": -2})
    assert parse_measure("stale@5").values(judged)[0] == 0
    assert parse_measure("forbidden@5").values(judged)[0] == 0


def test_a_query_needs_such_judgements_alone_to_be_scored(one_query: Callable[..., Any]) -> None:
    judged = one_query("xf", {"f": -2})
    assert parse_measure("forbidden@1").values(judged)[0] == 0
    assert parse_measure("forbidden@2").values(judged)[0] == 1
    assert parse_measure("stale@2").values(judged)[0] is None
    assert parse_measure("nDCG@2").values(judged)[0] is None


def test_less_of_it_is_better() -> None:
    assert not higher_is_better("stale@5")
    assert not higher_is_better("forbidden@5")
    assert higher_is_better("current_above_stale")
    assert higher_is_better("nDCG@10")


def test_what_is_not_known_here_is_not_said_to_fall() -> None:
    assert falls("stale@5")
    assert falls("forbidden@10")
    assert not falls("nDCG@10")
    assert not falls("stale")
    assert not falls("a column of somebody's")

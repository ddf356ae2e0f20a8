from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.core.errors import InvalidInputError, InvalidRunError
from engram_lab.core.text import CHARS_PER_TOKEN, estimated_tokens
from engram_lab.evaluation.measures.budget import BudgetRecall, token_counts
from engram_lab.evaluation.measures.measure import Judged
from engram_lab.evaluation.measures.parsing import parse_measure
from engram_lab.retrieval.budget import within_budget


def kept(world: Any, query: str, budget: int) -> list[str]:
    """Return what the engine's own cut leaves of a ranking."""
    hits: Any = [
        SimpleNamespace(
            memory=SimpleNamespace(id=memory, content="x" * CHARS_PER_TOKEN * world.tokens[memory])
        )
        for memory in world.ranking(query)
    ]
    return [hit.memory.id for hit in within_budget(hits, budget)[0]]


@given(data=st.data(), budget=st.integers(1, 40))
def test_a_budget_holds_what_the_engine_lets_through(
    any_world: Any, data: st.DataObject, budget: int
) -> None:
    world = data.draw(any_world)
    share, some, whole = (
        parse_measure(f"{name}@tokens={budget}").values(world.view).to_list()
        for name in ("recall", "recall_any", "recall_all")
    )
    for at, query in enumerate(world.queries):
        relevant = world.relevant(query)
        found = relevant.intersection(kept(world, query, budget))
        if relevant:
            assert share[at] == pytest.approx(len(found) / len(relevant))
            assert (some[at], whole[at]) == (bool(found), found == relevant)
        else:
            assert share[at] is some[at] is whole[at] is None


@given(data=st.data())
def test_with_room_for_everything_it_is_plain_recall(any_world: Any, data: st.DataObject) -> None:
    world = data.draw(any_world)
    one, two = (parse_measure(name).values(world.view) for name in ("recall@tokens=1000", "R@12"))
    assert one.to_list() == pytest.approx(two.to_list(), nan_ok=True)


def test_what_does_not_fit_is_left_out_and_the_next_is_tried(
    one_query: Callable[..., Any],
) -> None:
    judged = one_query("abc", {"b": 1, "c": 1}, {"a": 6, "b": 5, "c": 4})
    assert BudgetRecall(tokens=10).values(judged)[0] == 1 / 2  # a and c; b had no room
    assert BudgetRecall(tokens=11).values(judged)[0] == 1 / 2  # a and b
    assert BudgetRecall(tokens=15).values(judged)[0] == 1
    assert BudgetRecall(tokens=5).values(judged)[0] == 1 / 2  # b alone
    assert BudgetRecall(tokens=3).values(judged)[0] == 0


@given(st.lists(st.text(max_size=30), max_size=6))
def test_tokens_are_counted_as_the_engine_counts_them(texts: list[str]) -> None:
    memories = pl.DataFrame(
        {"id": [str(at) for at in range(len(texts))], "content": texts},
        schema={"id": pl.String, "content": pl.String},
    )
    assert token_counts(memories).rows() == [
        (str(at), estimated_tokens(text)) for at, text in enumerate(texts)
    ]


def test_without_the_texts_there_is_no_budget(one_query: Callable[..., Any]) -> None:
    judged = one_query("ab", {"a": 1}, {"a": 1})
    bare = Judged(queries=judged.queries, hits=judged.hits, qrels=judged.qrels)
    with pytest.raises(InvalidInputError, match="needs the texts of the memories"):
        BudgetRecall(tokens=5).values(bare)
    with pytest.raises(
        InvalidRunError, match="the memory 'b', found for the query 'q', is unknown"
    ):
        BudgetRecall(tokens=5).values(judged)


def test_a_budget_is_a_whole_number_from_one() -> None:
    with pytest.raises(InvalidInputError, match="give a whole number from 1"):
        BudgetRecall(tokens=0)
    with pytest.raises(InvalidInputError, match="of is 'most': it can be recall, recall_any"):
        BudgetRecall(tokens=5, of="most")  # type: ignore[arg-type]

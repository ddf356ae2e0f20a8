"""Folds never part a conversation, and leave each query out exactly once."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.core.errors import EvaluationError
from engram_lab.evaluation.tuning.folds import chosen_units, make_folds, units

clusters = st.lists(
    st.one_of(st.none(), st.sampled_from([f"c{n}" for n in range(9)])), min_size=2, max_size=60
)


def queries_of(clusters: list[str | None]) -> pl.DataFrame:
    ids = [f"q{number}" for number in range(len(clusters))]
    return pl.DataFrame(
        {"query_id": ids, "cluster": clusters},
        schema={"query_id": pl.String, "cluster": pl.String},
    )


@given(clusters, st.integers(2, 8), st.integers(1, 12), st.integers(0, 3))
def test_every_query_lies_in_one_fold_and_no_cluster_in_two(
    given: list[str | None], groups: int, most: int, seed: int
) -> None:
    queries = queries_of(given)
    folds = make_folds(queries, groups=groups, most=most, seed=seed)
    held = [query for fold in folds.folds for query in fold.queries]
    assert sorted(held) == sorted(queries["query_id"])
    assert all(fold.queries for fold in folds.folds)
    assert len(folds.folds) >= 2
    if not folds.warnings:
        of = dict(zip(queries["query_id"], units(queries), strict=True))
        parts = [{of[query] for query in fold.queries} for fold in folds.folds]
        assert sum(map(len, parts)) == len(set.union(*parts))
        assert [tuple(sorted(each)) for each in parts] == [fold.units for fold in folds.folds]


def test_few_conversations_are_left_out_one_by_one() -> None:
    folds = make_folds(queries_of(["b", "a", "b", "c"]))
    assert [(fold.name, fold.queries) for fold in folds.folds] == [
        ("a", ("q1",)),
        ("b", ("q0", "q2")),
        ("c", ("q3",)),
    ]
    assert folds.how == "each of 3 clusters left out in turn"


def test_many_conversations_are_dealt_into_groups_of_about_as_many_queries() -> None:
    given = [f"c{number % 40}" if number < 380 else "large" for number in range(400)]
    folds = make_folds(queries_of([*given]), groups=4)
    assert [len(fold.queries) for fold in folds.folds] == pytest.approx([100] * 4, abs=10)
    assert folds.how == "4 groups of whole clusters, each left out in turn"


def test_queries_that_stand_for_themselves_are_dealt_evenly_and_by_their_ids_alone() -> None:
    queries = queries_of([None] * 23)
    folds = make_folds(queries, groups=5)
    assert sorted(len(fold.queries) for fold in folds.folds) == [4, 4, 5, 5, 5]
    shuffled = make_folds(queries.sample(fraction=1, shuffle=True, seed=1), groups=5)
    assert [set(a.queries) for a in folds.folds] == [set(b.queries) for b in shuffled.folds]
    other = make_folds(queries, groups=5, seed=1)
    assert [a.queries for a in folds.folds] != [b.queries for b in other.folds]


def test_one_conversation_alone_is_parted_with_a_warning() -> None:
    folds = make_folds(queries_of(["only"] * 6), groups=3)
    assert [len(fold.queries) for fold in folds.folds] == [2, 2, 2]
    assert "'only'" in folds.warnings[0]


def test_what_cannot_be_folded_is_refused() -> None:
    with pytest.raises(EvaluationError, match="1 queries"):
        make_folds(queries_of(["a"]))
    with pytest.raises(EvaluationError, match="1 folds"):
        make_folds(queries_of(["a", "b"]), groups=1)


@given(clusters.filter(lambda each: len(set(each)) > 2), st.integers(0, 9))
def test_held_out_units_are_whole_and_hold_the_share_that_was_asked_for(
    given: list[str | None], seed: int
) -> None:
    queries = queries_of(given)
    of = units(queries)
    try:
        chosen = chosen_units(queries, share=0.2, seed=seed)
    except EvaluationError:
        largest = of.value_counts()["count"].max()
        assert isinstance(largest, int)
        assert largest >= 0.2 * queries.height
        return
    held = of.is_in(list(chosen)).sum()
    assert 0.2 * queries.height <= held < queries.height
    assert chosen == chosen_units(queries, share=0.2, seed=seed)


def test_a_share_that_leaves_nothing_is_refused() -> None:
    with pytest.raises(EvaluationError, match="between 0 and 1"):
        chosen_units(queries_of(["a", "b"]), share=1.0)
    with pytest.raises(EvaluationError, match="hold out less"):
        chosen_units(queries_of(["a", "b"]), share=0.9)

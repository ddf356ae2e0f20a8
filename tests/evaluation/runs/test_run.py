from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.core.errors import InvalidRunError
from engram_lab.evaluation.runs.run import RUN, Run

HIGHEST = float(np.finfo(np.float32).max)

ids = st.text(
    st.characters(exclude_categories=["Cs", "Z", "C"]), min_size=1, max_size=4
) | st.sampled_from(["a", "b", "c", "é", "Ω", "😀"])
close = st.sampled_from([0.0, -0.0, 1.0, 1 + 1e-9, 1e-46, -1e-45, 16777216.0, 16777217.0])
scores = close | st.floats(-1e30, 1e30)
rankings = st.dictionaries(ids, st.dictionaries(ids, scores, min_size=1, max_size=8), max_size=5)


def frame(rows: list[tuple[str, str, Any]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=["query_id", "memory_id", "score"], orient="row")


def order_of(run: Run) -> dict[str, list[str]]:
    return dict(run.hits.group_by("query_id", maintain_order=True).agg("memory_id").rows())


def test_a_run_keeps_the_order_it_is_given() -> None:
    run = Run.of("bm25", [("q2", [("m", 1.0), ("a", 3.0), ("z", 3.0)]), ("q1", [("m", -2.0)])])
    assert run.hits.schema == RUN
    assert run.hits.select("query_id", "memory_id", "rank").rows() == [
        ("q2", "m", 1),
        ("q2", "a", 2),
        ("q2", "z", 3),
        ("q1", "m", 1),
    ]
    assert run.queries == ("q2", "q1")
    assert run.ties == 0


def test_a_score_that_does_not_fall_is_lowered_to_the_next_number_of_single_precision() -> None:
    run = Run.of("s", [("q", [("a", 1.0), ("b", 1.0), ("c", 2.0), ("d", 0.5)])])
    below = np.nextafter(np.float32(1), np.float32(0))
    assert run.hits["score"].to_list() == [1.0, below, np.nextafter(below, np.float32(0)), 0.5]


def test_below_zero_comes_the_least_negative_number() -> None:
    run = Run.of("s", [("q", [("a", 0.0), ("b", -0.0), ("c", 0.0)])])
    tiny = float(np.float32(1e-45))
    assert run.hits["score"].to_list() == [0.0, -tiny, -2 * tiny]


def test_minus_nothing_is_nothing() -> None:
    hits = [("a", -0.0)]
    one = Run.of("s", [("q", hits)])
    two = Run.from_frame("s", frame([("q", *hits[0])]))
    assert [str(run.hits["score"][0]) for run in (one, two)] == ["0.0", "0.0"]


@given(found=rankings)
def test_scores_fall_strictly_and_no_more_than_they_must(
    found: dict[str, dict[str, float]],
) -> None:
    run = Run.of("s", [(query, list(hits.items())) for query, hits in found.items()])
    assert order_of(run) == {query: list(hits) for query, hits in found.items()}
    for query, hits in found.items():
        falling = run.hits.filter(pl.col("query_id") == query)["score"].to_numpy()
        lowest = np.float32(np.inf)
        for given_score, score in zip(hits.values(), falling, strict=True):
            expected = min(np.float32(given_score), np.nextafter(lowest, np.float32(-np.inf)))
            assert score == expected
            lowest = score


def test_no_score_can_be_below_the_lowest_number() -> None:
    with pytest.raises(InvalidRunError, match="lowest number of single precision"):
        Run.of("s", [("q", [("a", -HIGHEST), ("b", -HIGHEST)])])


@given(found=rankings)
def test_hits_known_by_their_scores_are_ordered_as_trec_eval_orders_them(
    found: dict[str, dict[str, float]],
) -> None:
    rows = [
        (query, memory, score) for query, hits in found.items() for memory, score in hits.items()
    ]
    run = Run.from_frame("s", frame(rows) if rows else frame(rows).cast({"score": pl.Float64}))
    expected = {
        query: [
            memory.decode()
            for _, memory in sorted(
                ((np.float32(score), memory.encode()) for memory, score in hits.items()),
                reverse=True,
            )
        ]
        for query, hits in found.items()
    }
    assert order_of(run) == expected
    assert list(order_of(run)) == list(found)
    ties = sum(
        np.float32(hits[one]) == np.float32(hits[two])
        for query, hits in found.items()
        for one, two in pairwise(expected[query])
    )
    assert run.ties == ties


@given(found=rankings)
def test_our_own_hits_are_read_back_as_they_are(found: dict[str, dict[str, float]]) -> None:
    run = Run.of("s", [(query, list(hits.items())) for query, hits in found.items()])
    shuffled = run.hits.sample(fraction=1, shuffle=True, seed=3)
    again = Run.from_frame("s", shuffled)
    assert again.ties == 0
    assert again.hits.sort("query_id", "rank").equals(run.hits.sort("query_id", "rank"))
    assert Run.from_frame("s", run.hits).hits.equals(run.hits)


def test_queries_that_are_scattered_are_put_together() -> None:
    run = Run.from_frame("s", frame([("b", "x", 1.0), ("a", "y", 5.0), ("b", "z", 0.5)]))
    assert run.hits.select("query_id", "memory_id", "rank").rows() == [
        ("b", "x", 1),
        ("b", "z", 2),
        ("a", "y", 1),
    ]


def test_the_ranks_of_a_frame_are_not_looked_at() -> None:
    given_ranks = frame([("q", "x", 1.0), ("q", "y", 2.0)]).with_columns(rank=pl.Series([1, 2]))
    assert order_of(Run.from_frame("s", given_ranks)) == {"q": ["y", "x"]}


@pytest.mark.parametrize(
    "names", [("qid", "docid"), ("query-id", "corpus-id"), ("query_id", "doc_id"), ("qid", "docno")]
)
def test_columns_go_by_the_names_that_others_use(names: tuple[str, str]) -> None:
    other = frame([("q", "x", 1.0)]).rename({"query_id": names[0], "memory_id": names[1]})
    assert order_of(Run.from_frame("s", other)) == {"q": ["x"]}


def test_a_query_without_hits_is_not_in_the_run() -> None:
    assert Run.of("s", [("q", []), ("r", [("x", 1.0)])]).queries == ("r",)


def test_a_run_can_be_empty() -> None:
    for run in (Run.of("s", []), Run.from_frame("s", Run.of("s", []).hits)):
        assert run.hits.schema == RUN
        assert run.queries == ()
        assert run.ties == 0


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([("q", "x", 1.0), ("q", "", 0.5)], "row 1: the memory_id is empty"),
        ([("q", "x", 1.0), (None, "y", 0.5)], "row 1: the query_id is empty"),
        ([("q", "x", float("nan"))], "score of 'x' for the query 'q' is nan"),
        ([("q", "x", float("inf"))], "is inf"),
        ([("q", "x", -1e39)], "finite in single precision"),
        ([("q", "x", 1.0), ("q", "y", None)], "row 1: the score of 'y'"),
        (
            [("q", "x", 1.0), ("r", "x", 1.0), ("q", "x", 0.5)],
            "row 2: the memory 'x' is found twice",
        ),
    ],
)
def test_hits_that_cannot_be_judged_are_refused_by_row(
    rows: list[tuple[str, str, Any]], said: str
) -> None:
    with pytest.raises(InvalidRunError, match=said):
        Run.from_frame("s", frame(rows))
    if "row" not in said:
        with pytest.raises(InvalidRunError, match=said):
            Run.of("s", [("q", [("x", rows[0][2])])])


def test_an_error_names_the_file_and_its_line() -> None:
    rows = frame([("q", "x", 1.0), ("q", "x", 0.5)])
    with pytest.raises(InvalidRunError) as caught:
        Run.from_frame("s", rows, file="a.trec", line_of=lambda row: row + 11)
    assert (caught.value.file, caught.value.line) == ("a.trec", 12)
    assert str(caught.value).startswith("a.trec: line 12: the memory 'x' is found twice")


def test_a_query_is_ranked_once() -> None:
    with pytest.raises(InvalidRunError, match="ranks the query 'q' twice"):
        Run.of("s", [("q", [("x", 1.0)]), ("q", [("y", 1.0)])])
    with pytest.raises(InvalidRunError, match="'x' is found twice"):
        Run.of("s", [("q", [("x", 1.0), ("x", 0.5)])])


def test_other_columns_are_refused() -> None:
    with pytest.raises(InvalidRunError, match="no column 'memory_id' among"):
        Run.from_frame("s", pl.DataFrame({"query_id": ["q"], "score": [1.0]}))
    with pytest.raises(InvalidRunError, match="of another type"):
        Run.from_frame("s", frame([("q", "x", "high")]))
    with pytest.raises(InvalidRunError, match="have the columns"):
        Run(system="s", hits=frame([("q", "x", 1.0)]))

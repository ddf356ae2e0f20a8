from __future__ import annotations

import polars as pl
import pytest

from engram_lab.core.errors import InvalidInputError, InvalidRunError
from engram_lab.evaluation.datasets.dataset import QRELS
from engram_lab.evaluation.measures.parsing import parse_measure
from engram_lab.evaluation.measures.scoring import score
from engram_lab.evaluation.runs.run import Run

NAMES = ("recall_any@2", "nDCG@2", "RR", "forbidden@2", "recall@tokens=3")
MEASURES = [parse_measure(name) for name in NAMES]
TOKENS = pl.DataFrame({"memory_id": ["a", "b", "c"], "tokens": [2, 2, 1]})


def qrels(*rows: tuple[str, str, int]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=QRELS, orient="row")


def test_each_measure_has_a_column_and_each_query_a_row_in_the_order_asked_for() -> None:
    run = Run.of("s", [("q1", [("a", 2.0), ("b", 1.0), ("c", 0.0)]), ("q2", [("b", 1.0)])])
    judged = qrels(("q1", "c", 1), ("q2", "b", 1), ("q1", "b", -2), ("q3", "a", 1))
    found = score(run, judged, MEASURES, queries=["q3", "q1", "q2"], tokens=TOKENS)
    assert found.schema == {"query_id": pl.String, **dict.fromkeys(NAMES, pl.Float64)}
    assert found.rows() == [
        ("q3", 0.0, 0.0, 0.0, None, 0.0),
        ("q1", 0.0, 0.0, pytest.approx(1 / 3), 1.0, 1.0),
        ("q2", 1.0, 1.0, 1.0, None, 1.0),
    ]


def test_other_queries_are_left_out() -> None:
    run = Run.of("s", [("q0", [("a", 2.0)]), ("q1", [("a", 2.0)])])
    judged = qrels(("q0", "a", 1), ("q1", "a", 1), ("q2", "a", 1))
    found = score(run, judged, MEASURES[:2], queries=["q1"])
    assert found.rows() == [("q1", 1.0, 1.0)]


def test_an_empty_run_has_every_default() -> None:
    found = score(
        Run.of("s", []),
        qrels(("q", "a", 1), ("r", "a", 0)),
        MEASURES,
        queries=["q", "r"],
        tokens=TOKENS,
    )
    assert found.rows() == [("q", 0.0, 0.0, 0.0, None, 0.0), ("r", None, None, None, None, None)]


def test_without_judgements_nothing_is_scored() -> None:
    run = Run.of("s", [("q", [("a", 2.0)])])
    found = score(run, qrels(), MEASURES, queries=["q"], tokens=TOKENS)
    assert found.select(NAMES).null_count().row(0) == (1,) * len(NAMES)
    assert found["nDCG@2"].mean() is None


def test_no_queries_are_no_rows() -> None:
    found = score(Run.of("s", []), qrels(), MEASURES, queries=[], tokens=TOKENS)
    assert found.schema == {"query_id": pl.String, **dict.fromkeys(NAMES, pl.Float64)}
    assert found.height == 0


def test_the_order_of_the_runs_queries_does_not_matter() -> None:
    hits = [(f"q{number}", [("a", 2.0), ("b", 1.0)]) for number in range(30)]
    judged = qrels(*((f"q{number}", "ab"[number % 2], 1) for number in range(30)))
    queries = [query for query, _ in hits]
    one = score(Run.of("s", hits), judged, MEASURES, queries=queries, tokens=TOKENS)
    two = score(
        Run.of("s", hits[::-1]), judged.reverse(), MEASURES, queries=queries[::-1], tokens=TOKENS
    )
    assert one.equals(two.reverse())


def test_what_cannot_be_scored_is_refused() -> None:
    run = Run.of("s", [("q", [("a", 2.0)])])
    judged = qrels(("q", "a", 1))
    with pytest.raises(InvalidInputError, match="the measure 'RR' is named twice"):
        score(run, judged, [parse_measure("RR"), parse_measure("MRR")], queries=["q"])
    with pytest.raises(InvalidInputError, match="queries are named more than once"):
        score(run, judged, MEASURES, queries=["q", "q"])
    with pytest.raises(InvalidInputError, match="judged twice"):
        score(run, pl.concat([judged, judged]), MEASURES, queries=["q"])
    with pytest.raises(InvalidInputError, match="judgements have the columns"):
        score(run, judged.rename({"relevance": "rel"}), MEASURES, queries=["q"])
    with pytest.raises(InvalidInputError, match="needs the texts"):
        score(run, judged, MEASURES, queries=["q"])
    with pytest.raises(
        InvalidRunError, match=r"holds none of the 1 queries .* such as 'Q': .* 'q'"
    ):
        score(run, judged, MEASURES, queries=["Q"])

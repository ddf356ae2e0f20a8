"""Scoring: every measure for every query, as one frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from engram_lab.core.errors import InvalidInputError, InvalidRunError, shown
from engram_lab.evaluation.measures.measure import Judged
from engram_lab.evaluation.measures.parsing import parse_measure
from engram_lab.evaluation.measures.standard import StandardMeasure, standard_values

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engram_lab.evaluation.measures.measure import Measure
    from engram_lab.evaluation.runs.run import Run

__all__ = ["score"]


def score(
    run: Run,
    qrels: pl.DataFrame,
    measures: Sequence[Measure | str],
    *,
    queries: Sequence[str] | None = None,
    tokens: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Return the value of each measure for each query.

    Hits and judgements of other queries are left out. A query that is not in the run has each
    measure's default; null is what cannot be scored.

    Args:
        run: What is judged.
        qrels: See `datasets.dataset.QRELS`.
        measures: Values or names, such as `nDCG@10`; each once.
        queries: Ids of the queries, in the order that is wanted; else those that are judged.
        tokens: `memory_id` and `tokens`, see `budget.token_counts`; for measures that end in
            `@tokens=n`.

    Returns:
        `query_id` and one float64 column for each measure, under its name.

    Raises:
        InvalidInputError: A measure is unknown, two have one name, a query is named twice, or the
            judgements are no such frame.
        InvalidRunError: The run holds none of these queries, but others.
    """
    chosen = [parse_measure(each) if isinstance(each, str) else each for each in measures]
    names = [measure.name for measure in chosen]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InvalidInputError(f"the measure {shown(twice)} is named twice: name it once")
    if queries is None:
        queries = qrels["query_id"].unique(maintain_order=True).to_list()
    judged = Judged.of(run, qrels, queries=queries, tokens=tokens)
    if run.hits.height and not judged.hits.height:
        raise InvalidRunError(
            f"the run {run.system!r} holds none of the {len(queries)} queries that are scored, "
            f"such as {shown(queries[0]) if queries else 'none'}: its first is "
            f"{shown(run.queries[0])}, so they may be called differently there"
        )
    standard = [each for each in chosen if isinstance(each, StandardMeasure)]
    values = dict(zip(standard, standard_values(standard, judged), strict=True))
    columns = {"query_id": pl.Series(queries, dtype=pl.String)}
    for measure in chosen:
        found = values[measure] if isinstance(measure, StandardMeasure) else measure.values(judged)
        columns[measure.name] = found
    return pl.DataFrame(columns)

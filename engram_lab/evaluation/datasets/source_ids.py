"""Ids of the published data and ids of a data set as it was read: from one to the other."""

from __future__ import annotations

from typing import Final

import polars as pl

__all__ = ["from_source_ids", "to_source_ids"]

_SOURCE: Final = pl.col("source_id")

_FORMS: Final = (
    pl.col("id"),
    _SOURCE,
    _SOURCE.str.replace_all(" ", "_", literal=True),
    _SOURCE.str.replace(r"^[^ ]* ", ""),
)
"""How a query or a memory may be called, the form that counts first first."""

_ANYWHERE: Final = 3
"""So many forms say what is meant in whatever corpus it lies."""


def from_source_ids(
    hits: pl.DataFrame, *, queries: pl.DataFrame, memories: pl.DataFrame
) -> pl.DataFrame:
    """Return hits that name queries and memories as they were published, in the ids of the data.

    A query may be named by its id, by its `source_id`, or by that with `_` for blanks, which a TREC
    file cannot hold. A memory may be named likewise, and also by what follows the first blank of
    its `source_id`, as the query tells the corpus: `D3:12` for `conv-26 D3:12`. A name that is none
    of these, or is that of several, stays as it is.

    Args:
        hits: Has `query_id` and `memory_id`, in ids of any of these kinds.
        queries: See `datasets.dataset.QUERIES`.
        memories: See `datasets.dataset.MEMORIES`.
    """
    asked = _names(queries.with_columns(corpus=pl.lit("")), forms=_ANYWHERE).drop("corpus")
    places = queries.select("id", "corpus")
    found = _names(memories, forms=len(_FORMS))
    return (
        hits.join(asked, left_on="query_id", right_on="name", how="left", maintain_order="left")
        .with_columns(query_id=pl.coalesce("id", "query_id"))
        .drop("id")
        .join(places, left_on="query_id", right_on="id", how="left", maintain_order="left")
        .join(
            found,
            left_on=["corpus", "memory_id"],
            right_on=["corpus", "name"],
            how="left",
            maintain_order="left",
        )
        .with_columns(memory_id=pl.coalesce("id", "memory_id"))
        .select(hits.columns)
    )


def to_source_ids(
    hits: pl.DataFrame, *, queries: pl.DataFrame, memories: pl.DataFrame
) -> pl.DataFrame:
    """Return hits in the published ids, with `_` for blanks; what has none keeps its id.

    Args:
        hits: Has `query_id` and `memory_id`, in the ids of the data.
        queries: See `datasets.dataset.QUERIES`.
        memories: See `datasets.dataset.MEMORIES`.
    """
    told = hits
    for column, frame in (("query_id", queries), ("memory_id", memories)):
        published = frame.select("id", source=_FORMS[2])
        told = (
            told.join(published, left_on=column, right_on="id", how="left", maintain_order="left")
            .with_columns(pl.coalesce("source", column).alias(column))
            .drop("source")
        )
    return told.select(hits.columns)


def _names(frame: pl.DataFrame, *, forms: int) -> pl.DataFrame:
    """Return what each name means in each corpus: columns `corpus`, `name`, `id`."""
    found = pl.concat(
        frame.select("corpus", "id", name=form, form=pl.lit(number))
        for number, form in enumerate(_FORMS[:forms])
    )
    return (
        found.drop_nulls("name")
        .unique(["corpus", "name", "id"], keep="first", maintain_order=True)
        # An earlier form counts before a later one; a name of several in one form says nothing.
        .filter(pl.col("form") == pl.col("form").min().over("corpus", "name"))
        .filter(pl.len().over("corpus", "name") == 1)
        .select("corpus", "name", "id")
    )

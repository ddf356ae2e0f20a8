"""Which arms found the same, and what each found alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from engram_lab.core.errors import InvalidInputError
from engram_lab.plots.columns import are_hits, checked, is_frame, not_hits, shortened
from engram_lab.plots.encodings import count_axis, order, said_below
from engram_lab.plots.theme import FAINT, GOOD, INK, altair, themed

if TYPE_CHECKING:
    import altair as alt

    from engram_lab.retrieval.hits import Hits

__all__ = ["arm_overlap", "overlap_frame"]

_STEP: Final = 64
_NOBODY: Final = "no arm"

_FOUND: Final = pl.Schema(
    {
        "query": pl.String(),
        "id": pl.String(),
        "text": pl.String(),
        "rank": pl.Int64(),
        "arms": pl.List(pl.String()),
    }
)


def arm_overlap(hits: Hits | Iterable[Hits] | Any) -> alt.TopLevelMixin:
    """Return how many hits each set of arms found: bars above, the arms of each set below.

    Source: Lex and others 2014, UpSet: visualization of intersecting sets, IEEE Transactions on
    Visualization and Computer Graphics 20(12).

    Args:
        hits: Of one recall, or of several. Or a frame of hits, as `overlap_frame` gives it:
            columns `query`, `rank`, `text` and `arms`.

    Raises:
        InvalidInputError: These are no hits, or there is none; or a column is missing or of the
            wrong kind.
        MissingDependencyError: Altair is absent.
    """
    found = _checked(hits) if is_frame(hits) else overlap_frame(hits)
    if found.is_empty():
        raise InvalidInputError(
            "arm_overlap has nothing to draw: the recall found nothing; ask something else"
        )
    alt = altair()
    arms = order(found.explode("arms").rename({"arms": "arm"}).drop_nulls("arm"), "arm") or [
        _NOBODY
    ]
    sets = _sets(found)
    x = alt.X("set:N", sort=sets["set"].to_list(), axis=None)
    width = alt.Step(_STEP)
    base = alt.Chart(sets.drop("arms")).encode(x=x)
    y = alt.Y("hits:Q", title="hits", axis=count_axis(sets["hits"][0]))
    tooltip = [
        alt.Tooltip("set:N", title="found by"),
        alt.Tooltip("hits:Q", title="hits"),
        alt.Tooltip("share:Q", title="of all", format=".0%"),
        alt.Tooltip("best:Q", title="best rank"),
        alt.Tooltip("for_example:N", title="for example"),
    ]
    above = alt.layer(
        base.mark_bar(size=30, color=GOOD).encode(y=y, tooltip=tooltip),
        base.mark_text(dy=-9, color=INK).encode(y=y, text="hits:Q"),
    ).properties(width=width, height=170, title=_title(found))
    below = _matrix(sets, arms, x).properties(width=width, height=alt.Step(30))
    return themed(alt.vconcat(above, below, spacing=6))


def overlap_frame(hits: Hits | Iterable[Hits]) -> pl.DataFrame:
    """Return a row for each hit with the arms that found it: that placed it, and scored it not 0.

    Args:
        hits: Of one recall, or of several.

    Returns:
        Columns `query`, `id`, `text`, `rank`, `arms` (names, in the order of the explanation).

    Raises:
        InvalidInputError: Something else than hits was given, or no recall.
    """
    rows = [
        (
            *(one.query, hit.id, hit.memory.content, hit.rank),
            [arm.name for arm in hit.explanation.arms if arm.rank is not None and arm.score],
        )
        for one in _recalls(hits)
        for hit in one
    ]
    return pl.DataFrame(rows, schema=_FOUND, orient="row")


def _recalls(hits: Any) -> list[Any]:
    """Return the recalls that were given, as a list also where it is one."""
    if are_hits(hits):
        return [hits]
    if isinstance(hits, str) or is_frame(hits) or not isinstance(hits, Iterable):
        raise not_hits(hits, chart="arm_overlap", frame="plots.overlap_frame")
    found = list(hits)
    if not found:
        raise InvalidInputError(
            "arm_overlap was given no recall: give the hits of one, or of several"
        )
    for one in found:
        if not are_hits(one):
            raise not_hits(one, chart="arm_overlap", frame="plots.overlap_frame")
    return found


def _checked(frame: Any) -> pl.DataFrame:
    """Return a frame of hits, found by no arm where none is told."""
    found = checked(
        frame,
        chart="arm_overlap",
        needed={"query": "text", "rank": "number", "text": "text", "arms": "texts"},
        made_by="give hits, or what plots.overlap_frame makes of them",
    )
    nobody = pl.lit([], dtype=_FOUND["arms"])
    return found.with_columns(
        pl.col("query", "text").fill_null(""),
        pl.col("rank").cast(pl.Int64, strict=False),
        pl.col("arms").fill_null(nobody).list.drop_nulls(),
    )


def _sets(found: pl.DataFrame) -> pl.DataFrame:
    """Return a row for each set of arms, the largest first."""
    name = pl.col("arms").list.join(" + ")
    return (
        found.with_columns(
            pl.when(name == "").then(pl.lit(_NOBODY)).otherwise(name).alias("set"),
        )
        .group_by("set", maintain_order=True)
        .agg(
            pl.len().alias("hits"),
            (pl.len() / found.height).alias("share"),
            pl.col("rank").min().alias("best"),
            pl.col("arms").first(),
            pl.col("text").sort_by("rank").first().map_elements(shortened, pl.String),
        )
        .rename({"text": "for_example"})
        .sort("hits", "best", "set", descending=[True, False, False])
    )


def _matrix(sets: pl.DataFrame, arms: list[str], x: Any) -> Any:
    """Return the dots that say which arms a set is of."""
    alt = altair()
    cells = pl.DataFrame(
        [
            {"set": row["set"], "arm": arm, "found": arm in row["arms"]}
            for row in sets.iter_rows(named=True)
            for arm in arms
        ]
    )
    y = alt.Y("arm:N", sort=arms, title=None, axis=alt.Axis(labelPadding=14))
    colour = alt.condition("datum.found", alt.value(GOOD), alt.value(FAINT))
    dots = alt.Chart(cells).mark_point(filled=True, size=160, opacity=1)
    joined = alt.Chart(cells.filter("found")).mark_line(color=GOOD, strokeWidth=3)
    return alt.layer(
        joined.encode(x=x, y=y, detail="set:N"),
        dots.encode(x=x, y=y, color=colour),
    )


def _title(found: pl.DataFrame) -> Any:
    queries = found["query"].n_unique()
    if queries == 1:
        count = "1 hit" if found.height == 1 else f"{found.height} hits"
        said = f"{count} of {shortened(found['query'][0])!r}"
    else:
        said = f"{found.height} hits of {queries} recalls"
    return altair().Title("Found by", **said_below(said))

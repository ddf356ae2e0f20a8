"""When what is there: the moments that a slider goes through, and what each finds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import polars as pl

__all__ = ["FOREVER", "placed_in_time", "said_moments"]

FOREVER: Final = 1_000_000
"""The place of a moment that never comes."""

_MOST: Final = 60
"""Moments that one can still go through."""

_KIND: Final = pl.Datetime("us")


def placed_in_time(
    points: pl.DataFrame, links: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame, list[datetime]]:
    """Return both frames with `begins` and `ends`, places among the moments, and the moments.

    What has a place is there from `begins` on, and no more at `ends`. Where links say `at`, each is
    there at that moment alone; else while it is valid, and not before both its ends are there. Of
    many moments some are chosen, evenly, the first and the last among them.

    Args:
        points: Columns `id` and `created_at`, which may be null: there from the start.
        links: Columns `from_id`, `to_id`, `valid_from`, `valid_to` and `at`, which may be null.
    """
    snapshots = not links["at"].is_null().all()
    times = [points["created_at"]]
    times += [links["at"]] if snapshots else [links["valid_from"], links["valid_to"]]
    if snapshots:
        times = times[1:]
    every = pl.concat([_naive(each) for each in times]).drop_nulls().unique().sort()
    moments = _chosen(every.to_list())
    points = points.with_columns(
        _since(points["created_at"], moments).alias("begins"),
        pl.lit(FOREVER, dtype=pl.Int64).alias("ends"),
    )
    if snapshots:
        begins = _since(links["at"], moments)
        links = links.with_columns(begins.alias("begins"), (begins + 1).alias("ends"))
    else:
        links = links.with_columns(
            _since(links["valid_from"], moments).alias("begins"),
            _since(links["valid_to"], moments, missing=FOREVER).alias("ends"),
        )
    began = points.select("id", "begins")
    for end in ("from_id", "to_id"):
        links = links.join(
            began.rename({"id": end, "begins": end + "_begins"}),
            on=end,
            how="left",
            maintain_order="left",
        )
    begins_at = pl.max_horizontal("begins", "from_id_begins", "to_id_begins")
    links = links.with_columns(begins_at.alias("begins"))
    unused = ["from_id_begins", "to_id_begins", "valid_from", "valid_to", "at"]
    return points, links.drop(unused), moments


def said_moments(moments: Sequence[datetime]) -> pl.DataFrame:
    """Return `place` and `said` for each moment: with the hour where that tells them apart."""
    days = {each.date() for each in moments}
    pattern = "%Y-%m-%d" if len(days) == len(moments) else "%Y-%m-%d %H:%M"
    return pl.DataFrame(
        {
            "place": range(len(moments)),
            "said": [each.strftime(pattern) for each in moments],
        }
    )


def _naive(times: pl.Series) -> pl.Series:
    """Return times in UTC without saying so, so that all can be compared."""
    if isinstance(times.dtype, pl.Datetime) and times.dtype.time_zone is not None:
        times = times.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    return times.cast(_KIND).rename("time")


def _chosen(moments: list[datetime]) -> list[datetime]:
    if len(moments) <= _MOST:
        return moments
    last = len(moments) - 1
    return [moments[place * last // (_MOST - 1)] for place in range(_MOST)]


def _since(times: pl.Series, moments: list[datetime], *, missing: int = 0) -> pl.Series:
    """Return the place of the first moment that is not before each time."""
    known = pl.Series(moments, dtype=_KIND)
    return pl.Series(
        [missing if each is None else int(known.search_sorted(each)) for each in _naive(times)],
        dtype=pl.Int64,
    )

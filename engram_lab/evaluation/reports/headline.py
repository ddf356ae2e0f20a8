"""What the headline of a run is over: how many queries, and which are left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import polars as pl

from engram_lab.evaluation.formats import counted
from engram_lab.evaluation.runs.tables import categories_frame, estimates_frame
from engram_lab.evaluation.suite import apart_of

__all__ = ["headline_lines"]

_OF_A_FILE: Final = (
    "judged by a file, which knows neither categories nor conversations: all count, and intervals "
    "draw each query by itself"
)


def headline_lines(results: Mapping[str, Any]) -> Iterator[str]:
    """Yield a line on the queries behind the figures; none where no query was asked.

    Two ways to judge one run, as by a suite and by a file of judgements, give different figures:
    here is why.
    """
    asked = _most(estimates_frame(results))
    if not asked:
        return
    said = f"n = {counted(asked, 'query', 'queries')}"
    categories = categories_frame(results)
    apart = {
        name: _most(categories.filter(pl.col("category") == name))
        for name in apart_of(results.get("record", {}))
    }
    left_out = [f"{count:,} of {name}" for name, count in apart.items() if count]
    if left_out:
        said += f"; left out: {', '.join(left_out)}"
    if _is_judged_by_a_file(results):
        said += f"; {_OF_A_FILE}"
    yield said


def _most(frame: pl.DataFrame) -> int:
    return int(frame.select((pl.col("n") + pl.col("unscored")).max()).item() or 0)


def _is_judged_by_a_file(results: Mapping[str, Any]) -> bool:
    suite = results.get("record", {}).get("suite")
    known = suite if isinstance(suite, Mapping) else {}
    return "dataset" in known and known["dataset"] is None and known.get("reader") is None

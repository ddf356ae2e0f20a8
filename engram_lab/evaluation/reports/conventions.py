"""The table of a run under each convention, and what each is called elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engram_lab.evaluation.formats import figure
from engram_lab.evaluation.protocols import CONVENTIONS
from engram_lab.evaluation.reports.fitting import Cell, Column, FittedTable, Line, Rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import polars as pl
    from rich.console import RenderableType

__all__ = ["crosswalk_tables"]


def crosswalk_tables(
    rows: pl.DataFrame, *, cuts: Sequence[int], notes: Sequence[str] = ()
) -> RenderableType:
    """Return a table for each system: a row a measure, a column for each key and set of questions.

    Args:
        rows: See `running.crosswalking.ROWS`.
        cuts: How many hits count.
        notes: Lines to be shown below.
    """
    from rich.console import Group

    tables = rows.partition_by("system", maintain_order=True)
    parts: list[RenderableType] = []
    for each in tables:
        parts += [_table(each), ""]
    names = ", ".join(str(k) for k in cuts)
    told = tuple(
        ((each.measure, ""), (f"{each.says}; elsewhere: {each.published}", "dim"))
        for each in CONVENTIONS
    )
    return Group(
        *parts,
        Line.of(f"What is counted, for k = {names}:"),
        Rows(rows=told, indent=2),
        *(Line.of(f"note: {each}", "dim") for each in notes),
    )


def _table(rows: pl.DataFrame) -> FittedTable:
    measures = rows["measure"].unique(maintain_order=True).to_list()
    return FittedTable(
        corner=rows["system"][0],
        rows=tuple((each, "") for each in measures),
        columns=tuple(_columns(rows)),
    )


def _columns(rows: pl.DataFrame) -> Iterator[Column]:
    for group in rows.partition_by("key", "questions", maintain_order=True):
        key, questions = group.select("key", "questions").row(0)
        count = max(group["n"].to_list(), default=0)
        yield Column(
            name=f"{key}\n{questions}\nn = {count:,}",
            cells=tuple(Cell(forms=(figure(mean),)) for mean in group["mean"]),
        )

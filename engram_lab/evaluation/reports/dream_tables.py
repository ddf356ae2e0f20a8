"""The benchmark of consolidation on a terminal: every figure beside its null, and what follows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from engram_lab.evaluation.formats import (
    NOTHING,
    cost_text,
    figure,
    interval,
    p_text,
    quantity,
    signed,
)
from engram_lab.evaluation.reports.dreams import verdict_lines
from engram_lab.evaluation.reports.fitting import Cell, Column, FittedTable, Line, Rows
from engram_lab.evaluation.reports.frames import costs_frame, estimates_frame, is_floor

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rich.console import RenderableType

__all__ = ["benchmark_tables"]

_SIGNS: Final = {
    "beats": ("\N{CHECK MARK}", "green"),
    "does not": ("\N{BALLOT X}", "bold red"),
    "not judged": (NOTHING, "dim"),
}


def benchmark_tables(results: Mapping[str, Any]) -> RenderableType:
    """Return each measure beside its nulls, what no null was run for, costs, and the verdicts.

    Args:
        results: What `results.json` holds.
    """
    from rich.console import Group

    found = results["benchmark"]
    parts: list[RenderableType] = []
    if found["beside_nulls"]:
        parts += [_beside(found["beside_nulls"]), ""]
        parts += [Line.of("± or [ ]: 95% interval of the difference; p after Holm; bold: better")]
    parts += _alone(results)
    parts += _costs(results)
    parts += [_verdicts(found["phases"]), ""]
    parts += [Line.of(each) for each in verdict_lines(found["phases"])]
    return Group(*parts)


def _beside(rows: Sequence[Mapping[str, Any]]) -> FittedTable:
    names = [f"{row['measure']} {row['system']}" for row in rows]
    # What was said in the row above is not said again.
    shown = [
        name if place == 0 or names[place - 1] != name else "" for place, name in enumerate(names)
    ]

    def column(name: str, cells: Sequence[Cell]) -> Column:
        return Column(name=name, cells=tuple(cells))

    return FittedTable(
        corner="measure, system",
        rows=tuple((name, "bold") for name in shown),
        columns=(
            column("value", [_plain(figure(row["value"])) for row in rows]),
            column("null", [_plain(row["null"]) for row in rows]),
            column("its value", [_plain(figure(row["null_value"])) for row in rows]),
            column("difference", [_difference(row) for row in rows]),
            column("p", [_plain(p_text(row["p"])) for row in rows]),
        ),
    )


def _plain(text: str) -> Cell:
    return Cell(forms=(text, text))


def _difference(row: Mapping[str, Any]) -> Cell:
    delta, low, high = row["delta"], row["low"], row["high"]
    spread = interval(low, high, sign=True)
    half = f"±{(high - low) / 2:.3f}" if spread else ""
    style = "bold green" if row["better"] else ""
    forms = (f"{signed(delta)} {spread}".strip(), f"{signed(delta)} {half}".strip())
    return Cell(forms=forms, style=style)


def _alone(results: Mapping[str, Any]) -> Iterator[RenderableType]:
    """Yield the measures of what is judged for which no null was run."""
    held = {(row["measure"], row["system"]) for row in results["benchmark"]["beside_nulls"]}
    floors = {each["name"] for each in results["systems"] if is_floor(each)}
    rows = [
        row
        for row in estimates_frame(results).iter_rows(named=True)
        if row["system"] not in floors and (row["measure"], row["system"]) not in held
    ]
    if rows:
        yield ""
        yield FittedTable(
            corner="without a null",
            rows=tuple((f"{row['measure']} {row['system']}", "bold") for row in rows),
            columns=(
                Column(
                    name="value",
                    cells=tuple(
                        _plain(f"{figure(row['mean'])} {interval(row['low'], row['high'])}".strip())
                        for row in rows
                    ),
                ),
                Column(name="n", cells=tuple(_plain(f"{row['n']:,}") for row in rows)),
            ),
        )
    yield ""


def _costs(results: Mapping[str, Any]) -> Iterator[RenderableType]:
    facts = results["benchmark"]["facts"]
    rows = [(name, cost_text(name, value)) for _, name, value in costs_frame(results).iter_rows()]
    rows += [(name, quantity(value)) for name, value in facts.items() if name.startswith("costing")]
    if rows:
        yield FittedTable(
            corner="costs",
            rows=tuple((name, "") for name, _ in rows),
            columns=(Column(name="", cells=tuple(_plain(said) for _, said in rows)),),
        )
        yield ""


def _verdicts(phases: Sequence[Mapping[str, Any]]) -> Rows:
    return Rows(
        rows=tuple(
            (
                _SIGNS[each["verdict"]],
                (each["phase"], "bold"),
                ("on" if each["on"] else "off", "" if each["on"] else "dim"),
                (each["verdict"], ""),
                (each["said"], "dim"),
            )
            for each in phases
        )
    )

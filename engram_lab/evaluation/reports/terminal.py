"""Reports on a terminal: results with their intervals, comparisons, and what a gate found."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from engram_lab.evaluation.reports.fitting import Cell, Column, FittedTable, Line, shown
from engram_lab.evaluation.reports.formats import (
    NOTHING,
    counted,
    figure,
    interval,
    p_text,
    signed,
)
from engram_lab.evaluation.reports.frames import (
    categories_frame,
    estimates_frame,
    falls,
    level_of,
    measures_of,
)
from engram_lab.evaluation.suite import HEADLINE

if TYPE_CHECKING:
    from rich.console import RenderableType

    from engram_lab.evaluation.statistics.contrast import Comparison, Contrast, Moved
    from engram_lab.evaluation.verdict import GateCheck, GateReport

__all__ = ["categories_table", "comparison_table", "gate_table", "results_table"]

_ABOVE, _BELOW = "\N{BLACK UP-POINTING TRIANGLE}", "\N{BLACK DOWN-POINTING TRIANGLE}"
_HALF: Final = 1
"""The form of a cell that has half the width of the interval behind `±`."""

_SIGNS: Final = {"pass": ("\N{CHECK MARK}", "green"), "fail": ("\N{BALLOT X}", "bold red")}
_SKIPPED: Final = (NOTHING, "dim")


def results_table(
    results: Mapping[str, Any],
    *,
    differences: pl.DataFrame | None = None,
    measures: Sequence[str] | None = None,
) -> RenderableType:
    """Return the systems of a run with their measures.

    The best is bold, floors are dim. Intervals are written out where the console has room.

    Args:
        results: What `results.json` holds.
        differences: What `reference.differences` returns; systems that differ are marked.
        measures: Which to show; by default all.
    """
    from rich.console import Group

    frame = estimates_frame(results)
    chosen = tuple(measures or measures_of(results))
    names = [each["name"] for each in results["systems"]]
    columns = tuple(
        Column(name=measure, cells=_cells(frame, names, measure, differences=differences))
        for measure in chosen
    )
    parts: list[RenderableType] = [
        FittedTable(corner="system", rows=_rows(frame, names), columns=columns, broken=_HALF)
    ]
    below = [
        *_legend(results, frame, differences),
        *_unscored(frame.filter(pl.col("measure").is_in(chosen))),
        *_skipped(results),
    ]
    return Group(*parts, *([""] if below else []), *below)


def categories_table(results: Mapping[str, Any], measure: str) -> RenderableType:
    """Return one measure of each system in each category, with the number of its queries."""
    frame = categories_frame(results).filter(pl.col("measure") == measure)
    names = [each["name"] for each in results["systems"]]
    columns = []
    for category in frame["category"].unique(maintain_order=True):
        part = frame.filter(pl.col("category") == category)
        count = part["n"].max()
        columns.append(
            Column(name=f"{category}\nn = {count:,}", cells=_cells(part, names, measure))
        )
    return FittedTable(
        corner=measure, rows=_rows(frame, names), columns=tuple(columns), broken=_HALF
    )


def _rows(frame: pl.DataFrame, names: Sequence[str]) -> tuple[tuple[str, str], ...]:
    floors = set(frame.filter("floor")["system"])
    return tuple((name, "dim" if name in floors else "") for name in names)


def _cells(
    frame: pl.DataFrame,
    names: Sequence[str],
    measure: str,
    *,
    differences: pl.DataFrame | None = None,
) -> tuple[Cell, ...]:
    found = {row["system"]: row for row in frame.filter(measure=measure).iter_rows(named=True)}
    means = [figure(row["mean"]) for row in found.values() if row["mean"] is not None]
    best = (min if falls(measure) else max)(means, default=None)
    marks = _marks(measure, differences)
    cells = []
    for name in names:
        row = found.get(name)
        if row is None or row["mean"] is None:
            cells.append(Cell(forms=(NOTHING,) * 3, style="dim"))
            continue
        mean, mark = figure(row["mean"]), marks.get(name, "")
        style = "dim" if row["floor"] else "bold" if mean == best else ""
        spread = interval(row["low"], row["high"])
        half = f"±{(row['high'] - row['low']) / 2:.3f}" if spread else ""
        forms = (f"{mean} {spread}", f"{mean} {half}", mean)
        tail = f" {mark}" if mark else ""
        cells.append(Cell(forms=tuple(f"{each.strip()}{tail}" for each in forms), style=style))
    return tuple(cells)


def _marks(measure: str, differences: pl.DataFrame | None) -> dict[str, str]:
    if differences is None:
        return {}
    rows = differences.filter(pl.col("measure") == measure, "differs")
    return {
        name: _ABOVE if delta > 0 else _BELOW
        for name, delta in rows.select("system", "delta").iter_rows()
    }


def _legend(
    results: Mapping[str, Any], frame: pl.DataFrame, differences: pl.DataFrame | None
) -> Iterator[Line]:
    said = []
    if frame["low"].count():
        said.append(f"± or [ ]: {level_of(results):.0%} confidence interval")
    if differences is not None and differences.height:
        reference, alpha = differences.select("reference", "alpha").row(0)
        said.append(
            f"{_ABOVE} {_BELOW} differs from {reference} (paired test, Holm over "
            f"{counted(differences.height, 'test')}, α = {alpha:g})"
        )
    if frame["floor"].any():
        said.append("dim: floors")
    if said:
        yield Line.of(" · ".join(said), "dim")


def _unscored(frame: pl.DataFrame) -> Iterator[Line]:
    """Yield what was not scored, said once where it is the same for all systems."""
    missing = frame.filter(pl.col("unscored") > 0)
    for (measure,), part in missing.group_by("measure", maintain_order=True):
        counts = part.select("system", "unscored").rows()
        if len({count for _, count in counts}) == 1 and len(counts) == frame["system"].n_unique():
            who = ""
        else:
            who = " of " + ", ".join(f"{system} {count:,}" for system, count in counts)
        most = max(count for _, count in counts)
        amount = f"{counted(most, 'query', 'queries')} without a value" if not who else "unscored"
        yield Line.of(f"{measure}: {amount}{who}", "dim")


def _skipped(results: Mapping[str, Any]) -> Iterator[Line]:
    for each in results.get("skipped", ()):
        said = f": {shown(each['reason'])}"
        yield Line(parts=(("skipped ", "yellow"), (each["name"], "bold"), (said, "")))


def comparison_table(
    comparison: Comparison, *, queries: pl.DataFrame | None = None, limit: int = 10
) -> RenderableType:
    """Return B against A: each measure, each category, and the queries that moved.

    Args:
        comparison: What was compared.
        queries: `query_id` and `text`, to show what was asked.
        limit: How many of the moved queries are shown.
    """
    from rich.console import Group

    sides = "losses only" if comparison.alternative == "less" else "both sides"
    units = "queries" if comparison.clusters is None else counted(comparison.clusters, "cluster")
    parts: list[RenderableType] = [
        Line(parts=((comparison.b, "bold"), (" against ", ""), (comparison.a, "bold"))),
        "",
        _contrasts([each for each in comparison.contrasts if each.group == HEADLINE], comparison),
    ]
    grouped = [each for each in comparison.contrasts if each.group != HEADLINE]
    for measure in dict.fromkeys(each.measure for each in grouped):
        rows = [each for each in grouped if each.measure == measure]
        parts += ["", _contrasts(rows, comparison, corner=measure)]
    parts += [
        "",
        Line.of(
            f"p: paired randomisation over {units}, {sides}, after Holm; bold: significant at "
            f"α = {comparison.alpha:g} · MDE: the smallest true loss found with probability 0.8",
            "dim",
        ),
        *(Line.of(each, "yellow") for each in comparison.warnings),
        *_moved(comparison, queries, limit),
    ]
    return Group(*parts)


def _contrasts(
    contrasts: Sequence[Contrast], comparison: Comparison, corner: str = "measure"
) -> FittedTable:
    def column(name: str, said: list[str]) -> Column:
        cells = (
            Cell(forms=(text,), style=_style(each, comparison))
            for text, each in zip(said, contrasts, strict=True)
        )
        return Column(name=name, cells=tuple(cells))

    return FittedTable(
        corner=corner,
        rows=tuple((each.group or each.measure, "") for each in contrasts),
        columns=(
            column(comparison.a, [figure(each.mean_a) for each in contrasts]),
            column(comparison.b, [figure(each.mean_b) for each in contrasts]),
            Column(
                name="Δ",
                cells=tuple(
                    Cell(
                        forms=(
                            f"{signed(each.delta)} {interval(each.low, each.high, sign=True)}".strip(),
                            signed(each.delta),
                        ),
                        style=_style(each, comparison),
                    )
                    for each in contrasts
                ),
            ),
            column("p", [p_text(each.p_adjusted) for each in contrasts]),
            column("d_z", [_two(each.effect) for each in contrasts]),
            column("MDE", [figure(each.mde) for each in contrasts]),
            column("win/tie/loss", [f"{e.wins}/{e.ties}/{e.losses}" for e in contrasts]),
        ),
    )


def _two(value: float) -> str:
    return NOTHING if math.isnan(value) else f"{value:+.2f}".replace("-", "\N{MINUS SIGN}")


def _style(contrast: Contrast, comparison: Comparison) -> str:
    if not contrast.p_adjusted < comparison.alpha:
        return ""
    worse = (contrast.delta < 0) != falls(contrast.measure)
    return "bold red" if worse else "bold green"


def _moved(comparison: Comparison, queries: pl.DataFrame | None, limit: int) -> Iterator[Any]:
    if not comparison.moved:
        return
    failed = sum(each.newly_failed for each in comparison.moved)
    texts = {} if queries is None else dict(queries.select("query_id", "text").iter_rows())
    yield ""
    head = f"{counted(len(comparison.moved), 'query', 'queries')} moved, {failed:,} newly failed"
    yield Line.of(f"{head} ({comparison.moved[0].measure})", "bold")
    yield from (_moved_line(each, texts) for each in comparison.moved[:limit])
    if (more := len(comparison.moved) - limit) > 0:
        yield Line.of(f"… and {more:,} more", "dim", indent=2)


def _moved_line(moved: Moved, texts: Mapping[str, str]) -> Line:
    change = f"{figure(moved.before)} → {figure(moved.after)}"
    style = "bold red" if moved.newly_failed else "red" if moved.after < moved.before else "green"
    about = "  ".join(filter(None, (moved.query_id, moved.category)))
    text = shown(texts.get(moved.query_id, ""))
    parts = ((f"{change}  ", style), (f"{about}  ", "dim"), (text, ""))
    return Line(parts=parts, indent=2)


def gate_table(report: GateReport) -> RenderableType:
    """Return what a gate found: a line for each check, and the verdict."""
    from rich.console import Group

    words = {
        "pass": ("PASS", "bold green"),
        "regression": ("REGRESSION", "bold red"),
        "incomparable": ("NOTHING COMPARABLE", "bold yellow"),
    }
    counts = {
        status: sum(each.status == status for each in report.checks)
        for status in ("pass", "fail", "skip")
    }
    said = f"  {report.suite}: {counts['pass']} passed, {counts['fail']} failed"
    tail = f", {counts['skip']} not judged" if counts["skip"] else ""
    return Group(
        *(_check_line(each) for each in report.checks),
        *(
            Line(parts=((f"{NOTHING} ", "dim"), (name, "bold"), (f": {shown(why)}", "dim")))
            for name, why in report.skipped.items()
        ),
        "",
        Line(parts=(words[report.verdict], (said + tail, ""))),
    )


def _check_line(check: GateCheck) -> Line:
    sign, style = _SIGNS.get(check.status, _SKIPPED)
    name = " ".join(filter(None, (check.system, check.name, check.group and f"({check.group})")))
    return Line(parts=((f"{sign} ", style), (name, "bold"), (f"  {shown(check.said)}", "")))

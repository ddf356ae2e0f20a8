"""Reports on a terminal: results with their intervals, comparisons, and what a gate found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from engram_lab.evaluation.formats import (
    ABOVE,
    ALPHA,
    BELOW,
    NOTHING,
    VERDICTS,
    counted,
    figure,
    interval,
    p_text,
    signed,
)
from engram_lab.evaluation.reports.fitting import (
    Cell,
    Column,
    FittedTable,
    Line,
    Part,
    Rows,
    one_line,
)
from engram_lab.evaluation.reports.frames import (
    best_figure,
    categories_frame,
    estimates_frame,
    level_of,
    measures_of,
    unscored_lines,
)
from engram_lab.evaluation.reports.headline import headline_lines
from engram_lab.evaluation.suite import HEADLINE

if TYPE_CHECKING:
    from rich.console import RenderableType

    from engram_lab.evaluation.gating.verdict import GateCheck, GateReport
    from engram_lab.evaluation.statistics.contrast import Comparison, Contrast, Moved

__all__ = ["categories_table", "comparison_table", "gate_table", "results_table"]

_FEW: Final = 12
"""Checks that are all shown."""

_FEW_REMARKS: Final = 3

_SIGNS: Final = {
    "pass": ("\N{CHECK MARK}", "green"),
    "fail": ("\N{BALLOT X}", "bold red"),
    "skip": (NOTHING, "dim"),
}

_COLOURS: Final = {"pass": "green", "regression": "red", "incomparable": "yellow"}


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
        FittedTable(corner="system", rows=_rows(frame, names), columns=columns)
    ]
    shown_rows = frame.filter(pl.col("measure").is_in(chosen))
    below = [
        *(Line.of(each, "dim") for each in headline_lines(results)),
        *_legend(results, frame, differences),
        *(Line.of(each, "dim") for each in unscored_lines(shown_rows)),
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
        count = max(part["n"].to_list(), default=0)
        columns.append(
            Column(name=f"{category}\nn = {count:,}", cells=_cells(part, names, measure))
        )
    return FittedTable(corner=measure, rows=_rows(frame, names), columns=tuple(columns))


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
    rows = frame.filter(pl.col("measure") == measure)
    found = {row["system"]: row for row in rows.iter_rows(named=True)}
    best = best_figure(rows, measure)
    marks = _marks(measure, differences)
    cells = []
    for name in names:
        row = found.get(name)
        if row is None or row["mean"] is None:
            cells.append(Cell(forms=(NOTHING,) * 2, style="dim"))
            continue
        mean, mark = figure(row["mean"]), marks.get(name, "")
        style = "dim" if row["floor"] else "bold" if mean == best else ""
        spread = interval(row["low"], row["high"])
        half = f"±{(row['high'] - row['low']) / 2:.3f}" if spread else ""
        forms = (f"{mean} {spread}", f"{mean} {half}")
        tail = f" {mark}" if mark else ""
        cells.append(Cell(forms=tuple(f"{each.strip()}{tail}" for each in forms), style=style))
    return tuple(cells)


def _marks(measure: str, differences: pl.DataFrame | None) -> dict[str, str]:
    if differences is None:
        return {}
    rows = differences.filter(pl.col("measure") == measure, "differs")
    return {
        name: ABOVE if delta > 0 else BELOW
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
            f"{ABOVE} {BELOW} differs from {reference} (paired test, Holm over the systems, "
            f"{ALPHA} = {alpha:g})"
        )
    if frame["floor"].any():
        said.append("dim: floors")
    if said:
        yield Line.of(" · ".join(said), "dim")


def _skipped(results: Mapping[str, Any]) -> Iterator[Line]:
    for each in results.get("skipped", ()):
        said = f": {one_line(each['reason'])}"
        yield Line(parts=(("skipped ", "yellow"), (each["name"], "bold"), (said, "")))


def comparison_table(
    comparison: Comparison, *, queries: pl.DataFrame | None = None, limit: int = 10
) -> RenderableType:
    """Return B against A: each measure, the first by category, and the queries that moved.

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
    if grouped := [each for each in comparison.contrasts if each.group != HEADLINE]:
        first = [each for each in grouped if each.measure == grouped[0].measure]
        parts += ["", _contrasts(first, comparison, corner=first[0].measure)]
    parts += [
        "",
        Line.of(
            f"p: paired randomisation over {units}, {sides}, after Holm; bold: significant at "
            f"{ALPHA} = {comparison.alpha:g} · MDE: smallest true loss found with probability 0.8, "
            f"{NOTHING} where none can be told from chance",
            "dim",
        ),
        *_remarks(comparison.warnings),
        *_moved(comparison, queries, limit),
    ]
    return Group(*parts)


def _remarks(warnings: Sequence[str]) -> Iterator[Line]:
    yield from (Line.of(each, "yellow") for each in warnings[:_FEW_REMARKS])
    if (more := len(warnings) - _FEW_REMARKS) > 0:
        yield Line.of(f"… and {counted(more, 'remark')} more", "yellow")


def _contrasts(
    contrasts: Sequence[Contrast], comparison: Comparison, corner: str = "measure"
) -> FittedTable:
    told = [_style(each, comparison) for each in contrasts]
    quiet = [""] * len(contrasts)

    def column(name: str, texts: Iterable[tuple[str, ...]], styles: Sequence[str]) -> Column:
        return Column(
            name=name,
            cells=tuple(
                Cell(forms=(forms * 2)[:2], style=style)
                for forms, style in zip(texts, styles, strict=True)
            ),
        )

    return FittedTable(
        corner=corner,
        rows=tuple((each.group or each.measure, "") for each in contrasts),
        columns=(
            column(comparison.a, ((figure(each.mean_a),) for each in contrasts), quiet),
            column(comparison.b, ((figure(each.mean_b),) for each in contrasts), quiet),
            column("\N{GREEK CAPITAL LETTER DELTA}", (_delta(each) for each in contrasts), told),
            column("p", ((p_text(each.p_adjusted),) for each in contrasts), told),
            column("d_z", ((signed(each.effect, places=2),) for each in contrasts), quiet),
            column("MDE", ((figure(each.detectable),) for each in contrasts), quiet),
            column("win/tie/loss", ((f"{e.wins}/{e.ties}/{e.losses}",) for e in contrasts), quiet),
        ),
    )


def _delta(contrast: Contrast) -> tuple[str, ...]:
    short = signed(contrast.delta)
    return f"{short} {interval(contrast.low, contrast.high, sign=True)}".strip(), short


def _style(contrast: Contrast, comparison: Comparison) -> str:
    if not contrast.p_adjusted < comparison.alpha:
        return ""
    return "bold red" if contrast.gain < 0 else "bold green"


def _moved(
    comparison: Comparison, queries: pl.DataFrame | None, limit: int
) -> Iterator[RenderableType]:
    if not comparison.moved:
        return
    failed = sum(each.newly_failed for each in comparison.moved)
    texts = {} if queries is None else dict(queries.select("query_id", "text").iter_rows())
    yield ""
    head = f"{counted(len(comparison.moved), 'query', 'queries')} moved, {failed:,} newly failed"
    yield Line.of(f"{head} ({comparison.moved[0].measure})", "bold")
    rows = (_moved_row(each, texts) for each in comparison.moved[:limit])
    yield Rows(rows=tuple(rows), indent=2)
    if (more := len(comparison.moved) - limit) > 0:
        yield Line.of(f"  … and {more:,} more", "dim")


def _moved_row(moved: Moved, texts: Mapping[str, str]) -> tuple[Part, ...]:
    change = f"{figure(moved.before)} → {figure(moved.after)}"
    style = "bold red" if moved.newly_failed else "red" if moved.gain < 0 else "green"
    about = ((moved.query_id, "dim"), (moved.category or "", "dim"))
    return ((change, style), *about, (one_line(texts.get(moved.query_id, "")), ""))


def gate_table(
    report: GateReport, *, queries: pl.DataFrame | None = None, limit: int = 5
) -> RenderableType:
    """Return what a gate found: checks, failed ones last, the queries behind them, the verdict.

    Systems that were not judged come first, each with the reason. Where there are many checks,
    those that passed are counted.

    Args:
        report: What it found.
        queries: `query_id` and `text`, to show what was asked.
        limit: How many of the queries that moved are shown of each system that failed.
    """
    from rich.console import Group

    order = {"pass": 0, "skip": 1, "fail": 2}
    checks = sorted(report.checks, key=lambda each: order[each.status])
    unjudged = (
        *_unjudged(report.skipped, (NOTHING, "dim")),
        *_unjudged(report.incomparable, ("?", "bold yellow")),
    )
    failed = {each.system for each in checks if each.status == "fail" and each.contrast}
    found = (
        each
        for name, comparison in report.comparisons.items()
        if name in failed
        for each in _moved(comparison, queries, limit)
    )
    passed = [each for each in checks if each.status == "pass"]
    told = checks if len(checks) <= _FEW else [each for each in checks if each.status != "pass"]
    rows = (*unjudged, *map(_check_row, told))
    folded = counted(len(passed), "check") if len(told) < len(checks) and passed else ""
    parts: list[RenderableType] = []
    if folded:
        parts.append(Line(parts=(_SIGNS["pass"], (f"  {folded} passed", ""))))
    warned = (
        Line(parts=((f"{name}: ", "bold"), (why, "yellow")))
        for name, why in report.warnings.items()
    )
    return Group(*parts, Rows(rows=rows), *found, "", *warned, _verdict(report))


def _verdict(report: GateReport) -> Line:
    counts = Counter(each.status for each in report.checks)
    said = f"  {report.suite}: {counts['pass']} passed, {counts['fail']} failed"
    tail = f", {counts['skip']} not judged" if counts["skip"] else ""
    style = f"bold {_COLOURS[report.verdict]}"
    return Line(parts=((VERDICTS[report.verdict], style), (said + tail, "")))


def _unjudged(systems: Mapping[str, str], sign: Part) -> Iterator[tuple[Part, ...]]:
    """Yield a row for each system that was not judged, with the reason."""
    yield from ((sign, (name, "bold"), (one_line(why), "")) for name, why in systems.items())


def _check_row(check: GateCheck) -> tuple[Part, ...]:
    name = " ".join(filter(None, (check.system, check.name, check.group and f"({check.group})")))
    return (_SIGNS[check.status], (name, "bold"), (one_line(check.said), ""))

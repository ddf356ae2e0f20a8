"""The report: one file that holds all of it, opens anywhere, and asks nothing of a network."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from engram_lab.core.errors import MissingDependencyError
from engram_lab.evaluation.formats import VERDICTS, counted, figure, interval
from engram_lab.evaluation.reports.compared import comparison_part, gate_part, moved_part
from engram_lab.evaluation.reports.dreams import benchmark_parts, benchmark_summary
from engram_lab.evaluation.reports.evidence import evidence_of
from engram_lab.evaluation.reports.figures import (
    categories_figure,
    costs_figure,
    deltas_figure,
    depths_figure,
    forest_figure,
)
from engram_lab.evaluation.reports.frames import estimates_frame, measures_of
from engram_lab.evaluation.reports.page import Markup, element, join, section
from engram_lab.evaluation.reports.reference import best_system, differences_of
from engram_lab.evaluation.reports.sections import (
    categories_part,
    costs_part,
    guards_part,
    record_part,
    results_part,
    skipped_part,
)
from engram_lab.evaluation.runs.files import replacing

if TYPE_CHECKING:
    from engram_lab.evaluation.gating.verdict import GateReport
    from engram_lab.evaluation.runs.results import RunFolder
    from engram_lab.evaluation.statistics.contrast import Comparison

__all__ = ["write_report"]


def write_report(
    folder: RunFolder,
    path: str | os.PathLike[str],
    *,
    comparison: Comparison | None = None,
    gate: GateReport | None = None,
    reference: str | None = None,
) -> Path:
    """Write the report of a run as one HTML file.

    Args:
        folder: The run.
        path: Where to write; an existing file is replaced, a missing folder made.
        comparison: To be shown with the queries that moved; B is a system of this run.
        gate: What a gate found in this run.
        reference: The system that others are tested against; by default the best.

    Returns:
        The file.
    """
    target = Path(path)
    page = _page(folder, comparison, gate, reference)
    with replacing(target) as file:
        file.write(page.encode())
    return target


def _page(
    folder: RunFolder,
    comparison: Comparison | None,
    gate: GateReport | None,
    reference: str | None,
) -> str:
    # A benchmark holds each system against nulls of its own.
    tested = None if _is_benchmark(folder) else differences_of(folder, reference)
    parts = list(_parts(folder, comparison, gate, tested))
    title = _title(folder)
    style = resources.files(__package__).joinpath("report.css").read_text(encoding="utf-8")
    links = [element("a", heading, href=f"#{name}") for name, heading, _ in parts]
    head = element(
        "head",
        Markup('<meta charset="utf-8">'),
        Markup('<meta name="viewport" content="width=device-width, initial-scale=1">'),
        element("title", f"{title}: retrieval report"),
        element("style", Markup(style)),
    )
    body = element(
        "body",
        _header(folder, gate, tested, element("nav", links, aria_label="Sections")),
        element("main", [section(*part) for part in parts]),
    )
    return f"<!doctype html>\n{element('html', head, body, lang='en')}\n"


def _is_benchmark(folder: RunFolder) -> bool:
    return "benchmark" in folder.results


def _title(folder: RunFolder) -> str:
    suite = folder.results.get("record", {}).get("suite")
    title = suite.get("title") if isinstance(suite, dict) else None
    said = str(title or folder.results["suite"])
    return f"{said[:1].upper()}{said[1:]}"


def _header(
    folder: RunFolder, gate: GateReport | None, tested: pl.DataFrame | None, nav: Markup
) -> Markup:
    badge = (
        element("span", VERDICTS[gate.verdict], class_=f"verdict {gate.verdict}") if gate else None
    )
    kind = "Benchmark" if _is_benchmark(folder) else "Retrieval"
    return element(
        "header",
        element("p", f"{kind} report \N{MIDDLE DOT} {folder.results['suite']}", class_="over"),
        element("h1", _title(folder), badge),
        element("p", " ".join(_summary(folder, tested)), class_="lead"),
        nav,
    )


def _summary(folder: RunFolder, tested: pl.DataFrame | None) -> Iterator[str]:
    """Yield what was done and what it says, in sentences."""
    results = folder.results
    if _is_benchmark(folder):
        yield from benchmark_summary(results)
        return
    measure, best = next(iter(measures_of(results)), None), best_system(results)
    clusters = folder.queries["cluster"].drop_nulls().n_unique()
    asked = counted(folder.queries.height, "query", "queries")
    within = f" in {counted(clusters, 'cluster')}" if clusters else ""
    yield f"{counted(len(results['systems']), 'system')} on {asked}{within}."
    if best is None or measure is None:
        return
    row = estimates_frame(results).row(
        by_predicate=(pl.col("system") == best) & (pl.col("measure") == measure), named=True
    )
    spread = interval(row["low"], row["high"])
    yield f"Best in {measure}: {best} with {figure(row['mean'])} {spread}".strip() + "."
    if tested is not None:
        yield from _told_apart(tested.filter(pl.col("measure") == measure))


def _told_apart(tested: pl.DataFrame) -> Iterator[str]:
    """Yield which systems differ from the reference, and which may not."""
    for sign, word in ((-1, "below"), (1, "above")):
        found = tested.filter("differs", pl.col("delta").sign() == sign)
        if found.height:
            reference = found["reference"][0]
            yield f"Significantly {word} {reference}: {', '.join(found['system'])}."
    rest = tested.filter(~pl.col("differs"))
    if rest.height:
        yield f"Not told apart from {rest['reference'][0]}: {', '.join(rest['system'])}."


def _parts(
    folder: RunFolder,
    comparison: Comparison | None,
    gate: GateReport | None,
    tested: pl.DataFrame | None,
) -> Iterator[tuple[str, str, Any]]:
    results, draw = folder.results, _Drawing()
    if gate is not None:
        yield "gate", "Gate", gate_part(gate)
    yield from _figures_parts(folder, draw, tested)
    for number, each in enumerate(_compared(comparison, gate), 1):
        name = f"comparison-{number}"
        plot = draw(deltas_figure, each, name=name)
        moved = moved_part(each, evidence_of(folder, each))
        yield name, f"{each.b} against {each.a}", join([comparison_part(each, plot=plot), moved])
    costs = None if _is_benchmark(folder) else costs_part(results)
    for name, heading, part in (
        ("costs", "Costs", costs and join([costs, draw(costs_figure, results)])),
        ("guards", "Guards", guards_part(results)),
        ("skipped", "Skipped", skipped_part(results)),
    ):
        if part is not None:
            yield name, heading, part
    yield "record", "Record", record_part(results)


def _figures_parts(
    folder: RunFolder, draw: _Drawing, tested: pl.DataFrame | None
) -> Iterator[tuple[str, str, Any]]:
    """Yield what was measured, as tables and plots."""
    results = folder.results
    if _is_benchmark(folder):
        yield from benchmark_parts(results, draw)
        return
    drawn = [draw(forest_figure, results), draw(depths_figure, results)]
    yield "results", "Results", join([results_part(results, tested), drawn, draw.missing])
    if any(each.get("categories") for each in results["systems"]):
        plot = draw(categories_figure, results)
        yield "categories", "Categories", join([plot, categories_part(results)])


def _compared(comparison: Comparison | None, gate: GateReport | None) -> list[Comparison]:
    """Return what is compared: the comparison given, then those of a gate, failed ones first."""
    found = [comparison] if comparison is not None else []
    if gate is not None:
        failed = {each.system for each in gate.checks if each.status == "fail"}
        ordered = sorted(gate.comparisons.items(), key=lambda item: item[0] not in failed)
        found += [each for _, each in ordered if each != comparison]
    return found


@dataclass(kw_only=True)
class _Drawing:
    """Draws plots, or tells once why it cannot."""

    missing: Markup | None = None

    def __call__(
        self, figure: Callable[..., Markup | None], *of: Any, **named: Any
    ) -> Markup | None:
        if self.missing is not None:
            return None
        try:
            return figure(*of, **named)
        except MissingDependencyError as error:
            self.missing = element("p", f"Without plots: {error}", class_="quiet")
            return None

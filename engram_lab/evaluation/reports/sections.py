"""The parts of the page about one run: its results, its costs, what was skipped, its record."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import orjson
import polars as pl

from engram_lab.evaluation.formats import (
    ABOVE,
    ALPHA,
    BELOW,
    NOTHING,
    cost_label,
    cost_text,
    counted,
    figure,
    interval,
    p_text,
)
from engram_lab.evaluation.measures.parsing import falls
from engram_lab.evaluation.reports.frames import (
    best_figure,
    categories_frame,
    costs_frame,
    estimates_frame,
    level_of,
    measures_of,
    unscored_lines,
)
from engram_lab.evaluation.reports.page import Head, Markup, details, element, join, table

__all__ = [
    "categories_part",
    "costs_part",
    "guards_part",
    "record_part",
    "results_part",
    "skipped_part",
    "status_cell",
]

_WIDEST: Final = 7
"""Columns of figures beside each other."""


def results_part(results: Mapping[str, Any], differences: pl.DataFrame | None) -> Markup:
    """Return the systems with their measures; the best is bold, what differs is marked."""
    frame = estimates_frame(results)
    measures = measures_of(results)
    names = [each["name"] for each in results["systems"]]
    marks = _marks(differences)
    said = [
        f"Mean, with its {level_of(results):.0%} confidence interval. Best in bold; floors in grey."
    ]
    if differences is not None and differences.height:
        reference, alpha = differences.select("reference", "alpha").row(0)
        said.append(
            f" {ABOVE} {BELOW} differs from {reference}: paired randomisation test, Holm over "
            f"the systems of a column, {ALPHA} = {alpha:g}."
        )
    columns = [
        (Head(name=each, numeric=True), _cells(frame, names, each, marks=marks))
        for each in measures
    ]
    return join(
        [
            _grids("Measures", said, columns, names, floors=_floors(frame)),
            [element("p", f"{each}.", class_="quiet") for each in unscored_lines(frame)],
            _titles(results),
        ]
    )


def categories_part(results: Mapping[str, Any]) -> Markup:
    """Return a table for each measure: systems by categories; the first one lies open."""
    frame, names = categories_frame(results), [each["name"] for each in results["systems"]]
    tables = []
    for measure in measures_of(results):
        part = frame.filter(pl.col("measure") == measure)
        counts = part.group_by("category", maintain_order=True).agg(pl.col("n").max())
        if counts.is_empty():
            continue
        columns = [
            (
                Head(name=category, numeric=True, note=f"n = {n:,}"),
                _cells(part.filter(pl.col("category") == category), names, measure, marks={}),
            )
            for category, n in counts.iter_rows()
        ]
        tables.append(_grids(measure, element("b", measure), columns, names, floors=_floors(frame)))
    if len(tables) < 2:  # noqa: PLR2004 - nothing to fold away
        return join(tables)
    more = counted(len(tables) - 1, "other measure")
    return join([tables[0], details(f"The {more}", tables[1:])])


def _grids(
    name: str,
    caption: object,
    columns: Sequence[tuple[Head, Sequence[Markup]]],
    names: Sequence[str],
    *,
    floors: set[str],
) -> Markup:
    """Return systems by columns, in as many tables as a page is wide enough for, evenly."""
    count = -(-len(columns) // _WIDEST) or 1
    size = -(-len(columns) // count) or 1
    tables = []
    for at in range(0, max(len(columns), 1), size):
        block = columns[at : at + size]
        tables.append(
            table(
                f"{name}, continued" if at else caption,
                [Head(name="system"), *(head for head, _ in block)],
                [[name, *(cells[row] for _, cells in block)] for row, name in enumerate(names)],
                dim=(row for row, name in enumerate(names) if name in floors),
            )
        )
    return join(tables)


def _titles(results: Mapping[str, Any]) -> Markup | None:
    titles = [(each["name"], each["title"]) for each in results["systems"] if each.get("title")]
    if not titles:
        return None
    return element("dl", [[element("dt", name), element("dd", title)] for name, title in titles])


def _floors(frame: pl.DataFrame) -> set[str]:
    return set(frame.filter("floor")["system"])


def _marks(differences: pl.DataFrame | None) -> dict[tuple[str, str], Markup]:
    if differences is None:
        return {}
    rows = differences.filter("differs").iter_rows(named=True)
    return {(row["system"], row["measure"]): _mark(row) for row in rows}


def _mark(row: Mapping[str, Any]) -> Markup:
    higher = row["delta"] > 0
    better = higher != falls(row["measure"])
    said = f"{'above' if higher else 'below'} {row['reference']}, p = {p_text(row['p_adjusted'])}"
    return element(
        "span",
        ABOVE if higher else BELOW,
        class_="up" if better else "down",
        title=said,
        role="img",
        aria_label=said,
    )


def _cells(
    frame: pl.DataFrame,
    names: Sequence[str],
    measure: str,
    *,
    marks: Mapping[tuple[str, str], Markup],
) -> list[Markup]:
    rows = frame.filter(pl.col("measure") == measure).drop_nulls("mean")
    found = {row["system"]: row for row in rows.iter_rows(named=True)}
    best = best_figure(rows, measure)
    cells = []
    for name in names:
        row = found.get(name)
        if row is None:
            cells.append(element("td", NOTHING, class_="n"))
            continue
        mean = figure(row["mean"])
        mark = marks.get((name, measure))
        spread = interval(row["low"], row["high"])
        kind = "n best" if mean == best and not row["floor"] else "n"
        cells.append(
            element(
                "td", mean, [" ", mark] if mark else None, element("small", spread), class_=kind
            )
        )
    return cells


def costs_part(results: Mapping[str, Any]) -> Markup | None:
    """Return what each system costs: time, space, delay."""
    frame = costs_frame(results)
    if frame.is_empty():
        return None
    costs = frame["cost"].unique(maintain_order=True).to_list()
    found = {(system, cost): value for system, cost, value in frame.iter_rows()}
    names = [each["name"] for each in results["systems"]]
    rows = [[name, *(cost_text(each, found.get((name, each))) for each in costs)] for name in names]
    heads = [Head(name=cost_label(each), numeric=True) for each in costs]
    return table("On the machine that the record names.", [Head(name="system"), *heads], rows)


def guards_part(results: Mapping[str, Any]) -> Markup | None:
    """Return what must hold exactly; systems of which the same is said share a row."""
    systems: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for each in results["systems"]:
        for name, found in (each.get("guards") or {}).items():
            systems[name, found["status"], found["said"]].append(each["name"])
    if not systems:
        return None
    order = {"fail": 0, "skip": 1, "pass": 2}
    rows = [
        [name.replace("_", " "), status_cell(status), ", ".join(names), said]
        for (name, status, said), names in sorted(
            systems.items(), key=lambda item: order.get(item[0][1], 0)
        )
    ]
    heads = [Head(name=name) for name in ("guard", "", "systems", "what was found")]
    return table("What must hold exactly: no mean makes up for it.", heads, rows)


def status_cell(status: str) -> Markup:
    """Return the cell of a status: `pass`, `fail` or `skip`."""
    word = "not judged" if status == "skip" else status
    return element("td", element("span", word, class_=f"tag {status}"))


def skipped_part(results: Mapping[str, Any]) -> Markup | None:
    """Return the systems that were not run, each with the reason."""
    skipped = results.get("skipped") or ()
    if not skipped:
        return None
    return element("dl", [[element("dt", e["name"]), element("dd", e["reason"])] for e in skipped])


def record_part(results: Mapping[str, Any]) -> Markup:
    """Return what it takes to do it again, and the whole record below it."""
    record: Mapping[str, Any] = results.get("record") or {}
    rows = [
        [element("dt", name), element("dd", element("code", value))]
        for name, value in _again(record)
        if value
    ]
    hashes = [
        [each["name"], element("code", str(each.get("spec", {}).get("config_hash") or NOTHING))]
        for each in results["systems"]
    ]
    whole = orjson.dumps(dict(record), option=orjson.OPT_INDENT_2, default=str).decode()
    specs = {each["name"]: each.get("spec") for each in results["systems"]}
    written = orjson.dumps(specs, option=orjson.OPT_INDENT_2, default=str).decode()
    return join(
        [
            element("dl", rows),
            table("Configurations", [Head(name="system"), Head(name="hash")], hashes),
            details("The systems, in full", element("pre", written)),
            details("The record, in full", element("pre", whole)),
        ]
    )


def _again(record: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what a reader looks for first, where the record has it."""
    data = record.get("dataset") or record.get("data") or {}
    code, place = record.get("code") or {}, record.get("environment") or {}
    yield "command", str(record.get("command") or "")
    yield "record", str(record.get("id") or "")
    yield "data", " ".join(filter(None, (str(data.get("id") or ""), *_pairs(data.get("variant")))))
    yield "data hash", str(data.get("hash") or "")
    changed = ", with changes that are not committed" if code.get("dirty") else ""
    yield "code", f"{code.get('version') or ''} {code.get('revision') or ''}{changed}".strip()
    yield "seed", str(record["seed"]) if "seed" in record else ""
    yield "processor", str(place.get("processor") or "")
    yield "linear algebra", str(place.get("blas") or "")
    yield "platform", str(place.get("platform") or "")
    packages = {"python": place.get("python"), **(place.get("packages") or {})}
    yield "versions", ", ".join(_pairs(packages))
    yield "began", str(record.get("began_at") or "")


def _pairs(values: Mapping[str, Any] | None) -> list[str]:
    return [f"{name} {value}" for name, value in (values or {}).items() if value is not None]

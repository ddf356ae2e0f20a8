"""The parts of the page about one run: its results, its costs, what was skipped, its record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import orjson
import polars as pl

from engram_lab.evaluation.reports.formats import (
    NOTHING,
    cost_label,
    cost_text,
    counted,
    figure,
    interval,
    p_text,
)
from engram_lab.evaluation.reports.frames import (
    categories_frame,
    costs_frame,
    estimates_frame,
    falls,
    level_of,
    measures_of,
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

_MARKS: Final = {
    True: ("\N{BLACK UP-POINTING TRIANGLE}", "up"),
    False: ("\N{BLACK DOWN-POINTING TRIANGLE}", "down"),
}


def results_part(results: Mapping[str, Any], differences: pl.DataFrame | None) -> Markup:
    """Return the systems with their measures; the best is bold, what differs is marked."""
    frame = estimates_frame(results)
    measures = measures_of(results)
    names = [each["name"] for each in results["systems"]]
    marks = _marks(differences)
    columns = [_cells(frame, names, each, marks=marks) for each in measures]
    said = [
        f"Mean, with its {level_of(results):.0%} confidence interval. Best in bold; floors in grey."
    ]
    if marks is not None and differences is not None and differences.height:
        reference, alpha = differences.select("reference", "alpha").row(0)
        said.append(
            f" \N{BLACK UP-POINTING TRIANGLE} \N{BLACK DOWN-POINTING TRIANGLE} differs from "
            f"{reference}: paired randomisation test, Holm over "
            f"{counted(differences.height, 'test')}, \N{GREEK SMALL LETTER ALPHA} = {alpha:g}."
        )
    return join(
        [
            table(
                said,
                [Head(name="system"), *(Head(name=each, numeric=True) for each in measures)],
                [[name, *(cells[place] for cells in columns)] for place, name in enumerate(names)],
                dim=_floors(frame, names),
            ),
            list(_unscored(frame)),
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
            _cells(part.filter(pl.col("category") == category), names, measure, marks=None)
            for category in counts["category"]
        ]
        heads = [
            Head(name=category, numeric=True, note=f"n = {n:,}")
            for category, n in counts.iter_rows()
        ]
        tables.append(
            table(
                element("b", measure),
                [Head(name="system"), *heads],
                [[name, *(cells[place] for cells in columns)] for place, name in enumerate(names)],
                dim=_floors(frame, names),
            )
        )
    if len(tables) < 2:  # noqa: PLR2004 - nothing to fold away
        return join(tables)
    more = counted(len(tables) - 1, "other measure")
    return join([tables[0], details(f"The {more}", tables[1:])])


def _floors(frame: pl.DataFrame, names: Sequence[str]) -> Iterator[int]:
    floors = set(frame.filter("floor")["system"])
    return (place for place, name in enumerate(names) if name in floors)


def _marks(differences: pl.DataFrame | None) -> dict[tuple[str, str], Markup] | None:
    if differences is None:
        return None
    rows = differences.filter("differs").iter_rows(named=True)
    return {(row["system"], row["measure"]): _mark(row) for row in rows}


def _mark(row: Mapping[str, Any]) -> Markup:
    higher = row["delta"] > 0
    sign, _ = _MARKS[higher]
    better = higher != falls(row["measure"])
    said = f"{'above' if higher else 'below'} {row['reference']}, p = {p_text(row['p_adjusted'])}"
    return element(
        "span", sign, class_="up" if better else "down", title=said, role="img", aria_label=said
    )


def _cells(
    frame: pl.DataFrame,
    names: Sequence[str],
    measure: str,
    *,
    marks: Mapping[tuple[str, str], Markup] | None,
) -> list[Markup]:
    rows = frame.filter(pl.col("measure") == measure).drop_nulls("mean")
    found = {row["system"]: row for row in rows.iter_rows(named=True)}
    means = [figure(row["mean"]) for row in found.values()]
    best = (min if falls(measure) else max)(means, default=None)
    cells = []
    for name in names:
        row = found.get(name)
        if row is None:
            cells.append(element("td", NOTHING, class_="n"))
            continue
        mean = figure(row["mean"])
        mark = (marks or {}).get((name, measure))
        spread = interval(row["low"], row["high"])
        kind = "n best" if mean == best and not row["floor"] else "n"
        cells.append(
            element(
                "td", mean, [" ", mark] if mark else None, element("small", spread), class_=kind
            )
        )
    return cells


def _unscored(frame: pl.DataFrame) -> Iterator[Markup]:
    for (measure,), part in frame.filter(pl.col("unscored") > 0).group_by(
        "measure", maintain_order=True
    ):
        counts = part.select("system", "unscored").rows()
        said = ", ".join(f"{name} {count:,}" for name, count in counts)
        if len({count for _, count in counts}) == 1:
            said = counted(counts[0][1], "query", "queries")
        yield element("p", f"Without a value of {measure}: {said}.", class_="quiet")


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
    """Return what must hold exactly, as each system was found."""
    rows = [
        [name.replace("_", " "), each["name"], status_cell(found["status"]), found["said"]]
        for each in results["systems"]
        for name, found in (each.get("guards") or {}).items()
    ]
    if not rows:
        return None
    heads = [Head(name=name) for name in ("guard", "system", "", "what was found")]
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

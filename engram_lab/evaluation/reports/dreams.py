"""The parts of the page about the benchmark of consolidation: each figure beside its null."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import polars as pl

from engram_lab.evaluation.formats import (
    ALPHA,
    counted,
    figure,
    interval,
    p_text,
    quantity,
    signed,
)
from engram_lab.evaluation.formats import cost_text as cost
from engram_lab.evaluation.reports.dream_plots import curves_frame, curves_plot, reliability_plot
from engram_lab.evaluation.reports.figures import drawn
from engram_lab.evaluation.reports.frames import (
    categories_frame,
    costs_frame,
    estimates_frame,
    is_floor,
    measures_of,
)
from engram_lab.evaluation.reports.page import Head, Markup, element, join, table
from engram_lab.evaluation.reports.plots import categories_dots, forest_plot
from engram_lab.evaluation.reports.sections import categories_part, results_part

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["benchmark_parts", "benchmark_summary", "verdict_lines"]

Draw = Callable[..., Markup | None]


class _Axes(NamedTuple):
    """How a plot of curves is named and read."""

    said: str
    x: str
    y: str


_AXES: Final[Mapping[str, _Axes]] = MappingProxyType(
    {
        "retention by memories": _Axes(
            "Facts that still hold and are found, over how many memories are kept: the "
            "retention\N{EN DASH}compression front; grey: placebos",
            "memories that are kept",
            "facts found",
        ),
        "retention by tokens": _Axes(
            "The same over the tokens of what is kept",
            "tokens that are kept",
            "facts found",
        ),
        "survival by night": _Axes(
            "What must be kept and is found, night by night, without anything new",
            "night",
            "found",
        ),
        "partners found by nights": _Axes(
            "How often the other of a hidden pair is among ten hits, after each night of dreams",
            "nights",
            "partners found",
        ),
    }
)
_RELIABILITY: Final = "reliability"

_DOES: Final = MappingProxyType({"beats": "pass", "does not": "fail", "not judged": "skip"})


def benchmark_summary(results: Mapping[str, Any]) -> Iterator[str]:
    """Yield what was done and what it says, in sentences."""
    found, size = results["benchmark"], results["record"]["dataset"]["variant"]["size"]
    yield f"{counted(len(found['tasks']), 'task')} on worlds of about {int(size):,} memories."
    yield from verdict_lines(found["phases"])


def verdict_lines(phases: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield which steps beat their nulls, which do not, and what follows for the defaults."""
    for verdict, said in (
        ("beats", "Better than every null"),
        ("does not", "Not better than every null"),
        ("not judged", "Not judged"),
    ):
        names = [each["phase"] for each in phases if each["verdict"] == verdict]
        if names:
            yield f"{said}: {', '.join(names)}."
    wrong = [e["phase"] for e in phases if e["verdict"] == "does not" and e["on"]]
    if wrong:
        yield f"On by default all the same, and should not be: {', '.join(wrong)}."


def benchmark_parts(results: Mapping[str, Any], draw: Draw) -> Iterator[tuple[str, str, Any]]:
    """Yield the sections of the page, each with its name and its heading.

    Args:
        results: What `results.json` holds.
        draw: Draws a figure, or nothing where plots cannot be drawn.
    """
    found = results["benchmark"]
    yield "phases", "Steps of a dream", _phases_part(found["phases"])
    if found["beside_nulls"]:
        yield "nulls", "Every figure beside its null", _nulls_part(found["beside_nulls"])
    floors = frozenset(each["name"] for each in results["systems"] if is_floor(each))
    curves = curves_frame(found["curves"], floors)
    for number, plot in enumerate(curves["plot"].unique(maintain_order=True).to_list(), 1):
        of_plot = curves.filter(pl.col("plot") == plot)
        markup = draw(_curves_figure, of_plot, plot, name=f"curves-{number}")
        if markup is not None:
            yield f"curves-{number}", _heading(plot), markup
    if "hebbian_lift" in measures_of(results):
        yield "lift", "Lift of learned links", join([draw(_lift_figure, results)])
    if "reaccess_log_loss" in measures_of(results):
        yield "laws", "Laws of forgetting", join([draw(_laws_figure, results)])
    if any(each["measures"] for each in results["systems"]):
        yield "results", "All figures", results_part(results, None)
        yield "categories", "By category", categories_part(results)
    if found["facts"] or not costs_frame(results).is_empty():
        yield "facts", "Costs and counts", _facts_part(results)


def _heading(plot: str) -> str:
    return f"{plot[:1].upper()}{plot[1:]}"


def _phases_part(phases: Sequence[Mapping[str, Any]]) -> Markup:
    rows = [
        [
            each["phase"],
            element(
                "td",
                element("span", each["verdict"], class_=f"tag {_DOES[each['verdict']]}"),
            ),
            "on" if each["on"] else "off",
            f"{each['said']}.",
        ]
        for each in phases
    ]
    heads = [Head(name=name) for name in ("step", "its nulls", "by default", "what was found")]
    said = "A step that does not beat every null is to be off by default."
    return table(said, heads, rows)


def _nulls_part(beside: Sequence[Mapping[str, Any]]) -> Markup:
    names = ("null", "value", "null's value", "difference", "p", "n")
    heads = [
        Head(name="measure"),
        Head(name="system"),
        *(Head(name=name, numeric=name != "null") for name in names),
    ]
    before = [("", ""), *((each["measure"], each["system"]) for each in beside)]
    rows = [
        [
            # What was said in the row above is not said again.
            "" if before[place] == (each["measure"], each["system"]) else each["measure"],
            "" if before[place] == (each["measure"], each["system"]) else each["system"],
            each["null"],
            figure(each["value"]),
            figure(each["null_value"]),
            element(
                "td",
                signed(each["delta"]),
                element("small", interval(each["low"], each["high"], sign=True)),
                class_="n best up" if each["better"] else "n",
            ),
            p_text(each["p"]),
            f"{each['n']:,}",
        ]
        for place, each in enumerate(beside)
    ]
    said = (
        "Paired randomisation test, or a bootstrap of clusters where each chose its own units; "
        f"two-sided, p after Holm over the nulls of a measure; {ALPHA} = 0.05. Bold: better than "
        "the null."
    )
    return table(said, heads, rows)


def _curves_figure(curves: pl.DataFrame, plot: str, *, name: str) -> Markup | None:
    if curves.is_empty():
        return None
    if plot == _RELIABILITY:
        said = (
            "How often what was given a chance came, in tenths of the forecasts with Wilson's "
            "intervals; dashed: as it should"
        )
        return drawn(reliability_plot(curves), name=name, said=said)
    axes = _AXES.get(plot, _Axes(_heading(plot), "", ""))
    chart = curves_plot(curves, x=axes.x, y=axes.y)
    return drawn(chart, name=name, said=axes.said)


def _lift_figure(results: Mapping[str, Any]) -> Markup | None:
    frame, measure = estimates_frame(results), "hebbian_lift"
    said = (
        "By how much more often the other of a hidden pair is among ten hits than without links, "
        "with its interval; grey: nulls, dashed: the best"
    )
    return drawn(forest_plot(frame, measure=measure), name="lift", said=said)


def _laws_figure(results: Mapping[str, Any]) -> Markup | None:
    frame, measure = categories_frame(results), "reaccess_log_loss"
    said = "Log-loss of each law on traces of each law: less is better; grey: the same for all"
    return drawn(categories_dots(frame, measure=measure), name="laws", said=said)


def _facts_part(results: Mapping[str, Any]) -> Markup:
    costs = [(name, cost(name, value)) for _, name, value in costs_frame(results).iter_rows()]
    facts = [(name, quantity(value)) for name, value in results["benchmark"]["facts"].items()]
    rows = [[name.replace("_", " "), said] for name, said in (*costs, *facts)]
    said = "Times and bytes are those of the machine that the record names; counts are exact."
    return table(said, [Head(name="what"), Head(name="how much", numeric=True)], rows)

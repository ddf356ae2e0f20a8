"""Memories and the links between them: to be moved, zoomed and pointed at, as time goes by."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from engram_lab.core.errors import InvalidInputError
from engram_lab.core.packages import optional
from engram_lab.plots.columns import MOST_ROWS, checked, shortened
from engram_lab.plots.encodings import order, said_below
from engram_lab.plots.moments import placed_in_time, said_moments
from engram_lab.plots.placing import free_places
from engram_lab.plots.theme import GOOD, GREY, INK, PALETTE, QUIET, WIDTH, altair, themed

if TYPE_CHECKING:
    from datetime import datetime

    import altair as alt

__all__ = ["MOST_NODES", "laid_out", "link_graph"]

MOST_NODES: Final = 400
"""What can still be looked at, and is laid out within a second or two."""

_ROOMY: Final = 60
"""Up to so many points are as large as points can be."""
_LEAST: Final = 0.15
"""Of their size, where there are more."""

_HEIGHT: Final = 460
_NAME: Final = 22
"""Characters of a name beside its point; the whole is told where one points at it."""
_AREAS: Final = (50.0, 420.0)
"""Of a point without a link, and of the one whose links weigh most."""
_EDGE: Final = 1.2
"""Where the picture ends; the points lie from -1 to 1."""
_APART: Final = 0.02
"""Weight of a link that all have with all, so that no part drifts away from the others."""
_HERE: Final = "datum.begins <= moment && moment < datum.ends"


def link_graph(
    nodes: Any, edges: Any, *, most: int = MOST_NODES, seed: int = 0
) -> alt.TopLevelMixin:
    """Return a graph of memories: a point for each, a line for each link, wider by its weight.

    It can be moved and zoomed, and tells what one points at. Where the frames know of several
    moments, a slider goes through them, and the places of the memories stay. Of more memories than
    can be looked at, those are drawn whose links weigh most, and the title says so.

    Args:
        nodes: Columns `id` and `label`, as of `engine.subgraph(…).nodes`, and where there are some
            `group` (points of a group have a colour) and `created_at` (from when it is there).
        edges: Columns `from_id` and `to_id`, as of `engine.subgraph(…).edges`, and where there are
            some `type`, `weight`, `valid_from` and `valid_to` (while it holds). Or `at`: then the
            rows of one `at` are the links as they were at that moment, and the slider goes from
            one such moment to the next. A link whose end is no row of `nodes` is left out.
        most: How many memories are drawn at most; above the default, the layout takes long.
        seed: Of the layout: the same frames and the same seed give the same picture.

    Raises:
        InvalidInputError: A column is missing or of the wrong kind, an id is missing or comes
            twice, fewer than one memory is to be drawn, or there are more links than can be looked
            at.
        MissingDependencyError: Altair or networkx is absent.
    """
    alt = altair()
    if most < 1:
        raise InvalidInputError(f"most is {most}: let link_graph draw at least 1 memory")
    every, links = _checked(nodes, edges)
    points, links = _strongest(every, links, most)
    points, links, moments = placed_in_time(points, links)
    points = _with_places(points, links, seed=seed)
    size = max(_LEAST, min(1.0, _ROOMY / points.height))
    zoom = alt.selection_interval(name="zoom", bind="scales")
    layers = [
        *_lines(_with_ends(links, points), grouped=not points["group"].is_null().all(), size=size),
        *_names(points, size=size),
        _circles(points, size=size).add_params(zoom),
    ]
    if len(moments) > 1:
        layers = [each.transform_filter(_HERE) for each in layers]
        layers.append(_moment(moments))
    chart = alt.layer(*layers).resolve_scale(color="independent")
    if points.height < every.height:
        said = f"{points.height:,} of {every.height:,} memories: those whose links weigh most"
        chart = chart.properties(title=alt.Title("Links", **said_below(said)))
    return themed(chart.properties(width=WIDTH, height=_HEIGHT))


def laid_out(
    ids: list[str], links: list[tuple[str, str, float]], *, seed: int = 0
) -> dict[str, tuple[float, float]]:
    """Return a place within -1 to 1 for each id: what is linked is near.

    Source: Fruchterman and Reingold 1991, Graph drawing by force-directed placement, Software:
    Practice and Experience 21(11), as networkx has it.

    Args:
        ids: Of the nodes, in order.
        links: Ends and weight of each.
        seed: The same seed gives the same places.

    Raises:
        MissingDependencyError: networkx is absent.
    """
    networkx: Any = optional("networkx", package="networkx", feature="link_graph", extra="plots")
    heaviest = max((weight for *_, weight in links), default=0.0) or 1.0
    graph = networkx.complete_graph(ids)
    networkx.set_edge_attributes(graph, _APART, "weight")
    for one, other, weight in links:
        if one != other:
            held = graph[one][other]
            held["weight"] = max(held["weight"], _APART + max(0.0, weight) / heaviest)
    found = networkx.spring_layout(graph, iterations=150, seed=seed, method="force")
    if not found:
        return {}
    places = np.array([found[each] for each in ids])
    least, most = places.min(axis=0), places.max(axis=0)
    # Both directions are stretched to the whole of the picture.
    spread = np.where(most > least, most - least, 1.0)
    spanned = np.where(most > least, 2 * (places - least) / spread - 1, 0.0)
    return {each: (float(x), float(y)) for each, (x, y) in zip(ids, spanned, strict=True)}


def _checked(nodes: Any, edges: Any) -> tuple[pl.DataFrame, pl.DataFrame]:
    points = checked(
        nodes,
        chart="link_graph",
        needed={"id": "text", "label": "text"},
        optional={"group": "text", "created_at": "time"},
    )
    if points["id"].null_count():
        raise InvalidInputError("link_graph was given a memory without an id: give one to each row")
    twice = points["id"].filter(points["id"].is_duplicated())
    if not twice.is_empty():
        raise InvalidInputError(
            f"link_graph was given the memory {twice[0]!r} twice: give one row for each"
        )
    links = checked(
        edges,
        chart="link_graph",
        needed={"from_id": "text", "to_id": "text"},
        optional={
            "type": "text",
            "weight": "number",
            "valid_from": "time",
            "valid_to": "time",
            "at": "time",
        },
        may_be_empty=True,
    ).with_columns(pl.col("weight").fill_null(1.0), pl.col("type").fill_null("link"))
    known = points["id"].to_list()
    links = links.filter(pl.col("from_id").is_in(known), pl.col("to_id").is_in(known))
    return points, links


def _strongest(
    points: pl.DataFrame, links: pl.DataFrame, most: int
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the memories whose links weigh most, in their order, and the links among them."""
    if points.height > most:
        weighed = points.join(_strengths(links), on="id", how="left", maintain_order="left")
        best = weighed.with_row_index("__row").sort(
            "strength", descending=True, nulls_last=True, maintain_order=True
        )
        points = points[best["__row"].head(most).sort()]
        kept = points["id"].to_list()
        links = links.filter(pl.col("from_id").is_in(kept), pl.col("to_id").is_in(kept))
    if links.height > MOST_ROWS:
        raise InvalidInputError(
            f"link_graph was given {links.height:,} links, and draws {MOST_ROWS:,} at most: "
            "take the heavier ones, or fewer moments"
        )
    return points, links


def _strengths(links: pl.DataFrame) -> pl.DataFrame:
    """Return `id` and `strength`: the weights of its links, of each the heaviest moment."""
    heaviest = links.group_by("from_id", "to_id", "type").agg(pl.col("weight").max())
    ends = pl.concat(
        [heaviest.select(pl.col(end).alias("id"), "weight") for end in ("from_id", "to_id")]
    )
    # In one order, so that the sums are the same to the last bit each time.
    return ends.sort("id", "weight").group_by("id").agg(pl.col("weight").sum().alias("strength"))


def _with_places(points: pl.DataFrame, links: pl.DataFrame, *, seed: int) -> pl.DataFrame:
    """Return the points with `x`, `y`, `name` (in short) and `strength` (weights of the links)."""
    joined = list(links.select("from_id", "to_id", "weight").iter_rows())
    places = laid_out(points["id"].to_list(), joined, seed=seed)
    return (
        points.with_columns(
            pl.Series("x", [places[each][0] for each in points["id"]], dtype=pl.Float64),
            pl.Series("y", [places[each][1] for each in points["id"]], dtype=pl.Float64),
            pl.Series("name", [shortened(each or "", most=_NAME) for each in points["label"]]),
        )
        .join(_strengths(links), on="id", how="left", maintain_order="left")
        .with_columns(pl.col("strength").fill_null(0.0))
    )


def _with_ends(links: pl.DataFrame, points: pl.DataFrame) -> pl.DataFrame:
    """Return the links with the places and labels of their ends."""
    found = links
    for end in ("from", "to"):
        places = points.select(
            pl.col("id").alias(f"{end}_id"),
            pl.col("label").alias(end),
            pl.col("x").alias(f"{end}_x"),
            pl.col("y").alias(f"{end}_y"),
        )
        found = found.join(places, on=f"{end}_id", how="left", maintain_order="left")
    return found.drop("from_id", "to_id")


def _lines(links: pl.DataFrame, *, grouped: bool, size: float) -> list[Any]:
    """Return the layer of links: coloured by their type, where the points have no colours."""
    if links.is_empty():
        return []
    alt = altair()
    types = order(links.sort("type"), "type")
    colours = [PALETTE[place % len(PALETTE)] for place in range(len(types))]
    colour: Any = alt.value(GREY)
    if not grouped and len(types) > 1:
        scale = alt.Scale(domain=types, range=colours)
        legend = alt.Legend(symbolOpacity=1, symbolStrokeWidth=3)
        colour = alt.Color("type:N", title="link", scale=scale, legend=legend)
    heaviest = float(links["weight"].max() or 1.0)  # type: ignore[arg-type]
    return [
        alt.Chart(links)
        .mark_rule(opacity=0.6)
        .encode(
            x=alt.X("from_x:Q", **_place()),
            x2="to_x:Q",
            y=alt.Y("from_y:Q", **_place()),
            y2="to_y:Q",
            color=colour,
            strokeWidth=alt.StrokeWidth(
                "weight:Q",
                scale=alt.Scale(domain=[0, max(heaviest, 1e-9)], range=[0.5, 0.5 + 4.5 * size]),
                legend=None,
            ),
            tooltip=[
                alt.Tooltip("from:N"),
                alt.Tooltip("to:N"),
                alt.Tooltip("type:N"),
                alt.Tooltip("weight:Q", format=".3f"),
            ],
        )
    ]


def _circles(points: pl.DataFrame, *, size: float) -> Any:
    """Return the layer of memories, larger by the weights of their links."""
    alt = altair()
    groups = order(points.drop_nulls("group").sort("group"), "group")
    colour: Any = alt.value(GOOD)
    if groups:
        colours = [PALETTE[place % len(PALETTE)] for place in range(len(groups))]
        scale = alt.Scale(domain=groups, range=colours)
        colour = alt.Color("group:N", title=None, scale=scale)
    areas = alt.Scale(domain=[0, _most(points)], range=[each * size for each in _AREAS])
    tooltip = [
        alt.Tooltip("label:N", title="memory"),
        *([alt.Tooltip("group:N")] if groups else []),
        alt.Tooltip("strength:Q", title="weights of its links", format=".3f"),
    ]
    circles = alt.Chart(points.drop("created_at", "name"))
    return circles.mark_point(filled=True, opacity=1, stroke="white", strokeWidth=size**0.5).encode(
        x=alt.X("x:Q", **_place()),
        y=alt.Y("y:Q", **_place()),
        color=colour,
        size=alt.Size("strength:Q", scale=areas, legend=None),
        tooltip=tooltip,
    )


def _most(points: pl.DataFrame) -> float:
    """Return the strength of what is drawn largest."""
    return max(1.0, float(points["strength"].max() or 0.0))  # type: ignore[arg-type]


def _radii(points: pl.DataFrame, *, size: float) -> list[float]:
    """Return how wide each point is, half its outline included."""
    least, most = _AREAS
    areas = size * (least + (most - least) * points["strength"] / _most(points))
    # Of a circle, Vega's size is the square of how wide it is.
    return [math.sqrt(area) / 2 + size**0.5 / 2 for area in areas]


def _names(points: pl.DataFrame, *, size: float) -> list[Any]:
    """Return the layers of names, two for each side: what is linked most is named first.

    Each stands as far away as its point is wide, so that a small point is not far from its name.

    Below each name it stands once more in white, broader, so that no line runs through it.
    """
    alt = altair()
    first = points.sort("strength", descending=True, maintain_order=True)
    at = [
        ((x + _EDGE) / (2 * _EDGE) * WIDTH, (_EDGE - y) / (2 * _EDGE) * _HEIGHT)
        for x, y in first.select("x", "y").iter_rows()
    ]
    free = free_places(
        at, first["name"].to_list(), within=(WIDTH, _HEIGHT), radii=_radii(first, size=size)
    )
    first = first.with_columns(away=pl.Series([each.dx if each else None for each in free]))
    by_side: dict[tuple[str, float], list[int]] = {}
    for row, place in enumerate(free):
        if place is not None:
            by_side.setdefault((place.align, place.dy), []).append(row)
    return [
        alt.Chart(first[rows].select("x", "y", "name", "away", "begins", "ends"))
        .mark_text(align=align, dx={"expr": "datum.away"}, dy=dy, **ink)
        .encode(x=alt.X("x:Q", **_place()), y=alt.Y("y:Q", **_place()), text="name:N")
        for (align, dy), rows in by_side.items()
        for ink in ({"stroke": "white", "strokeWidth": 4, "strokeJoin": "round"}, {"color": INK})
    ]


def _moment(moments: list[datetime]) -> Any:
    """Return the layer that says which moment it is, with the slider that goes through them."""
    alt = altair()
    slider = alt.binding_range(min=0, max=len(moments) - 1, step=1, name="moment ")
    now = alt.param(name="moment", value=len(moments) - 1, bind=slider)
    return (
        alt.Chart(said_moments(moments))
        .mark_text(align="left", baseline="top", x=0, y=4, color=QUIET)
        .transform_filter("datum.place === moment")
        .encode(text="said:N")
        .add_params(now)
    )


def _place() -> dict[str, Any]:
    alt = altair()
    return {"axis": None, "scale": alt.Scale(domain=[-_EDGE, _EDGE])}

"""Vectors on a plane: what is near each other means something alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from engram_lab.core.errors import InvalidInputError
from engram_lab.plots.columns import MOST_ROWS, sampled, shortened, told
from engram_lab.plots.encodings import order, said_below
from engram_lab.plots.theme import GREY, PALETTE, WIDTH, altair, themed

if TYPE_CHECKING:
    import altair as alt
    from numpy.typing import ArrayLike, NDArray

__all__ = ["embedding_map", "flattened"]

_OTHERS: Final = "others"
_NONE: Final = "no cluster"
_TEXT: Final = 160
_SHAPES: Final = (
    *("circle", "square", "diamond", "triangle-up", "cross"),
    *("triangle-down", "triangle-right", "circle"),
)
"""The last is of what has no colour of its own."""


def embedding_map(
    vectors: ArrayLike,
    labels: Sequence[object] | None = None,
    *,
    texts: Sequence[str] | None = None,
    most: int = MOST_ROWS,
    seed: int = 0,
) -> alt.TopLevelMixin:
    """Return a point for each vector, in the two directions in which they differ most.

    It can be moved and zoomed. The axes say which share of all differences they show: where that
    is small, what lies together on the map may be apart. Of many labels, the rarest are grey.

    Args:
        vectors: Numbers [n, dim], n and dim at least 2.
        labels: Of which cluster each is, None for none; without it, all are alike.
        texts: What each stands for, seen when one points at it.
        most: How many points are drawn at most; of more, some by chance.
        seed: Of that chance.

    Raises:
        InvalidInputError: There are fewer than two vectors or dimensions, one is not finite,
            labels or texts are not as many, a text is none, or fewer than one is to be drawn.
        MissingDependencyError: Altair is absent.
    """
    if most < 1:
        raise InvalidInputError(f"most is {most}: let embedding_map draw at least 1 vector")
    points, shares = flattened(vectors)
    for name, some in (("labels", labels), ("texts", texts)):
        if some is not None and len(some) != len(points):
            raise InvalidInputError(
                f"embedding_map was given {len(some)} {name} for {len(points)} vectors: "
                "give one for each"
            )
    for place, each in enumerate(() if texts is None else texts):
        if not isinstance(each, str):
            raise InvalidInputError(
                f"embedding_map was given {told(each)} as the text of vector {place}: "
                "give a text, which may be empty"
            )
    names = [""] * len(points) if labels is None else [_named(each) for each in labels]
    said = [""] * len(points) if texts is None else [shortened(each, most=_TEXT) for each in texts]
    every = pl.DataFrame({"x": points[:, 0], "y": points[:, 1], "cluster": names, "text": said})
    frame = sampled(_few(every), most=most, seed=seed)
    alt = altair()
    known = order(every.filter(~pl.col("cluster").is_in([_NONE])).sort("cluster"), "cluster")
    pointed = [
        name for name, some in (("cluster:N", labels), ("text:N", texts)) if some is not None
    ]
    encoded = {} if labels is None else _coloured(frame)
    zoom = alt.selection_interval(name="zoom", bind="scales")
    chart = (
        alt.Chart(frame, name="map")
        .mark_point(filled=True, size=52, opacity=0.85, color=PALETTE[0])
        .encode(
            x=alt.X("x:Q", title=_axis("first", shares[0]), **_plain()),
            y=alt.Y("y:Q", title=_axis("second", shares[1]), **_plain()),
            tooltip=pointed or alt.Undefined,
            **encoded,
        )
        .add_params(zoom)
        .properties(width=WIDTH - 120, height=WIDTH - 220)
    )
    drawn = (
        f"{frame.height:,} of {every.height:,} vectors drawn" if frame.height < len(every) else ""
    )
    clusters = f"{len(known)} clusters" if labels is not None else ""
    if words := ", ".join(filter(None, [drawn or f"{every.height:,} vectors", clusters])):
        chart = chart.properties(title=alt.Title("Map of embeddings", **said_below(words)))
    return themed(chart)


def flattened(vectors: ArrayLike) -> tuple[NDArray[np.float64], tuple[float, float]]:
    """Return vectors in the two directions of largest variance, and its share in each.

    Which end of a direction is up is decided by its largest component, so that the same vectors
    give the same map.

    Source: Hotelling 1933, Analysis of a complex of statistical variables into principal
    components, Journal of Educational Psychology 24; by the singular value decomposition
    X - mean = U S Vᵀ, the places are the first two columns of U S.

    Args:
        vectors: Numbers [n, dim].

    Returns:
        float64 [n, 2], and the two shares of the variance, 0 where there is none.

    Raises:
        InvalidInputError: There are fewer than two vectors or dimensions, or one is not finite.
    """
    try:
        given = np.asarray(vectors, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidInputError(
            "embedding_map draws vectors as numbers [n, dim], and was given something else"
        ) from error
    if given.ndim != 2 or min(given.shape) < 2:  # noqa: PLR2004 - a plane has two directions
        raise InvalidInputError(
            f"embedding_map draws two vectors and more, of two dimensions and more: "
            f"these are {list(given.shape)}"
        )
    if not np.isfinite(given).all():
        raise InvalidInputError("a vector is not finite: leave out those that hold nan or inf")
    left, values, right = np.linalg.svd(given - given.mean(axis=0), full_matrices=False)
    largest = np.take_along_axis(right, np.abs(right).argmax(axis=1)[:, None], axis=1)[:, 0]
    places = left * values * np.where(largest < 0, -1.0, 1.0)
    total = float((values**2).sum())
    shares = values**2 / total if total > 0 else np.zeros(len(values))
    return places[:, :2], (float(shares[0]), float(shares[1]))


def _named(label: object) -> str:
    return _NONE if label is None else str(label)


def _few(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the points with a `colour` that can be told apart: the rarest clusters share one."""
    sizes = (
        frame.filter(pl.col("cluster") != _NONE)
        .group_by("cluster", maintain_order=True)
        .len()
        .sort("len", descending=True, maintain_order=True)
    )
    most = len(PALETTE) if sizes.height <= len(PALETTE) else len(PALETTE) - 1
    kept = sizes["cluster"].head(most).to_list()
    rest = pl.when(pl.col("cluster") == _NONE).then(pl.lit(_NONE)).otherwise(pl.lit(_OTHERS))
    colour = pl.when(pl.col("cluster").is_in(kept)).then("cluster").otherwise(rest)
    return frame.with_columns(colour.alias("colour"))


def _coloured(frame: pl.DataFrame) -> dict[str, Any]:
    """Return colour and shape of the clusters; what is of none, or of a small one, is grey."""
    alt = altair()
    grey = [name for name in (_OTHERS, _NONE) if name in set(frame["colour"])]
    names = sorted(set(frame["colour"]) - set(grey), key=_natural) + grey
    colours = [*PALETTE[: len(names) - len(grey)], *[GREY] * len(grey)]
    shapes = [*_SHAPES[: len(names) - len(grey)], *[_SHAPES[-1]] * len(grey)]
    return {
        "color": alt.Color("colour:N", title=None, scale=alt.Scale(domain=names, range=colours)),
        "shape": alt.Shape("colour:N", title=None, scale=alt.Scale(domain=names, range=shapes)),
    }


def _natural(name: str) -> tuple[int, str, str]:
    """Return the key by which 9 comes before 10, and b before C."""
    return (int(name), "", "") if name.isdecimal() else (10**9, name.casefold(), name)


def _axis(which: str, share: float) -> str:
    return f"{which} direction, {share:.0%} of the variance"


def _plain() -> dict[str, Any]:
    """Return scale and axis of places whose numbers mean nothing by themselves."""
    alt = altair()
    axis = alt.Axis(labels=False, tickCount=6)
    return {"scale": alt.Scale(zero=False, padding=16), "axis": axis}

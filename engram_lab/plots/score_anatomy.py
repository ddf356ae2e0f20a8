"""What each arm and each step gave to each hit of one recall."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from engram_lab.core.errors import InvalidInputError
from engram_lab.plots.columns import are_hits, checked, is_frame, not_hits, shortened
from engram_lab.plots.encodings import order, said_below
from engram_lab.plots.theme import GREY, INK, PALETTE, WIDTH, altair, themed

if TYPE_CHECKING:
    import altair as alt

    from engram_lab.retrieval.hits import Explanation, Hits

__all__ = ["anatomy_frame", "score_anatomy"]

_STEP: Final = 30
_TITLE: Final = 70
_ARMS: Final = "arms"
_OTHERS: Final = "others"
_PANEL: Final = 150
"""Points across, of what one step did."""

_PARTS: Final = pl.Schema(
    {
        "rank": pl.Int64,
        "id": pl.String,
        "text": pl.String,
        "stage": pl.String,
        "part": pl.String,
        "place": pl.Int64,
        "gain": pl.Float64,
        "after": pl.Float64,
        "score": pl.Float64,
    }
)


def score_anatomy(hits: Hits | Any, *, most: int = 12) -> alt.TopLevelMixin:
    """Return a row for each hit, and side by side what the arms gave and what each step made of it.

    Within a panel lies to the right of zero what was given, to the left what was taken away; the
    mark is what it comes to. After the last panel stands the score of the hit.

    Args:
        hits: Of one recall. Or a frame of what gave what, as `anatomy_frame` gives it, which does
            not say what was asked: columns `rank`, `id`, `text`, `stage`, `part`, `place`, `gain`
            and `after`.
        most: How many of them, best first.

    Raises:
        InvalidInputError: These are no hits, there is none, or fewer than one is to be shown; or a
            column is missing or of the wrong kind, or the frame is of several recalls.
        MissingDependencyError: Altair is absent.
    """
    if most < 1:
        raise InvalidInputError(f"most is {most}: let score_anatomy show at least 1 hit")
    data = _checked(hits) if is_frame(hits) else anatomy_frame(hits)
    if data.is_empty():
        raise InvalidInputError(
            "score_anatomy has nothing to draw: the recall found nothing; ask something else"
        )
    alt = altair()
    label = pl.format("{}. {}", "rank", pl.col("text").map_elements(shortened, pl.String))
    data = data.with_columns(label.alias("hit"))
    shown = order(data, "hit")[:most]
    data = data.filter(pl.col("hit").is_in(shown))
    stages = order(data, "stage")
    panels = [
        _panel(
            data.filter(pl.col("stage") == stage),
            axis=alt.Axis(labelLimit=330) if place == 0 else None,
            width=WIDTH - 180 - (_PANEL if len(stages) > 1 else 0) if place == 0 else _PANEL,
            last=place == len(stages) - 1,
        )
        for place, stage in enumerate(stages)
    ]
    chart = alt.hconcat(*panels, spacing=24).resolve_scale(color="independent", x="independent")
    return themed(chart.properties(title=_asked(hits)))


def _checked(frame: Any) -> pl.DataFrame:
    """Return a frame of what gave what, of one recall."""
    data = checked(
        frame,
        chart="score_anatomy",
        needed={
            **dict.fromkeys(("rank", "place", "gain", "after"), "number"),
            **dict.fromkeys(("id", "text", "stage", "part"), "text"),
        },
        made_by="give hits, or what plots.anatomy_frame makes of them",
    ).drop_nulls(["rank", "id", "stage", "part"])
    counted = data.group_by("rank", maintain_order=True).agg(pl.col("id").n_unique())
    several = counted.filter(pl.col("id") > 1)["rank"]
    if not several.is_empty():
        raise InvalidInputError(
            f"score_anatomy draws one recall, and the frame has several memories of rank "
            f"{several[0]:.0f}: leave the rows of one"
        )
    return data.with_columns(
        pl.col("text").fill_null(pl.col("id")), pl.col("rank", "place").cast(pl.Int64, strict=False)
    )


def _asked(hits: Any) -> Any:
    """Return what was asked and how, as a title; a frame knows neither."""
    mark = "the mark is what it comes to"
    if is_frame(hits):
        return altair().Title("What gave what", **said_below(mark))
    said = said_below(f"{hits.strategy}, profile {hits.profile}; {mark}")
    return altair().Title(shortened(hits.query, most=_TITLE), **said)


def _panel(data: pl.DataFrame, *, axis: Any, width: int, last: bool) -> Any:
    """Return what one stage did, as a stack for each hit."""
    alt = altair()
    stage, data = data["stage"][0], _few_parts(data)
    parts = order(data.sort("place"), "part")
    y = alt.Y("hit:N", sort=order(data, "hit"), title=None, axis=axis)
    bars = (
        alt.Chart(data)
        .mark_bar(height=15)
        .encode(
            x=alt.X("gain:Q", title=_title(stage), stack="zero", axis=alt.Axis(tickCount=4)),
            y=y,
            color=alt.Color(
                "part:N",
                title=None,
                scale=alt.Scale(domain=parts, range=_colours(parts, stage)),
                legend=alt.Legend(
                    orient="bottom", symbolType="square", columns=2 if stage == _ARMS else 1
                ),
            ),
            order=alt.Order("place:Q"),
            tooltip=[
                alt.Tooltip("text:N", title="memory"),
                alt.Tooltip("part:N", title="what"),
                alt.Tooltip("gain:Q", title="gave", format="+.4g"),
                alt.Tooltip("after:Q", title="comes to", format=".4g"),
            ],
        )
    )
    totals = alt.Chart(data.unique("hit", maintain_order=True).select("hit", "after")).encode(y=y)
    zero = alt.Chart(pl.DataFrame({"zero": [0.0]})).mark_rule(color=GREY).encode(x="zero:Q")
    layers = [zero, bars, totals.mark_tick(color=INK, thickness=3, height=21).encode(x="after:Q")]
    if last:
        text = alt.Text("after:Q", format=".3f")
        layers.append(totals.mark_text(align="left", x=width + 12).encode(text=text))
    return alt.layer(*layers).properties(width=width, height=alt.Step(_STEP))


def _title(stage: str) -> str:
    return "what each arm adds" if stage == _ARMS else f"what {stage} makes of it"


def _few_parts(data: pl.DataFrame) -> pl.DataFrame:
    """Return the parts that can be told apart by colour: of many, the smallest are taken together.

    Parts that gave nothing to anybody are left out.
    """
    weights = data.group_by("part", maintain_order=True).agg(pl.col("gain").abs().sum())
    heavy = weights.filter(pl.col("gain") > 0).sort("gain", descending=True, maintain_order=True)
    if heavy.is_empty():
        return data
    kept = heavy["part"].to_list()
    if len(kept) > len(PALETTE):
        kept = kept[: len(PALETTE) - 1]
    name = pl.when(pl.col("part").is_in(kept)).then("part").otherwise(pl.lit(_OTHERS))
    place = pl.when(pl.col("part").is_in(kept)).then("place").otherwise(pl.lit(len(data)))
    merged = (
        data.filter(pl.col("part").is_in(heavy["part"].to_list()))
        .with_columns(name.alias("part"), place.alias("place"))
        .group_by("hit", "text", "part", "place", "after", maintain_order=True)
        .agg(pl.col("gain").sum())
    )
    return merged.select("hit", "text", "part", "place", "gain", "after")


def _colours(parts: list[str], stage: str) -> list[str]:
    """Return a colour for each part; what a step started from is grey, as are small parts."""
    colours = iter(PALETTE if stage == _ARMS else PALETTE[2:] + PALETTE[:2])
    grey = {_OTHERS} if stage == _ARMS else {parts[0]}
    return [GREY if part in grey else next(colours) for part in parts]


def anatomy_frame(hits: Hits) -> pl.DataFrame:
    """Return what gave what to each hit, stage by stage.

    The gains of a hit in one stage sum to `after`, and those of its last stage to its score. In a
    product, the gain of a factor is by how much it moves what stands before it.

    Args:
        hits: Of one recall.

    Returns:
        Columns `rank`, `id`, `text`, `stage` (`arms`, or the name of a step), `part`, `place` (in
        which order), `gain`, `after` (what the stage comes to) and `score` (of the hit).

    Raises:
        InvalidInputError: Something else than hits was given.
    """
    if not are_hits(hits):
        raise not_hits(hits, chart="score_anatomy", frame="plots.anatomy_frame")
    rows = [
        (hit.rank, hit.id, hit.memory.content, stage, part, place, gain, after, hit.score)
        for hit in hits
        for stage, after, gains in _stages(hit.explanation)
        for place, (part, gain) in enumerate(gains)
    ]
    return pl.DataFrame(rows, schema=_PARTS, orient="row")


def _stages(explanation: Explanation) -> Iterator[tuple[str, float, list[tuple[str, float]]]]:
    """Yield each stage with what it comes to and what its parts gave."""
    arms = [(arm.name, arm.contribution) for arm in explanation.arms]
    yield _ARMS, sum((gain for _, gain in arms), 0.0), arms
    for step in explanation.steps:
        gains, so_far = [], 0.0
        for place, part in enumerate(step.parts):
            product = step.how == "product" and place > 0
            gain = so_far * part.value - so_far if product else part.value
            gains.append((part.name, gain))
            so_far += gain
        yield step.name, step.score, gains

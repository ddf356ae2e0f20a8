"""What a recall says of itself is what its charts draw."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab import Hit, Hits, ManualClock, Memory
from engram_lab.core.errors import InvalidInputError
from engram_lab.core.text import content_hash
from engram_lab.plots import arm_overlap, score_anatomy
from engram_lab.plots.arm_overlap import overlap_frame
from engram_lab.plots.saving import svg_of
from engram_lab.plots.score_anatomy import anatomy_frame
from engram_lab.plots.theme import PALETTE
from engram_lab.retrieval.hits import Arm, Explanation, Step
from engram_lab.retrieval.rerank.protocol import Factor

if TYPE_CHECKING:
    from collections.abc import Iterator

CLOCK = ManualClock()
FLOATS = st.floats(-100, 100)
STEPS = st.builds(
    lambda name, how, values: Step(
        name=name, how=how, parts=tuple(Factor(f"part {at}", v) for at, v in enumerate(values))
    ),
    st.sampled_from(["priors", "mmr"]),
    st.sampled_from(["sum", "product"]),
    st.lists(FLOATS, min_size=1, max_size=4),
)


def hit(rank: int, arms: dict[str, float], *steps: Step, found: tuple[str, ...] = ()) -> Hit:
    now = CLOCK.now()
    explanation = Explanation(
        arms=tuple(
            Arm(
                name=name,
                rank=1 if name in found or not found else None,
                score=gain if name in found or not found else None,
                contribution=gain,
            )
            for name, gain in arms.items()
        ),
        steps=steps,
    )
    text = f"memory {rank}"
    memory = Memory(
        id=f"m{rank}",
        content=text,
        content_hash=content_hash(text),
        created_at=now,
        updated_at=now,
    )
    return Hit(rank=rank, score=explanation.score, memory=memory, explanation=explanation)


def hits_of(*hits: Hit, query: str = "what?") -> Hits:
    return Hits(hits, query=query, strategy="hybrid")


def values(chart: Any, column: str) -> list[list[dict[str, Any]]]:
    """Return the data of a chart that have a column."""
    return [rows for rows in chart.to_dict()["datasets"].values() if rows and column in rows[0]]


@given(st.lists(FLOATS, min_size=1, max_size=4), st.lists(STEPS, max_size=2))
def test_the_gains_of_a_stage_sum_to_what_it_comes_to(arms: list[float], steps: list[Step]) -> None:
    one = hit(1, {f"arm {at}": gain for at, gain in enumerate(arms)}, *steps)
    frame = anatomy_frame(hits_of(one))

    stages = [rows for _, rows in frame.group_by("stage", maintain_order=True)]
    if len({each.name for each in steps}) == len(steps):
        assert len(stages) == 1 + len(steps)
        for rows in stages:
            assert rows["gain"].sum() == pytest.approx(rows["after"][0], rel=1e-9, abs=1e-6)
    assert frame["after"][-1] == one.score
    assert frame["score"].unique().to_list() == [one.score]


def test_a_recall_has_a_row_for_each_hit_and_a_panel_for_each_stage(reranked: Hits) -> None:
    chart = score_anatomy(reranked).to_dict()
    titles = [
        layer["encoding"]["x"]["title"]
        for panel in chart["hconcat"]
        for layer in panel["layer"]
        if layer["encoding"].get("order")
    ]

    assert titles == ["what each arm adds", "what priors makes of it", "what mmr makes of it"]
    assert chart["title"]["text"] == reranked.query
    (last,) = [rows for rows in values(score_anatomy(reranked), "after") if "gain" not in rows[0]][
        -1:
    ]
    assert [row["after"] for row in last] == [each.score for each in reranked]


def test_parts_that_gave_nothing_have_no_place_in_the_legend() -> None:
    chart = score_anatomy(hits_of(hit(1, {"keyword": 0.5, "links": 0.0})))

    (rows,) = values(chart, "gain")
    assert {row["part"] for row in rows} == {"keyword"}


def test_of_many_parts_the_smallest_are_taken_together() -> None:
    arms = {f"arm {at:02d}": 1.0 + at for at in range(12)}
    (rows,) = values(score_anatomy(hits_of(hit(1, arms))), "gain")

    assert len(rows) == len(PALETTE)
    assert {row["part"] for row in rows} >= {"arm 11", "others"}
    assert sum(row["gain"] for row in rows) == pytest.approx(sum(arms.values()))


def test_as_many_hits_are_shown_as_asked_for(hits: Hits) -> None:
    rows = values(score_anatomy(hits[2:], most=3), "gain")[0]

    assert {row["hit"][:2] for row in rows} == {"3.", "4.", "5."}


def test_what_cannot_be_drawn_is_one_sentence(hits: Hits) -> None:
    with pytest.raises(InvalidInputError, match="most is 0: let score_anatomy show at least 1"):
        score_anatomy(hits, most=0)
    for draw in (score_anatomy, arm_overlap):
        with pytest.raises(InvalidInputError, match="the recall found nothing"):
            draw(hits_of())
    with pytest.raises(InvalidInputError, match="arm_overlap was given no recall: give the hi"):
        arm_overlap([])


@pytest.mark.parametrize(
    ("given", "one", "of_several"),
    [
        ("bicycle", "'bicycle'", "'bicycle'"),
        (7, "'7'", "'7'"),
        (None, "None", "None"),
        (["bicycle"], "a list", "'bicycle'"),
        ([None], "a list", "None"),
        ([pl.DataFrame({"rank": [1]})], "a list", "a DataFrame"),
    ],
)
def test_what_is_no_recall_is_told_by_its_type(given: Any, one: str, of_several: str) -> None:
    said = "{}draws the hits of a recall, .* or the frame of plots.{}, and was given {}$"

    with pytest.raises(
        InvalidInputError, match=said.format("score_anatomy ", "anatomy_frame", one)
    ):
        score_anatomy(given)
    with pytest.raises(
        InvalidInputError, match=said.format("arm_overlap ", "overlap_frame", of_several)
    ):
        arm_overlap(given)


def test_a_frame_of_a_recall_gives_the_same_chart(hits: Hits, reranked: Hits) -> None:
    assert arm_overlap(overlap_frame(hits)).to_dict() == arm_overlap(hits).to_dict()
    assert arm_overlap(overlap_frame(hits).to_arrow()).to_dict() == arm_overlap(hits).to_dict()
    of_hits, of_frame = (
        score_anatomy(each).to_dict() for each in (reranked, anatomy_frame(reranked).lazy())
    )
    assert of_frame.pop("title")["text"] == "What gave what"
    assert of_hits.pop("title")["text"] == reranked.query
    assert of_frame == of_hits


def test_a_frame_that_does_not_say_why_names_the_one_that_does(hits: Hits) -> None:
    with pytest.raises(
        InvalidInputError, match=r"frame lacks place, .*give hits, or what plots.anatomy_frame"
    ):
        score_anatomy(hits.to_polars())
    with pytest.raises(
        InvalidInputError, match=r"frame lacks query, .*give hits, or what plots.overlap_frame"
    ):
        arm_overlap(hits.to_polars())
    both = pl.concat([anatomy_frame(hits), anatomy_frame(hits).with_columns(id=pl.lit("x"))])
    with pytest.raises(InvalidInputError, match="several memories of rank 1: leave the rows of on"):
        score_anatomy(both)
    with pytest.raises(InvalidInputError, match="'arms' is String, and arm_overlap draws a list o"):
        arm_overlap(overlap_frame(hits).with_columns(arms=pl.lit("keyword")))


def test_a_hit_of_a_frame_without_arms_was_found_by_none(hits: Hits) -> None:
    frame = overlap_frame(hits)[:2].with_columns(
        arms=pl.Series([None, []], dtype=pl.List(pl.String))
    )

    assert [(row["set"], row["hits"]) for row in values(arm_overlap(frame), "share")[0]] == [
        ("no arm", 2)
    ]


@pytest.mark.parametrize("count", [1, 2, 3])
def test_the_axis_of_a_few_hits_has_each_number_once(count: int) -> None:
    svg = svg_of(arm_overlap(hits_of(*(hit(rank, {"keyword": 1.0}) for rank in range(count)))))

    assert [svg.count(f">{number}<") for number in range(count)] == [1] * count
    assert svg.count(f">{count}<") == 2  # beside the axis, and above the bar


def three() -> Iterator[Hit]:
    arms = {"keyword": 0.5, "semantic": 0.4}
    yield hit(1, arms, found=("keyword", "semantic"))
    yield hit(2, arms, found=("keyword", "semantic"))
    yield hit(3, arms, found=("semantic",))


def test_each_set_of_arms_is_counted() -> None:
    chart = arm_overlap(hits_of(*three()))

    (rows,) = values(chart, "share")
    assert [(row["set"], row["hits"], row["best"]) for row in rows] == [
        ("keyword + semantic", 2, 1),
        ("semantic", 1, 3),
    ]
    dots = next(rows for rows in values(chart, "found") if len(rows) == 4)
    assert {(row["set"], row["arm"]) for row in dots if not row["found"]} == {
        ("semantic", "keyword")
    }


def test_several_recalls_are_counted_together() -> None:
    first, second = hits_of(*three()), hits_of(*three(), query="who?")
    chart = arm_overlap([first, second])

    assert sum(row["hits"] for row in values(chart, "share")[0]) == 6
    assert "6 hits of 2 recalls" in str(chart.to_dict())


def test_an_arm_that_scored_a_hit_zero_did_not_find_it() -> None:
    frame = overlap_frame(hits_of(hit(1, {"keyword": 0.0, "semantic": 0.4})))

    assert frame["arms"].to_list() == [["semantic"]]


def test_a_real_recall_is_found_by_the_arms_it_names(hits: Hits) -> None:
    frame = overlap_frame(hits)

    assert frame["rank"].to_list() == list(range(1, len(hits) + 1))
    assert set(frame["arms"].explode()) == {"keyword", "semantic"}
    assert frame.select(pl.col("arms").list.len().min()).item() >= 1

"""The graph, the map and the dream: what they draw, and when what is there."""

from __future__ import annotations

import copy
import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest
import vl_convert
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from engram_lab import Engine, ManualClock
from engram_lab.core.errors import InvalidInputError
from engram_lab.plots import dream_diff, embedding_map, link_graph
from engram_lab.plots.embedding_map import flattened
from engram_lab.plots.link_graph import MOST_NODES, laid_out
from engram_lab.plots.placing import free_places
from engram_lab.plots.saving import svg_of

if TYPE_CHECKING:
    from engram_lab import DreamReport

START = datetime(2026, 1, 1, tzinfo=UTC)
VECTORS = np.random.default_rng(0).normal(size=(12, 5))


def values(chart: Any, column: str) -> list[dict[str, Any]]:
    """Return the first data of a chart that have a column."""
    return next(rows for rows in chart.to_dict()["datasets"].values() if rows and column in rows[0])


def shown_at(chart: Any, moment: int) -> tuple[int, int, str]:
    """Return how many points and links the slider shows at a moment, and what it says."""
    spec = copy.deepcopy(chart.to_dict())
    slider = next(each for each in spec["params"] if each["name"] == "moment")
    slider["value"] = moment
    svg = vl_convert.vegalite_to_svg(spec)
    groups = re.findall(r"mark-(symbol|rule) role-mark [^>]*>(.*?)</g>", svg)
    count = {kind: len(re.findall("<(?:path|line) ", inside)) for kind, inside in groups}
    said = re.findall(r">(\d{4}-\d\d-\d\d[^<]*)<", svg)
    return count.get("symbol", 0), count.get("rule", 0), *said


def test_the_slider_shows_what_was_there(frames: dict[str, pl.DataFrame]) -> None:
    chart = link_graph(frames["nodes"], frames["edges"])

    assert [shown_at(chart, moment) for moment in range(6)] == [
        (1, 0, "2026-01-01"),
        (2, 1, "2026-01-02"),
        (3, 2, "2026-01-03"),
        (4, 1, "2026-01-04"),  # the first link held until then
        (5, 2, "2026-01-05"),
        (6, 2, "2026-01-06"),
    ]


def test_the_slider_goes_from_snapshot_to_snapshot(frames: dict[str, pl.DataFrame]) -> None:
    edges = frames["edges"].drop("valid_to")
    earlier = edges.head(1).with_columns(pl.lit(START + timedelta(days=9)).alias("at"))
    later = edges.with_columns(pl.lit(START + timedelta(days=10)).alias("at"))
    chart = link_graph(frames["nodes"], pl.concat([earlier, later]))

    assert [shown_at(chart, moment) for moment in range(2)] == [
        (6, 1, "2026-01-10"),
        (6, 3, "2026-01-11"),
    ]


def test_without_time_there_is_no_slider(frames: dict[str, pl.DataFrame]) -> None:
    nodes, edges = frames["nodes"].drop("created_at"), frames["edges"].drop("valid_to")
    spec = link_graph(nodes, edges).to_dict()

    assert [each["name"] for each in spec["params"]] == ["zoom"]


def test_a_graph_of_an_engine_is_drawn_as_it_comes() -> None:
    clock = ManualClock(START)
    with Engine.open(":memory:", clock=clock) as engine:
        ids = [engine.remember(f"memory {each}").id for each in range(4)]
        clock.advance(days=1)
        for one, other in pairwise(ids):
            engine.link(one, other, weight=0.5)
        graph = engine.subgraph(ids[:1], depth=3)
    chart = link_graph(graph.nodes, graph.edges)

    assert graph.nodes.height == 4
    assert {row["strength"] for row in values(chart, "strength")} == {0.5, 1.0}
    assert {row["from"] for row in values(chart, "from_x")} == {f"memory {at}" for at in range(3)}


def test_a_graph_without_links_is_drawn_too(frames: dict[str, pl.DataFrame]) -> None:
    chart = link_graph(frames["nodes"], frames["edges"].clear())

    assert {row["strength"] for row in values(chart, "strength")} == {0.0}


def test_groups_have_colours_and_links_none_beside_them(frames: dict[str, pl.DataFrame]) -> None:
    nodes = frames["nodes"].with_columns(group=pl.Series(["a", "a", "b", "b", None, None]))
    spec = str(link_graph(nodes, frames["edges"]).to_dict())

    assert "'field': 'group'" in spec
    assert "'title': 'link'" not in spec
    assert "'title': 'link'" in str(link_graph(frames["nodes"], frames["edges"]).to_dict())


def test_a_graph_that_cannot_be_drawn_is_one_sentence(frames: dict[str, pl.DataFrame]) -> None:
    nodes, edges = frames["nodes"], frames["edges"]

    with pytest.raises(InvalidInputError, match="the memory 'm1' twice: give one row for each"):
        link_graph(pl.concat([nodes, nodes[1:2]]), edges)
    with pytest.raises(InvalidInputError, match="most is 0: let link_graph draw at least 1 memory"):
        link_graph(nodes, edges, most=0)
    with pytest.raises(InvalidInputError, match="lacks from_id"):
        link_graph(nodes, edges.drop("from_id"))
    with pytest.raises(InvalidInputError, match="'created_at' is String, and link_graph draws a t"):
        link_graph(nodes.with_columns(created_at=pl.lit("today")), edges)
    with pytest.raises(InvalidInputError, match="a memory without an id: give one to each row"):
        link_graph(nodes.with_columns(id=pl.Series([None, *nodes["id"][1:]])), edges)


def test_a_name_begins_beyond_its_point(frames: dict[str, pl.DataFrame]) -> None:
    svg = vl_convert.vegalite_to_svg(link_graph(frames["nodes"], frames["edges"]).to_dict())
    number = r"(-?[\d.]+)"
    dots = re.findall(rf'translate\({number},{number}\)" d="M{number},0A', svg)
    names = re.findall(rf'text-anchor="(\w+)" transform="translate\({number},{number}\)"', svg)
    drawn = [(float(x), float(y), float(radius)) for x, y, radius in dots]
    ends = [(anchor, float(x), float(y)) for anchor, x, y in names]

    assert len(drawn) == 6
    assert len(ends) >= 12  # each stands once in white, too
    assert max(radius for *_, radius in drawn) > 10
    for anchor, x, y in ends:
        side = 1 if anchor == "start" else -1
        beside = [
            side * (x - at) - radius
            for at, height, radius in drawn
            if abs(height - y) < 8 and abs(x - at) < 20
        ]
        assert min(beside, default=9) > 2


def test_of_more_memories_than_can_be_looked_at_those_with_the_heaviest_links_are_drawn() -> None:
    count = MOST_NODES + 100
    ids = [f"m{at}" for at in range(count)]
    nodes = pl.DataFrame({"id": ids, "label": ids})
    heavy = pl.DataFrame({"from_id": ids[50:-1], "to_id": ids[51:], "weight": 0.9})
    light = pl.DataFrame({"from_id": ids[:50], "to_id": ids[1:51], "weight": 0.1})
    chart = link_graph(nodes, pl.concat([light, heavy]), most=60)

    assert chart.to_dict()["title"]["subtitle"].startswith("60 of 500 memories: ")
    drawn = {row["label"] for row in values(chart, "strength")}
    assert len(drawn) == 60
    assert not drawn & set(ids[:50])
    assert {row["from"] for row in values(chart, "from_x")} < drawn
    assert "title" not in link_graph(nodes[:60], light).to_dict()


def test_many_points_are_smaller(frames: dict[str, pl.DataFrame]) -> None:
    ids = [f"m{at}" for at in range(120)]
    many = pl.DataFrame({"id": ids, "label": ids})

    def largest(nodes: pl.DataFrame) -> float:
        spec = link_graph(nodes, frames["edges"]).to_dict()
        sizes = [layer["encoding"].get("size") for layer in spec["layer"]]
        (found,) = [float(each["scale"]["range"][1]) for each in sizes if each]
        return found

    assert largest(many) == largest(frames["nodes"]) / 2


def test_a_layout_is_the_same_for_the_same_seed_and_fills_the_picture() -> None:
    ids, links = list("abcdef"), [("a", "b", 1.0), ("b", "c", 0.5), ("e", "f", 0.1)]
    found = laid_out(ids, links, seed=4)

    assert found == laid_out(ids, links, seed=4)
    assert found != laid_out(ids, links, seed=5)
    for axis in (0, 1):
        places = [place[axis] for place in found.values()]
        assert (min(places), max(places)) == (-1, 1)


def test_what_is_linked_is_nearer_than_what_is_not() -> None:
    halves = [[f"{side}{at}" for at in range(6)] for side in "ab"]
    links = [(one, other, 1.0) for half in halves for one in half for other in half if one < other]
    found = laid_out([*halves[0], *halves[1]], links)

    def apart(one: str, other: str) -> float:
        return float(np.hypot(*np.subtract(found[one], found[other])))

    within = np.mean([apart(one, other) for one, other, _ in links])
    across = np.mean([apart(one, other) for one in halves[0] for other in halves[1]])
    assert within < across / 2


@pytest.mark.parametrize("count", [0, 1])
def test_the_smallest_graphs_have_a_layout(count: int) -> None:
    ids = ["a"] * count

    assert laid_out(ids, []) == dict.fromkeys(ids, (0.0, 0.0))


@given(st.lists(st.tuples(st.floats(0, 300), st.floats(0, 200), st.floats(0, 20)), max_size=12))
def test_free_places_cover_nothing_and_stay_within(dots: list[tuple[float, float, float]]) -> None:
    points, radii = [(x, y) for x, y, _ in dots], [radius for *_, radius in dots]
    found = free_places(points, ["a name"] * len(points), within=(300, 200), radii=radii)

    boxes = []
    for (x, y), place in zip(points, found, strict=True):
        if place is not None:
            left = x + place.dx - (42 if place.align == "right" else 0)
            boxes.append((left, y + place.dy - 7, left + 42, y + place.dy + 7))
    for at, (left, top, right, bottom) in enumerate(boxes):
        assert left >= 0
        assert top >= 0
        assert right <= 300
        assert bottom <= 200
        assert not any(
            left < x + radius and x - radius < right and top < y + radius and y - radius < bottom
            for x, y, radius in dots
        )
        assert not any(
            left < other[2] and other[0] < right and top < other[3] and other[1] < bottom
            for other in boxes[:at]
        )


@given(arrays(np.float64, (6, 4), elements=st.floats(-10, 10)))
def test_a_map_keeps_the_distances_of_what_lies_on_a_plane(points: np.ndarray[Any, Any]) -> None:
    flat = points.copy()
    flat[:, 2:] = 0
    found, shares = flattened(flat)

    def distances(some: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        return np.asarray(np.linalg.norm(some[:, None] - some[None], axis=-1))

    assert distances(found) == pytest.approx(distances(flat), abs=1e-6)
    assert sum(shares) == pytest.approx(1.0) or np.ptp(flat, axis=0).max() < 1e-6
    assert shares[0] >= shares[1] >= 0


def test_a_map_names_its_clusters_and_how_much_it_shows() -> None:
    labels = ["nine" if at == 9 else None if at == 0 else at % 2 for at in range(12)]
    chart = embedding_map(VECTORS, labels, texts=[f"memory {at}" for at in range(12)])
    spec = chart.to_dict()

    assert spec["encoding"]["color"]["scale"]["domain"] == ["0", "1", "nine", "no cluster"]
    assert spec["title"]["subtitle"] == "12 vectors, 3 clusters"
    _, shares = flattened(VECTORS)
    assert spec["encoding"]["x"]["title"] == f"first direction, {shares[0]:.0%} of the variance"
    assert values(chart, "text")[3]["text"] == "memory 3"


def test_of_many_clusters_the_rarest_are_grey() -> None:
    labels = [*range(9), 0, 1, 2]
    scale = embedding_map(VECTORS, labels).to_dict()["encoding"]["color"]["scale"]

    assert scale["domain"] == ["0", "1", "2", "3", "4", "5", "others"]
    assert scale["range"][-1] == "#8b949e"


def test_a_map_without_labels_has_no_legend_and_draws_some_of_many() -> None:
    spec = embedding_map(VECTORS, most=10).to_dict()

    assert "color" not in spec["encoding"]
    assert spec["title"]["subtitle"] == "10 of 12 vectors drawn"


@pytest.mark.parametrize(
    ("vectors", "options", "said"),
    [
        (VECTORS[0], {}, r"these are \[5\]"),
        (VECTORS[:1], {}, r"these are \[1, 5\]"),
        (VECTORS[:, :1], {}, r"these are \[12, 1\]"),
        ([["a", "b"], ["c", "d"]], {}, "was given something else"),
        (VECTORS * np.nan, {}, "not finite"),
        (VECTORS, {"labels": ["a"]}, "1 labels for 12 vectors"),
        (VECTORS, {"texts": ["a"]}, "1 texts for 12 vectors"),
        (VECTORS[:2], {"texts": ["a", None]}, "given None as the text of vector 1: give a text"),
        (VECTORS, {"most": 0}, "most is 0: let embedding_map draw at least 1 vector"),
    ],
)
def test_a_map_that_cannot_be_drawn_is_one_sentence(
    vectors: Any, options: dict[str, Any], said: str
) -> None:
    with pytest.raises(InvalidInputError, match=said):
        embedding_map(vectors, **options)


def test_a_dream_is_drawn_as_it_counts_itself(dreamt: DreamReport) -> None:
    chart = dream_diff(dreamt)
    drawn = {(row["step"], row["action"]): row["changes"] for row in values(chart, "action")}

    assert drawn == {
        (step, action): count
        for step, actions in dreamt.counts.items()
        for action, count in actions.items()
    }
    assert sum(drawn.values()) == len(dreamt) > 0
    said = str(chart.to_dict())
    assert f"'count': {dreamt.run.memories_before}" in said
    assert f"'count': {dreamt.run.tokens_after}" in said
    assert f"it would make {len(dreamt)} changes" in said


def test_a_dream_that_changes_nothing_is_drawn() -> None:
    with Engine.open(":memory:", clock=ManualClock(START)) as engine:
        engine.remember("It snows in Ohrid")
        report = engine.dream(dry_run=True)

    assert len(report) == 0
    rows = values(dream_diff(report), "step")
    assert {(row["step"], row["changes"]) for row in rows} == {
        (each.step, 0) for each in report.run.steps
    }


@pytest.mark.parametrize("changes", [1, 2])
def test_the_axis_of_a_few_changes_has_each_number_once(changes: int) -> None:
    frame = pl.DataFrame({"step": ["fade"] * changes, "action": ["forget"] * changes})
    svg = svg_of(dream_diff(frame))

    for number in range(changes):  # the greatest also stands beside its bar
        assert svg.count(f">{number}<") == 1
    assert svg.count(f">{changes}<") == 2


def test_changes_that_cannot_be_drawn_are_one_sentence(dreamt: DreamReport) -> None:
    frame = dreamt.to_polars()

    with pytest.raises(InvalidInputError, match="knows no action 'eat': allowed are remember"):
        dream_diff(frame.with_columns(action=pl.lit("eat")))
    with pytest.raises(InvalidInputError, match="lacks action"):
        dream_diff(frame.drop("action"))

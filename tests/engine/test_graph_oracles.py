"""The graph verbs, their twins in SQL, and an independent library, on random graphs."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engram_lab import Engine, EngineConfig, ManualClock

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

nx: Any = pytest.importorskip("networkx", reason="networkx is the oracle")

WEIGHTS = (0.1, 0.3, 0.5, 0.7, 1.0)
CASES = settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    config = EngineConfig.from_dict({"embedding": {"model": "none"}, "store": {"seed": 1}})
    with Engine.open(":memory:", config=config, clock=ManualClock()) as opened:
        yield opened


@st.composite
def edges(draw: st.DrawFn) -> tuple[int, list[tuple[int, int, str, float]]]:
    """Return how many memories there are, and links between them: ends, type, weight."""
    count = draw(st.integers(2, 8))
    ends = st.tuples(st.integers(0, count - 1), st.integers(0, count - 1))
    drawn = draw(
        st.lists(
            st.tuples(ends.filter(lambda pair: pair[0] != pair[1]), st.sampled_from("ab")),
            max_size=16,
            unique=True,
        )
    )
    return count, [(*pair, kind, draw(st.sampled_from(WEIGHTS))) for pair, kind in drawn]


def build(
    engine: Engine, graph: tuple[int, list[tuple[int, int, str, float]]]
) -> tuple[Sequence[str], Any]:
    """Link new memories; return their ids and the same as a graph of the library."""
    count, links = graph
    ids = engine.remember_many([{"content": f"memory {each}"} for each in range(count)]).ids
    known = nx.MultiDiGraph()
    known.add_nodes_from(ids)
    for here, there, kind, weight in links:
        link = engine.link(ids[here], ids[there], type=kind, weight=weight)
        known.add_edge(ids[here], ids[there], key=link.id, type=kind, weight=weight)
    return ids, known


def walked(known: Any, direction: str) -> Any:
    """Return the graph as links are walked, with one edge, the heaviest, from here to there."""
    steps = nx.DiGraph()
    steps.add_nodes_from(known)
    for here, there, weight in known.edges(data="weight"):
        ways = {"out": [(here, there)], "in": [(there, here)]}
        for a, b in ways.get(direction, [(here, there), (there, here)]):
            if weight > steps.get_edge_data(a, b, {"weight": 0.0})["weight"]:
                steps.add_edge(a, b, weight=weight)
    return steps


def expected_paths(
    steps: Any, start: str, target: str, depth: int
) -> list[tuple[float, list[str]]]:
    found = [
        (math.prod(steps[a][b]["weight"] for a, b in pairwise(path)), path)
        for path in nx.all_simple_paths(steps, start, target, cutoff=depth)
    ]
    return sorted(found, key=lambda each: (-round(math.log(each[0]), 10), len(each[1]), each[1]))


@CASES
@given(graph=edges(), depth=st.integers(1, 5), direction=st.sampled_from(["out", "in", "both"]))
def test_paths_are_all_simple_paths_in_order(
    engine: Engine, graph: Any, depth: int, direction: Any
) -> None:
    ids, known = build(engine, graph)
    wanted = expected_paths(walked(known, direction), ids[0], ids[1], depth)
    found = engine.paths(ids[0], ids[1], max_depth=depth, direction=direction, limit=1000)

    assert [list(path.ids) for path in found] == [path for _, path in wanted]
    assert [path.weight for path in found] == pytest.approx([weight for weight, _ in wanted])
    few = engine.paths(ids[0], ids[1], max_depth=depth, direction=direction, limit=2)
    assert few == found[:2]
    for path in found:
        assert math.prod(link.weight for link in path.links) == pytest.approx(path.weight)
        for here, link, there in zip(path.ids, path.links, path.ids[1:], strict=False):
            assert {link.from_id, link.to_id} == {here, there}

    with engine.duckdb(archived=True) as database:
        rows = database.sql(
            "SELECT ids, links, weight FROM paths($start, $target, max_depth := $depth, "
            "direction := $direction, most := 1000)",
            params={"start": ids[0], "target": ids[1], "depth": depth, "direction": direction},
        ).fetchall()
    assert [row[0] for row in rows] == [path for _, path in wanted]
    assert [row[1] for row in rows] == [[link.id for link in path.links] for path in found]
    assert [row[2] for row in rows] == pytest.approx([path.weight for path in found])


@CASES
@given(graph=edges(), depth=st.integers(1, 4), direction=st.sampled_from(["out", "in", "both"]))
def test_neighbours_are_reached_over_the_fewest_links(
    engine: Engine, graph: Any, depth: int, direction: Any
) -> None:
    ids, known = build(engine, graph)
    steps = walked(known, direction)
    far = dict(nx.single_source_shortest_path_length(steps, ids[0], cutoff=depth))
    wanted = {
        id_: (
            length,
            max(
                math.prod(steps[a][b]["weight"] for a, b in pairwise(path))
                for path in nx.all_shortest_paths(steps, ids[0], id_)
            ),
        )
        for id_, length in far.items()
        if length
    }
    found = engine.neighbours(ids[0], depth=depth, direction=direction)

    best: dict[str, tuple[int, float]] = {}
    for each in found:
        best.setdefault(each.memory.id, (each.depth, each.weight))
    assert best.keys() == wanted.keys()
    for id_, (length, weight) in wanted.items():
        assert best[id_][0] == length
        assert best[id_][1] == pytest.approx(weight)
    order = [(each.depth, -each.weight) for each in found]
    assert order == sorted(order)

    with engine.duckdb(archived=True) as database:
        rows = database.sql(
            "FROM reachable($start, max_depth := $depth, direction := $direction)",
            params={"start": ids[0], "depth": depth, "direction": direction},
        ).fetchall()
    assert {row[0]: row[1] for row in rows} == {id_: length for id_, (length, _) in best.items()}
    for id_, _, weight in rows:
        assert weight == pytest.approx(best[id_][1])


@CASES
@given(graph=edges())
def test_degrees_and_components_are_those_of_the_library(engine: Engine, graph: Any) -> None:
    ids, known = build(engine, graph)
    with engine.duckdb(archived=True) as database:
        degrees = database.sql("SELECT id, degree, out_degree, in_degree FROM degrees()").fetchall()
        components = database.sql("SELECT id, component, size FROM components()").fetchall()

    assert {row[0]: row[1:] for row in degrees if row[0] in ids} == {
        id_: (known.degree(id_), known.out_degree(id_), known.in_degree(id_)) for id_ in ids
    }
    wanted = {
        id_: (id_, min(part), len(part))
        for part in nx.connected_components(known.to_undirected())
        for id_ in part
    }
    assert {row[0]: row for row in components if row[0] in ids} == wanted
    nodes = engine.graph_at(filter={"id": {"in": list(ids)}}).nodes
    assert dict(nodes.select("id", "degree").iter_rows()) == dict(known.degree())


@CASES
@given(graph=edges(), depth=st.integers(1, 3))
def test_a_part_of_the_graph_is_the_one_induced_by_what_is_near(
    engine: Engine, graph: Any, depth: int
) -> None:
    ids, known = build(engine, graph)
    near = nx.single_source_shortest_path_length(walked(known, "both"), ids[0], cutoff=depth)
    found = engine.subgraph([ids[0]], depth=depth)

    assert dict(found.nodes.select("id", "depth").iter_rows()) == dict(near)
    assert set(found.edges["id"]) == {key for *_, key in known.subgraph(near).edges(keys=True)}

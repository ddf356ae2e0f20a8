"""B³ and pairs, against the example of the paper and against counting one by one."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.evaluation.consolidation.groups import Sets, b_cubed, drawn_pairs, pair_precision

TRUTH = dict(zip("123456789ABC", "aaaaabbccccc", strict=True))

groupings = st.integers(1, 14).flatmap(
    lambda n: st.tuples(
        st.lists(st.sampled_from("uvwx"), min_size=n, max_size=n),
        st.lists(st.sampled_from("pqrs"), min_size=n, max_size=n),
    )
)


@pytest.mark.parametrize(
    ("response", "precision"), [("xxxxxyyyyyyy", 0.7619), ("xxxxxyyxxxxx", 0.5833)]
)
def test_b_cubed_of_the_example_of_bagga_and_baldwin(response: str, precision: float) -> None:
    scores = b_cubed(dict(zip("123456789ABC", response, strict=True)), TRUTH)
    assert sum(each.precision for each in scores.values()) / 12 == pytest.approx(
        precision, abs=5e-5
    )
    assert sum(each.recall for each in scores.values()) / 12 == 1.0


@given(groupings)
def test_b_cubed_is_what_counting_says(given_: tuple[list[str], list[str]]) -> None:
    ours, true = ({str(i): each for i, each in enumerate(side)} for side in given_)
    for key, each in b_cubed(ours, true).items():
        mine = {other for other in ours if ours[other] == ours[key]}
        right = {other for other in true if true[other] == true[key]}
        assert each.precision == len(mine & right) / len(mine)
        assert each.recall == len(mine & right) / len(right)
        assert each.f1 == pytest.approx(2 * len(mine & right) / (len(mine) + len(right)))


@given(groupings)
def test_pairs_are_what_counting_says(given_: tuple[list[str], list[str]]) -> None:
    ours, true = ({str(i): each for i, each in enumerate(side)} for side in given_)
    together = [(a, b) for a, b in combinations(sorted(ours), 2) if ours[a] == ours[b]]
    right = [(a, b) for a, b in together if true[a] == true[b]]
    assert pair_precision(ours, true) == (len(together), len(right))
    assert sorted(drawn_pairs(ours, most=1000, seed=0)) == together


@given(groupings, st.integers(1, 20))
def test_drawn_pairs_are_pairs_each_once(given_: tuple[list[str], list[str]], most: int) -> None:
    ours = {str(i): each for i, each in enumerate(given_[0])}
    together = {(a, b) for a, b in combinations(sorted(ours), 2) if ours[a] == ours[b]}
    drawn = list(drawn_pairs(ours, most=most, seed=3))
    assert len(drawn) == len(set(drawn)) == min(most, len(together))
    assert set(drawn) <= together


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from("abcdef"))))
def test_sets_are_connected_components(joins: list[tuple[str, str]]) -> None:
    networkx = pytest.importorskip("networkx", reason="networkx is not installed")
    sets, graph = Sets("abcdef"), networkx.Graph()
    graph.add_nodes_from("abcdef")
    for one, other in joins:
        sets.join(one, other)
        graph.add_edge(one, other)
    groups = sets.groups()
    expected = {frozenset(each) for each in networkx.connected_components(graph)}
    found = {frozenset(k for k in groups if groups[k] == root) for root in set(groups.values())}
    assert found == expected

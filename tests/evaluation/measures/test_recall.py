from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.core.errors import InvalidInputError
from engram_lab.evaluation.measures.parsing import parse_measure
from engram_lab.evaluation.measures.recall import CappedRecall, RecallAll, RecallAny


@given(data=st.data(), k=st.integers(1, 14))
def test_recall_is_counted_in_the_first_k_hits(any_world: Any, data: st.DataObject, k: int) -> None:
    world = data.draw(any_world)
    expected = []
    for query in world.queries:
        relevant = world.relevant(query)
        found = relevant.intersection(world.ranking(query)[:k])
        expected.append(
            (
                float(bool(found)),
                float(found == relevant),
                len(found) / min(len(relevant), k),
                len(found) / len(relevant),
            )
            if relevant
            else (None, None, None, None)
        )
    for at, name in enumerate(("recall_any", "recall_all", "R_cap", "R")):
        values = parse_measure(f"{name}@{k}").values(world.view).to_list()
        assert values == pytest.approx([each[at] for each in expected], nan_ok=True)


@given(data=st.data(), k=st.integers(1, 14))
def test_recall_at_k_is_a_name_of_the_standard_one(
    any_world: Any, data: st.DataObject, k: int
) -> None:
    world = data.draw(any_world)
    assert parse_measure(f"recall@{k}").name == f"R@{k}"
    one, two = (
        parse_measure(name).values(world.view) for name in (f"recall_any@{k}", f"Success@{k}")
    )
    assert one.equals(two, null_equal=True)


def test_the_conventions_differ_on_one_ranking(one_query: Callable[..., Any]) -> None:
    judged = one_query("axbyz", {"a": 1, "b": 1, "c": 2})
    values = {
        name: parse_measure(name).values(judged)[0]
        for name in ("recall_any@3", "recall_all@3", "R@3", "R_cap@2", "R_cap@3", "R@2")
    }
    assert values == {
        "recall_any@3": 1.0,
        "recall_all@3": 0.0,
        "R@3": pytest.approx(2 / 3),
        "R_cap@2": 1 / 2,
        "R_cap@3": pytest.approx(2 / 3),
        "R@2": pytest.approx(1 / 3),
    }


def test_more_than_k_can_never_all_be_found_in_k(one_query: Callable[..., Any]) -> None:
    judged = one_query("ab", {"a": 1, "b": 1})
    assert RecallAll(k=1).values(judged)[0] == 0
    assert CappedRecall(k=1).values(judged)[0] == 1


@pytest.mark.parametrize("kind", [RecallAny, RecallAll, CappedRecall])
@pytest.mark.parametrize("k", [0, -1, 2.0, True, "5"])
def test_a_cut_off_is_a_whole_number_from_one(kind: Any, k: Any) -> None:
    with pytest.raises(InvalidInputError, match="give a whole number from 1"):
        kind(k=k)

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.core.errors import ConflictError, EvaluationError, InvalidInputError
from engram_lab.evaluation.measures import parsing
from engram_lab.evaluation.measures.defined import DefinedMeasure
from engram_lab.evaluation.measures.parsing import (
    define,
    describe,
    higher_is_better,
    parse_measure,
)


@pytest.fixture(autouse=True)
def own_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let names that a test takes be free again after it."""
    monkeypatch.setattr(parsing.MEASURES, "_known", dict(parsing.MEASURES._known))


def any_found(ranking: Sequence[str], judged: Mapping[str, int], k: int | None) -> float:
    return float(any(judged.get(memory, 0) >= 1 for memory in ranking[:k]))


@given(data=st.data())
def test_a_function_of_one_query_is_a_measure(any_world: Any, data: st.DataObject) -> None:
    world = data.draw(any_world)
    mine = DefinedMeasure(name="mine@3", function=any_found, k=3)
    ours = parse_measure("recall_any@3").values(world.view)
    assert mine.values(world.view).equals(ours, null_equal=True)


def test_it_goes_by_its_name(one_query: Callable[..., Any]) -> None:
    assert (
        define("mine", says="whether any was found", higher_is_better=False)(any_found) is any_found
    )
    measure = parse_measure("mine@2")
    assert measure.name == "mine@2"
    assert parse_measure(measure.name) == measure
    assert parse_measure("mine@3") != measure
    assert describe("mine@2") == describe("mine") == "whether any was found"
    assert not higher_is_better("mine@2")
    assert measure.values(one_query("xa", {"a": 1}))[0] == 1
    with pytest.raises(InvalidInputError, match="does not cut so: write mine@k"):
        parse_measure("mine")


def test_it_may_have_no_cut_off(one_query: Callable[..., Any]) -> None:
    @define("depth", says="how many hits there are", cut=False, unjudged=True, default=None)
    def depth(ranking: Sequence[str], _judged: Mapping[str, int], k: int | None) -> float | None:
        assert k is None
        return len(ranking)

    measure = parse_measure("depth")
    assert measure.values(one_query("xyz", {})).to_list() == [3.0]
    assert measure.values(one_query("", {"a": 1})).to_list() == [None]
    with pytest.raises(InvalidInputError, match="does not cut so: write depth"):
        parse_measure("depth@3")


def test_what_it_cannot_score_is_left_unscored(one_query: Callable[..., Any]) -> None:
    nothing = DefinedMeasure(name="nothing", function=lambda *_: None)
    assert nothing.values(one_query("a", {"a": 1})).to_list() == [None]
    assert nothing.values(one_query("", {"a": 1})).to_list() == [0.0]
    assert nothing.values(one_query("", {"a": 0})).to_list() == [None]


def test_a_query_that_the_run_does_not_hold_has_the_declared_default(
    one_query: Callable[..., Any],
) -> None:
    half = DefinedMeasure(name="half", function=any_found, default=0.5)
    assert half.values(one_query("", {"a": 1})).to_list() == [0.5]
    assert half.values(one_query("x", {"a": 1})).to_list() == [0.0]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "1"])
def test_what_is_no_number_is_refused(one_query: Callable[..., Any], value: Any) -> None:
    wrong = DefinedMeasure(name="wrong", function=lambda *_: value)
    with pytest.raises(EvaluationError, match=r"the measure 'wrong' is .* for the query 'q'"):
        wrong.values(one_query("a", {"a": 1}))


def test_a_name_has_one_owner() -> None:
    define("mine", says="one")(any_found)
    with pytest.raises(ConflictError, match="there already is a measure 'mine'"):
        define("mine", says="two")(any_found)
    with pytest.raises(ConflictError, match="there already is a measure 'stale'"):
        define("stale", says="ours")(any_found)
    with pytest.raises(InvalidInputError, match="'nDCG' is a standard measure"):
        define("nDCG", says="theirs")(any_found)


@pytest.mark.parametrize("name", ["mine@5", "my own", "f(x)", "", "a@"])
def test_a_name_has_no_cut_off_in_it(name: str) -> None:
    with pytest.raises(InvalidInputError, match="a measure cannot be named"):
        define(name, says="it")(any_found)

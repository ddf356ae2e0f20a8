from __future__ import annotations

import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.core.errors import InvalidInputError, MissingDependencyError
from engram_lab.evaluation.measures.parsing import (
    MEASURES,
    describe,
    needs_tokens,
    parse_measure,
)

EVERY = tuple(
    sorted(
        form.replace("@k", "@3").replace("=n", "=20")
        for name in MEASURES.names()
        for form in MEASURES.get(name).forms(name)
    )
)


def test_these_are_ours() -> None:
    assert EVERY == (
        "R_cap@3",
        "current_above_stale",
        "forbidden@3",
        "ndcg_longmemeval@3",
        "ndcg_mempalace@3",
        "recall@3",
        "recall@tokens=20",
        "recall_all@3",
        "recall_all@tokens=20",
        "recall_any@3",
        "recall_any@tokens=20",
        "stale@3",
    )


@pytest.mark.parametrize("name", EVERY)
def test_a_canonical_name_is_parsed_back(name: str) -> None:
    measure = parse_measure(name)
    assert parse_measure(measure.name) == measure
    assert hash(parse_measure(measure.name)) == hash(measure)


@given(data=st.data())
def test_every_measure_keeps_its_word(any_world: Any, data: st.DataObject) -> None:
    world = data.draw(any_world)
    alone = [
        type(world)(
            queries=(query,),
            found={query: world.found[query]} if query in world.found else {},
            judged={query: world.judged[query]} if query in world.judged else {},
            tokens=world.tokens,
        ).view
        for query in world.queries
    ]
    for name in EVERY:
        measure = parse_measure(name)
        values = measure.values(world.view)
        assert str(values.dtype) == "Float64"
        assert not values.is_nan().any()
        for query, value, single in zip(world.queries, values, alone, strict=True):
            # The value of a query does not depend on the others.
            assert measure.values(single).to_list() == [value]
            assert query in world.found or value in {None, measure.default}
            assert query in world.judged or value is None


@pytest.mark.parametrize("name", EVERY)
def test_every_measure_has_a_line_for_its_reader(name: str) -> None:
    assert describe(name)
    assert "\n" not in describe(name)
    assert needs_tokens(parse_measure(name)) == ("tokens" in name)


def test_equal_names_are_equal_measures() -> None:
    assert parse_measure("recall_any@5") == parse_measure("recall_any@05")
    assert parse_measure("recall_any@5") != parse_measure("recall_any@6")
    assert parse_measure("recall_any@5") != parse_measure("recall_all@5")
    assert len({parse_measure("nDCG@10"), parse_measure("NDCG@10"), parse_measure("nDCG@5")}) == 2


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("ndcg@10", r"no measure 'ndcg@10' \(did you mean 'nDCG@10'\?\): known are R_cap, "),
        ("recal_any@5", "did you mean 'recall_any@5'"),
        ("Recall_All@5", "did you mean 'recall_all@5'"),
        ("recall_any", "does not cut so: write recall_any@k or recall_any@tokens=n"),
        ("recall_any@words=5", "does not cut so: write recall_any@k or recall_any@tokens=n"),
        ("stale@tokens=5", "does not cut so: write stale@k"),
        ("current_above_stale@5", "does not cut so: write current_above_stale"),
        ("recall_any@0", "k of recall_any@k is '0': give a whole number from 1"),
        ("recall@tokens=0", "give a whole number from 1"),
        ("recall_any@five", "there is no measure 'recall_any@five'|does not cut so"),
        ("", "there is no measure ''"),
        ("precision at ten", "there is no measure"),
    ],
)
def test_a_name_that_is_none_is_refused_with_help(name: str, said: str) -> None:
    with pytest.raises(InvalidInputError, match=said):
        parse_measure(name)


@given(st.text(max_size=12))
def test_whatever_is_given_for_a_name_is_parsed_or_refused(name: str) -> None:
    try:
        measure = parse_measure(name)
    except InvalidInputError:
        return
    assert parse_measure(measure.name) == measure


def test_ours_need_no_other_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ir_measures", None)
    assert parse_measure("recall_any@5").name == "recall_any@5"
    with pytest.raises(MissingDependencyError, match=r'pip install "\.\[eval\]"'):
        parse_measure("nDCG@10")
    with pytest.raises(InvalidInputError, match="did you mean 'recall_any@5'"):
        parse_measure("recal_any@5")

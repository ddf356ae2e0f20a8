from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.core.errors import InvalidInputError
from engram_lab.evaluation.datasets.dataset import QRELS
from engram_lab.evaluation.measures.parsing import parse_measure
from engram_lab.evaluation.measures.scoring import score
from engram_lab.evaluation.measures.standard import (
    StandardMeasure,
    names_of_standard,
    parse_standard,
    standard_values,
)
from engram_lab.evaluation.runs.run import Run

ir_measures = pytest.importorskip("ir_measures")

# Every name that trec_eval's code computes, with cut-offs below, at and above the depth of a world.
NAMES = (
    "AP", "AP@3", "AP(rel=2)", "AP(judged_only=True)",
    "Bpref", "Bpref(rel=2)",
    "IPrec@0.1", "IPrec@0.5", "IPrec@1.0",
    "Judged@3", "Judged@10",
    "NumQ", "NumRel", "NumRet", "NumRet(rel=1)", "NumRet(rel=2)",
    "P@1", "P@5", "P@100", "P(rel=2)@5", "P(judged_only=True)@5",
    "R@1", "R@5", "R@100", "R(rel=2)@5", "R(judged_only=True)@5",
    "RR", "RR@3", "RR(rel=2)", "RR(judged_only=True)",
    "Rprec", "Rprec(rel=2)", "Rprec(judged_only=True)",
    "SetAP", "SetAP(rel=2)", "SetF", "SetF(beta=2.0)", "SetP", "SetP(relative=True)", "SetR",
    "Success@1", "Success@5", "Success(rel=2)@5",
    "infAP", "infAP(rel=2)",
    "nDCG", "nDCG@1", "nDCG@5", "nDCG@100", "nDCG(gains={1:0,2:5})@5", "nDCG(judged_only=True)@5",
)  # fmt: skip
ALWAYS = {"Judged", "NumQ", "NumRel", "NumRet"}


def oracle(names: Sequence[str], world: Any) -> dict[tuple[str, str], float]:
    """Return what ir_measures makes of the same ids and scores, by name and query.

    One measure at a time: among others, one may be computed from the judgements of another.
    """
    qrels = {
        query: {memory: max(relevance, 0) for memory, relevance in some.items()}
        for query, some in world.judged.items()
    }
    # What it computes in Python ties in double precision and orders ids the other way.
    ranked = {
        query: {memory: -float(rank) for rank, memory in enumerate(world.ranking(query))}
        for query in world.found
    }
    found = {}
    for name in names if qrels else ():
        run = ranked if name.startswith(("RR@", "Judged")) else world.found
        for each in ir_measures.iter_calc([parse_standard(name).measure], qrels, run):
            found[name, each.query_id] = each.value
    return found


def unscored(name: str, query: str, world: Any) -> bool:
    measure = parse_standard(name)
    if measure.measure.NAME in ALWAYS:
        return query not in world.judged
    if "gains" in measure.measure.params:
        return not world.relevant(query, 2)  # the gain of 1 is 0 there
    return not world.relevant(query, measure.level)


@given(data=st.data())
def test_values_are_those_of_ir_measures(any_world: Any, data: st.DataObject) -> None:
    world = data.draw(any_world)
    expected = oracle(NAMES, world)
    measures = [parse_measure(name) for name in NAMES]
    values = score(world.run, world.qrels, measures, queries=world.queries)
    for name, measure in zip(NAMES, measures, strict=True):
        for query, value in values.select("query_id", measure.name).iter_rows():
            if unscored(name, query, world):
                assert value is None, (name, query)
            else:
                assert value == pytest.approx(expected[name, query], abs=1e-15), (name, query)


@given(data=st.data())
def test_what_is_computed_together_is_what_is_computed_alone(
    any_world: Any, data: st.DataObject
) -> None:
    world = data.draw(any_world)
    names = data.draw(st.lists(st.sampled_from(NAMES), unique=True, min_size=1, max_size=8))
    measures = [parse_measure(name) for name in names]
    together = score(world.run, world.qrels, measures, queries=world.queries)
    for measure in measures:
        alone = measure.values(world.view)
        assert together[measure.name].equals(alone, null_equal=True)


@pytest.mark.parametrize("other", ["nDCG(gains={1:0,2:5})@5", "P(judged_only=True)@5"])
def test_a_measure_never_looks_at_the_judgements_of_another(
    one_query: Callable[..., Any], other: str
) -> None:
    judged = one_query("xay", {"a": 1})
    measures = [parse_standard(name) for name in (other, "nDCG", "NumRet", "NumQ", "AP")]

    values = dict(zip(measures, standard_values(measures, judged), strict=True))

    assert [values[each][0] for each in measures[1:]] == [
        pytest.approx(1 / math.log2(3)), 3, 1, 1 / 2,
    ]  # fmt: skip


def test_known_values_of_one_ranking(one_query: Callable[..., Any]) -> None:
    judged = one_query("xaybc", {"a": 1, "b": 3, "z": 2, "y": 0})

    def value(name: str) -> float:
        return float(parse_measure(name).values(judged)[0])

    log2 = math.log2
    ideal = 3 / log2(2) + 2 / log2(3) + 1 / log2(4)
    assert value("nDCG@10") == pytest.approx((1 / log2(3) + 3 / log2(5)) / ideal)
    assert value("AP") == pytest.approx((1 / 2 + 2 / 4) / 3)
    assert value("RR") == 1 / 2
    assert value("RR@1") == 0
    assert value("P@5") == 2 / 5
    assert value("R@2") == pytest.approx(1 / 3)
    assert value("Success@1") == 0
    assert value("Success@2") == 1
    assert value("R(rel=2)@5") == 1 / 2
    assert value("Judged@5") == 3 / 5
    assert value("NumRet") == 5


def test_superseded_and_forbidden_memories_are_judged_and_not_relevant(
    one_query: Callable[..., Any],
) -> None:
    below, zero = (
        one_query("sfa", {"a": 1, "s": stale, "f": forbidden})
        for stale, forbidden in ((-1, -2), (0, 0))
    )
    for name in NAMES:
        measure = parse_measure(name)
        assert measure.values(below).equals(measure.values(zero), null_equal=True), name
    assert parse_measure("Bpref").values(below)[0] == 0


def test_a_query_without_hits_has_the_default_and_one_without_judgements_none() -> None:
    qrels = pl.DataFrame(
        [("q1", "a", 1), ("q2", "a", 1), ("q3", "a", 0)], schema=QRELS, orient="row"
    )
    run = Run.of("s", [("q1", [("a", 1.0)]), ("q3", [("a", 1.0)]), ("q4", [("a", 1.0)])])
    queries = ["q4", "q3", "q2", "q1"]
    measures = [parse_measure(name) for name in ("nDCG@10", "NumRel", "Judged@1")]
    found = score(run, qrels, measures, queries=queries)
    assert found.rows() == [
        ("q4", None, None, None),
        ("q3", None, 0.0, 1.0),
        ("q2", 0.0, 0.0, 0.0),
        ("q1", 1.0, 1.0, 1.0),
    ]


@pytest.mark.parametrize(
    ("name", "canonical"),
    [
        ("MAP", "AP"),
        ("MRR@10", "RR@10"),
        ("NDCG@10", "nDCG@10"),
        ("Recall@5", "R@5"),
        ("NumRelRet", "NumRet(rel=1)"),
        (" P( rel = 2 )@ 5 ", "P(rel=2)@5"),
        ("P(rel=1)@5", "P@5"),
        ("nDCG(gains={2: 5, 1: 1})@3", "nDCG(gains={2:5})@3"),
    ],
)
def test_names_become_canonical(name: str, canonical: str) -> None:
    assert parse_standard(name).name == canonical
    assert parse_standard(canonical) == parse_standard(name)
    assert hash(parse_standard(canonical)) == hash(parse_standard(name))


@pytest.mark.parametrize("name", NAMES)
def test_a_canonical_name_is_parsed_back(name: str) -> None:
    measure = parse_measure(name)
    assert isinstance(measure, StandardMeasure)
    assert parse_measure(measure.name) == measure
    assert measure.says
    assert measure.higher_is_better
    assert measure.default == 0


def test_every_name_is_tried_above() -> None:
    assert {parse_standard(name).measure.NAME for name in NAMES} == {
        ir_measures.measures.registry[name].NAME for name in names_of_standard()
    }


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("R", r"the measure 'R' needs its cutoff: add @k"),
        ("nDCG@0", "the cutoff of the measure 'nDCG@0' is '0': it must be a whole number from 1"),
        ("P@True", "is 'True': it must be a whole number from 1"),
        ("P(rel=0)@5", "the rel of the measure .* is '0'"),
        ("P(depth=2)@5", "has no parameter 'depth': it knows cutoff, rel, judged_only"),
        ("P(2)@5", r"not written as Name\(parameter=value\)@cutoff"),
        ("P(rel=)@5", "not written as"),
        ("P(**{})@5", "not written as"),
        ("P(rel=open('x'))@5", "not written as"),
        ("P@k", "the cut-off of 'P@k' must be a number"),
        ("P@0.5", "the cutoff of the measure 'P@0.5' cannot be '0.5'"),
        ("nDCG(dcg='exp-log2')@5", "none of trec_eval's with these parameters"),
        ("ERR@10", "there is no measure 'ERR@10'|none of trec_eval's"),
        ("nothing", "there is no standard measure 'nothing'"),
    ],
)
def test_a_name_that_cannot_be_parsed_is_refused(name: str, said: str) -> None:
    with pytest.raises(InvalidInputError, match=said):
        parse_standard(name)


def test_hits_are_counted_whatever_else_is_asked(one_query: Callable[..., Any]) -> None:
    view = one_query("xya", {"a": 1})
    names = ("SetP(judged_only=True)", "SetAP(judged_only=True)", "NumRet", "P@1")
    found = standard_values([parse_standard(name) for name in names], view)
    assert [each[0] for each in found] == [1, 1, 3, 0]

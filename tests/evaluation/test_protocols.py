from __future__ import annotations

import math
import os
import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.core.errors import DatasetMissingError, InvalidInputError
from engram_lab.evaluation.datasets.catalogue import manifest
from engram_lab.evaluation.datasets.dataset import MEMORIES, QRELS, QUERIES, Dataset
from engram_lab.evaluation.datasets.locomo import read_locomo
from engram_lab.evaluation.datasets.readers import READERS
from engram_lab.evaluation.measures.parsing import parse_measure
from engram_lab.evaluation.protocols import CROSSWALK, PROTOCOLS, crosswalk
from engram_lab.evaluation.runs.run import Run

if TYPE_CHECKING:
    from collections.abc import Sequence

DATA = Path(os.environ.get("ENGRAM_DATA", "")) / "locomo"


def dataset_of(relevant: dict[str, list[str]], categories: dict[str, str]) -> Dataset:
    """Five memories `a` to `e`, and queries with what answers them."""
    memories = [(each, "main", each, *[None] * 6) for each in "abcde"]
    queries = [(q, "main", q, categories.get(q), None, None, None) for q in relevant]
    qrels = [(q, memory, 1) for q, found in relevant.items() for memory in found]
    return Dataset(
        id="mine",
        memories=pl.DataFrame(memories, schema=MEMORIES, orient="row"),
        queries=pl.DataFrame(queries, schema=QUERIES, orient="row"),
        qrels=pl.DataFrame(qrels, schema=QRELS, orient="row"),
    )


def run_of(rankings: dict[str, Sequence[str]]) -> Run:
    scored = ((q, [(m, float(-at)) for at, m in enumerate(found)]) for q, found in rankings.items())
    return Run.of("mine", scored)


def means(table: pl.DataFrame, questions: str = "all") -> dict[str, float]:
    return dict(table.filter(questions=questions).select("measure", "mean").rows())


def test_one_ranking_under_each_convention() -> None:
    dataset = dataset_of({"q": ["a", "b", "c"]}, {})
    found = means(crosswalk(run_of({"q": ["a", "d", "b", "e"]}), dataset, cuts=[2, 3]))
    third, second = 1 / math.log2(4), 1 / math.log2(3)
    assert found == pytest.approx(
        {
            "recall_any@2": 1,
            "recall_all@2": 0,
            "R@2": 1 / 3,
            "R_cap@2": 1 / 2,
            "nDCG@2": 1 / (1 + second),
            "ndcg_longmemeval@2": 1 / 2,
            "ndcg_mempalace@2": 1,
            "recall_any@3": 1,
            "recall_all@3": 0,
            "R@3": 2 / 3,
            "R_cap@3": 2 / 3,
            "nDCG@3": (1 + third) / (1 + second + third),
            "ndcg_longmemeval@3": (1 + 1 / math.log2(3)) / (2 + 1 / math.log2(3)),
            "ndcg_mempalace@3": (1 + third) / (1 + second),
        }
    )


def test_categories_that_are_set_apart_are_left_out_once() -> None:
    dataset = dataset_of(
        {"q1": ["a"], "q2": ["b"], "q3": ["c"]}, {"q1": "easy", "q2": "adversarial"}
    )
    run = run_of({"q1": ["a"], "q2": ["c"], "q3": ["c"]})
    table = crosswalk(run, dataset, apart=["adversarial"], cuts=[1])
    assert table.schema == CROSSWALK
    assert means(table)["recall_any@1"] == pytest.approx(2 / 3)
    assert means(table, "without adversarial")["recall_any@1"] == 1
    counts = table.filter(measure="R@1").select("questions", "n", "unscored").rows()
    assert counts == [("all", 3, 0), ("without adversarial", 2, 0)]


def test_what_cannot_be_scored_is_counted() -> None:
    dataset = dataset_of({"q1": ["a"], "q2": []}, {})
    table = crosswalk(run_of({"q1": ["a"], "q2": ["b"]}), dataset, cuts=[1])
    assert table.filter(measure="R@1").select("mean", "n", "unscored").rows() == [(1.0, 1, 1)]


RANKINGS = st.lists(st.sampled_from("abcde"), unique=True, min_size=1, max_size=5)
ANSWERS = st.lists(st.sampled_from("abcde"), unique=True, min_size=1, max_size=4)


@given(st.lists(st.tuples(RANKINGS, ANSWERS), min_size=1, max_size=4), st.integers(1, 5))
def test_conventions_stand_in_their_order(rows: list[tuple[list[str], list[str]]], k: int) -> None:
    dataset = dataset_of({f"q{n}": answers for n, (_, answers) in enumerate(rows)}, {})
    run = run_of({f"q{n}": ranking for n, (ranking, _) in enumerate(rows)})
    found = means(crosswalk(run, dataset, cuts=[k]))
    least, less, more, most = (
        found[f"{name}@{k}"] for name in ("recall_all", "R", "R_cap", "recall_any")
    )
    assert least <= less + 1e-12
    assert less <= more + 1e-12
    assert more <= most + 1e-12
    assert found[f"nDCG@{k}"] <= found[f"ndcg_mempalace@{k}"] + 1e-12


def test_an_unknown_category_or_no_cut_is_refused() -> None:
    dataset = dataset_of({"q1": ["a"]}, {"q1": "easy"})
    run = run_of({"q1": ["a"]})
    with pytest.raises(InvalidInputError, match=r"no question is of the category 'hard': .* easy"):
        crosswalk(run, dataset, apart=["hard"])
    with pytest.raises(InvalidInputError, match="needs a cut-off"):
        crosswalk(run, dataset, cuts=[])


@pytest.mark.parametrize("name", sorted(PROTOCOLS))
def test_each_protocol_can_be_followed(name: str, tmp_path: Path) -> None:
    protocol = PROTOCOLS[name]
    known = manifest(protocol.dataset)
    options = {**known.options, **protocol.options}
    # Options are looked at before files: an unknown one would be refused as such.
    with pytest.raises(DatasetMissingError):
        READERS.get(known.format)(tmp_path, id="mine", options=options)
    assert protocol.id == name
    assert [parse_measure(each).name for each in protocol.measures] == list(protocol.measures)


def bm25(texts: Sequence[str], questions: Sequence[str]) -> npt.NDArray[np.float64]:
    """Return scores [question, text]: k1 1.2, b 0.75, words in lower case, no stemming."""
    words = [Counter(re.findall(r"\w+", text.lower())) for text in texts]
    lengths = np.array([each.total() for each in words])
    norm = 1.2 * (0.25 + 0.75 * lengths / lengths.mean())
    scores = np.zeros((len(questions), len(texts)))
    for at, question in enumerate(questions):
        for word in re.findall(r"\w+", question.lower()):
            counts = np.array([each[word] for each in words])
            held = np.count_nonzero(counts)
            weight = math.log(1 + (len(texts) - held + 0.5) / (held + 0.5))
            scores[at] += weight * counts * 2.2 / (counts + norm)
    return scores


@pytest.mark.skipif(
    not (DATA / "locomo10.json").is_file(), reason="ENGRAM_DATA has no locomo/locomo10.json"
)
def test_the_noted_spread_of_conventions_on_locomo_comes_out() -> None:
    """The figures were noted beforehand, from a program of its own."""
    dataset = read_locomo(DATA, id="locomo", options={"unit": "session"})
    rankings: dict[str, Sequence[str]] = {}
    for (corpus,), memories in dataset.memories.group_by("corpus", maintain_order=True):
        bare = memories["content"].str.replace_all(r"\[shares image: |\]", "").to_list()
        ids = memories["id"].to_list()
        asked = dataset.queries.filter(corpus=corpus)
        order = np.argsort(-bm25(bare, asked["text"].to_list()), axis=1, kind="stable")
        rankings |= {
            query: [ids[each] for each in row]
            for query, row in zip(asked["id"], order, strict=True)
        }
    table = crosswalk(run_of(rankings), dataset, apart=["adversarial"])
    noted = {
        "all": (0.885, 0.790, 0.835, 0.952, 0.863, 0.909, 0.769),
        "without adversarial": (0.872, 0.749, 0.807, 0.945, 0.831, 0.890, 0.744),
    }
    names = [f"{each}@{k}" for k in (5, 10) for each in ("recall_any", "recall_all", "R")]
    for questions, figures in noted.items():
        found = means(table, questions)
        measured = [found[each] for each in (*names, "nDCG@10")]
        assert measured == pytest.approx(figures, abs=0.0015)

"""The engine as a search model of MTEB: its own figures, from MTEB's own evaluation."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from engram_lab.config import EngineConfig
from engram_lab.core.errors import EvaluationError, InvalidInputError, MissingDependencyError
from engram_lab.evaluation.mteb_search import EngramSearch

if TYPE_CHECKING:
    from collections.abc import Mapping

needs_mteb = pytest.mark.skipif(find_spec("mteb") is None, reason="mteb is not installed")

# MTEB and what it stands on warn of themselves.
quiet = pytest.mark.filterwarnings("default")

WORDS = EngineConfig.from_dict(
    {"retrieval": {"strategy": "keyword"}, "embedding": {"model": "none"}}
)

CORPUS = [
    {"id": "d/1", "title": "Tea", "text": "Ada drinks green tea in the morning"},
    {"id": "d 2", "title": "", "text": "Bob drinks coffee and never tea"},
    {"id": "3", "text": "The ferry to the island leaves at noon"},
    {"id": "4", "title": "The island", "text": "Ada lives on the island since spring"},
    {"id": "5", "title": "", "text": ""},
]
QUERIES = [
    {"id": "q1", "text": "who drinks tea"},
    {"id": "q2", "text": "when does the ferry to the island leave"},
]


@pytest.fixture
def model() -> Iterator[EngramSearch]:
    with EngramSearch(WORDS) as model:
        model.index(CORPUS)
        yield model


def test_a_corpus_is_searched_under_the_ids_of_the_task(model: EngramSearch) -> None:
    found = model.search(QUERIES, top_k=10)
    assert list(found) == ["q1", "q2"]
    assert set(found["q1"]) == {"d/1", "d 2"}
    assert max(found["q2"], key=lambda each: found["q2"][each]) == "3"
    scores = list(found["q2"].values())
    assert scores == sorted(scores, reverse=True)
    assert scores[-1] > 0


def test_titles_are_searched_and_what_is_empty_is_left_out(model: EngramSearch) -> None:
    assert list(model.search([{"id": "q", "text": "Title of tea: Tea"}], top_k=1)["q"]) == ["d/1"]
    assert model.left_out == ("5",)


def test_with_candidates_nothing_else_is_found(model: EngramSearch) -> None:
    whole = model.search(QUERIES, top_k=10)
    some = model.search(QUERIES, top_k=10, top_ranked={"q1": ["d 2", "3", "nowhere", "5"]})
    assert some["q1"] == {"d 2": whole["q1"]["d 2"]}
    assert some["q2"] == whole["q2"]
    assert model.search(QUERIES, top_k=10, top_ranked={"q1": [], "q2": ["5"]}) == {
        "q1": {},
        "q2": {},
    }
    everything = {each["id"]: [row["id"] for row in CORPUS] for each in QUERIES}
    assert model.search(QUERIES, top_k=10, top_ranked=everything) == whole


def test_candidates_far_down_the_ranking_are_found_all_the_same() -> None:
    corpus = [{"id": str(number), "text": "tea " * (300 - number)} for number in range(300)]
    with EngramSearch(WORDS) as model:
        model.index(corpus)
        query = [{"id": "q", "text": "tea"}]
        first = model.search(query, top_k=5)["q"]
        last = [each for each in model.search(query, top_k=300)["q"] if each not in first][-7:]
        found = model.search(query, top_k=5, top_ranked={"q": last})["q"]
        assert list(found) == last[:5]


def test_no_more_is_given_than_was_asked_for(model: EngramSearch) -> None:
    assert len(model.search(QUERIES, top_k=1)["q1"]) == 1
    with EngramSearch(WORDS, depth=1) as shallow:
        shallow.index(CORPUS)
        assert len(shallow.search(QUERIES, top_k=1000)["q1"]) == 1
    with pytest.raises(InvalidInputError, match="depth is 0"):
        EngramSearch(WORDS, depth=0)


@pytest.mark.parametrize(
    ("row", "like"),
    [
        ({"text": "who drinks", "instruction": "tea"}, "who drinks tea"),
        ({"text": "who drinks tea", "instruction": None}, "who drinks tea"),
        ({"text": ["who drinks?", "tea, I mean"]}, "who drinks?; tea, I mean"),
        (
            {"text": [{"role": "user", "content": "who drinks tea"}], "instruction": "find it"},
            "find it user: who drinks tea",
        ),
    ],
)
def test_a_question_is_text_and_instruction_or_a_conversation(
    model: EngramSearch, row: Mapping[str, Any], like: str
) -> None:
    asked = model.search([{"id": "q", **row}], top_k=5)
    assert asked["q"]
    assert asked == model.search([{"id": "q", "text": like}], top_k=5)


def test_a_question_of_nothing_finds_nothing_and_a_long_one_is_cut(model: EngramSearch) -> None:
    assert model.search([{"id": "q", "text": "  "}], top_k=5) == {"q": {}}
    assert model.search([{"id": "q", "text": "tea " * 10_000}], top_k=5)["q"]


def test_a_new_corpus_replaces_the_one_before(model: EngramSearch) -> None:
    model.index(iter([{"id": "new", "text": "tea of another corpus"}]))
    assert list(model.search(QUERIES[:1], top_k=5)["q1"]) == ["new"]
    assert model.left_out == ()


def test_the_same_corpus_is_stored_once(model: EngramSearch) -> None:
    stored = model._engine
    found = model.search(QUERIES, top_k=10)
    model.index(iter(CORPUS), hf_subset="another")
    assert model._engine is stored
    assert model.search(QUERIES, top_k=10) == found
    model.index([*CORPUS[:-1], {"id": "5", "text": "no longer empty"}])
    assert model._engine is not stored
    assert model.left_out == ()


def test_without_a_corpus_there_is_nothing_to_search() -> None:
    with EngramSearch(WORDS) as model:
        model.index(CORPUS)
    with pytest.raises(EvaluationError, match="index a corpus first"):
        model.search(QUERIES, top_k=5)


def test_both_arms_and_any_embedder_are_used() -> None:
    config = EngineConfig.from_dict({"embedding": {"model": "hashing"}})
    with EngramSearch(config) as model:
        model.index(CORPUS)
        once = model.search(QUERIES, top_k=10)
        assert len(once["q1"]) == 4  # the semantic arm has an opinion on all that is stored
        model.index(CORPUS)
        assert model.search(QUERIES, top_k=10) == once


@pytest.mark.skipif(find_spec("mteb") is not None, reason="mteb is installed")
def test_without_mteb_the_extra_is_named() -> None:
    with pytest.raises(MissingDependencyError, match=r"pip install .\.\[mteb\]"):
        EngramSearch(WORDS).mteb_model_meta  # noqa: B018 - what is asked for


@needs_mteb
@quiet
def test_mteb_takes_it_for_a_search_model_and_its_own_check_passes() -> None:
    with EngramSearch(WORDS, name="words") as model:
        import mteb
        from mteb.models import SearchProtocol

        assert isinstance(model, SearchProtocol)
        meta = model.mteb_model_meta
        assert (meta.name, meta.revision) == ("engram-lab/words", model.config.content_hash)
        assert meta.model_type == ["sparse"]
        checked = mteb.mock_run(model)
        ran = [name for name, status in checked.items() if status is not None]
        assert len(ran) >= 5
        assert checked.all_passed, checked.to_markdown()


def task_of(
    corpus: list[dict[str, Any]],
    queries: list[dict[str, Any]],
    qrels: dict[str, dict[str, int]],
    candidates: dict[str, list[str]] | None = None,
) -> Any:
    """Return a retrieval task of MTEB with these data, which loads nothing from anywhere."""
    rows = import_module("datasets").Dataset
    retrieval = import_module("mteb.abstasks.retrieval")
    about = import_module("mteb.abstasks.task_metadata").TaskMetadata(
        name="Local",
        description="Data at hand.",
        reference=None,
        dataset={"path": "local", "revision": "1"},
        type="Retrieval",
        category="t2t",
        modalities=["text"],
        eval_splits=["test"],
        eval_langs=["eng-Latn"],
        main_score="ndcg_at_10",
        date=None,
        domains=None,
        task_subtypes=None,
        license=None,
        annotations_creators=None,
        dialect=None,
        sample_creation=None,
        bibtex_citation="",
    )

    def load_data(self: Any, *_: Any, **__: Any) -> None:
        split = {
            "corpus": rows.from_list(corpus),
            "queries": rows.from_list(queries),
            "relevant_docs": qrels,
            "top_ranked": candidates,
        }
        self.dataset = {"default": {"test": split}}
        self.data_loaded = True

    base = retrieval.AbsTaskRetrieval
    return type("Local", (base,), {"metadata": about, "load_data": load_data})()


def scores_of(model: EngramSearch, task: Any) -> dict[str, float]:
    import mteb

    done = mteb.evaluate(model, task, cache=None, show_progress_bar=False)
    scores: dict[str, float] = done.task_results[0].scores["test"][0]
    return scores


@needs_mteb
@quiet
def test_mteb_evaluates_a_task_and_one_with_candidates() -> None:
    corpus = [{"title": "", **row} for row in CORPUS[:4]]
    qrels = {"q1": {"d 2": 1}, "q2": {"3": 1, "4": 1}}
    with EngramSearch(WORDS) as model:
        # q1 finds d/1 first (its title says tea too) and d 2 second; q2 both, 3 first.
        whole = scores_of(model, task_of(corpus, QUERIES, qrels))
        assert whole["ndcg_at_10"] == pytest.approx((0.63093 + 1) / 2, abs=1e-4)
        some = task_of(corpus, QUERIES, qrels, {"q1": ["d 2", "4"], "q2": ["3", "4"]})
        assert scores_of(model, some)["ndcg_at_10"] == 1


@needs_mteb
@quiet
@pytest.mark.slow
def test_scifact_gives_in_mteb_what_it_gives_here() -> None:
    """The same nDCG@10, R@100 and reciprocal rank as our own measures give to our own run."""
    root = os.environ.get("ENGRAM_DATA")
    if root is None or not (Path(root) / "scifact" / "corpus.jsonl").is_file():
        pytest.skip("ENGRAM_DATA names no folder that holds scifact/corpus.jsonl")
    folder = Path(root) / "scifact"
    corpus = [
        {"id": row["_id"], "title": row["title"], "text": row["text"]}
        for row in map(json.loads, (folder / "corpus.jsonl").read_text().splitlines())
    ]
    qrels: dict[str, dict[str, int]] = {}
    for line in (folder / "qrels" / "test.tsv").read_text().splitlines()[1:]:
        query, document, relevance = line.split("\t")
        qrels.setdefault(query, {})[document] = int(relevance)
    queries = [
        {"id": row["_id"], "text": row["text"]}
        for row in map(json.loads, (folder / "queries.jsonl").read_text().splitlines())
        if row["_id"] in qrels
    ]
    with EngramSearch(WORDS, depth=100) as model:
        theirs = scores_of(model, task_of(corpus, queries, qrels))
    assert theirs["ndcg_at_10"] == pytest.approx(ours_of(folder)["nDCG@10"], abs=5e-4)
    assert theirs["recall_at_100"] == pytest.approx(ours_of(folder)["R@100"], abs=5e-4)
    assert 0.66 < theirs["ndcg_at_10"] < 0.70


def ours_of(folder: Path) -> dict[str, float]:
    from engram_lab.evaluation.datasets.beir import read_beir
    from engram_lab.evaluation.running.bench import Bench
    from engram_lab.evaluation.suites import load_suite

    with Bench(load_suite("beir"), read_beir(folder, id="scifact", options={})) as bench:
        rows = bench.per_query(WORDS)
    return {name: float(rows[name].to_numpy().mean()) for name in ("nDCG@10", "R@100")}

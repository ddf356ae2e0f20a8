from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import polars as pl
import pytest

from engram_lab.core.clock import ManualClock
from engram_lab.core.errors import (
    ConflictError,
    DatasetMissingError,
    EvaluationError,
    InvalidInputError,
)
from engram_lab.evaluation.datasets.dataset import MEMORIES, QRELS, QUERIES, Dataset
from engram_lab.evaluation.running.asking import Answers
from engram_lab.evaluation.running.evaluate import dataset_of, run_suite
from engram_lab.evaluation.running.partial import Partial
from engram_lab.evaluation.shipped import shipped
from engram_lab.evaluation.suite import GateRules, Suite
from engram_lab.evaluation.suites import load_suite
from engram_lab.evaluation.systems import (
    SYSTEMS,
    Corpus,
    SystemSpec,
    Workshop,
    corpora_of,
    load_system,
)
from engram_lab.evaluation.systems.unseen import corpus_hash

SUITE = Suite(
    id="quay",
    title="for tests",
    dataset="quay",
    measures=("R@10", "nDCG@10", "recall_any@1", "forbidden@10"),
    gate=GateRules(measures=("R@10",)),
    depth=10,
    apart=("trick",),
    resamples=200,
)

TEXTS = {
    "yard": ["Ada: The tide turns at six", "Ben: The crane is green", "Ada: Coffee without sugar"],
    "loft": ["Cy: The choir sings on Thursday", "Di: Bring the lamp", "Cy: The door code is 4711"],
}


def rows(values: list[dict[str, Any]], schema: pl.Schema) -> pl.DataFrame:
    return pl.DataFrame([{name: each.get(name) for name in schema} for each in values], schema)


@pytest.fixture
def data() -> Dataset:
    memories = [
        {
            "id": f"{corpus}-{place}",
            "corpus": corpus,
            "content": text,
            "session": f"{corpus}-s1",
            "position": place,
            "speaker": text.partition(":")[0],
            "fields": json.dumps({"scope": "global/agent:other"}) if "code" in text else None,
        }
        for corpus, texts in TEXTS.items()
        for place, text in enumerate(texts)
    ]
    queries = [
        ("q1", "yard", "when does the tide turn", "plain"),
        ("q2", "yard", "which colour has the crane", "plain"),
        ("q3", "loft", "when does the choir sing", "plain"),
        ("q4", "loft", "what is the door code", "private"),
        ("q5", "yard", "does Ben drink coffee", "trick"),
    ]
    qrels = [("q1", "yard-0", 1), ("q2", "yard-1", 1), ("q3", "loft-0", 1), ("q4", "loft-1", 1)]
    return Dataset(
        id="quay",
        memories=rows(memories, MEMORIES),
        queries=rows(
            [
                {"id": id_, "corpus": corpus, "text": text, "category": category, "cluster": corpus}
                for id_, corpus, text, category in queries
            ],
            QUERIES,
        ),
        qrels=pl.DataFrame(
            [*qrels, ("q4", "loft-2", -2), ("q5", "yard-2", 1)], QRELS, orient="row"
        ),
    )


def systems(*names: str) -> list[SystemSpec]:
    return [load_system(name) for name in names]


def test_the_folder_holds_what_other_tools_rely_on(tmp_path: Path, data: Dataset) -> None:
    folder = run_suite(SUITE, systems("random", "bm25"), out=tmp_path / "out", dataset=data)

    held = {each.relative_to(folder.path).as_posix() for each in folder.path.rglob("*.*")}
    assert held == {
        "memories.parquet",
        "per_query.parquet",
        "qrels.parquet",
        "qrels.trec",
        "queries.parquet",
        "record.json",
        "results.json",
        *(f"runs/{name}.{kind}" for name in ("random", "bm25") for kind in ("trec", "parquet")),
    }
    schema = json.loads((shipped("schemas") / "results.schema.json").read_bytes())
    jsonschema.validate(json.loads((folder.path / "results.json").read_bytes()), schema)
    bm25 = folder.results["systems"][1]
    assert bm25["name"] == "bm25"
    assert bm25["measures"]["R@10"]["mean"] == pytest.approx(
        3 / 4
    )  # q4 shares no word with its answer
    assert bm25["categories"]["trick"]["R@10"]["mean"] == 1
    assert bm25["categories"]["all"]["R@10"]["n"] == 5
    assert bm25["measures"]["forbidden@10"] == {
        "mean": 0.0, "ci": bm25["measures"]["forbidden@10"]["ci"], "n": 1, "unscored": 3,
    }  # fmt: skip
    assert bm25["costs"]["latency_p50_ms"] > 0
    assert folder.record["timings"].keys() == {"random_s", "bm25_s"}


def test_what_lies_in_another_scope_is_found_by_nobody(tmp_path: Path, data: Dataset) -> None:
    folder = run_suite(SUITE, systems("bm25", "dense"), out=tmp_path, dataset=data, guards=False)

    for name in folder.systems:
        found = folder.run(name).hits.filter(pl.col("query_id") == "q4")["memory_id"].to_list()
        assert "loft-2" not in found


def test_the_same_record_gives_the_same_run_files(tmp_path: Path, data: Dataset) -> None:
    chosen = systems("random", "bm25", "dense", "weighted", "context")
    folders = [
        run_suite(SUITE, chosen, out=tmp_path / name, dataset=data, guards=False, clock=clock)
        for name, clock in (("a", ManualClock()), ("b", None))
    ]

    a, b = ({f.name: f.read_bytes() for f in sorted(each.path.glob("runs/*"))} for each in folders)
    assert a == b
    assert len(a) == 10
    assert folders[0].record["id"] == folders[1].record["id"]
    assert folders[0].record["began_at"] == "2026-01-01T00:00:00+00:00"


def test_another_setting_is_another_record(tmp_path: Path, data: Dataset) -> None:
    mine = SystemSpec(name="bm25", settings={"retrieval": {"strategy": "keyword", "bm25_b": 0.1}})

    a = run_suite(SUITE, systems("bm25"), out=tmp_path / "a", dataset=data, guards=False)
    b = run_suite(SUITE, [mine], out=tmp_path / "b", dataset=data, guards=False)

    assert a.record["id"] != b.record["id"]


def test_the_record_says_which_weights_each_corpus_was_judged_with(
    tmp_path: Path, data: Dataset
) -> None:
    yard, loft = (corpus for corpus, _ in corpora_of(data))
    weights = {"words": 1.0}
    whole, fold = (
        {"weights": weights, "saw": {"dataset": "quay", "data": "", "split": split, "corpora": saw}}
        for split, saw in (
            ("all", {"yard": corpus_hash(yard)}),
            ("without yard", {"loft": corpus_hash(loft)}),
        )
    )
    (tmp_path / "folds.json").write_text(json.dumps([whole, fold]), encoding="utf-8")
    mine = SystemSpec(
        name="mine",
        settings={"retrieval": {"profile": "conversation"}},
        folds=str(tmp_path / "folds.json"),
    )

    folder = run_suite(
        SUITE, [mine, *systems("bm25", "random")], out=tmp_path / "a", dataset=data, guards=False
    )

    said = {"quay": ["loft"], "quay without yard": ["yard"]}
    assert folder.record["judged_with"] == {"mine": said}
    jsonschema.validate(
        folder.results, json.loads((shipped("schemas") / "results.schema.json").read_bytes())
    )


def test_weights_for_the_vectors_of_another_model_are_not_said_to_judge(
    tmp_path: Path, data: Dataset
) -> None:
    learned = json.dumps({"weights": {"words": 1.0}, "embedder": "another/model"})
    conversation = {"profile": "conversation", "learned": learned}
    mine = SystemSpec(name="mine", settings={"retrieval": conversation})

    folder = run_suite(SUITE, [mine], out=tmp_path / "a", dataset=data, guards=False)

    assert folder.record["judged_with"] == {"mine": {"set by hand": ["yard", "loft"]}}


def test_weights_that_saw_everything_are_judged_on_nothing(tmp_path: Path, data: Dataset) -> None:
    seen = {corpus.name: corpus_hash(corpus) for corpus, _ in corpora_of(data)}
    saw = {"dataset": "quay", "data": "", "corpora": seen}
    learned = json.dumps({"weights": {"words": 1.0}, "saw": saw})
    mine = SystemSpec(name="mine", settings={"retrieval": {"learned": learned}})

    with pytest.raises(EvaluationError, match="learned on this conversation: 'yard'"):
        run_suite(SUITE, [mine], out=tmp_path / "a", dataset=data)


class _Interrupted:
    """A system that is stopped by its user in the middle of the second corpus, once."""

    def __init__(self, marks: Path) -> None:
        self._marks = marks

    def describe(self, workshop: Workshop) -> Mapping[str, Any]:
        return {"kind": "interrupted"}

    @contextmanager
    def open(self, corpus: Corpus, workshop: Workshop) -> Iterator[_Interrupted]:
        with self._marks.open("a", encoding="utf-8") as file:
            file.write(f"{corpus.name}\n")
        if self._marks.read_text(encoding="utf-8").splitlines() == ["yard", "yard", "loft"]:
            raise KeyboardInterrupt
        self._first = corpus.memories[0]["id"]
        yield self

    def search(self, text: str, k: int) -> list[tuple[str, float]]:
        return [(self._first, 1.0)]

    def costs(self) -> Mapping[str, float]:
        return {}


def test_an_interrupted_run_goes_on_where_it_stopped(
    tmp_path: Path, data: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = _Interrupted(tmp_path / "marks")
    monkeypatch.setitem(SYSTEMS._known, "interrupted", lambda spec, **_: made)  # gone afterwards
    spec = SystemSpec(name="mine", kind="interrupted")
    out = tmp_path / "out"

    with pytest.raises(KeyboardInterrupt):
        run_suite(SUITE, [spec], out=out, dataset=data)
    assert not (out / "results.json").exists()
    folder = run_suite(SUITE, [spec], out=out, dataset=data)

    # Asked and probed, interrupted; probed again for its costs, and asked what was wanting.
    opened = (tmp_path / "marks").read_text(encoding="utf-8").splitlines()
    assert opened == ["yard", "yard", "loft", "yard", "loft"]
    assert folder.run("mine").hits.height == 5
    assert not (out / "partial").exists()


def test_another_evaluation_in_the_folder_is_not_overwritten(tmp_path: Path, data: Dataset) -> None:
    run_suite(SUITE, systems("random"), out=tmp_path, dataset=data)
    before = (tmp_path / "results.json").read_bytes()

    with pytest.raises(ConflictError, match=r"replace them \(.*--fresh"):
        run_suite(SUITE, systems("recency"), out=tmp_path, dataset=data)
    assert (tmp_path / "results.json").read_bytes() == before

    again = run_suite(SUITE, systems("recency"), out=tmp_path, dataset=data, fresh=True)
    assert again.systems == ("recency",)


def test_a_system_whose_model_is_absent_is_skipped_with_the_reason(
    tmp_path: Path, data: Dataset
) -> None:
    absent = SystemSpec(
        name="absent", settings={"embedding": {"model": "onnx", "path": str(tmp_path / "none")}}
    )

    folder = run_suite(SUITE, [absent, *systems("random")], out=tmp_path / "o", dataset=data)

    assert folder.systems == ("random",)
    (skipped,) = folder.results["skipped"]
    assert skipped["name"] == "absent"
    assert str(tmp_path / "none") in skipped["reason"]
    with pytest.raises(EvaluationError, match="no system could be run: absent: "):
        run_suite(SUITE, [absent], out=tmp_path / "p", dataset=data)


def test_a_reranker_without_its_model_is_skipped_and_the_others_answer(
    tmp_path: Path, data: Dataset
) -> None:
    folder = run_suite(SUITE, systems("random", "rerank"), out=tmp_path / "o", dataset=data)

    assert folder.systems == ("random",)
    assert "set embedding.model to minilm" in folder.results["skipped"][0]["reason"]


def test_results_are_replaced_with_all_that_belonged_to_them(tmp_path: Path, data: Dataset) -> None:
    run_suite(SUITE, systems("random"), out=tmp_path, dataset=data, guards=False)
    (tmp_path / "gate.json").write_text("{}", encoding="ascii")

    run_suite(SUITE, systems("recency"), out=tmp_path, dataset=data, guards=False, fresh=True)

    assert {each.stem for each in (tmp_path / "runs").iterdir()} == {"recency"}
    assert not (tmp_path / "gate.json").exists()


def test_a_beginning_without_an_answer_is_nobodys(tmp_path: Path, data: Dataset) -> None:
    with Partial(tmp_path, "0" * 64, fresh=False):
        pass

    run_suite(SUITE, systems("random"), out=tmp_path, dataset=data, guards=False)

    assert (tmp_path / "results.json").exists()


def test_the_answers_of_another_evaluation_are_not_thrown_away_unasked(
    tmp_path: Path, data: Dataset
) -> None:
    with Partial(tmp_path, "0" * 64, fresh=False) as partial:
        partial.keep("random", 0, Answers(rankings=[]))

    with pytest.raises(ConflictError, match=r"discard it \(.*--fresh"):
        run_suite(SUITE, systems("random"), out=tmp_path, dataset=data, guards=False)
    with Partial(tmp_path, "0" * 64, fresh=False) as partial:
        assert partial.get("random", 0) == Answers(rankings=[], seconds=[])
    with Partial(tmp_path, "1" * 64, fresh=True) as partial:
        assert partial.get("random", 0) is None


def test_two_processes_do_not_evaluate_into_one_folder(tmp_path: Path, data: Dataset) -> None:
    pytest.importorskip("fcntl")  # Windows has no such locks

    with (
        Partial(tmp_path, "0" * 64, fresh=False),
        pytest.raises(ConflictError, match="another process evaluates into"),
    ):
        run_suite(SUITE, systems("random"), out=tmp_path, dataset=data, guards=False)


@pytest.mark.parametrize("place", ["file", "file/inside"])
def test_a_file_is_no_folder_for_results(tmp_path: Path, data: Dataset, place: str) -> None:
    (tmp_path / "file").write_bytes(b"mine")

    with pytest.raises(InvalidInputError, match="file is a file: name a folder"):
        run_suite(SUITE, systems("random"), out=tmp_path / place, dataset=data)
    assert (tmp_path / "file").read_bytes() == b"mine"


def test_two_systems_of_one_name_are_refused(tmp_path: Path, data: Dataset) -> None:
    with pytest.raises(InvalidInputError, match="named twice"):
        run_suite(SUITE, systems("random", "random"), out=tmp_path, dataset=data)


def test_an_unknown_measure_is_refused_before_anything_is_done(
    tmp_path: Path, data: Dataset
) -> None:
    with pytest.raises(InvalidInputError, match="nDCG"):
        run_suite(
            replace(SUITE, measures=("nDGC@10",)), systems("random"), out=tmp_path, dataset=data
        )
    assert list(tmp_path.iterdir()) == []


def test_data_that_are_not_there_are_said_to_be_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENGRAM_DATA", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    with pytest.raises(DatasetMissingError, match="engram eval fetch locomo"):
        dataset_of(load_suite("locomo-turn"))


def test_a_suite_of_ones_own_data_wants_a_place() -> None:
    with pytest.raises(InvalidInputError, match="--data PATH"):
        dataset_of(load_suite("beir"))


def test_a_query_that_cannot_be_asked_is_named(tmp_path: Path, data: Dataset) -> None:
    long = data.queries.with_columns(
        text=pl.when(id="q3").then(pl.lit("tide " * 3000)).otherwise("text")
    )

    with pytest.raises(InvalidInputError, match="the query 'q3' cannot be asked: "):
        run_suite(SUITE, systems("bm25"), out=tmp_path, dataset=replace(data, queries=long))


def test_data_without_queries_are_refused(tmp_path: Path, data: Dataset) -> None:
    empty = replace(data, queries=data.queries.clear(), qrels=data.qrels.clear())

    with pytest.raises(InvalidInputError, match="has 6 memories and 0 queries"):
        run_suite(SUITE, systems("bm25"), out=tmp_path, dataset=empty)

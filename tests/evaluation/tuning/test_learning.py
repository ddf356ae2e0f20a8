"""Learning on a suite with real engines, and the files that come of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from engram_lab.config import EngineConfig, load_config
from engram_lab.core.clock import ManualClock
from engram_lab.core.errors import EvaluationError, InvalidInputError
from engram_lab.evaluation.running.evaluate import run_suite
from engram_lab.evaluation.suite import GateRules, Suite
from engram_lab.evaluation.systems import corpora_of, load_system
from engram_lab.evaluation.systems.unseen import corpus_hash, read_folds
from engram_lab.evaluation.tuning.learned_files import write_learned
from engram_lab.evaluation.tuning.learner import Learner
from engram_lab.evaluation.tuning.learning import Learned, gather, learn_suite
from engram_lab.evaluation.tuning.ledger import Ledger
from engram_lab.retrieval.learned import Boosting, LearnedRecord, Saw
from engram_lab.retrieval.profiles import shipped_record

if TYPE_CHECKING:
    from pathlib import Path

    from engram_lab.core.progress import Told
    from engram_lab.evaluation.datasets.dataset import Dataset

SUITE = Suite(
    id="talks",
    title="who bought what",
    dataset=None,
    reader="frames",
    measures=("RR", "Success@1"),
    gate=GateRules(measures=("RR",)),
    depth=10,
    resamples=200,
)

NAMES = ("cosine", "question", "speaker", "words")
LEARNER = Learner(features=NAMES)
CONFIG = EngineConfig.from_dict({"embedding": {"model": "hashing"}})


def learn(data: Dataset, **more: Any) -> Learned:
    return learn_suite(SUITE, data, **{"config": CONFIG, "learner": LEARNER, **more})


@pytest.fixture(scope="module")
def learned(four_talks: Dataset) -> Learned:
    return learn(four_talks)


def test_weights_say_what_they_saw(learned: Learned, four_talks: Dataset) -> None:
    assert learned.record.weights.keys() == set(NAMES)
    assert learned.record.weights["question"] < 0 < learned.record.weights["speaker"]
    assert learned.record.embedder == "hashing/1"
    assert learned.record.saw == Saw(
        dataset="talks",
        data=four_talks.hash,
        corpora={corpus.name: corpus_hash(corpus) for corpus, _ in corpora_of(four_talks)},
        split="all",
        questions=24,
    )


def test_each_fold_is_without_one_conversation(learned: Learned) -> None:
    seen = [each.saw for each in learned.folds]

    assert [each.split for each in seen if each] == [f"without talk-{n}" for n in range(4)]
    assert [sorted(each.corpora) for each in seen if each] == [
        [f"talk-{other}" for other in range(4) if other != number] for number in range(4)
    ]
    assert {each.questions for each in seen if each} == {18}
    assert learned.how == "each of 4 clusters left out in turn"
    assert learned.unjudged == ()
    assert LearnedRecord.from_json(learned.config.retrieval.learned or "") == learned.record
    assert learned.config.retrieval.profile == "conversation"


def test_a_fold_learns_nothing_from_what_it_is_judged_on(
    learned: Learned, four_talks: Dataset
) -> None:
    rest = learn(four_talks, on=["talk-0", "talk-1", "talk-3"])

    assert rest.record.saw is not None
    assert rest.record.saw.split == "without talk-2"
    assert rest.record.weights == pytest.approx(learned.folds[2].weights, rel=1e-4)
    assert rest.record.weights != pytest.approx(learned.record.weights, rel=1e-4)


def test_what_was_learned_is_written_and_judged_without_a_leak(
    learned: Learned, four_talks: Dataset, tmp_path: Path
) -> None:
    write_learned(learned, tmp_path / "out")

    assert read_folds(tmp_path / "out" / "folds.json") == (
        learned.record.to_dict(),
        *(each.to_dict() for each in learned.folds),
    )
    config = load_config(tmp_path / "out" / "config.yaml", environ={}).config
    assert config == learned.config
    judged = [load_system(str(tmp_path / "out" / "system.toml"))]
    folder = run_suite(SUITE, judged, out=tmp_path / "run", dataset=four_talks, guards=False)
    assert folder.results["systems"][0]["measures"]["Success@1"]["mean"] == 1.0
    assert folder.record["judged_with"] == {
        "system": {f"talks without talk-{number}": [f"talk-{number}"] for number in range(4)}
    }
    flat = [load_system(str(tmp_path / "out" / "config.yaml"))]
    with pytest.raises(EvaluationError, match="learned on this conversation: 'talk-0'"):
        run_suite(SUITE, flat, out=tmp_path / "flat", dataset=four_talks, guards=False)


def test_a_system_keeps_its_settings_and_no_secret(learned: Learned, tmp_path: Path) -> None:
    changed = {
        "retrieval": {"bm25_b": 0.5},
        "embedding": {"model": "hashing", "api_key": "hush", "path": 'a"b\\c'},
        "store": {"path": "/somewhere/notes.db", "dedup": "skip"},
    }
    config = EngineConfig.from_dict(changed)

    write_learned(replace(learned, config=config), tmp_path, store_as="turns", session_score="best")

    system = load_system(str(tmp_path / "system.toml"))
    assert (system.store_as, system.session_score) == ("turns", "best")
    assert system.settings == {
        "embedding": {"model": "hashing", "path": 'a"b\\c'},
        "retrieval": {"bm25_b": 0.5},
        "store": {"dedup": "skip"},
    }
    written = (tmp_path / "config.yaml").read_text(encoding="utf-8")
    assert "hush" not in written
    assert "somewhere" not in written


def test_what_is_held_out_is_never_learned_from(four_talks: Dataset, tmp_path: Path) -> None:
    book = tmp_path / "ledger.jsonl"
    first = learn(
        four_talks, hold_out=["talk-3"], ledger=book, clock=ManualClock(), command="first"
    )
    second = learn(four_talks, ledger=book, command="second")

    for each in (first, second):
        assert (each.used, each.held_out) == (("talk-0", "talk-1", "talk-2"), ("talk-3",))
        assert each.record.saw is not None
        assert each.record.saw.split == "without talk-3"
        assert set(each.record.saw.corpora) == {"talk-0", "talk-1", "talk-2"}
        assert [fold.saw.split for fold in each.folds if fold.saw] == [
            f"without talk-{number}, talk-3" for number in range(3)
        ]
    assert [(each.kind, each.by, each.note) for each in Ledger(book).entries()] == [
        ("held out", "first", ""),
        ("tuned", "first", "the linear model over 4 features"),
        ("tuned", "second", "the linear model over 4 features"),
    ]
    with pytest.raises(EvaluationError, match="'talk-3' of 'talks' must not be tuned on"):
        learn(four_talks, on=["talk-3", "talk-0"], ledger=book)
    with pytest.raises(EvaluationError, match="cannot be held out"):
        learn(four_talks, hold_out=["talk-0"], ledger=book)


def test_without_a_ledger_it_is_held_out_for_this_once(four_talks: Dataset) -> None:
    found = learn(four_talks, hold_out=["talk-0"])

    assert found.used == ("talk-1", "talk-2", "talk-3")
    with pytest.raises(EvaluationError, match="all of 'talks' is held out"):
        learn(four_talks, hold_out=[f"talk-{number}" for number in range(4)])
    with pytest.raises(InvalidInputError, match="no cluster 'talk-9'"):
        learn(four_talks, hold_out=["talk-9"])


def test_where_all_folds_saw_the_one_corpus_it_is_said(talks_in_one_corpus: Dataset) -> None:
    found = learn(talks_in_one_corpus)

    assert len(found.folds) == 3
    assert found.unjudged == ("main",)


def test_judgements_that_teach_nothing_are_refused(four_talks: Dataset) -> None:
    with pytest.raises(EvaluationError, match=r"'talks' \(all\): none of 24 questions has both"):
        learn(replace(four_talks, qrels=four_talks.qrels.head(0)))
    two = replace(four_talks, qrels=four_talks.qrels.head(3))
    with pytest.raises(EvaluationError, match=r"\(without talk-0\): none of 18 questions"):
        learn(two)


def test_progress_is_told_question_by_question(four_talks: Dataset) -> None:
    heard: list[Told] = []

    found = gather(
        SUITE, four_talks, NAMES, config=CONFIG, queries=four_talks.queries["id"].to_list()[:7],
        progress=heard.append,
    )  # fmt: skip

    counts = [each.done for each in heard if each.task == "learning"]
    assert (counts[0], counts[-1]) == (0, 7)
    assert counts == sorted(counts)
    assert (heard[-1].total, heard[-1].unit, heard[-1].standing) == (7, "questions", "done")
    assert [each.corpus for each in found.taught] == ["talk-0"] * 6 + ["talk-1"]
    assert sum(int(each.question.relevant.sum()) for each in found.taught) == 7


def test_weights_that_are_there_have_no_say_in_what_is_learned(
    learned: Learned, four_talks: Dataset
) -> None:
    assert learn(four_talks, config=learned.config).record == learned.record


def test_trees_are_learned_in_the_same_way(four_talks: Dataset, tmp_path: Path) -> None:
    pytest.importorskip("lightgbm", reason="the extra `trees` is not installed")
    boosting = Boosting(trees=10, leaves=4, least=5, rate=0.3)
    found = learn(four_talks, learner=Learner(features=NAMES, model="trees", boosting=boosting))

    write_learned(found, tmp_path)
    judged = [load_system(str(tmp_path / "system.toml"))]
    folder = run_suite(SUITE, judged, out=tmp_path / "run", dataset=four_talks, guards=False)

    assert found.record.model == "trees"
    assert folder.results["systems"][0]["measures"]["RR"]["mean"] > 0.9


def test_what_is_learned_by_default_is_what_comes_along() -> None:
    assert Learner().names == shipped_record().features


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"features": ("wrods",)}, "did you mean 'words'"),
        ({"features": ("words", "words")}, "'words' is named twice"),
        ({"model": "forest"}, "'forest': choose linear or trees"),
    ],
)
def test_what_cannot_be_learned_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidInputError, match=said):
        Learner(**given)

"""Learning from a user's own store: what was asked, and what was of use."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from engram_lab.config import EngineConfig
from engram_lab.core.clock import ManualClock
from engram_lab.core.errors import InvalidInputError
from engram_lab.engine import Engine
from engram_lab.evaluation.tuning import from_use
from engram_lab.evaluation.tuning.from_use import FEWEST, learn_from_use, read_feedback
from engram_lab.evaluation.tuning.learner import Learner
from engram_lab.retrieval.learned import LearnedRecord, LearningQuestion, Saw

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from engram_lab.core.progress import Told
    from engram_lab.evaluation.datasets.dataset import Dataset

NAMES = ("cosine", "question", "speaker", "words")
LEARNER = Learner(features=NAMES)
SETTINGS = {"embedding": {"model": "hashing"}}


@pytest.fixture
def engine(four_talks: Dataset) -> Iterator[Engine]:
    """Return a store of conversations, all in one workspace."""
    config = EngineConfig.from_dict(SETTINGS)
    with Engine.open(":memory:", config=config, clock=ManualClock()) as engine:
        for (session,), told in four_talks.memories.partition_by("session", as_dict=True).items():
            engine.store.sessions.start(str(session))
            engine.store.sessions.add_turns(
                str(session),
                [
                    {"speaker": row["speaker"], "content": row["content"]}
                    for row in told.iter_rows(named=True)
                ],
            )
        engine.embed()
        yield engine


@pytest.fixture
def useful(engine: Engine, four_talks: Dataset) -> list[dict[str, Any]]:
    """Return a row for each question of the talks."""
    texts = dict(four_talks.memories.select("id", "content").iter_rows())
    stored = {
        row["content"]: row["id"]
        for row in engine.to_polars().select("id", "content").iter_rows(named=True)
    }
    answers = dict(four_talks.qrels.select("query_id", "memory_id").iter_rows())
    return [
        {"query": text, "memory": stored[texts[answers[id_]]]}
        for id_, text in four_talks.queries.select("id", "text").iter_rows()
    ]


def test_questions_and_what_was_of_use_teach(engine: Engine, useful: list[dict[str, Any]]) -> None:
    heard: list[Told] = []
    found = learn_from_use(engine, useful, learner=LEARNER, progress=heard.append)

    assert (found.questions, found.missed) == (24, 0)
    assert found.worth.questions == 24
    assert found.worth.after > 0.9
    assert 0 < found.worth.before <= 1
    assert {each.total for each in heard if each.level == 0} == {24}
    assert (heard[-1].done, heard[-1].standing) == (24, "done")
    assert found.record.weights["question"] < 0 < found.record.weights["speaker"]
    assert found.record.saw == Saw(
        dataset="feedback", data=engine.store.corpus.head()[1], questions=24
    )
    assert found.config.retrieval.profile == "conversation"
    assert LearnedRecord.from_json(found.config.retrieval.learned or "") == found.record


def test_recall_events_are_what_was_asked(engine: Engine, useful: list[dict[str, Any]]) -> None:
    for row in useful:
        engine.recall(row["query"], 3)
    engine.flush()
    events = {each.query: each.id for each in engine.store.events.since()}
    by_event = [{"event": events[row["query"]], "memory": row["memory"]} for row in useful]

    by_text = learn_from_use(engine, useful, learner=LEARNER).record
    assert learn_from_use(engine, by_event, learner=LEARNER).record == by_text


def test_events_are_read_to_the_last_page(
    engine: Engine, useful: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(from_use, "_PAGE", 5)
    for row in useful:
        engine.recall(row["query"], 1)
    engine.flush()
    events = {each.query: each.id for each in engine.store.events.since()}
    rows = [{"event": events[row["query"]], "memory": row["memory"]} for row in useful]

    assert learn_from_use(engine, rows, learner=LEARNER).questions == 24


def test_what_was_of_use_twice_is_one_question(
    engine: Engine, useful: list[dict[str, Any]]
) -> None:
    more = [*useful, {**useful[0], "memory": useful[1]["memory"]}, useful[5]]

    assert learn_from_use(engine, more, learner=LEARNER).questions == 24


def test_a_question_is_asked_in_its_workspace(engine: Engine, useful: list[dict[str, Any]]) -> None:
    rows = [
        {**row, "workspace": "elsewhere" if n < 3 else "default"} for n, row in enumerate(useful)
    ]

    found = learn_from_use(engine, rows, learner=LEARNER)

    assert (found.questions, found.missed) == (24, 3)


def test_a_memory_that_is_no_candidate_teaches_nothing(
    engine: Engine, useful: list[dict[str, Any]]
) -> None:
    engine.purge([useful[0]["memory"]])

    found = learn_from_use(engine, useful, learner=LEARNER)

    assert (found.questions, found.missed) == (24, 1)
    assert found.record.saw is not None
    assert found.record.saw.questions == 23


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"query": "which"}, "row 2 of the feedback is .*give the id of a `memory`"),
        ({"memory": "m"}, "either the `event` of a recall or the `query`"),
        ({"memory": "m", "query": "which", "event": "e"}, "either the `event`"),
        ({"memory": "m", "query": 7}, "either the `event`"),
        ({"memory": "", "query": "which"}, "give the id of a `memory`"),
        ({"memory": "m", "query": "which", "workspace": 3}, "row 2"),
        ({"memory": "m", "question": "which"}, "row 2"),
        ({"memory": "m", "event": "e"}, "row 2 of the feedback names the recall event 'e', which"),
    ],
)
def test_a_row_that_says_too_little_is_named(
    engine: Engine, useful: list[dict[str, Any]], row: dict[str, Any], said: str
) -> None:
    with pytest.raises(InvalidInputError, match=said):
        learn_from_use(engine, [useful[0], row, *useful[1:]], learner=LEARNER)


def test_too_few_questions_are_refused(engine: Engine, useful: list[dict[str, Any]]) -> None:
    with pytest.raises(InvalidInputError, match="has 9 questions to learn from: give 10 or more"):
        learn_from_use(engine, useful[: FEWEST - 1], learner=LEARNER)
    lost = [{**row, "memory": "nothing"} for row in useful]
    with pytest.raises(
        InvalidInputError, match=r"has 0 questions .*; in 24 nothing of use is among"
    ):
        learn_from_use(engine, lost, learner=LEARNER)


def test_an_engine_that_looks_at_no_features_is_refused() -> None:
    config = EngineConfig.from_dict({**SETTINGS, "retrieval": {"profile": "neutral"}})
    with (
        Engine.open(":memory:", config=config) as engine,
        pytest.raises(InvalidInputError, match=r"set retrieval\.profile to conversation"),
    ):
        learn_from_use(engine, [], learner=LEARNER)


def taught(count: int, seed: int = 0) -> list[LearningQuestion]:
    chance = np.random.default_rng(seed)
    return [
        LearningQuestion(features=chance.normal(size=(9, 2)), relevant=np.arange(9) == 4)
        for _ in range(count)
    ]


def test_few_questions_correct_what_is_known_and_many_overrule_it() -> None:
    known = LearnedRecord(weights={"words": 3.0, "cosine": -2.0})
    saw = Saw(dataset="feedback", data="")

    def learned(questions: list[LearningQuestion], l2: float | None) -> list[float]:
        learner = Learner(features=("words", "cosine"), l2=l2)
        record = learner.learn(questions, saw=saw, embedder=None, towards=known)
        return list(record.weights.values())

    held_fast = learned(taught(4), None)
    assert held_fast == pytest.approx([3.0, -2.0], abs=0.1)
    assert held_fast != [3.0, -2.0]
    assert learned(taught(3), 1e9) == pytest.approx([3.0, -2.0], abs=1e-6)
    alone = Learner(features=("words", "cosine"), l2=1e-6).learn(
        taught(500), saw=saw, embedder=None
    )
    assert learned(taught(500), 1e-6) == pytest.approx(list(alone.weights.values()), abs=1e-5)


def test_feedback_is_read_line_by_line(tmp_path: Path) -> None:
    rows = [{"query": "which", "memory": "m1"}, {"event": "e", "memory": "m2"}]
    file = tmp_path / "useful.jsonl"
    file.write_text("\n\n".join(map(json.dumps, rows)) + "\n", encoding="utf-8")

    assert read_feedback(file) == rows


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, r"useful\.jsonl: it cannot be read"),
        (b"\xff\xfe", "it cannot be read"),
        (b'{"query": 1}\n{', "line 2 is no JSON"),
        (b"[1]", r"line 1 is '\[1\]': give an object with `memory`"),
    ],
)
def test_a_file_of_another_shape_is_refused(
    tmp_path: Path, content: bytes | None, said: str
) -> None:
    if content is not None:
        (tmp_path / "useful.jsonl").write_bytes(content)
    with pytest.raises(InvalidInputError, match=said):
        read_feedback(tmp_path / "useful.jsonl")

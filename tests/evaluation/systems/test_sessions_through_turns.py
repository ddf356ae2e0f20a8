from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from engram_lab.config import EngineConfig
from engram_lab.core.errors import InvalidInputError
from engram_lab.engine import Engine
from engram_lab.evaluation.systems import Corpus, SystemSpec, Workshop, load_system, make_system
from engram_lab.evaluation.systems.engine_system import EngineSystem
from engram_lab.evaluation.systems.filling import fill
from engram_lab.evaluation.systems.unseen import SeenError, corpus_hash
from engram_lab.evaluation.systems.weights import with_record

if TYPE_CHECKING:
    from pathlib import Path

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
WORDS = {"embedding": {"model": "none"}, "retrieval": {"strategy": "keyword"}}

TALKS = {
    "s1": ["Ada: the tide turns at six", "Ben: and the crane is green"],
    "s2": ["Ada: the choir sings on Thursday", "Ben: which choir?", "Ada: the choir of the quay"],
    "s3": ["Ben: the tide again", "Ada: no more of it"],
}


def row(id_: str, content: str, **fields: object) -> dict[str, Any]:
    at = BEGAN + timedelta(days=len(id_))
    told = {"id": id_, "content": content, "session": id_, "position": None, "speaker": None}
    return {**told, "event_at": at, "fields": fields}


def part(place: int, content: str) -> dict[str, Any]:
    at = BEGAN + timedelta(seconds=place)
    return {
        "content": content,
        "speaker": content.partition(":")[0],
        "position": place,
        "event_at": at,
    }


CORPUS = Corpus(
    name="quay",
    memories=[row(id_, "\n".join(turns)) for id_, turns in TALKS.items()],
    moment=BEGAN + timedelta(days=9),
    parts={
        id_: [part(place, turn) for place, turn in enumerate(turns, 1)]
        for id_, turns in TALKS.items()
    },
)


def spec(**more: Any) -> SystemSpec:
    return SystemSpec(name="mine", settings=WORDS, **more)


def answers(system: SystemSpec, text: str, k: int = 9, corpus: Corpus = CORPUS) -> list[str]:
    with (
        Workshop() as workshop,
        make_system(system, seed=0, store={}).open(corpus, workshop) as searcher,
    ):
        return [id_ for id_, _ in searcher.search(text, k)]


def test_sessions_are_answered_with_though_turns_are_remembered() -> None:
    whole, turns = spec(), spec(store_as="turns")

    assert answers(turns, "when does the tide turn") == ["s1", "s3"]
    assert answers(turns, "when does the tide turn", k=1) == ["s1"]
    assert set(answers(whole, "when does the tide turn")) == {"s1", "s3"}


def test_the_rule_decides_what_several_turns_are_worth() -> None:
    corpus = replace(
        CORPUS,
        parts={
            "s1": [part(1, "Ada: the choir"), part(2, "Ben: the boat")],
            "s2": [part(place, f"Ada: the choir, and thing {place}") for place in range(1, 6)],
            "s3": [part(1, "Ben: nothing of it, though of all that was said a choir was a part")],
        },
    )

    def first(rule: str) -> str:
        system = spec(store_as="turns", session_score=rule)
        return answers(system, "choir", corpus=corpus)[0]

    assert {rule: first(rule) for rule in ("best", "discounted@1")} == {
        "best": "s1",
        "discounted@1": "s2",
    }


def test_the_store_holds_turns_in_their_sessions() -> None:
    with Engine.open(":memory:", config=EngineConfig.from_dict(WORDS)) as engine:
        ids = fill(engine, CORPUS, "turns")

        assert sorted(ids.values()) == ["s1"] * 2 + ["s2"] * 3 + ["s3"] * 2
        (hit, *_) = engine.recall("which choir?", 1)
        assert ids[hit.id] == hit.memory.session_id == "s2"
        turns = engine.store.sessions.turns("s2")
        assert [turn.speaker for turn in turns] == ["Ada", "Ben", "Ada"]
        assert [turn.spoken_at for turn in turns] == [
            each["event_at"] for each in CORPUS.parts["s2"]
        ]


def test_what_has_no_turns_is_remembered_as_it_is() -> None:
    corpus = replace(
        CORPUS,
        memories=[*CORPUS.memories, row("note", "the lamp is lit")],
        parts={"s1": CORPUS.parts["s1"]},
    )

    assert answers(spec(store_as="turns"), "lamp", corpus=corpus) == ["note"]
    assert answers(spec(store_as="turns"), "Thursday", corpus=corpus) == ["s2"]
    assert answers(spec(store_as="turns"), "crane", corpus=corpus) == ["s1"]


def test_a_session_that_lies_elsewhere_is_not_found_through_its_turns() -> None:
    hidden = row("s1", "\n".join(TALKS["s1"]), workspace="other")
    corpus = replace(CORPUS, memories=[hidden, *CORPUS.memories[1:]])

    assert answers(spec(store_as="turns"), "when does the tide turn", corpus=corpus) == ["s3"]


def test_two_ways_of_storing_do_not_share_a_store() -> None:
    with Workshop() as workshop:
        found = {}
        for name, system in (("whole", spec()), ("turns", spec(store_as="turns"))):
            made = make_system(system, seed=0, store={})
            with made.open(CORPUS, workshop) as searcher:
                found[name] = searcher.search("which choir of the quay", 9)
        assert len(list(workshop.folder(CORPUS).glob("*.db"))) == 2
    assert found["whole"][0][0] == found["turns"][0][0] == "s2"


def test_a_record_tells_how_sessions_were_stored() -> None:
    def said(system: SystemSpec) -> dict[str, Any]:
        with Workshop() as workshop:
            return dict(make_system(system, seed=0, store={}).describe(workshop))

    turns = said(spec(store_as="turns", session_score="best"))

    assert (turns["store_as"], turns["session_score"]) == ("turns", "best")
    assert "store_as" not in said(spec())


@pytest.mark.parametrize(
    ("system", "message"),
    [
        (spec(store_as="pages"), "is 'pages': choose memories or turns"),
        (spec(store_as="turns", session_score="sum"), "'sum' is no way to score a group"),
        (spec(folds="nowhere.json"), "there is no file nowhere.json"),
        (SystemSpec(name="mine", kind="random", store_as="turns"), "which are for engines"),
    ],
)
def test_what_means_nothing_is_refused(system: SystemSpec, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        make_system(system, seed=0, store={})


def test_a_file_of_toml_says_how_sessions_are_stored_and_where_the_folds_lie(
    tmp_path: Path,
) -> None:
    (tmp_path / "mine.toml").write_text(
        'store_as = "turns"\nsession_score = "mean@2"\nfolds = "weights/folds.json"\n',
        encoding="utf-8",
    )

    found = load_system(str(tmp_path / "mine.toml"))

    assert (found.store_as, found.session_score) == ("turns", "mean@2")
    assert found.folds == str(tmp_path / "weights" / "folds.json")


def test_a_corpus_is_asked_with_weights_that_never_saw_it(tmp_path: Path) -> None:
    saw = {"dataset": "weights", "split": "all", "corpora": {"quay": corpus_hash(CORPUS)}}
    records = [
        {"saw": saw, "weights": {"a": 1.0}},
        {"saw": {**saw, "split": "without it", "corpora": {}}, "weights": {"a": 2.0}},
    ]
    (tmp_path / "folds.json").write_text(json.dumps(records), encoding="utf-8")
    system = make_system(spec(folds=str(tmp_path / "folds.json")), seed=0, store={})
    other = replace(CORPUS, name="yard", memories=[row("s9", "nothing that was ever said before")])

    assert isinstance(system, EngineSystem)
    assert system.config_for(CORPUS) == with_record(system.config, records[1])
    assert system.config_for(other) == with_record(system.config, records[0])
    assert system.judged_with(CORPUS) == "weights without it"
    assert system.judged_with(other) == "weights"

    (tmp_path / "folds.json").write_text(json.dumps(records[:1]), encoding="utf-8")
    with pytest.raises(SeenError, match="learned on this conversation: 'quay'"):
        answers(spec(folds=str(tmp_path / "folds.json")), "tide")

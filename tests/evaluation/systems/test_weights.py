"""The weights that a configuration may be judged with."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from engram_lab.config import EngineConfig
from engram_lab.core.errors import InvalidInputError
from engram_lab.evaluation.shipped import shipped
from engram_lab.evaluation.systems import weights
from engram_lab.evaluation.systems.unseen import read_folds
from engram_lab.evaluation.systems.weights import (
    SHIPPED_FOLDS,
    described,
    records_of,
    with_record,
)
from engram_lab.retrieval.learned import LearnedRecord, Saw
from engram_lab.retrieval.profiles import shipped_record

if TYPE_CHECKING:
    from pathlib import Path

SAW = Saw(dataset="chats", data="abc", corpora={})
RECORD = LearnedRecord(weights={"words": 1.5}, saw=SAW).to_dict()


@pytest.mark.parametrize("profile", ["auto", "conversation"])
def test_what_is_put_in_is_there(profile: str) -> None:
    assert records_of(with_record(with_profile(profile), RECORD)) == (RECORD,)


@pytest.mark.parametrize(("text", "said"), [("{", "is no JSON"), ("[1]", "give an object")])
def test_a_text_that_is_no_record_is_refused(text: str, said: str) -> None:
    with pytest.raises(InvalidInputError, match=said):
        records_of(with_profile("auto", learned=text))


def with_profile(profile: str, **more: Any) -> EngineConfig:
    return EngineConfig.from_dict({"retrieval": {"profile": profile, **more}})


@pytest.mark.parametrize("profile", ["auto", "conversation"])
def test_the_weights_that_come_along_are_judged_too(profile: str) -> None:
    assert records_of(with_profile(profile))[0] == shipped_record().to_dict()


@pytest.mark.parametrize("profile", ["neutral", "by-hand"])
def test_a_profile_that_nobody_learned_has_no_weights(profile: str) -> None:
    assert records_of(with_profile(profile)) == ()
    assert records_of(with_profile(profile, learned=json.dumps(RECORD))) == ()


@pytest.mark.parametrize(
    "settings",
    [
        {"retrieval": {"strategy": "keyword"}},
        {"retrieval": {"strategy": "semantic"}},
        {"embedding": {"model": "none"}},
    ],
)
def test_where_weights_have_no_say_there_are_none(settings: dict[str, Any]) -> None:
    assert records_of(EngineConfig.from_dict(settings)) == ()


def test_weights_of_ones_own_are_alone() -> None:
    assert records_of(with_profile("auto", learned=json.dumps(RECORD))) == (RECORD,)


def test_the_folds_that_come_along_follow_the_whole(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    whole = shipped_record().to_dict()
    folds = [whole, {**whole, "saw": {"dataset": "locomo", "split": "without a", "corpora": {}}}]
    monkeypatch.setattr(weights, "shipped", lambda kind: tmp_path / kind)
    assert records_of(with_profile("auto")) == (whole,)

    (tmp_path / "systems").mkdir()
    (tmp_path / "systems" / SHIPPED_FOLDS).write_text(json.dumps(folds), encoding="utf-8")

    assert records_of(with_profile("auto")) == (whole, folds[1])


@pytest.mark.skipif(
    not (shipped("systems") / SHIPPED_FOLDS).is_file(), reason="there are no folds beside them"
)
def test_the_folds_that_come_along_are_of_the_same_learning() -> None:
    whole, *folds = records_of(EngineConfig())
    saw = whole["saw"]["corpora"]

    for each in read_folds(shipped("systems") / SHIPPED_FOLDS):
        assert each["embedder"] == whole["embedder"]
        assert each["saw"]["data"] == whole["saw"]["data"]
        assert each["weights"].keys() == whole["weights"].keys()
    left_out = [set(saw) - set(each["saw"]["corpora"]) for each in folds]
    assert set().union(*left_out) == set(saw)


def test_what_weights_were_learned_on_is_said_in_a_few_words() -> None:
    saw = {"dataset": "locomo", "split": "all", "corpora": {}}
    assert described({"saw": saw}) == "locomo"
    assert described({"saw": {**saw, "split": "without a"}}) == "locomo without a"
    assert described({"saw": None}) == described({}) == "set by hand"
    assert described({"saw": {"corpora": {}}}) == "it is not said what"

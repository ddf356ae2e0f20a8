from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.core.errors import InvalidInputError
from engram_lab.retrieval.learned import LearnedRecord, Saw
from engram_lab.retrieval.learned.record import SCALES

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8)
SAWS = st.builds(
    Saw,
    dataset=NAMES,
    data=NAMES,
    corpora=st.dictionaries(NAMES, NAMES, max_size=2),
    split=NAMES,
    questions=st.integers(0, 10_000),
)
RECORDS = st.builds(
    LearnedRecord,
    weights=st.dictionaries(NAMES, NUMBERS, min_size=1, max_size=4),
    scale=st.sampled_from(SCALES),
    embedder=st.none() | NAMES,
    saw=st.none() | SAWS,
)


@given(record=RECORDS)
def test_a_record_comes_back_from_its_text_to_the_bit(record: LearnedRecord) -> None:
    again = LearnedRecord.from_json(record.to_json())
    assert again.to_dict() == record.to_dict()
    assert again.to_json() == record.to_json()
    assert dict(again.weights) == dict(record.weights)
    assert again.saw == record.saw


def test_what_is_not_said_is_centred_for_any_embedder_and_saw_nothing() -> None:
    record = LearnedRecord.from_json('{"weights": {"words": 1}}')
    assert (record.model, record.scale, record.embedder, record.saw) == (
        "linear",
        "centred",
        None,
        None,
    )
    assert isinstance(record.weights["words"], float)


def test_the_features_that_count_have_a_weight() -> None:
    record = LearnedRecord(weights={"words": 1.0, "late": 0.0, "question": -1.0})
    assert record.features == ("words", "question")


def test_nobody_changes_its_weights() -> None:
    given = {"words": 1.0}
    record = LearnedRecord(weights=given)
    given["words"] = 2.0
    assert record.weights["words"] == 1.0
    with pytest.raises(TypeError):
        record.weights["words"] = 3.0  # type: ignore[index]


@pytest.mark.parametrize(
    ("embedder", "fingerprint", "fits"),
    [
        (None, None, True),
        (None, "words/8", True),
        ("minilm/all", "minilm/all-6@abc", True),
        ("minilm/all", "minilm", False),
        ("minilm/all", None, False),
    ],
)
def test_weights_fit_vectors_of_the_embedder_that_they_were_learned_with(
    embedder: str | None, fingerprint: str | None, *, fits: bool
) -> None:
    record = LearnedRecord(weights={"words": 1.0}, embedder=embedder)
    assert record.fits(fingerprint) is fits


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"weights": {}}, "there are no weights: give one of a feature at least"),
        ({}, "has no weights|there are no weights"),
        ({"weights": [1]}, "has no weights"),
        ({"weights": {"words": "1"}}, "the weight of 'words' is '1': give a finite number"),
        ({"weights": {"words": True}}, "the weight of 'words' is 'True'"),
        ({"weights": {"words": None}}, "the weight of 'words' is 'None'"),
        (
            {"weights": {"words": 1}, "scale": "log"},
            "the scale of weights is 'log': choose centred",
        ),
        ({"weights": {"words": 1}, "model": "magic"}, "of the model 'magic'"),
        ({"weights": {"words": 1}, "wieghts": {}}, "has 'wieghts': it may have"),
        ({"weights": {"words": 1}, "saw": 3}, "saw is '3': give an object"),
        ({"weights": {"words": 1}, "saw": {"dataset": "a", "what": 1}}, "give an object with"),
        (
            {"weights": {"words": 1}, "saw": {"dataset": "a", "data": "b", "questions": "3"}},
            "give an object with",
        ),
        ({"weights": {"words": 1}, "saw": {"dataset": "a"}}, "give an object with"),
        ({"weights": {"words": 1}, "embedder": 3}, "the embedder of weights is '3'"),
    ],
)
def test_what_is_no_record_is_refused_and_says_why(given: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidInputError, match=reason):
        LearnedRecord.from_json(orjson.dumps(given).decode())


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_a_weight_is_finite(number: float) -> None:
    with pytest.raises(InvalidInputError, match="give a finite number"):
        LearnedRecord(weights={"words": number})


@pytest.mark.parametrize("text", ["", "{", "[1]", "null", '{"weights": {"words": NaN}}'])
def test_what_is_no_object_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError, match=r"retrieval\.learned"):
        LearnedRecord.from_json(text)

from __future__ import annotations

import copy
import json
import os
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.core.errors import DatasetMissingError, InvalidInputError
from engram_lab.evaluation.datasets.catalogue import load_dataset, manifest
from engram_lab.evaluation.datasets.locomo import read_locomo

if TYPE_CHECKING:
    from collections.abc import Callable

    from engram_lab.evaluation.datasets.dataset import Dataset

DATA = Path(os.environ.get("ENGRAM_DATA", "")) / "locomo"
published = pytest.mark.skipif(
    not (DATA / "locomo10.json").is_file(), reason="ENGRAM_DATA has no locomo/locomo10.json"
)

SAMPLES: list[dict[str, Any]] = [
    {
        "sample_id": "conv-7",
        "conversation": {
            "speaker_a": "Ines",
            "speaker_b": "Rolf",
            "session_2_date_time": "12:09 am on 3 June, 2021",
            "session_2": [
                {"speaker": "Ines", "dia_id": "D2:1", "text": "The kiln is fixed."},
                {"speaker": "Rolf", "dia_id": "D2:2", "text": "At last!"},
            ],
            "session_1_date_time": "1:56 pm on 31 May, 2021",
            "session_1": [
                {"speaker": "Ines", "dia_id": "D1:1", "text": "I broke the kiln."},
                {
                    "speaker": "Rolf",
                    "dia_id": "D1:2",
                    "text": "Look at this.",
                    "img_url": ["kiln.jpg"],
                    "blip_caption": "a photo of a kiln",
                    "query": "kiln",
                },
            ],
            "session_3_date_time": "9:00 am on 4 July, 2021",
        },
        "qa": [
            {"question": "What broke?", "answer": "a kiln", "evidence": ["D1:1"], "category": 4},
            {
                "question": "When was it well again?",
                "answer": 2021,
                "evidence": ["D1:1; D2:01", "D2:1"],
                "category": 2,
            },
            {"question": "Is she a potter?", "answer": "yes", "evidence": [], "category": 3},
            {"question": "Where?", "answer": "here", "evidence": ["D:1:1", "D9:1"], "category": 1},
            {
                "question": "What did Rolf break?",
                "adversarial_answer": "a kiln",
                "evidence": ["D1:1", "D"],
                "category": 5,
            },
        ],
        "observation": {"session_1_observation": {"Ines": [["Ines broke a kiln.", "D1:1"]]}},
        "session_summary": {"session_1_summary": "A kiln breaks."},
        "event_summary": {"events_session_1": {"Ines": ["breaks a kiln"]}},
    },
    {
        "sample_id": "conv-8",
        "conversation": {
            "speaker_a": "Ada",
            "speaker_b": "Bo",
            "session_1_date_time": "12:30 pm on 1 January, 2022",
            "session_1": [{"speaker": "Ada", "dia_id": "D1:1", "text": "Happy new year"}],
        },
        "qa": [{"question": "Who?", "answer": "Ada", "evidence": ["D1:1"], "category": 1}],
    },
]


def read(samples: Any, **options: str) -> Dataset:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "locomo10.json").write_text(json.dumps(samples), encoding="utf-8")
        return read_locomo(Path(folder), id="mine", options=options)


def test_a_turn_is_a_memory() -> None:
    first, second, third, *_ = read(SAMPLES).memories.to_dicts()
    assert first == {
        "id": "locomo-01-s01-t001",
        "corpus": "locomo-01",
        "content": "Ines: I broke the kiln.",
        "session": "locomo-01-s01",
        "position": 1,
        "speaker": "Ines",
        "event_at": datetime(2021, 5, 31, 13, 56, tzinfo=UTC),
        "fields": None,
        "source_id": "conv-7 D1:1",
    }
    assert second["content"] == "Rolf: Look at this. [shares image: a photo of a kiln]"
    assert second["event_at"] == datetime(2021, 5, 31, 13, 56, 1, tzinfo=UTC)
    assert third["source_id"] == "conv-7 D2:1"
    assert third["event_at"] == datetime(2021, 6, 3, 0, 9, tzinfo=UTC)


def test_a_question_keeps_its_published_place() -> None:
    first, second, third, fourth = read(SAMPLES).queries.to_dicts()
    assert first == {
        "id": "locomo-01-q001",
        "corpus": "locomo-01",
        "text": "What broke?",
        "category": "single-hop",
        "cluster": "locomo-01",
        "asked_at": None,
        "source_id": "conv-7 qa[0]",
    }
    assert (second["id"], second["category"]) == ("locomo-01-q002", "temporal")
    assert (third["id"], third["category"]) == ("locomo-01-q005", "adversarial")
    assert (fourth["id"], fourth["category"]) == ("locomo-02-q001", "multi-hop")


def test_evidence_is_split_and_normalised() -> None:
    assert read(SAMPLES).qrels.rows() == [
        ("locomo-01-q001", "locomo-01-s01-t001", 1),
        ("locomo-01-q002", "locomo-01-s01-t001", 1),
        ("locomo-01-q002", "locomo-01-s02-t001", 1),
        ("locomo-01-q005", "locomo-01-s01-t001", 1),
        ("locomo-02-q001", "locomo-02-s01-t001", 1),
    ]


def test_what_is_left_out_is_counted_by_reason() -> None:
    assert read(SAMPLES).left_out == {
        "evidence that is no id": 2,
        "evidence that names no turn": 1,
        "questions without evidence": 1,
        "questions without evidence that is there": 1,
    }


def test_a_session_is_its_turns() -> None:
    dataset = read(SAMPLES, unit="session")
    first, *_ = dataset.memories.to_dicts()
    assert dataset.memories["id"].to_list() == ["locomo-01-s01", "locomo-01-s02", "locomo-02-s01"]
    assert first["content"] == (
        "Ines: I broke the kiln.\nRolf: Look at this. [shares image: a photo of a kiln]"
    )
    assert (first["source_id"], first["position"]) == ("conv-7 session_1", None)
    assert dataset.qrels.filter(query_id="locomo-01-q002")["memory_id"].to_list() == [
        "locomo-01-s01",
        "locomo-01-s02",
    ]


def test_the_text_may_be_bare_or_dated() -> None:
    assert read(SAMPLES, text="text").memories["content"][:2].to_list() == [
        "I broke the kiln.",
        "Look at this.",
    ]
    dated = "(1:56 pm on 31 May, 2021) Ines: I broke the kiln."
    assert read(SAMPLES, text="spd").memories["content"][0] == dated
    assert read(SAMPLES, text="spd", unit="session").memories["content"][0].startswith(dated)


def test_ids_do_not_depend_on_the_text() -> None:
    ids = read(SAMPLES).memories["id"].to_list()
    assert read(SAMPLES, text="spd").memories["id"].to_list() == ids
    assert read(SAMPLES, unit="session").queries.equals(read(SAMPLES).queries)


def test_the_variant_and_the_file_are_recorded() -> None:
    dataset = read(SAMPLES, unit="session")
    assert dataset.variant == {"key": "official", "text": "sp", "unit": "session"}
    assert [file.name for file in dataset.files] == ["locomo10.json"]


UNREAD = st.text(max_size=9) | st.integers()


@given(answer=UNREAD, summary=UNREAD, unit=st.sampled_from(["turn", "session"]))
def test_no_answer_and_no_summary_is_read(answer: object, summary: object, unit: str) -> None:
    samples = copy.deepcopy(SAMPLES)
    for sample in samples:
        sample.update(observation=summary, session_summary=summary, event_summary=summary)
        for each in sample["qa"]:
            each.update(answer=answer, adversarial_answer=answer)
    assert read(samples, unit=unit).hash == read(SAMPLES, unit=unit).hash


def test_no_published_text_of_a_question_is_remembered() -> None:
    remembered = "\n".join(read(SAMPLES).memories["content"])
    assert "What broke?" not in remembered
    assert "Ines broke a kiln." not in remembered
    assert "breaks" not in remembered


def broken(change: Callable[[Any], object]) -> Any:
    samples = copy.deepcopy(SAMPLES)
    change(samples)
    return samples


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s[1].pop("sample_id"), r"\[1\]: a member 'sample_id' is expected"),
        (lambda s: s[0].update(qa={}), r"\[0\]\.qa: a list is expected"),
        (
            lambda s: s[0]["conversation"]["session_2"][1].pop("text"),
            r"\[0\]\.conversation\.session_2\[1\]: a member 'text' is expected",
        ),
        (
            lambda s: s[0]["conversation"]["session_1"][0].update(dia_id="1:1"),
            r"\[0\]\.conversation\.session_1\[0\]\.dia_id: the id of a turn, such as 'D3:12'",
        ),
        (
            lambda s: s[0]["conversation"].update(session_1_date_time="31 May"),
            r"session_1_date_time: a date such as '1:56 pm on 8 May, 2023' is expected",
        ),
        (
            lambda s: s[0]["conversation"].update(session_1_date_time="1:56 pm on 31 June, 2021"),
            r"session_1_date_time: a date such as '1:56 pm on 8 May, 2023' is expected",
        ),
        (lambda s: s[0]["qa"][0].update(category=6), r"qa\[0\]\.category: a category from 1 to 5"),
        (lambda s: s[0]["qa"][0].update(category="x"), r"qa\[0\]\.category: a category from 1"),
        (lambda s: s[0]["qa"][0].update(evidence=7), r"qa\[0\]\.evidence: a list"),
        (lambda s: s[0]["qa"][0].update(evidence=[["D1:1"]]), r"qa\[0\]\.evidence\[0\]: a string"),
    ],
)
def test_another_shape_is_refused_with_its_place(
    change: Callable[[Any], object], message: str
) -> None:
    with pytest.raises(InvalidInputError, match=message):
        read(broken(change))


def test_unknown_options_are_refused_with_what_there_is() -> None:
    with pytest.raises(
        InvalidInputError, match=r"'locomo' has no option 'units': .*key, text, unit"
    ):
        read(SAMPLES, units="turn")
    with pytest.raises(InvalidInputError, match="turn or session"):
        read(SAMPLES, unit="word")


def test_a_folder_without_the_file_is_missing(tmp_path: Path) -> None:
    with pytest.raises(DatasetMissingError, match=r"locomo10_corrected\.json"):
        read_locomo(tmp_path, id="mine", options={"key": "corrected"})


@published
def test_the_published_file_has_the_published_counts() -> None:
    dataset = read_locomo(DATA, id="locomo", options={})
    counts = dict(dataset.queries.group_by("category").len().rows())
    assert dataset.memories.height == 5882
    assert dataset.memories["corpus"].n_unique() == 10
    assert counts == {
        "multi-hop": 282,
        "temporal": 321,
        "open-domain": 92,
        "single-hop": 841,
        "adversarial": 446,
    }
    assert dataset.queries.height == 1982
    assert dataset.queries.filter(pl.col("category") != "adversarial").height == 1536
    assert dataset.left_out == {
        "evidence that is no id": 2,
        "evidence that names no turn": 2,
        "questions without evidence": 4,
    }


@published
def test_the_published_sessions_and_the_audited_key() -> None:
    sessions = read_locomo(DATA, id="locomo", options={"unit": "session"})
    audited = read_locomo(DATA, id="locomo", options={"key": "corrected"})
    official = read_locomo(DATA, id="locomo", options={})
    assert (sessions.memories.height, sessions.queries.height) == (272, 1982)
    assert audited.queries.height == 1981
    assert audited.memories.equals(official.memories)
    assert not audited.qrels.equals(official.qrels)


@published
@pytest.mark.parametrize("options", [{}, {"unit": "session"}, {"key": "corrected"}])
def test_the_manifest_states_what_comes_out(options: dict[str, str]) -> None:
    stated = [each.options for each in manifest("locomo").layouts[0].statistics]
    assert options in stated
    dataset = load_dataset("locomo", options=options)
    assert dataset.hash == read_locomo(DATA, id="locomo", options=options).hash


@published
def test_turns_of_the_published_file_follow_each_other_in_time() -> None:
    memories = read_locomo(DATA, id="locomo", options={}).memories
    steps = memories.select(pl.col("event_at").diff().over("corpus").drop_nulls()).to_series()
    assert steps.min() > pl.Series([0]).cast(pl.Duration("us"))[0]


@published
def test_source_ids_of_the_published_file_are_unique() -> None:
    dataset = read_locomo(DATA, id="locomo", options={})
    assert dataset.memories["source_id"].is_unique().all()
    assert dataset.queries["source_id"].is_unique().all()

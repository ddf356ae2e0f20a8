from __future__ import annotations

import copy
import json
import os
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.core.errors import DatasetMissingError, InvalidInputError
from engram_lab.evaluation.datasets.realtalk import read_realtalk

if TYPE_CHECKING:
    from collections.abc import Callable

    from engram_lab.evaluation.datasets.dataset import Dataset

DATA = Path(os.environ.get("ENGRAM_DATA", "")) / "realtalk"
published = pytest.mark.skipif(
    not list(DATA.glob("Chat_*.json")), reason="ENGRAM_DATA has no realtalk/Chat_*.json"
)

CHATS: dict[str, Any] = {
    "Chat_10_Omar_Wanda.json": {
        "name": {"speaker_1": "Omar", "speaker_2": "Wanda"},
        "session_1": [
            {
                "clean_text": "Good evening",
                "speaker": "Omar",
                "date_time": "01.02.2024, 08:05:09",
                "dia_id": "D1:1",
            }
        ],
        "session_1_date_time": "01.02.2024, 08:05:09",
        "qa": [{"question": "Who?", "answer": "Omar", "evidence": ["D1:1"], "category": 1}],
    },
    "Chat_2_Kay_lise.json": {
        "name": {"speaker_1": "Kay", "speaker_2": "lise"},
        "session_1": [
            {
                "clean_text": "My cat is called Plum",
                "speaker": "lise",
                "date_time": "29.12.2023, 22:42:04",
                "dia_id": "D1:1",
            },
            {
                "clean_text": "",
                "speaker": "Kay",
                "date_time": "29.12.2023, 22:43:00",
                "dia_id": "D1:3",
                "img_file": ["cat.jpg"],
                "blip_caption": "a grey cat",
            },
            {
                "clean_text": " ",
                "speaker": "Kay",
                "date_time": "29.12.2023, 22:44:00",
                "dia_id": "D1:4",
                "img_file": [],
            },
        ],
        "session_1_date_time": "29.12.2023, 22:42:04",
        "events_session_1": {"agent_a": [{"sub-event": "Kay sends a cat", "date": "29.12.2023"}]},
        "qa": [
            {
                "question": "What is Elise's cat called?",
                "answer": "Plum",
                "evidence": ["D1:1", "D1:3, D7:7"],
                "category": 3,
            },
            {"question": "When?", "answer": "2023", "evidence": ["D1:4"], "category": 2},
            {"question": "Why?", "answer": "so", "category": 2},
        ],
    },
}


def read(chats: Any, **options: str) -> Dataset:
    with tempfile.TemporaryDirectory() as folder:
        for name, chat in chats.items():
            (Path(folder) / name).write_text(json.dumps(chat), encoding="utf-8")
        return read_realtalk(Path(folder), id="mine", options=options)


def test_chats_are_taken_by_number() -> None:
    dataset = read(CHATS)
    assert [file.name for file in dataset.files] == [
        "Chat_2_Kay_lise.json",
        "Chat_10_Omar_Wanda.json",
    ]
    assert dataset.memories["id"].to_list() == [
        "realtalk-01-s01-t001",
        "realtalk-01-s01-t003",
        "realtalk-02-s01-t001",
    ]


def test_a_message_is_a_memory_with_its_own_time() -> None:
    first, second, _ = read(CHATS).memories.to_dicts()
    assert first["content"] == "lise: My cat is called Plum"
    assert first["speaker"] == "lise"
    assert first["event_at"] == datetime(2023, 12, 29, 22, 42, 4, tzinfo=UTC)
    assert first["source_id"] == "Chat_2_Kay_lise D1:1"
    assert second["content"] == "Kay: [shares image: a grey cat]"
    assert second["event_at"] == datetime(2023, 12, 29, 22, 43, tzinfo=UTC)
    assert second["position"] == 2


def test_names_in_questions_stay_as_they_are() -> None:
    assert read(CHATS).queries["text"].to_list() == ["What is Elise's cat called?", "Who?"]
    assert read(CHATS).queries["category"].to_list() == ["commonsense", "multi-hop"]


def test_dangling_evidence_is_left_out_and_counted() -> None:
    dataset = read(CHATS)
    assert dataset.qrels.rows() == [
        ("realtalk-01-q001", "realtalk-01-s01-t001", 1),
        ("realtalk-01-q001", "realtalk-01-s01-t003", 1),
        ("realtalk-02-q001", "realtalk-02-s01-t001", 1),
    ]
    assert dataset.left_out == {
        "evidence that names no turn": 2,
        "questions without evidence": 1,
        "questions without evidence that is there": 1,
        "turns without words": 1,
    }


def test_a_session_is_its_messages() -> None:
    content = read(CHATS, unit="session").memories["content"]
    assert content[0] == "lise: My cat is called Plum\nKay: [shares image: a grey cat]"
    assert read(CHATS, text="text").memories["content"][1] == "[shares image: a grey cat]"
    assert read(CHATS, text="spd").memories["content"][0].startswith("(29.12.2023, 22:42:04) lise")


@given(answer=st.text(max_size=9), unit=st.sampled_from(["turn", "session"]))
def test_no_answer_and_no_event_is_read(answer: str, unit: str) -> None:
    chats = copy.deepcopy(CHATS)
    for chat in chats.values():
        chat["events_session_1"] = answer
        for each in chat["qa"]:
            each["answer"] = answer
    assert read(chats, unit=unit).memories.equals(read(CHATS, unit=unit).memories)
    assert read(chats, unit=unit).hash == read(CHATS, unit=unit).hash


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.pop("qa"), "a member 'qa' is expected"),
        (lambda c: c["session_1"][0].pop("speaker"), r"session_1\[0\]: a member 'speaker'"),
        (
            lambda c: c["session_1"][0].update(date_time="2023-12-29"),
            r"session_1\[0\]\.date_time: a date such as '29\.12\.2023, 22:42:04' is expected",
        ),
        (lambda c: c["session_1"][0].update(dia_id=7), r"session_1\[0\]\.dia_id: a string"),
        (lambda c: c["qa"][0].update(category=[1]), r"qa\[0\]\.category: a category from 1 to 3"),
        (lambda c: c["qa"][0].update(category=True), r"qa\[0\]\.category: a category from 1 to 3"),
        (lambda c: c["qa"][0].update(evidence=[1]), r"qa\[0\]\.evidence\[0\]: a string"),
    ],
)
def test_another_shape_is_refused_with_file_and_place(
    change: Callable[[Any], object], message: str
) -> None:
    chats = copy.deepcopy(CHATS)
    change(chats["Chat_2_Kay_lise.json"])
    with pytest.raises(InvalidInputError, match=rf"^Chat_2_Kay_lise\.json, .*{message}"):
        read(chats)


def test_a_category_may_be_a_text_and_a_time_without_seconds() -> None:
    chats = copy.deepcopy(CHATS)
    chats["Chat_10_Omar_Wanda.json"]["qa"][0]["category"] = "1"
    chats["Chat_10_Omar_Wanda.json"]["session_1"][0]["date_time"] = "01.02.2024, 08:05"
    found = read(chats)
    assert found.queries.equals(read(CHATS).queries)
    assert found.memories["event_at"][2] == datetime(2024, 2, 1, 8, 5, tzinfo=UTC)


def test_the_published_folder_may_be_given_as_a_whole(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    for name, chat in CHATS.items():
        (tmp_path / "data" / name).write_text(json.dumps(chat), encoding="utf-8")
    assert read_realtalk(tmp_path, id="mine", options={}).hash == read(CHATS).hash


def test_a_folder_without_chats_is_missing(tmp_path: Path) -> None:
    with pytest.raises(DatasetMissingError, match=r"no file Chat_\*\.json"):
        read_realtalk(tmp_path, id="mine", options={})


@published
def test_the_published_files_have_the_published_counts() -> None:
    dataset = read_realtalk(DATA, id="realtalk", options={})
    assert dataset.memories["corpus"].n_unique() == 10
    assert dataset.memories["source_id"].is_unique().all()
    assert 700 <= dataset.queries.height <= 728

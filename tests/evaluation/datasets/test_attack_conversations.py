"""What real files hold besides the published shape, and whose meaning is plain."""

from __future__ import annotations

import copy
import json
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from engram_lab.core.errors import InvalidInputError
from engram_lab.evaluation.datasets.catalogue import load_dataset
from engram_lab.evaluation.datasets.locomo import read_locomo
from engram_lab.evaluation.datasets.longmemeval import read_longmemeval
from engram_lab.evaluation.datasets.published import each_of_list, read_json
from engram_lab.evaluation.datasets.realtalk import read_realtalk

if TYPE_CHECKING:
    from collections.abc import Callable

    from engram_lab.evaluation.datasets.dataset import Dataset


def said(place: str, text: Any, **more: Any) -> dict[str, Any]:
    return {
        "clean_text": text,
        "speaker": "elise",
        "date_time": "29.12.2023, 22:42:04",
        "dia_id": place,
        **more,
    }


CHAT: dict[str, Any] = {
    "name": {"speaker_1": "elise", "speaker_2": "Kevin"},
    "session_2": [said("D2:1", "My cat is Plum"), said("D2:2", "Kevin has a boat")],
    "session_2_date_time": "29.12.2023, 22:42:04",
    "session_30": [],
    "qa": [
        {"question": "Kate's cat?", "answer": "Plum", "evidence": ["D2:1"], "category": 1},
        {"question": "Whose boat?", "answer": "Kevin", "evidence": ["D2:2"], "category": 2},
    ],
}

SAMPLE: dict[str, Any] = {
    "sample_id": "conv 7",
    "conversation": {
        "session_1_date_time": "1:56 pm on 31 May, 2021",
        "session_1": [
            {"speaker": "Ines", "dia_id": "D1:1", "text": "I broke the kiln."},
            {"speaker": "Rolf", "dia_id": "D1:2", "text": "Oh no."},
        ],
    },
    "qa": [{"question": "What broke?", "answer": "kiln", "evidence": ["D1:1"], "category": 4}],
}

ASKED: dict[str, Any] = {
    "question_id": "boat",
    "question_type": "multi-session",
    "question": "Where is the boat?",
    "question_date": "2023/06/30 (Fri) 23:59",
    "answer": "Cuxhaven",
    "answer_session_ids": ["answer_1"],
    "haystack_session_ids": ["chat_1", "answer_1"],
    "haystack_dates": ["2023/05/20 (Sat) 02:21", "2023/05/21 (Sun) 02:21"],
    "haystack_sessions": [
        [{"role": "user", "content": "Good morning"}],
        [{"role": "user", "content": "It is in Cuxhaven", "has_answer": True}],
    ],
}


def chats(change: Callable[[Any], object], **options: str) -> Dataset:
    chat = copy.deepcopy(CHAT)
    change(chat)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "Chat_1_A_B.json").write_text(json.dumps(chat), encoding="utf-8")
        return read_realtalk(Path(folder), id="mine", options=options)


def sample(change: Callable[[Any], object], **options: str) -> Dataset:
    found = copy.deepcopy(SAMPLE)
    change(found)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "locomo10.json").write_text(json.dumps([found]), encoding="utf-8")
        return read_locomo(Path(folder), id="mine", options=options)


def history(change: Callable[[Any], object], **options: str) -> Dataset:
    asked = copy.deepcopy(ASKED)
    change(asked)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "longmemeval_s.json").write_text(json.dumps([asked]), encoding="utf-8")
        return read_longmemeval(Path(folder), id="mine", options=options)


class TestEvidence:
    @pytest.mark.parametrize(
        "told",
        ["D2:1", "D2:1, D2:2", ["D2:1 D2:2"], [" D2:1 ", "D2:02"], ["d2: 1", "D 2 :2"], ["D2:1;"]],
    )
    def test_spaces_signs_and_a_missing_list_do_not_matter(self, told: Any) -> None:
        found = chats(lambda chat: chat["qa"][0].update(evidence=told))
        named = found.qrels.filter(query_id="realtalk-01-q001")["memory_id"].to_list()
        both = ["realtalk-01-s02-t001", "realtalk-01-s02-t002"]
        assert named == (both if "2:" in str(told)[5:] or "2 :" in str(told) else both[:1])
        assert found.left_out == {}

    @pytest.mark.parametrize("told", [None, [], "", ["", None]])
    def test_none_leaves_the_question_out(self, told: Any) -> None:
        for found in (
            chats(lambda chat: chat["qa"][0].update(evidence=told)),
            sample(lambda each: each["qa"].append({"question": "Who?", "evidence": told})),
        ):
            assert sum(found.left_out.values()) == 1
            assert found.queries.height == 1

    def test_typing_errors_of_the_published_key_are_no_ids(self) -> None:
        found = sample(lambda each: each["qa"][0].update(evidence=["D1:1", "D", "D:11:26"]))
        assert found.qrels.rows() == [("locomo-01-q001", "locomo-01-s01-t001", 1)]
        assert found.left_out == {"evidence that is no id": 2}

    def test_two_turns_of_one_id_are_both_kept_and_both_meant(self) -> None:
        def twice(each: Any) -> None:
            each["conversation"]["session_1"][1]["dia_id"] = "D1:1"

        found = sample(twice)
        ids = ["locomo-01-s01-t001", "locomo-01-s01-t001-2"]
        assert found.memories["id"].to_list() == ids
        assert found.memories["source_id"].to_list() == ["conv_7 D1:1", "conv_7 D1:1#2"]
        assert found.qrels["memory_id"].to_list() == ids
        assert found.left_out == {"evidence that names several turns": 1}
        assert sample(twice, unit="session").qrels["memory_id"].to_list() == ["locomo-01-s01"]


class TestCategories:
    @pytest.mark.parametrize(
        ("told", "name"),
        [(3, "commonsense"), (" 2", "temporal"), ("temporal", "temporal"), (5, "5"), ("x", "x")],
    )
    def test_one_that_was_not_published_keeps_its_name(self, told: Any, name: str) -> None:
        found = chats(lambda chat: chat["qa"][0].update(category=told))
        assert found.queries["category"][0] == name

    def test_a_question_may_have_none(self) -> None:
        assert chats(lambda chat: chat["qa"][0].pop("category")).queries["category"][0] is None
        assert sample(lambda each: each["qa"][0].pop("category")).queries["category"][0] is None
        assert history(lambda asked: asked.pop("question_type")).queries["category"][0] is None

    def test_of_locomo_it_must_be_known_as_one_of_them_is_no_part_of_the_mean(self) -> None:
        assert sample(lambda each: each["qa"][0].update(category="5")).queries["category"][0] == (
            "adversarial"
        )
        with pytest.raises(InvalidInputError, match="a category from 1 to 5"):
            sample(lambda each: each["qa"][0].update(category=6))


class TestTimes:
    @pytest.mark.parametrize("told", [None, "1 January 2024", "1:56 pm on 8 May, 2023", ""])
    def test_a_session_begins_with_its_first_message(self, told: Any) -> None:
        found = chats(lambda chat: chat.update(session_2_date_time=told), unit="session")
        assert found.memories["event_at"][0] == datetime(2023, 12, 29, 22, 42, 4, tzinfo=UTC)

    def test_a_message_without_a_time_has_that_of_its_session(self) -> None:
        found = chats(lambda chat: chat["session_2"][1].pop("date_time"))
        assert found.memories["event_at"][1] == datetime(2023, 12, 29, 22, 42, 4, tzinfo=UTC)

    def test_a_session_of_locomo_without_a_time_leaves_its_turns_without(self) -> None:
        found = sample(lambda each: each["conversation"].pop("session_1_date_time"), text="spd")
        assert found.memories["event_at"].to_list() == [None, None]
        assert found.memories["content"][0] == "Ines: I broke the kiln."

    @pytest.mark.parametrize("told", ["12/29/2023, 22:42", "2023-12-29 22:42:04", "31.13.2023"])
    def test_another_order_of_day_and_month_is_refused(self, told: str) -> None:
        with pytest.raises(InvalidInputError, match=r"session_2\[1\]\.date_time: a date such as"):
            chats(lambda chat: chat["session_2"][1].update(date_time=told))

    def test_the_time_of_a_question_may_be_absent_and_a_day_of_the_week_left_out(self) -> None:
        assert history(lambda asked: asked.pop("question_date")).queries["asked_at"][0] is None
        found = history(lambda asked: asked.update(question_date="2023/06/30 23:59"))
        assert found.queries["asked_at"][0] == datetime(2023, 6, 30, 23, 59, tzinfo=UTC)


class TestTurns:
    def test_an_image_that_nobody_described_is_a_memory(self) -> None:
        found = chats(lambda chat: chat["session_2"][1].update(clean_text="", img_file=["a.jpg"]))
        assert found.memories["content"][1] == "elise: [shares image]"
        assert found.qrels.height == 2
        bare = chats(lambda chat: chat["session_2"][1].update(clean_text="", img_file=[]))
        assert bare.left_out["turns without words"] == 1

    def test_captions_are_joined_and_empty_ones_left_out(self) -> None:
        found = chats(lambda chat: chat["session_2"][1].update(blip_caption=["a cat", None, " "]))
        assert found.memories["content"][1] == "elise: Kevin has a boat [shares image: a cat]"

    def test_a_turn_of_locomo_may_be_an_image_alone(self) -> None:
        def shown(each: Any) -> None:
            del each["conversation"]["session_1"][1]["text"]
            each["conversation"]["session_1"][1]["img_url"] = ["kiln.jpg"]

        assert sample(shown).memories["content"][1] == "Rolf: [shares image]"

    def test_a_turn_of_longmemeval_may_hold_nothing(self) -> None:
        found = history(lambda asked: asked["haystack_sessions"][0][0].update(content=None))
        assert found.left_out == {"sessions without words": 1}
        assert found.qrels.height == 1

    def test_a_question_without_text_is_left_out(self) -> None:
        assert chats(lambda chat: chat["qa"][0].update(question=" ")).left_out == {
            "questions without text": 1
        }


class TestFiles:
    def test_numbers_may_be_ids(self) -> None:
        changed = {
            "question_id": 7,
            "answer_session_ids": [2],
            "haystack_session_ids": [1, 2],
        }
        found = history(lambda asked: asked.update(changed))
        assert found.queries["source_id"].to_list() == ["7"]
        assert found.qrels["memory_id"].to_list() == ["longmemeval-s-001-s002"]

    @pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"])
    def test_what_other_programs_write_is_read(self, tmp_path: Path, start: bytes) -> None:
        path = tmp_path / "odd.json"
        path.write_bytes(start + b'[{"a": NaN, "b": "\\ud83d x", "c": -Infinity}]')
        wanted = {"a": None, "b": "? x", "c": None}
        assert read_json(path)[0].value == [wanted]
        assert [each.value for each in each_of_list(path)] == [wanted]

    def test_chats_of_other_names_are_read_where_there_are_no_others(self, tmp_path: Path) -> None:
        for name in ("talk 10.json", "talk 2.json", ".hidden.json"):
            (tmp_path / name).write_text(json.dumps(CHAT), encoding="utf-8")
        found = load_dataset("realtalk", place=tmp_path)
        assert [each.name for each in found.files] == ["talk 2.json", "talk 10.json"]
        assert found.memories["source_id"][0] == "talk_2 D2:1"
        (tmp_path / "chat_3.json").write_text(json.dumps(CHAT), encoding="utf-8")
        found = load_dataset("realtalk", place=tmp_path)
        assert [each.name for each in found.files] == ["chat_3.json"]

    @pytest.mark.parametrize("name", ["Chat_1_Emi_Elise.json", "mine.json"])
    def test_one_chat_is_read_by_itself(self, tmp_path: Path, name: str) -> None:
        for each in (name, "Chat_2_Kevin_Elise.json"):
            (tmp_path / each).write_text(json.dumps(CHAT), encoding="utf-8")
        found = load_dataset("realtalk", place=tmp_path / name)
        assert [each.name for each in found.files] == [name]

    def test_a_file_may_hold_several_chats_and_locomo_one_conversation(
        self, tmp_path: Path
    ) -> None:
        (tmp_path / "all.json").write_text(json.dumps([CHAT, CHAT]), encoding="utf-8")
        assert load_dataset("realtalk", place=tmp_path).memories["corpus"].n_unique() == 2
        (tmp_path / "one.json").write_text(json.dumps(SAMPLE), encoding="utf-8")
        assert load_dataset("locomo", place=tmp_path / "one.json").queries.height == 1

    def test_what_is_no_conversation_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "other.json").write_text('{"qa": []}', encoding="utf-8")
        with pytest.raises(InvalidInputError, match=r"other\.json, .*'session_1' is expected"):
            load_dataset("realtalk", place=tmp_path)

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
from engram_lab.evaluation.datasets.longmemeval import read_longmemeval

if TYPE_CHECKING:
    from collections.abc import Callable

    from engram_lab.evaluation.datasets.dataset import Dataset

DATA = Path(os.environ.get("ENGRAM_DATA", "")) / "longmemeval"
published = pytest.mark.skipif(
    not (DATA / "longmemeval_s_cleaned.json").is_file(),
    reason="ENGRAM_DATA has no longmemeval/longmemeval_s_cleaned.json",
)


def turn(role: str, content: str, **marks: bool) -> dict[str, Any]:
    return {"role": role, "content": content, **marks}


def question(named: str, sessions: dict[str, list[Any]], *evidence: str) -> dict[str, Any]:
    """A question whose sessions lie a day apart; `id#2` repeats the session `id`."""
    return {
        "question_id": named,
        "question_type": "multi-session",
        "question": f"Where is {named}?",
        "question_date": "2023/06/30 (Fri) 23:59",
        "answer": "the secret answer",
        "answer_session_ids": list(evidence),
        "haystack_session_ids": [each.removesuffix("#2") for each in sessions],
        "haystack_dates": [f"2023/05/{20 + n} (Sat) 02:21" for n in range(len(sessions))],
        "haystack_sessions": list(sessions.values()),
    }


SMALL_TALK = [turn("user", "Good morning"), turn("assistant", "Good morning!")]

QUESTIONS: list[dict[str, Any]] = [
    question(
        "boat",
        {
            "chat_1": SMALL_TALK,
            "answer_b_1": [
                turn("user", "Hello", has_answer=False),
                turn("assistant", "Hello!", has_answer=False),
                turn("user", "The boat is in Cuxhaven", has_answer=True),
                turn("assistant", "Noted", has_answer=False),
            ],
            "answer_b_2": [
                turn("user", "Remind me", has_answer=False),
                turn("assistant", "It is in Cuxhaven", has_answer=True),
            ],
            "chat_1#2": SMALL_TALK,
        },
        "answer_b_1",
        "answer_b_2",
    ),
    question(
        "oar",
        {
            "answer_o_1": [
                turn("user", "Tell me", has_answer=False),
                turn("assistant", "In the shed", has_answer=True),
            ],
            "silent": [turn("assistant", "Anybody?")],
        },
        "answer_o_1",
    ),
    question(
        "sail_abs",
        {"answer_s_1_abs": [turn("user", "My mast is red", has_answer=True)], "x": SMALL_TALK},
        "answer_s_1_abs",
    ),
]


def read(questions: Any, **options: str) -> Dataset:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "longmemeval_s_cleaned.json"
        path.write_text(json.dumps(questions), encoding="utf-8")
        return read_longmemeval(Path(folder), id="mine", options=options)


def test_the_evidence_of_the_user_alone_is_what_the_authors_code_keeps() -> None:
    dataset = read(QUESTIONS, protocol="user-evidence")
    assert dataset.queries["source_id"].to_list() == ["boat"]
    assert dataset.qrels.rows() == [("longmemeval-s-001", "longmemeval-s-001-s002", 1)]
    assert dataset.memories["content"].to_list() == [
        "Good morning",
        "Hello The boat is in Cuxhaven",
        "Remind me",
        "Good morning",
    ]
    assert dataset.left_out == {
        "questions to abstain from": 1,
        "questions without evidence among the memories": 1,
    }


def authors_code(questions: Any) -> dict[str, tuple[list[str], set[str]]]:
    """The published rules, word for word: ids with `answer` in them, `noans` where none is."""
    found = {}
    for each in questions:
        ids = []
        for named, turns in zip(
            each["haystack_session_ids"], each["haystack_sessions"], strict=True
        ):
            mine = [turn for turn in turns if turn["role"] == "user"]
            if "answer" in named and not any(turn["has_answer"] for turn in mine):
                named = named.replace("answer", "noans")  # noqa: PLW2901
            ids.append(named)
        marked = any(
            turn.get("has_answer") and turn["role"] == "user"
            for turns in each["haystack_sessions"]
            for turn in turns
        )
        if "_abs" not in each["question_id"] and marked:
            found[each["question_id"]] = (ids, {named for named in ids if "answer" in named})
    return found


@st.composite
def histories(draw: st.DrawFn) -> dict[str, Any]:
    named = draw(st.sampled_from(["q1", "q2_abs", "q3"]))
    sessions = {}
    for number in range(draw(st.integers(1, 5))):
        evidence = draw(st.booleans())
        sides = draw(st.lists(st.sampled_from(["user", "assistant"]), max_size=4))
        sessions[f"answer_{number}" if evidence else f"chat_{number}"] = [
            turn("user", "Hi", **({"has_answer": False} if evidence else {})),
            *(
                turn(side, "words", **({"has_answer": draw(st.booleans())} if evidence else {}))
                for side in sides
            ),
        ]
    return question(named, sessions, *(each for each in sessions if "answer" in each))


@given(st.lists(histories(), max_size=4))
def test_the_evidence_of_the_user_judges_what_the_authors_code_judges(questions: list[Any]) -> None:
    for place, each in enumerate(questions):
        each["question_id"] = f"{place}{each['question_id']}"
    dataset = read(questions, protocol="user-evidence")
    expected = authors_code(questions)
    assert dataset.queries["source_id"].to_list() == list(expected)
    for query, source in dataset.queries.select("id", "source_id").rows():
        ids, gold = expected[source]
        memories = dataset.memories.filter(corpus=query)
        assert memories.height == len(ids)
        relevant = dataset.qrels.filter(query_id=query)["memory_id"].to_list()
        named = memories.filter(memories["id"].is_in(relevant))["source_id"].to_list()
        assert named == [f"{source} {each}" for each in ids if each in gold]


def test_the_popular_protocol_asks_all_questions() -> None:
    dataset = read(QUESTIONS, protocol="any-500")
    assert dataset.queries["source_id"].to_list() == ["boat", "oar", "sail_abs"]
    assert dataset.qrels["memory_id"].to_list() == [
        "longmemeval-s-001-s002",
        "longmemeval-s-001-s003",
        "longmemeval-s-002-s001",
        "longmemeval-s-003-s001",
    ]
    assert dataset.left_out == {"sessions without words": 1}
    assert read(QUESTIONS, protocol="official").queries["source_id"].to_list() == ["boat", "oar"]


def test_turns_of_the_user_are_memories_of_their_own() -> None:
    dataset = read(QUESTIONS, unit="turn")
    assert dataset.memories["id"].to_list() == [
        "longmemeval-s-001-s001-t001",
        "longmemeval-s-001-s002-t001",
        "longmemeval-s-001-s002-t003",
        "longmemeval-s-001-s003-t001",
        "longmemeval-s-001-s004-t001",
    ]
    assert dataset.qrels["memory_id"].to_list() == ["longmemeval-s-001-s002-t003"]
    third = dataset.memories.to_dicts()[2]
    assert third["source_id"] == "boat answer_b_1_3"
    assert third["event_at"] == datetime(2023, 5, 21, 2, 21, 2, tzinfo=UTC)
    assert (third["position"], third["speaker"]) == (3, "user")
    assert third["session"] == "longmemeval-s-001-s002"


def test_both_roles_may_be_remembered() -> None:
    sessions = read(QUESTIONS, protocol="any-500", roles="both")
    assert sessions.memories["content"][0] == "user: Good morning\nassistant: Good morning!"
    assert sessions.left_out == {}
    turns = read(QUESTIONS, protocol="official", roles="both", unit="turn")
    assert turns.qrels["memory_id"].to_list() == [
        "longmemeval-s-001-s002-t003",
        "longmemeval-s-001-s003-t002",
        "longmemeval-s-002-s001-t002",
    ]
    by_user = read(QUESTIONS, protocol="user-evidence", roles="both", unit="turn")
    assert by_user.qrels["memory_id"].to_list() == ["longmemeval-s-001-s002-t003"]


def test_each_question_has_its_own_corpus_and_its_time() -> None:
    dataset = read(QUESTIONS, protocol="any-500")
    assert dataset.queries.to_dicts()[1] == {
        "id": "longmemeval-s-002",
        "corpus": "longmemeval-s-002",
        "text": "Where is oar?",
        "category": "multi-session",
        "cluster": None,
        "asked_at": datetime(2023, 6, 30, 23, 59, tzinfo=UTC),
        "source_id": "oar",
    }
    assert dataset.memories["corpus"].unique(maintain_order=True).to_list() == [
        "longmemeval-s-001",
        "longmemeval-s-002",
        "longmemeval-s-003",
    ]


def test_a_session_used_twice_has_two_source_ids() -> None:
    sources = read(QUESTIONS).memories["source_id"].to_list()
    assert sources[0] == "boat chat_1"
    assert sources[3] == "boat chat_1#2"


@pytest.mark.parametrize("unit", ["session", "turn"])
@pytest.mark.parametrize("protocol", ["official", "any-500"])
def test_ids_do_not_tell_what_answers(protocol: str, unit: str) -> None:
    dataset = read(QUESTIONS, protocol=protocol, unit=unit, roles="both")
    shown = dataset.memories.drop("source_id").write_json()
    assert "answer" not in shown
    assert "has_" not in shown


@given(answer=st.text(max_size=9) | st.integers(), unit=st.sampled_from(["turn", "session"]))
def test_no_answer_is_read(answer: object, unit: str) -> None:
    questions = [each | {"answer": answer} for each in QUESTIONS]
    assert read(questions, unit=unit).hash == read(QUESTIONS, unit=unit).hash


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda q: q[0]["haystack_sessions"].__setitem__(2, "a text"),
            r"\[0\]\.haystack_sessions\[2\]: a list is expected",
        ),
        (lambda q: q[1].pop("haystack_dates"), r"\[1\]: a member 'haystack_dates' is expected"),
        (
            lambda q: q[1]["haystack_dates"].pop(),
            r"\[1\]: 2 haystack_session_ids, 1 haystack_dates and 2 haystack_sessions",
        ),
        (
            lambda q: q[0]["haystack_sessions"][0][1].update(role="system"),
            r"\[0\]\.haystack_sessions\[0\]\[1\]\.role: 'user' or 'assistant' is expected",
        ),
        (
            lambda q: q[0]["haystack_sessions"][1][0].update(has_answer="yes"),
            r"\[0\]\.haystack_sessions\[1\]\[0\]\.has_answer: true or false is expected",
        ),
        (
            lambda q: q[0]["haystack_dates"].__setitem__(0, "2023-05-20"),
            r"\[0\]\.haystack_dates\[0\]: a date such as '2023/05/20 \(Sat\) 02:21'",
        ),
        (lambda q: q[0].update(question=None), r"\[0\]: a member 'question' is expected"),
    ],
)
def test_another_shape_is_refused_with_its_place(
    change: Callable[[Any], object], message: str
) -> None:
    questions = copy.deepcopy(QUESTIONS)
    change(questions)
    with pytest.raises(InvalidInputError, match=rf"^longmemeval_s_cleaned\.json, {message}"):
        read(questions)


def test_evidence_that_is_not_in_the_history_is_counted() -> None:
    lost = question("rope", {"a": [turn("user", "Here", has_answer=True)]}, "a", "b")
    assert read([lost]).left_out == {"evidence that is not in the history": 1}


def test_where_no_turn_is_marked_the_sessions_count() -> None:
    bare = question("rope", {"a": [turn("user", "Here")], "b": [turn("user", "There")]}, "a")
    assert read([bare]).qrels["memory_id"].to_list() == ["longmemeval-s-001-s001"]
    assert read([bare], unit="turn").qrels.height == 0


def test_no_question_at_all_is_an_empty_data_set() -> None:
    dataset = read([])
    assert (dataset.memories.height, dataset.queries.height, dataset.qrels.height) == (0, 0, 0)


@pytest.mark.parametrize(
    ("split", "name"),
    [
        ("s", "longmemeval_s.json"),
        ("m", "longmemeval_m.json"),
        ("m", "longmemeval_m_cleaned.json"),
        ("oracle", "longmemeval_oracle.json"),
    ],
)
def test_each_split_has_its_file(tmp_path: Path, split: str, name: str) -> None:
    (tmp_path / name).write_text(json.dumps(QUESTIONS), encoding="utf-8")
    dataset = read_longmemeval(tmp_path, id="mine", options={"split": split})
    assert dataset.files[0].name == name
    assert dataset.queries["id"].to_list() == [f"longmemeval-{split}-00{n}" for n in (1, 2)]
    other = "oracle" if split != "oracle" else "s"
    with pytest.raises(DatasetMissingError, match=f"longmemeval_{other}"):
        read_longmemeval(tmp_path, id="mine", options={"split": other})


def test_unknown_options_are_refused_with_what_there_is() -> None:
    with pytest.raises(InvalidInputError, match="official or user-evidence or any-500"):
        read(QUESTIONS, protocol="any")


@published
def test_the_published_file_has_the_published_counts() -> None:
    assert read_longmemeval(DATA, id="s", options={"protocol": "any-500"}).queries.height == 500
    official = read_longmemeval(DATA, id="s", options={})
    assert official.queries.height == 470
    by_user = read_longmemeval(DATA, id="s", options={"protocol": "user-evidence"})
    assert by_user.queries.height == 419
    assert official.left_out["questions to abstain from"] == 30

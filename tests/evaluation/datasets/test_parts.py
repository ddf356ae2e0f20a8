"""Sessions know the turns that they are made of: the same that the unit `turn` has."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engram_lab.core.errors import InvalidInputError
from engram_lab.evaluation.datasets.dataset import MEMORIES, PARTS, QRELS, QUERIES, Dataset
from engram_lab.evaluation.datasets.locomo import read_locomo
from engram_lab.evaluation.datasets.longmemeval import read_longmemeval
from engram_lab.evaluation.datasets.realtalk import read_realtalk
from engram_lab.evaluation.systems import corpora_of

if TYPE_CHECKING:
    from collections.abc import Callable

LOCOMO = Path(os.environ.get("ENGRAM_DATA", "")) / "locomo"

COLUMNS = ("position", "speaker", "event_at", "content")


def turns_of(dataset: Dataset) -> list[tuple[Any, ...]]:
    """Return session, position, speaker, time and words of each turn that is a memory."""
    return dataset.memories.select("corpus", "session", *COLUMNS).rows()


def parts_of(dataset: Dataset) -> list[tuple[Any, ...]]:
    """Return the same of each turn of which a memory is made."""
    return [
        (corpus.name, row["id"], *(part[name] for name in COLUMNS))
        for corpus, _ in corpora_of(dataset)
        for row in corpus.memories
        for part in corpus.parts.get(row["id"], ())
    ]


WORDS = st.text("ab \n:é\N{OLD PERSONAL COMPUTER}", max_size=8)


def two_sides(name: str, turns: list[list[str]]) -> dict[str, Any]:
    """Return a conversation in the shape of LoCoMo, with a question about its first turn."""
    said: dict[str, Any] = {}
    for number, session in enumerate(turns, 1):
        said[f"session_{number}_date_time"] = f"1:56 pm on {number} May, 2021"
        said[f"session_{number}"] = [
            {"speaker": "AB"[place % 2], "dia_id": f"D{number}:{place}", "text": text}
            for place, text in enumerate(session, 1)
        ]
    said["session_1"][0]["text"] = "It begins"
    asked = {"question": "What?", "answer": "It", "evidence": ["D1:1"], "category": 4}
    return {"sample_id": name, "conversation": said, "qa": [asked]}


@given(st.lists(st.lists(WORDS, min_size=1, max_size=4), min_size=1, max_size=4))
def test_parts_of_conversations_are_their_turns(
    tmp_path_factory: pytest.TempPathFactory, turns: list[list[str]]
) -> None:
    folder = tmp_path_factory.mktemp("locomo")
    samples = [two_sides("one", turns), two_sides("two", turns)]
    (folder / "locomo10.json").write_text(json.dumps(samples), encoding="utf-8")

    for text in ("sp", "text"):
        sessions, single = (
            read_locomo(folder, id="mine", options={"unit": unit, "text": text})
            for unit in ("session", "turn")
        )
        assert parts_of(sessions) == turns_of(single)
        assert single.parts.is_empty()
    dated = read_locomo(folder, id="mine", options={"unit": "session", "text": "spd"})
    plain = read_locomo(folder, id="mine", options={"unit": "session", "text": "sp"})
    assert parts_of(dated) == parts_of(plain)


@given(
    st.lists(
        st.lists(st.tuples(st.sampled_from(["user", "assistant"]), WORDS), max_size=4),
        min_size=1,
        max_size=4,
    )
)
def test_parts_of_a_history_are_its_turns(
    tmp_path_factory: pytest.TempPathFactory, told: list[list[tuple[str, str]]]
) -> None:
    folder = tmp_path_factory.mktemp("longmemeval")
    told = [[("user", "It begins"), *told[0]], *told[1:]]
    history = {
        "question_id": "q",
        "question": "What?",
        "question_date": "2023/06/30 (Fri) 23:59",
        "answer_session_ids": ["s0"],
        "haystack_session_ids": [f"s{number}" for number in range(len(told))],
        "haystack_dates": ["2023/05/20 (Sat) 02:21"] * len(told),
        "haystack_sessions": [
            [{"role": role, "content": text, "has_answer": True} for role, text in session]
            for session in told
        ],
    }
    (folder / "longmemeval_s.json").write_text(json.dumps([history]), encoding="utf-8")

    for roles in ("user", "both"):
        sessions, single = (
            read_longmemeval(folder, id="mine", options={"unit": unit, "roles": roles})
            for unit in ("session", "turn")
        )
        assert parts_of(sessions) == turns_of(single)


def test_parts_of_messages_have_the_times_of_the_messages(tmp_path: Path) -> None:
    chat = {
        "session_1": [
            {
                "speaker": "Mo",
                "dia_id": f"D1:{place}",
                "clean_text": text,
                "date_time": f"29.12.2023, 22:42:0{place}",
            }
            for place, text in enumerate(["Hi", "I sold the boat"], 1)
        ],
        "qa": [{"question": "What was sold?", "evidence": ["D1:2"], "category": 1}],
    }
    (tmp_path / "Chat_1.json").write_text(json.dumps(chat), encoding="utf-8")

    sessions, single = (
        read_realtalk(tmp_path, id="mine", options={"unit": unit}) for unit in ("session", "turn")
    )

    assert parts_of(sessions) == turns_of(single)
    assert [row[4].second for row in parts_of(sessions)] == [1, 2]


@pytest.mark.skipif(
    not (LOCOMO / "locomo10.json").is_file(), reason="ENGRAM_DATA has no locomo/locomo10.json"
)
def test_the_published_sessions_are_made_of_the_published_turns() -> None:
    sessions, single = (
        read_locomo(LOCOMO, id="locomo", options={"unit": unit}) for unit in ("session", "turn")
    )

    assert parts_of(sessions) == turns_of(single)
    # Known from before sessions knew their turns: what is judged is still the same.
    assert sessions.hash == "b76221b2a032d32f8d1dc67fdecdb5ffc5f646c9a2131334d6cf56a199d01149"


def small(parts: pl.DataFrame) -> Dataset:
    memory = ("m", "main", "Ada: Hi\nBen: Ho", *[None] * 6)
    query = ("q", "main", "Who?", *[None] * 4)
    return Dataset(
        id="mine",
        memories=pl.DataFrame([memory], schema=MEMORIES, orient="row"),
        queries=pl.DataFrame([query], schema=QUERIES, orient="row"),
        qrels=pl.DataFrame([("q", "m", 1)], schema=QRELS, orient="row"),
        parts=parts,
    )


def test_parts_are_no_part_of_the_hash() -> None:
    rows = [("m", 1, "Ada", None, 0, 7), ("m", 2, "Ben", None, 8, 15)]
    parted = small(pl.DataFrame(rows, schema=PARTS, orient="row"))

    assert parted.hash == small(pl.DataFrame(schema=PARTS)).hash
    ((corpus, _),) = corpora_of(parted)
    assert [part["content"] for part in corpus.parts["m"]] == ["Ada: Hi", "Ben: Ho"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda frame: frame.drop("start"), "parts of the data set 'mine' have the columns"),
        (lambda frame: frame.with_columns(memory_id=None).cast(PARTS), "have no memory_id"),
        (lambda frame: frame.with_columns(end=None).cast(PARTS), "have no end in row 0"),
    ],
)
def test_parts_of_another_shape_are_refused(
    change: Callable[[pl.DataFrame], pl.DataFrame], said: str
) -> None:
    frame = pl.DataFrame([("m", 1, "Ada", None, 0, 7)], schema=PARTS, orient="row")

    with pytest.raises(InvalidInputError, match=said):
        small(change(frame))

from __future__ import annotations

import copy
import json
import os
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from engram_lab.core.errors import DatasetMissingError, InvalidInputError
from engram_lab.evaluation.datasets.madial import read_madial

if TYPE_CHECKING:
    from collections.abc import Callable

    from engram_lab.evaluation.datasets.dataset import Dataset

DATA = Path(os.environ.get("ENGRAM_DATA", "")) / "madial"

REMEMBERED: list[Any] = [
    {
        "7": {
            "time": "2023-12-05",
            "scene": "Activity",
            "emotion": "Happy",
            "event": "Bart rowed across the lake.",
        }
    },
    {
        "9": {
            "time": "2024-01-02",
            "scene": "Others",
            "emotion": "Sad",
            "event": "Lisa lost her kite.",
        }
    },
]
SPOKEN: list[Any] = [
    {
        "dialogue": [
            "<BOD>\n",
            '<Lisa>: "Hello"\n',
            '<Assistant>: "Hello, Lisa"\n',
            '<Lisa>: "It is windy"\n',
            '<Assistant>: "As when your kite flew off"\n',
            "<EOD>\n",
        ],
        "test-turn": [4],
        "relevant-id": [9, 9],
        "user-id": 2,
    }
]


def read(remembered: Any = REMEMBERED, spoken: Any = SPOKEN, **options: str) -> Dataset:
    with tempfile.TemporaryDirectory() as folder:
        for name, rows in (("memory", remembered), ("dialogue", spoken)):
            lines = "\n".join(json.dumps(row) for row in rows)
            (Path(folder) / f"MADial-Bench-en-{name}.json").write_text(lines, encoding="utf-8")
        return read_madial(Path(folder), id="mine", options=options)


def test_memories_lie_with_their_user() -> None:
    first, second = read().memories.to_dicts()
    assert (first["id"], first["corpus"], first["source_id"]) == ("madial-m007", "madial-1", "7")
    assert (second["id"], second["corpus"]) == ("madial-m009", "madial-2")
    assert first["content"] == "Bart rowed across the lake."
    assert first["event_at"] == datetime(2023, 12, 5, tzinfo=UTC)
    assert json.loads(first["fields"]) == {"metadata": {"scene": "Activity", "emotion": "Happy"}}
    assert read(text="all").memories["content"][1] == "Others, Sad: Lisa lost her kite."


def test_a_query_ends_before_the_assistant_remembers() -> None:
    dataset = read()
    assert dataset.queries["text"][0] == (
        '<BOD>\n<Lisa>: "Hello"\n<Assistant>: "Hello, Lisa"\n<Lisa>: "It is windy"'
    )
    assert read(query="last").queries["text"][0] == "It is windy"
    assert dataset.qrels.rows() == [("madial-q001", "madial-m009", 1)]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda _, s: s[0].update({"relevant-id": [7]}),
            r"dialogue\.json, line 1\.relevant-id\[0\]",
        ),
        (lambda _, s: s[0].update({"relevant-id": ["9"]}), r"line 1\.relevant-id\[0\]: a whole"),
        (lambda _, s: s[0].update({"user-id": 3}), r"line 1\.user-id: 1 or 2 is expected"),
        (lambda _, s: s[0].update({"test-turn": [1]}), r"line 1: test-turn must be a place"),
        (lambda _, s: s[0].update({"test-turn": [6]}), r"line 1: test-turn must be a place"),
        (lambda r, _: r[1]["9"].pop("event"), r"memory\.json, line 2\.9: a member 'event'"),
        (lambda r, _: r[1]["9"].update(event="A kite."), r"line 2\.9: a numbered memory of Bart"),
        (lambda r, _: r[0]["7"].update(time="today"), r"line 1\.7\.time: a date such as"),
    ],
)
def test_another_shape_is_refused_with_its_place(
    change: Callable[[Any, Any], object], message: str
) -> None:
    remembered, spoken = copy.deepcopy(REMEMBERED), copy.deepcopy(SPOKEN)
    change(remembered, spoken)
    with pytest.raises(InvalidInputError, match=message):
        read(remembered, spoken)


def test_a_folder_without_both_files_is_missing(tmp_path: Path) -> None:
    with pytest.raises(DatasetMissingError, match=r"MADial-Bench-en-memory\.json"):
        read_madial(tmp_path, id="mine", options={})


@pytest.mark.skipif(not DATA.is_dir(), reason="ENGRAM_DATA has no madial/")
def test_the_published_files_have_the_published_counts() -> None:
    dataset = read_madial(DATA, id="madial", options={})
    assert (dataset.memories.height, dataset.queries.height, dataset.qrels.height) == (
        160,
        160,
        405,
    )
    assert dict(dataset.memories.group_by("corpus").len().rows()) == {
        "madial-1": 76,
        "madial-2": 84,
    }

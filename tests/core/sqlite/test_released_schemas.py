"""A database written by any released schema opens, and says what it said."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from engram_lab import Engine, EngineConfig, ManualClock
from engram_lab.config import EmbeddingSettings

DATA = Path(__file__).resolve().parents[2] / "data"
WITHOUT_MODEL = EngineConfig(embedding=EmbeddingSettings(model="none"))
RELEASED = sorted(DATA.glob("schema-*.db"))


def rows(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_every_schema_has_its_file() -> None:
    numbers = [int(each.stem.removeprefix("schema-")) for each in RELEASED]

    assert numbers == list(range(1, len(numbers) + 1))
    assert numbers


@pytest.mark.parametrize("released", RELEASED, ids=lambda each: each.stem)
def test_a_released_file_opens_and_says_what_it_said(released: Path, tmp_path: Path) -> None:
    file = tmp_path / "old.db"
    shutil.copy(released, file)

    with Engine.open(file, config=WITHOUT_MODEL, clock=ManualClock()) as engine:
        queue = engine.store.embedding_queue
        waiting = queue.counts("toy-2")
        claimed = [each.content for each in queue.claim("toy-2", limit=9)]
        findings = engine.store.doctor.examine()
        engine.export(tmp_path / "now.jsonl")
        found = [hit.memory.content for hit in engine.recall("milk")]

    assert [each.name for each in findings if not each.ok] == []
    assert waiting == (2, 0, 2, 0)
    assert claimed == ["Is there milk?", "Yes."]
    assert sorted(found) == ["Ada takes her coffee with milk", "Is there milk?"]
    then, now = rows(released.with_suffix(".jsonl")), rows(tmp_path / "now.jsonl")
    # A later schema may say more of a row, never less or otherwise.
    for before, after in zip(then[1:], now[1:], strict=True):
        assert {name: after[name] for name in before} == before


def test_what_waited_in_a_released_file_waits_still(tmp_path: Path) -> None:
    file = tmp_path / "old.db"
    shutil.copy(DATA / "schema-0002.db", file)

    with Engine.open(file, config=WITHOUT_MODEL, clock=ManualClock()) as engine:
        queue = engine.store.embedding_queue
        counts, said = queue.counts("toy-3"), queue.last_error("toy-3")
        claimed = [each.content for each in queue.claim("toy-3", limit=9)]

    assert (counts, said) == ((1, 1, 1, 1), "no answer")
    assert claimed == ["Yes."]

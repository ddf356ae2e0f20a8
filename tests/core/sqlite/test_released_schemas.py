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


def test_what_was_dreamt_in_a_released_file_is_known_and_can_be_undone(tmp_path: Path) -> None:
    file = tmp_path / "old.db"
    shutil.copy(DATA / "schema-0003.db", file)

    with Engine.open(file, config=WITHOUT_MODEL, clock=ManualClock()) as engine:
        undone, dreamt = engine.dreams()
        heard = [each.content for each in engine.select(filter={"tags": {"contains": "heard"}})]
        steps = [(each.step, dict(each.counts)) for each in dreamt.steps]
        undo = engine.undo(dreamt.id)
        still = [each.content for each in engine.select(filter={"tags": {"contains": "heard"}})]
        links = engine.store.dreams.links("default").sources

    assert (dreamt.status, undone.status) == ("applied", "undone")
    assert steps == [("link-sessions", {"link": 1}), ("tagging", {"update": 2})]
    assert (undo.memories, undo.links, undo.kept) == (2, 1, ())
    assert (sorted(heard), still) == (["Is there milk?", "Yes."], [])
    assert [each for each in links if each.startswith("dream:")] == []


def test_what_was_left_for_an_agent_in_a_released_file_waits_still(tmp_path: Path) -> None:
    file = tmp_path / "old.db"
    shutil.copy(DATA / "schema-0003.db", file)

    with Engine.open(file, config=WITHOUT_MODEL, clock=ManualClock()) as engine:
        taken = engine.store.injections.take()
        late = engine.store.injections.take(workspace="yard")

    assert [each.content for each in taken] == ["There is milk"]
    assert [each.content for each in late] == ["Ask Kate"]

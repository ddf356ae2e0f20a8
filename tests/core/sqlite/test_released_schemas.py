"""A database written by any released schema opens, and says what it said."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from engram_lab import Engine, ManualClock

DATA = Path(__file__).resolve().parents[2] / "data"
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

    with Engine.open(file, clock=ManualClock()) as engine:
        findings = engine.store.doctor.examine()
        engine.export(tmp_path / "now.jsonl")
        found = [hit.memory.content for hit in engine.recall("milk")]

    assert [each.name for each in findings if not each.ok] == []
    assert sorted(found) == ["Ada takes her coffee with milk", "Is there milk?"]
    then, now = rows(released.with_suffix(".jsonl")), rows(tmp_path / "now.jsonl")
    # A later schema may say more of a row, never less or otherwise.
    for before, after in zip(then[1:], now[1:], strict=True):
        assert {name: after[name] for name in before} == before

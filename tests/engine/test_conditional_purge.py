"""A purge that is asked whether it still may, in the transaction that carries it out."""

from __future__ import annotations

from pathlib import Path

import pytest

from engram_lab import Engine
from engram_lab.config import EmbeddingSettings, EngineConfig
from engram_lab.core.errors import ConflictError, NotFoundError

WORDS = EngineConfig(embedding=EmbeddingSettings(model="none"))


def test_what_a_check_refuses_is_not_purged(tmp_path: Path) -> None:
    with Engine.open(tmp_path / "engram.db", config=WORDS) as engine:
        kept = engine.remember("zymurgy is kept")

        def refuse() -> None:
            raise ConflictError("somebody changed it")

        with pytest.raises(ConflictError, match="somebody changed it"):
            engine.purge([kept.id], check=refuse)
        assert engine.get(kept.id) == kept
        assert [hit.memory.id for hit in engine.recall("zymurgy")] == [kept.id]


def test_what_a_check_lets_go_is_purged_to_the_byte(tmp_path: Path) -> None:
    seen = []
    with Engine.open(tmp_path / "engram.db", config=WORDS) as engine:
        gone = engine.remember("zymurgy goes")
        engine.recall("zymurgy")
        report = engine.purge([gone.id], check=lambda: seen.append(engine.get(gone.id)))
        assert (report.ids, report.erased) == ((gone.id,), True)
        assert seen == [gone]
        with pytest.raises(NotFoundError):
            engine.get(gone.id)
        assert [each.name for each in files(tmp_path) if b"zymurgy" in each.read_bytes()] == []


def files(folder: Path) -> list[Path]:
    return [each for each in folder.rglob("*") if each.is_file()]

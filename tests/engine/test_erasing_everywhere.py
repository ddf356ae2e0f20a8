"""What is purged, by hand or because it expired, is gone from the cache and from index files."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from engram_lab import Engine, EngineConfig, ManualClock
from engram_lab.core.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable

RARE = "the quokka plays a xylophone"
WORD = b"xylophon"  # as its stem


@pytest.fixture
def engine(tmp_path: Path, clock: ManualClock) -> Any:
    # So few numbers that a vector lies in one piece within a page.
    cache = str(tmp_path / "cache.db")
    config = EngineConfig.from_dict({"embedding": {"model": "hashing", "dim": 64, "cache": cache}})
    with Engine.open(tmp_path / "memory.db", config=config, clock=clock) as engine:
        engine.remember_many([{"content": f"tea {number}"} for number in range(20)])
        yield engine


def bytes_in(folder: Path) -> bytes:
    return b"".join(each.read_bytes() for each in sorted(folder.rglob("*")) if each.is_file())


def vector_of(engine: Engine, memory_id: str) -> bytes:
    vector = engine.store.vectors.get(engine.embedder.fingerprint, [memory_id])[0]
    assert vector is not None
    data: bytes = vector.values.tobytes()
    return data


def purge(engine: Engine, clock: ManualClock, memory_id: str) -> None:
    del clock
    engine.purge([memory_id])


def let_expire(engine: Engine, clock: ManualClock, memory_id: str) -> None:
    del memory_id
    clock.advance(hours=2)
    assert engine.clean_up().expired == 1


@pytest.mark.parametrize("deed", [purge, let_expire])
def test_no_byte_of_it_stands_in_any_file(
    engine: Engine, clock: ManualClock, tmp_path: Path, deed: Callable[..., None]
) -> None:
    memory = engine.remember(RARE, expires_at=clock.now() + timedelta(hours=1))
    kept = engine.remember("a day that lasts", expires_at=clock.now() + timedelta(hours=3))
    vector, other = vector_of(engine, memory.id), vector_of(engine, kept.id)
    engine.reindex()
    assert all(part in bytes_in(tmp_path) for part in (vector, WORD, other))
    deed(engine, clock, memory.id)
    assert not any(part in bytes_in(tmp_path) for part in (vector, WORD))
    assert other in (tmp_path / "cache.db").read_bytes()
    engine.reindex()
    engine.close()
    assert not any(part in bytes_in(tmp_path) for part in (vector, WORD))


def test_what_is_purged_while_it_is_embedded_is_not_kept_in_the_cache(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vector = engine.embedder.embed([RARE], kind="query")[0].tobytes()
    memory = engine.store.memories.remember({"content": RARE})
    model = type(engine.embedder.inner)  # type: ignore[attr-defined]
    embed = model.embed

    def purge_amid(self: Any, texts: Any, *, kind: Any) -> Any:
        if RARE in texts and engine.store.corpus.find([memory.id])[0]:
            engine.purge([memory.id])
        return embed(self, texts, kind=kind)

    monkeypatch.setattr(model, "embed", purge_amid)
    kept = engine.remember("a day that lasts")
    engine.close()
    assert vector not in bytes_in(tmp_path)
    assert kept.id


@pytest.fixture
def locked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no index file be removed, as where the folder may not be written."""
    remove = Path.unlink

    def refuse(path: Path, *, missing_ok: bool = False) -> None:
        if path.suffix == ".index":
            raise PermissionError(13, "Permission denied", str(path))
        remove(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", refuse)


@pytest.mark.usefixtures("locked")
def test_an_index_file_that_cannot_be_removed_is_named_and_the_rest_is_purged(
    engine: Engine, tmp_path: Path
) -> None:
    memory = engine.remember(RARE)
    vector = vector_of(engine, memory.id)
    engine.reindex()
    with pytest.raises(StoreError, match=r"index files may hold it \(.*lexical-english.index"):
        engine.purge([memory.id])
    assert engine.store.corpus.find([memory.id]).tolist() == [0]
    assert vector not in bytes_in(tmp_path)
    assert [hit.id for hit in engine.recall("xylophone", strategy="keyword")] == []


def test_what_lies_in_the_folder_of_the_indexes_but_is_none_stays(
    engine: Engine, tmp_path: Path
) -> None:
    memory = engine.remember(RARE)
    engine.reindex()
    folder = tmp_path / "memory.db.index"
    (folder / "notes.index").mkdir()
    (folder / "notes.txt").write_text("mine")
    engine.purge([memory.id])
    assert sorted(each.name for each in folder.iterdir()) == ["notes.index", "notes.txt"]


def test_a_file_in_the_place_of_the_folder_keeps_nobody_from_anything(
    engine: Engine, tmp_path: Path
) -> None:
    (tmp_path / "memory.db.index").write_text("mine")
    memory = engine.remember(RARE)
    assert [hit.id for hit in engine.recall("xylophone", strategy="keyword")] == [memory.id]
    engine.purge([memory.id])
    engine.close()
    assert (tmp_path / "memory.db.index").read_text() == "mine"

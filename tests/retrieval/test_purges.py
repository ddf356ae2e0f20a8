"""What is purged while another process writes an index file stands in no file in the end."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from engram_lab.core.clock import ManualClock
from engram_lab.core.sqlite import SqliteStore
from engram_lab.retrieval import arrays
from engram_lab.retrieval.dense import DenseIndex, saved
from engram_lab.retrieval.lexical import files
from engram_lab.retrieval.lexical.index import LexicalIndex
from engram_lab.retrieval.purges import purged_since

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from types import ModuleType

RARE = "xylophone"
VECTOR = np.array([[0.1234567, -0.7654321, 0.5555555, 0.1111111]], np.float32)


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[tuple[SqliteStore, SqliteStore]]:
    """Two stores on one file, as two processes have them."""
    clock = ManualClock(datetime(2026, 1, 1, tzinfo=UTC))
    place = str(tmp_path / "memory.db")
    with (
        closing(SqliteStore.open(place, clock=clock)) as one,
        closing(SqliteStore.open(place, clock=clock)) as other,
    ):
        yield one, other


def bytes_of(folder: Path) -> bytes:
    return b"".join(each.read_bytes() for each in sorted(folder.glob("*")))


def just_before_writing(
    monkeypatch: pytest.MonkeyPatch, module: ModuleType, deed: Callable[[], Any]
) -> None:
    """Do something when the first index file is about to be written."""
    waiting = [deed]

    def write(*given: Any) -> None:
        if waiting:
            waiting.pop()()
        arrays.write_arrays(*given)

    monkeypatch.setattr(module, "write_arrays", write)


def test_words_that_are_purged_while_they_are_written_stand_in_no_file(
    stores: tuple[SqliteStore, SqliteStore], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = stores
    memory = one.memories.remember({"content": RARE})
    one.memories.remember({"content": "tea"})
    index = LexicalIndex(one.corpus, folder=tmp_path / "index")
    index.catch_up()
    just_before_writing(monkeypatch, files, lambda: other.memories.purge([memory.id]))
    assert not index.save()
    assert RARE.encode() not in bytes_of(tmp_path / "index")
    index.catch_up()
    assert index.save()
    assert RARE.encode() not in bytes_of(tmp_path / "index")
    assert len(LexicalIndex(one.corpus, folder=tmp_path / "index").vocabulary()) == 0
    assert index.vocabulary() == {"tea": 1}


@pytest.mark.parametrize("kind", ["exact", "hnsw"])
def test_a_vector_that_is_purged_while_it_is_written_stands_in_no_file(
    stores: tuple[SqliteStore, SqliteStore],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
) -> None:
    one, other = stores
    memory = one.memories.remember({"content": RARE})
    kept = one.memories.remember({"content": "tea"})
    one.vectors.put("e", [memory.id, kept.id], np.concatenate([VECTOR, VECTOR[:, ::-1]]))
    index = DenseIndex(one.corpus, embedder="e", dim=4, kind=kind, folder=tmp_path / "index")
    index.catch_up()
    just_before_writing(monkeypatch, saved, lambda: other.memories.purge([memory.id]))
    index.save()
    assert VECTOR.tobytes() not in bytes_of(tmp_path / "index")
    index.catch_up()
    index.save()
    assert VECTOR.tobytes() not in bytes_of(tmp_path / "index")
    again = DenseIndex(one.corpus, embedder="e", dim=4, kind=kind, folder=tmp_path / "index")
    assert (again.number, again.size) == (one.corpus.last(), 1)


def test_an_index_is_kept_again_after_another_process_purged_what_had_no_vector(
    stores: tuple[SqliteStore, SqliteStore], tmp_path: Path
) -> None:
    one, other = stores
    kept = one.memories.remember({"content": "tea"})
    one.vectors.put("e", [kept.id], VECTOR)
    index = DenseIndex(one.corpus, embedder="e", dim=4, folder=tmp_path / "index")
    index.catch_up()
    index.save()
    memory = one.memories.remember({"content": "no vector"})
    other.memories.purge([memory.id])
    for file in (tmp_path / "index").iterdir():  # as whoever purges does
        file.unlink()
    index.catch_up()
    index.save()
    again = DenseIndex(one.corpus, embedder="e", dim=4, folder=tmp_path / "index")
    assert (again.number, again.size) == (one.corpus.last(), 1)


def test_other_changes_are_no_purges(stores: tuple[SqliteStore, SqliteStore]) -> None:
    one, other = stores
    memory = one.memories.remember({"content": "tea"})
    number = one.corpus.last()
    other.memories.update(memory.id, {"content": "milk"})
    other.memories.forget(memory.id)
    assert not purged_since(one.corpus, number)
    other.memories.restore(memory.id)
    other.memories.purge([memory.id])
    assert purged_since(one.corpus, number)
    assert not purged_since(one.corpus, one.corpus.last())

"""A claim that waits for the writer while the store is closed is told so."""

from __future__ import annotations

from threading import Event, Thread
from typing import TYPE_CHECKING

from engram_lab.core.errors import StoreClosedError
from engram_lab.core.sqlite import SqliteStore

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_a_claim_that_waited_until_the_store_was_closed_says_so(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = SqliteStore.open(str(path))
    store.memories.remember({"content": "tea"})
    database = store._context.database
    waiting, seen = Event(), list[BaseException]()
    acquire = database._acquire

    def wait() -> None:
        waiting.set()
        acquire()

    def claim() -> None:
        try:
            store.embedding_queue.claim("e", limit=1)
        except BaseException as error:  # noqa: BLE001 - whichever it is
            seen.append(error)

    monkeypatch.setattr(database, "_acquire", wait)
    with database._lock:
        claimer = Thread(target=claim)
        claimer.start()
        assert waiting.wait(10)
        store.close()
    claimer.join(10)
    assert [type(error) for error in seen] == [StoreClosedError]

"""Who finds the store busy waits, and who waited in vain is told for what."""

from __future__ import annotations

import threading
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import apsw
import pytest

from engram_lab.core.errors import StoreBusyError
from engram_lab.core.selection import Selection
from engram_lab.core.settings import StoreSettings
from engram_lab.core.sqlite import SqliteStore

if TYPE_CHECKING:
    from pathlib import Path


def open_store(path: Path | str, **settings: Any) -> SqliteStore:
    return SqliteStore.open(str(path), settings=StoreSettings(**settings))


def test_a_lock_held_by_another_process_is_waited_for_then_named(path: Path) -> None:
    with closing(open_store(path, busy_timeout_ms=100)) as store:
        with closing(apsw.Connection(str(path))) as other:
            other.execute("BEGIN IMMEDIATE")
            begun = time.monotonic()
            with pytest.raises(StoreBusyError, match=r"store\.busy_timeout_ms") as raised:
                store.memories.remember({"content": "too late"})
            assert 0.1 <= time.monotonic() - begun < 2
            assert isinstance(raised.value.__cause__, apsw.BusyError)
            assert isinstance(raised.value, TimeoutError)
            assert store.memories.count(Selection()) == 0  # reading goes on
            other.execute("ROLLBACK")
        store.memories.remember({"content": "now it works"})


def test_a_lock_held_by_another_thread_is_waited_for_then_named(path: Path) -> None:
    with closing(open_store(path, busy_timeout_ms=100)) as store:
        held, enough = threading.Event(), threading.Event()

        def hold() -> None:
            with store.transaction():
                held.set()
                enough.wait(10)

        thread = threading.Thread(target=hold)
        thread.start()
        held.wait(10)
        with pytest.raises(StoreBusyError, match="another thread"):
            store.memories.remember({"content": "too late"})
        assert store.memories.count(Selection()) == 0
        enough.set()
        thread.join()
        store.memories.remember({"content": "now it works"})


def test_a_lock_is_waited_for_as_long_as_it_takes(path: Path) -> None:
    with (
        closing(open_store(path, busy_timeout_ms=20_000)) as store,
        closing(open_store(path)) as other,
    ):
        held = threading.Event()

        def hold() -> None:
            with other.transaction():
                held.set()
                time.sleep(0.3)
                other.memories.remember({"content": "first"})

        thread = threading.Thread(target=hold)
        thread.start()
        held.wait(10)
        store.memories.remember({"content": "second"})
        thread.join()
        words = [memory.content for memory in store.memories.select(Selection())]
        assert sorted(words) == ["first", "second"]


def test_a_pool_without_readers_left_says_what_to_do(path: Path) -> None:
    with closing(open_store(path, readers=1, busy_timeout_ms=100)) as store:
        store.memories.remember_many({"content": f"memory {n}"} for n in range(100))
        scan = store.tables.scan("memories", batch_rows=10)
        scan.read_next_batch()
        with pytest.raises(StoreBusyError, match=r"close unfinished scans, or raise store\.reader"):
            store.memories.count(Selection())
        store.memories.remember({"content": "writing needs no reader"})
        scan.close()
        del scan
        assert store.memories.count(Selection()) == 101

"""A KeyboardInterrupt, as Ctrl-C or a notebook raises it, leaves a store that goes on working."""

from __future__ import annotations

import signal
import threading
import time
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import pytest

from engram_lab.core.selection import Selection
from engram_lab.core.sqlite import SqliteStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(
    not hasattr(signal, "setitimer"), reason="this system has no timer that interrupts"
)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


@contextmanager
def interrupted_after(seconds: float) -> Iterator[None]:
    before = signal.signal(signal.SIGALRM, _interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, seconds)
        with pytest.raises(KeyboardInterrupt):
            yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_one_that_comes_while_another_writes_leaves_no_transaction_open(tmp_path: Path) -> None:
    place = str(tmp_path / "store.db")
    with closing(SqliteStore.open(place)) as store, closing(SqliteStore.open(place)) as other:
        begun = threading.Event()

        def write_slowly() -> None:
            with other.transaction():
                other.memories.remember({"content": "slow"})
                begun.set()
                time.sleep(0.6)

        writer = threading.Thread(target=write_slowly)
        writer.start()
        begun.wait()
        with interrupted_after(0.2):
            store.memories.remember({"content": "interrupted"})
        writer.join()

        other.memories.remember({"content": "of the other"})  # which waits for nobody
        store.memories.remember({"content": "of the same"})
        assert store.memories.count(Selection()) == 3
        assert all(check.ok for check in store.doctor.examine())


@pytest.mark.parametrize("after_ms", range(5, 100, 8))
def test_one_that_comes_amid_writes_keeps_whole_transactions_alone(
    tmp_path: Path, after_ms: int
) -> None:
    with closing(SqliteStore.open(str(tmp_path / "store.db"))) as store:

        def write_on() -> None:
            while True:
                with store.transaction():
                    store.memories.remember({"content": "one"})
                    store.memories.remember({"content": "two"})

        with interrupted_after(after_ms / 1000):
            write_on()
        assert store.memories.count(Selection()) % 2 == 0
        with store.transaction():
            store.memories.remember({"content": "after"})
        assert store.memories.count(Selection()) % 2 == 1
        assert all(check.ok for check in store.doctor.examine())

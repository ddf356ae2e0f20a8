"""A KeyboardInterrupt, as Ctrl-C or a notebook raises it, leaves a store that goes on working.

Those by a timer are raised in a process of their own: what measures coverage in this one holds a
lock at times, and is left holding it for ever by an interrupt.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from engram_lab.core.selection import Selection
from engram_lab.core.sqlite.database import _Cursor

if TYPE_CHECKING:
    from pathlib import Path

    from engram_lab.core.sqlite import SqliteStore

pytestmark = pytest.mark.skipif(
    not hasattr(signal, "setitimer"), reason="this system has no timer that interrupts"
)

INTERRUPTED = """
import signal
import sys
import threading
import time
from contextlib import closing, contextmanager

from engram_lab.core.selection import Selection
from engram_lab.core.sqlite import SqliteStore

place, after_s = sys.argv[1], float(sys.argv[2])


def interrupt(*_):
    raise KeyboardInterrupt


@contextmanager
def interrupted():
    signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, after_s)
    try:
        yield
    except KeyboardInterrupt:
        return
    sys.exit("nothing interrupted it")


"""

WHILE_ANOTHER_WRITES = """
with closing(SqliteStore.open(place)) as store, closing(SqliteStore.open(place)) as other:
    begun = threading.Event()

    def write_slowly():
        with other.transaction():
            other.memories.remember({"content": "slow"})
            begun.set()
            time.sleep(0.6)

    writer = threading.Thread(target=write_slowly)
    writer.start()
    begun.wait()
    with interrupted():
        store.memories.remember({"content": "interrupted"})
    writer.join()

    other.memories.remember({"content": "of the other"})  # which waits for nobody
    store.memories.remember({"content": "of the same"})
    assert store.memories.count(Selection()) == 3
    assert all(check.ok for check in store.doctor.examine())
"""

AMID_WRITES = """
with closing(SqliteStore.open(place)) as store:
    with interrupted():
        while True:
            with store.transaction():
                store.memories.remember({"content": "one"})
                store.memories.remember({"content": "two"})
    assert store.memories.count(Selection()) % 2 == 0
    with store.transaction():
        store.memories.remember({"content": "after"})
    assert store.memories.count(Selection()) % 2 == 1
    assert all(check.ok for check in store.doctor.examine())
"""


def run(script: str, place: Path, after_s: float) -> None:
    asked = [sys.executable, "-c", INTERRUPTED + script, str(place), str(after_s)]
    done = subprocess.run(asked, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def test_one_that_comes_while_another_writes_leaves_no_transaction_open(tmp_path: Path) -> None:
    run(WHILE_ANOTHER_WRITES, tmp_path / "store.db", 0.2)


@pytest.mark.parametrize("after_ms", range(5, 100, 8))
def test_one_that_comes_amid_writes_keeps_whole_transactions_alone(
    tmp_path: Path, after_ms: int
) -> None:
    run(AMID_WRITES, tmp_path / "store.db", after_ms / 1000)


def test_one_that_comes_once_an_inner_step_is_done_is_raised_and_undoes_the_whole(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute = _Cursor.execute

    def interrupted_after(cursor: _Cursor, *query: Any, **options: Any) -> Any:
        done = execute(cursor, *query, **options)
        if query[0] == "RELEASE inner_step":
            raise KeyboardInterrupt
        return done

    monkeypatch.setattr(_Cursor, "execute", interrupted_after)
    with pytest.raises(KeyboardInterrupt), store.transaction():
        store.memories.remember({"content": "interrupted"})
    monkeypatch.undo()
    assert store.memories.count(Selection()) == 0
    store.memories.remember({"content": "after"})
    assert store.memories.count(Selection()) == 1

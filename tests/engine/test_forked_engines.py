"""A child that was forked while threads searched is told so, and does not wait for them."""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import ExitStack
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

import pytest

from engram_lab.core.errors import StoreClosedError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PATIENCE_S = 20.0

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")


def child_of(deed: Callable[[], Any]) -> int:
    """Return the exit code of a forked child that does something; -1 where it never ends."""
    pid = os.fork()
    if pid == 0:
        try:
            deed()
        except BaseException as error:  # noqa: BLE001 - the parent's tests must not go on here
            sys.stderr.write(f"{type(error).__name__}: {error}\n")
            os._exit(1)
        os._exit(0)
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return -1


def use_and_close(engine: Any) -> None:
    """Be refused by every verb that asks the indexes, then close without an error."""
    for ask in (
        lambda: engine.recall("tea", strategy="keyword"),
        lambda: engine.recall("tea"),
        lambda: engine.suggest("tee"),
        engine.embed,
        engine.reindex,
    ):
        with pytest.raises(StoreClosedError, match="forked"):
            ask()
    engine.close()
    engine.close()


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_child_does_not_wait_for_locks_that_nobody_will_ever_release(
    opened: Callable[..., Any], words: Any, tmp_path: Path
) -> None:
    with opened(tmp_path / "memory.db", embedder=words()) as engine:
        engine.remember("tea")
        engine.recall("tea")
        indexes = engine._indexes
        held, done = Event(), Event()

        def hold() -> None:
            with ExitStack() as locks:
                for lock in (
                    indexes._lock,
                    indexes._loaded._lock,
                    indexes._tokens._lock,
                    indexes._conversations._turns._lock,
                    indexes._lexical._lock,
                    indexes._dense._lock.alone(),
                    indexes.worker._lock,
                    engine._recorder._lock,
                    engine._recorder._writing,
                ):
                    locks.enter_context(lock)
                held.set()
                done.wait(2 * PATIENCE_S)

        holder = Thread(target=hold)
        holder.start()
        try:
            assert held.wait(10)
            assert child_of(lambda: use_and_close(engine)) == 0
        finally:
            done.set()
            holder.join(10)
        assert len(engine.recall("tea")) == 1


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_child_that_closes_stores_no_event_and_no_index_of_its_parent(
    opened: Callable[..., Any], words: Any, tmp_path: Path
) -> None:
    with opened(tmp_path / "memory.db", embedder=words()) as engine:
        engine.remember("tea")
        engine.recall("tea")
        assert child_of(engine.close) == 0
        assert not (tmp_path / "memory.db.index").exists()
        engine.flush()
        assert len(engine.store.events.since()) == 1

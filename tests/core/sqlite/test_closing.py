"""After `close`, and in a forked child, a store refuses; nobody else is disturbed by it."""

from __future__ import annotations

import os
import re
import signal
import threading
import time
import warnings
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any

import pytest

from engram_lab.core.errors import NotFoundError, StoreClosedError, StoreError
from engram_lab.core.selection import Selection
from engram_lab.core.settings import StoreSettings
from engram_lab.core.sqlite import SqliteStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

LEFT = "00000000-0000-7000-8000-000000000000"

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


def open_store(path: Path | str, **settings: Any) -> SqliteStore:
    return SqliteStore.open(str(path), settings=StoreSettings(**settings))


@pytest.fixture(params=["file", "memory"])
def store(request: pytest.FixtureRequest, path: Path) -> Iterator[SqliteStore]:
    with closing(open_store(path if request.param == "file" else ":memory:")) as store:
        yield store


def is_sound(store: SqliteStore) -> bool:
    return all(check.ok for check in store.doctor.examine())


@pytest.mark.parametrize(
    "use",
    [
        lambda store: store.memories.remember({"content": "late"}),
        lambda store: store.memories.count(Selection()),
        lambda store: store.memories.get_many([LEFT]),
        lambda store: store.transaction().__enter__(),
        lambda store: store.revision(),
        lambda store: store.backups.backup("copy.db"),
        lambda store: store.backups.vacuum_into("copy.db"),
        lambda store: store.doctor.examine(),
        lambda store: store.as_agent("ada", "global/org:a").memories.count(Selection()),
    ],
    ids=["write", "read", "snapshot", "transaction", "revision", "backup", "vacuum", "doctor",
         "agent"],
)  # fmt: skip
def test_a_closed_store_refuses(store: SqliteStore, use: Callable[[SqliteStore], object]) -> None:
    store.close()
    store.close()
    with pytest.raises(StoreClosedError, match="open it again"):
        use(store)


def test_closing_waits_for_the_writer_and_not_for_readers(path: Path) -> None:
    store = open_store(path)
    stop = threading.Event()
    seen: list[type[StoreError]] = []

    def read() -> None:
        while not stop.is_set():
            try:
                store.memories.select(Selection(), limit=3)
                with suppress(NotFoundError):
                    store.memories.get(LEFT)
            except StoreError as error:
                seen.append(type(error))
                return

    def write() -> None:
        try:
            while not stop.is_set():
                with store.transaction():
                    store.memories.remember_many([{"content": "one"}, {"content": "two"}])
        except StoreError as error:
            seen.append(type(error))

    threads = [threading.Thread(target=each) for each in (read, read, read, write, write)]
    for thread in threads:
        thread.start()
    time.sleep(0.3)
    store.close()
    time.sleep(0.1)
    stop.set()
    for thread in threads:
        thread.join()
    assert seen == [StoreClosedError] * len(threads)
    with closing(open_store(path)) as again:
        assert again.memories.count(Selection()) % 2 == 0
        assert is_sound(again)


def in_child(deed: Callable[[], object]) -> str:
    """Fork, do it in the child, and return what came of it."""
    ear, mouth = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # threads and fork: the point here
        child = os.fork()
    if child == 0:
        signal.alarm(10)  # a child that waits for ever must not keep the test waiting
        try:
            outcome = repr(deed())
        except BaseException as error:  # noqa: BLE001 - the child ends here, whatever it was
            outcome = f"{type(error).__name__}: {error}"
        os.write(mouth, outcome.encode())
        os._exit(0)
    os.close(mouth)
    with os.fdopen(ear) as stream:
        outcome = stream.read()
    _, status = os.waitpid(child, 0)
    assert status == 0
    return outcome


FORKED = "StoreClosedError: .* was opened before this process was forked: open it anew"


@needs_fork
def test_a_forked_child_is_refused_and_the_parent_goes_on(path: Path) -> None:
    with closing(open_store(path)) as store:
        memory = store.memories.remember({"content": "before the fork"})

        for use in (
            lambda: store.memories.remember({"content": "in the child"}),
            lambda: store.memories.get(memory.id),
            store.revision,
            lambda: store.backups.vacuum_into(f"{path}.copy"),
        ):
            assert re.match(FORKED, in_child(use))
        assert in_child(store.close) == "None"

        store.memories.remember({"content": "after the fork"})
        assert store.memories.count(Selection()) == 2
        assert is_sound(store)


@needs_fork
def test_a_forked_child_may_open_the_file_anew(path: Path) -> None:
    with closing(open_store(path)) as store:
        store.memories.remember({"content": "before the fork"})

        def work() -> int:
            store.close()
            with closing(open_store(path)) as anew:
                anew.memories.remember({"content": "in the child"})
                return anew.memories.count(Selection())

        assert in_child(work) == "2"
        store.memories.remember({"content": "after the fork"})
        assert store.memories.count(Selection()) == 3
        assert is_sound(store)


@needs_fork
def test_a_child_forked_within_a_transaction_does_not_touch_it(path: Path) -> None:
    with closing(open_store(path)) as store:
        with store.transaction():
            memory = store.memories.remember({"content": "not committed yet"})
            assert re.match(FORKED, in_child(lambda: store.memories.get(memory.id)))
            assert re.match(FORKED, in_child(lambda: store.memories.remember({"content": "no"})))
        assert [each.id for each in store.memories.select(Selection())] == [memory.id]
        assert is_sound(store)


@needs_fork
def test_a_child_forked_while_a_thread_writes_does_not_wait_for_it(path: Path) -> None:
    with closing(open_store(path)) as store:
        held, enough = threading.Event(), threading.Event()

        def hold() -> None:
            with store.transaction():
                held.set()
                enough.wait(20)

        thread = threading.Thread(target=hold)
        thread.start()
        held.wait(10)
        assert re.match(FORKED, in_child(store.revision))
        assert re.match(FORKED, in_child(lambda: store.memories.remember({"content": "no"})))
        assert in_child(store.close) == "None"
        enough.set()
        thread.join()
        store.memories.remember({"content": "the parent goes on"})

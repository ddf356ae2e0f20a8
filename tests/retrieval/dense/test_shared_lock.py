from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event, Thread
from typing import Any

import numpy as np
import pytest

from engram_lab.retrieval.dense.sharing import SharedLock

WAIT_S = 20.0


def test_readers_hold_it_together() -> None:
    lock, together = SharedLock(), Barrier(4)

    def read() -> None:
        with lock.shared():
            together.wait(WAIT_S)  # passes only if all four are inside at once

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(read) for _ in range(4)]:
            done.result(WAIT_S)


def test_a_writer_is_alone_and_goes_before_readers_that_come_later() -> None:
    lock, inside, leave, said = SharedLock(), Event(), Event(), list[str]()

    def read_first() -> None:
        with lock.shared():
            inside.set()
            leave.wait(WAIT_S)
            said.append("first reader")

    def write() -> None:
        with lock.alone():
            said.append("writer")

    def read_later() -> None:
        with lock.shared():
            said.append("later reader")

    threads = [Thread(target=read_first), Thread(target=write), Thread(target=read_later)]
    threads[0].start()
    assert inside.wait(WAIT_S)
    threads[1].start()
    while not lock._waiting:
        time.sleep(0.001)
    threads[2].start()
    time.sleep(0.05)
    assert said == []
    leave.set()
    for thread in threads:
        thread.join(WAIT_S)
    assert said == ["first reader", "writer", "later reader"]


def test_an_error_inside_lets_go_of_it() -> None:
    lock = SharedLock()
    for hold in (lock.shared, lock.alone):
        with pytest.raises(KeyError), hold():
            raise KeyError
    with lock.alone():
        pass


@pytest.mark.parametrize("kind", ["exact", "hnsw"])
def test_threads_that_search_while_one_writes_never_see_half_a_change(
    kind: str, corpus: Any, open_index: Any
) -> None:
    index = open_index(corpus, kind=kind)
    query = np.eye(16, dtype=np.float32)[0]
    over = Event()
    # Two memories share the first place; only together do they ever change it.
    corpus.put_many([9001, 9002], [100 * query] * 2)
    index.catch_up()

    def search() -> int:
        searches = 0
        while not over.is_set() or not searches:
            found = index.search(query, 2)
            assert found.keys.tolist() == [9001, 9002]
            assert found.scores[0] == found.scores[1]
            searches += 1
        return searches

    with ThreadPoolExecutor(3) as pool:
        threads = [pool.submit(search) for _ in range(3)]
        try:
            for height in range(101, 161):
                corpus.put_many([9001, 9002], [height * query] * 2)
                corpus.put_many(
                    range(20_000, 20_050), np.random.default_rng(height).random((50, 16))
                )
                index.catch_up()
        finally:
            over.set()
        assert all(thread.result(WAIT_S) > 0 for thread in threads)

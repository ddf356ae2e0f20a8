"""Processes that share a queue or a cache: nobody does what another does, nothing is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from hashlib import sha256
from typing import TYPE_CHECKING

import numpy as np
import orjson
import pytest

from engram_lab.core.clock import ManualClock, SystemClock
from engram_lab.core.protocols import QueueCounts
from engram_lab.core.sqlite import SqliteStore, open_embedding_cache

if TYPE_CHECKING:
    from pathlib import Path

MEMORIES = 120

# Claims and completes until nothing is left, and says what it claimed; or claims and hangs.
WORKER = r"""
import sys, time
import numpy as np, orjson
from engram_lab.core.sqlite import SqliteStore

path, deed = sys.argv[1:]
store = SqliteStore.open(path)
print("ready", flush=True)
sys.stdin.readline()
seen = []
while claimed := store.embedding_queue.claim("m", limit=3):
    seen += [each.memory_id for each in claimed]
    if deed == "hang":
        print(orjson.dumps(seen).decode(), flush=True)
        time.sleep(600)
    values = np.ones((len(claimed), 4), np.float32)
    assert store.embedding_queue.complete("m", claimed, values) == len(claimed)
print(orjson.dumps(seen).decode(), flush=True)
"""

CACHER = r"""
import sys
from hashlib import sha256
import numpy as np
from engram_lab.core.sqlite import open_embedding_cache

path, first = sys.argv[1], int(sys.argv[2])
print("ready", flush=True)
sys.stdin.readline()
cache = open_embedding_cache(path)
for n in range(first, first + 50):
    cache.put("m", [sha256(str(n).encode()).digest()], np.full((1, 4), n, np.float32))
cache.close()
print("done", flush=True)
"""


def begun(program: str, *arguments: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert heard(process) == "ready"
    return process


def heard(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def start(*processes: subprocess.Popen[str]) -> None:
    """Let all of them go at once."""
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()


def end(*processes: subprocess.Popen[str]) -> None:
    for process in processes:
        with process:
            process.wait(timeout=60)


@pytest.fixture
def filled(path: Path) -> list[str]:
    with closing(SqliteStore.open(str(path))) as store:
        drafts = ({"content": f"memory {n}"} for n in range(MEMORIES))
        return list(store.memories.remember_many(drafts).ids)


def test_processes_that_claim_at_once_get_different_memories(path: Path, filled: list[str]) -> None:
    workers = [begun(WORKER, str(path), "embed") for _ in range(2)]
    start(*workers)
    claimed = [orjson.loads(heard(worker)) for worker in workers]
    end(*workers)
    assert sorted([*claimed[0], *claimed[1]]) == sorted(filled)
    with closing(SqliteStore.open(str(path))) as store:
        assert store.embedding_queue.counts("m") == QueueCounts(0, 0, MEMORIES, 0)
        embeds = [each.id for each in store.changes.since(0, limit=9999) if each.action == "embed"]
        assert sorted(embeds) == sorted(filled)


def test_threads_that_claim_at_once_get_different_memories(path: Path, filled: list[str]) -> None:
    def work(store: SqliteStore) -> list[str]:
        seen: list[str] = []
        while claimed := store.embedding_queue.claim("m", limit=3):
            seen += [each.memory_id for each in claimed]
            values = np.ones((len(claimed), 4), np.float32)
            assert store.embedding_queue.complete("m", claimed, values) == len(claimed)
        return seen

    with closing(SqliteStore.open(str(path))) as store, ThreadPoolExecutor(4) as threads:
        claimed = [each for seen in threads.map(work, [store] * 4) for each in seen]
    assert sorted(claimed) == sorted(filled)


def test_what_a_killed_process_had_claimed_is_pending_when_its_lease_ends(
    path: Path, filled: list[str]
) -> None:
    worker = begun(WORKER, str(path), "hang")
    start(worker)
    claimed = orjson.loads(heard(worker))
    os.kill(worker.pid, signal.SIGKILL)
    end(worker)
    assert claimed == filled[:3]
    clock = ManualClock(SystemClock().now())
    with closing(SqliteStore.open(str(path), clock=clock)) as store:
        assert store.embedding_queue.counts("m") == QueueCounts(MEMORIES - 3, 3, 0, 0)
        others = store.embedding_queue.claim("m", limit=MEMORIES)
        assert [each.memory_id for each in others] == filled[3:]
        clock.advance(seconds=601)
        again = store.embedding_queue.claim("m", limit=3)
        assert [(each.memory_id, each.attempts) for each in again] == [(id_, 1) for id_ in claimed]
        assert store.embedding_queue.complete("m", again, np.ones((3, 4), np.float32)) == 3
        assert [check for check in store.doctor.examine() if not check.ok] == []


def test_processes_share_a_cache_that_both_of_them_make(tmp_path: Path) -> None:
    path = tmp_path / "cache.db"
    writers = [begun(CACHER, str(path), str(first)) for first in (0, 25)]
    start(*writers)
    assert [heard(each) for each in writers] == ["done", "done"]
    end(*writers)
    with closing(open_embedding_cache(path)) as cache:
        hashes = [sha256(str(n).encode()).digest() for n in range(76)]
        found = [None if each is None else each[0] for each in cache.get("m", hashes)]
    assert found == [*map(float, range(75)), None]

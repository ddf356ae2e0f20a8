"""Kill a process while it dreams: the store is as before the dream, or as after it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import closing, suppress
from datetime import UTC, datetime
from random import Random
from typing import TYPE_CHECKING

import pytest

from engram_lab.core.clock import ManualClock
from engram_lab.core.sqlite import SqliteStore

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")

ROUNDS = 24
MEMORIES = 40
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)

# Forks a dreamer for each line it reads, which says when it begins; it is killed from outside.
NURSERY = r"""
import os, sys
from datetime import UTC, datetime
from engram_lab.core.clock import ManualClock
from engram_lab.core.dreams import Change, DreamRun
from engram_lab.core.ids import IdSource
from engram_lab.core.sqlite.store import SqliteStore

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)

def dream(path, name):
    store = SqliteStore.open(path, clock=ManualClock(NOON))
    columns, ids = store.dreams.columns("default"), IdSource(name)
    changes = []
    for id_, version, importance in zip(columns.ids, columns.version, columns.importance):
        changes.append(Change(step="fade", action="update", id=id_, seen=int(version), reason="r",
                              fields={"importance": 0.25 if importance == 0.5 else 0.5,
                                      "tags": [name]}))
    for start, end in zip(columns.ids, columns.ids[1:]):
        changes.append(Change(step="hebbian", action="link", id=ids.new(NOON), reason="r",
                              fields={"from_id": start, "to_id": end, "type": name,
                                      "weight": 0.5}))
    store.dreams.take_lock("default", owner=name, ttl_s=60)
    run = DreamRun(id=name, workspace="default", config_hash="c", started_at=NOON, ended_at=NOON)
    os.write(1, b"begin\n")
    store.dreams.apply(run, changes, owner=name)
    store.dreams.release_lock("default", owner=name)
    os.write(1, b"done\n")

for line in sys.stdin:
    path, name = line.split()
    child = os.fork()
    if child == 0:
        try:
            dream(path, name)
        except BaseException as error:
            os.write(1, f"failed {error!r}\n".encode())
        os._exit(0)
    os.write(1, f"born {child}\n".encode())
    os.waitpid(child, 0)
    os.write(1, b"dead\n")
"""


def state_of(path: Path) -> tuple[int, set[float], int, int]:
    """Return how many runs there are, how important memories are, and how many links there are."""
    with closing(SqliteStore.open(str(path), clock=ManualClock(NOON))) as store:
        assert [check for check in store.doctor.examine() if not check.ok] == []
        runs = store.dreams.all()
        columns = store.dreams.columns("default")
        links = len(store.dreams.links("default"))
        journaled = sum(len(store.dreams.changes_of(run.id)) for run in runs)
        for lock in store.dreams.locks():
            store.dreams.release_lock(lock.workspace, owner=lock.owner)
        return len(runs), set(columns.importance.tolist()), links, journaled


def test_a_killed_dream_leaves_the_old_state_or_the_new_one(tmp_path: Path) -> None:
    path = tmp_path / "engram.db"
    with closing(SqliteStore.open(str(path), clock=ManualClock(NOON))) as store:
        store.memories.remember_many({"content": f"memory {n}"} for n in range(MEMORIES))
    chance = Random(3)  # noqa: S311 - it picks moments, not secrets
    unfinished = 0
    before = state_of(path)
    with subprocess.Popen(
        [sys.executable, "-c", NURSERY], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as nursery:
        assert nursery.stdin is not None
        assert nursery.stdout is not None
        for number in range(ROUNDS):
            nursery.stdin.write(f"{path} dream-{number}\n")
            nursery.stdin.flush()
            child = int(nursery.stdout.readline().split()[1])
            assert nursery.stdout.readline() == "begin\n"
            time.sleep(chance.random() * 0.02)
            with suppress(ProcessLookupError):  # on a busy machine it may have been through
                os.kill(child, signal.SIGKILL)
            heard = [nursery.stdout.readline()]
            while heard[-1] != "dead\n":
                heard.append(nursery.stdout.readline())
            runs, importance, links, journaled = before
            (had,) = importance
            after = (
                runs + 1,
                {0.25 if had == 0.5 else 0.5},
                links + MEMORIES - 1,
                journaled + 2 * MEMORIES - 1,
            )
            seen = state_of(path)
            assert seen in (before, after)
            assert seen == after or "done\n" not in heard
            unfinished += seen == before
            before = seen
        nursery.stdin.close()
    assert unfinished  # some kill fell before the end of a dream, or this test tests nothing
    assert before[0]  # and some after it

"""Many at once: processes and threads that read and write one file lose nothing, tear nothing."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from engram_lab.core.errors import VersionConflictError
from engram_lab.core.selection import Selection
from engram_lab.core.settings import StoreSettings
from engram_lab.core.sqlite import SqliteStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

COUNTERS = [f"{number:08x}-0000-7000-8000-000000000000" for number in range(4)]
LEFT, RIGHT = COUNTERS[:2]  # these two are only ever changed together
ALONE = COUNTERS[2:]

PROLOGUE = r"""
import glob, sys, time
from random import Random
import orjson
from engram_lab.core.errors import VersionConflictError
from engram_lab.core.selection import Selection
from engram_lab.core.sqlite.store import SqliteStore

path, seconds, seed, counters = orjson.loads(sys.argv[1])
chance = Random(seed)
store = SqliteStore.open(path)
open(f"{path}.ready-{seed}", "w").close()
while len(glob.glob(f"{path}.ready-*")) < 5:  # all begin together, however long a start takes
    time.sleep(0.01)
end = time.monotonic() + seconds
done = 0
"""

WRITER = (
    PROLOGUE
    + r"""
def count_up(id_):
    memory = store.memories.get(id_)
    n = memory.metadata["n"] + 1
    store.memories.update(
        id_, {"content": f"counted to {n}", "metadata": {"n": n}}, version=memory.version
    )

successes = dict.fromkeys(counters, 0)
while done < 10 or time.monotonic() < end:
    done += 1
    ids = counters[:2] if chance.random() < 0.5 else [chance.choice(counters[2:])]
    try:
        if len(ids) == 1:
            count_up(*ids)
        else:
            with store.transaction():
                for id_ in ids:
                    count_up(id_)
    except VersionConflictError:
        pass
    else:
        for id_ in ids:
            successes[id_] += 1
    twins = {"content": f"twin of {seed} {done}", "tags": ["twin"]}
    store.memories.remember_many([twins, twins], dedup="allow")
store.close()
print(orjson.dumps([done, successes]).decode())
"""
)

MAKER = r"""
import sys, time
import orjson
from engram_lab.core.sqlite.store import SqliteStore

start, paths = orjson.loads(sys.argv[1])
for number, path in enumerate(paths):
    time.sleep(max(0, start + number / 20 - time.time()))
    store = SqliteStore.open(path)
    store.memories.remember({"content": "mine"})
    store.close()
print("null")
"""

READER = (
    PROLOGUE
    + r"""
seen = dict.fromkeys(counters, 0)
twins = 0
while done < 10 or time.monotonic() < end:
    done += 1
    memories = store.memories.get_many(counters)
    for memory in memories:
        n = memory.metadata["n"]
        assert memory.content == f"counted to {n}", memory
        assert memory.version == n + 1, memory
        assert n >= seen[memory.id], "time ran back"
        seen[memory.id] = n
    assert memories[0].metadata == memories[1].metadata, "half a transaction"
    count = store.memories.count(Selection.of({"tags": {"contains": "twin"}}))
    assert count % 2 == 0 and count >= twins, "half a batch"
    twins = count
    for found in store.memories.match_text([f"counted to {n}"], Selection(), 5):
        assert found.memory.content.startswith("counted to"), found
    states = store.memories.history(chance.choice(counters))
    assert [state.memory.version for state in states] == list(range(1, len(states) + 1))
store.close()
print(orjson.dumps([done, {}]).decode())
"""
)


def open_store(path: Path | str, **settings: Any) -> SqliteStore:
    return SqliteStore.open(str(path), settings=StoreSettings(**settings))


@pytest.fixture(params=["file", "memory"])
def store(request: pytest.FixtureRequest, path: Path) -> Iterator[SqliteStore]:
    with closing(open_store(path if request.param == "file" else ":memory:")) as store:
        yield store


def start_counting(store: SqliteStore) -> None:
    store.memories.remember_many(
        {"id": id_, "content": "counted to 0", "metadata": {"n": 0}} for id_ in COUNTERS
    )


def is_sound(store: SqliteStore) -> bool:
    return all(check.ok for check in store.doctor.examine())


@pytest.mark.parametrize("seconds", [3, pytest.param(30, marks=pytest.mark.slow)])
def in_processes(*commands: Sequence[str | bytes], timeout: float = 60) -> list[Any]:
    """Run Python programs at the same time and return what each of them told, as JSON."""

    def run(command: Sequence[str | bytes]) -> Any:
        done = subprocess.run(
            [sys.executable, "-c", *command], capture_output=True, check=False, timeout=timeout
        )
        assert done.returncode == 0, done.stderr.decode()
        return orjson.loads(done.stdout)

    with ThreadPoolExecutor(len(commands)) as pool:
        return list(pool.map(run, commands))


@pytest.mark.parametrize("seconds", [3, pytest.param(30, marks=pytest.mark.slow)])
def test_two_processes_write_while_three_read(path: Path, seconds: int) -> None:
    with closing(open_store(path)) as store:
        start_counting(store)

    answers = in_processes(
        *(
            [script, orjson.dumps([str(path), seconds, seed, COUNTERS])]
            for seed, script in enumerate([WRITER, WRITER, READER, READER, READER])
        ),
        timeout=seconds + 60,
    )

    counted: Counter[str] = Counter()
    for _, successes in answers:
        counted.update(successes)
    with closing(open_store(path)) as store:
        memories = store.memories.get_many(COUNTERS)
        assert {each.id: each.metadata["n"] for each in memories if each} == counted
        twins = sum(done for done, _ in answers[:2])
        assert store.memories.count(Selection.of({"tags": {"contains": "twin"}})) == 2 * twins
        assert is_sound(store)
    assert counted[LEFT] == counted[RIGHT] > 0


def test_many_processes_may_make_a_file_at_once(tmp_path: Path) -> None:
    paths = [str(tmp_path / f"{number}.db") for number in range(20)]
    start = time.time() + 1
    in_processes(*([MAKER, orjson.dumps([start, paths])] for _ in range(4)))
    for path in paths:
        with closing(open_store(path)) as store:
            assert store.memories.count(Selection()) == 4
            assert is_sound(store)


def in_threads(number: int, deed: Callable[[int], None]) -> None:
    with ThreadPoolExecutor(number) as pool:
        for done in [pool.submit(deed, each) for each in range(number)]:
            done.result()


def test_eight_threads_read_and_write(store: SqliteStore) -> None:
    start_counting(store)
    turns = 40

    def count_up(id_: str) -> None:
        memory = store.memories.get(id_)
        changes = {"metadata": {"n": memory.metadata["n"] + 1}}
        store.memories.update(id_, changes, version=memory.version)

    def work(me: int) -> None:
        for turn in range(turns):
            counter = ALONE[turn % 2]
            while True:
                with suppress(VersionConflictError):
                    count_up(counter)
                    break
            with store.transaction():
                for id_ in (LEFT, RIGHT):
                    count_up(id_)
            mine = store.memories.remember({"content": f"thread {me} turn {turn}"})
            assert store.memories.get(mine.id) == mine  # a thread reads what it wrote
            pair = store.memories.get_many([LEFT, RIGHT])
            assert len({each.metadata["n"] for each in pair if each}) == 1
            found = store.memories.select(Selection(), limit=5, order="created_at").memories
            assert len(found) == 5
            assert store.memories.count(Selection()) >= 4 + turn

    in_threads(8, work)

    numbers = [store.memories.get(id_).metadata["n"] for id_ in COUNTERS]
    assert numbers == [8 * turns, 8 * turns, 4 * turns, 4 * turns]
    assert store.memories.count(Selection()) == 4 + 8 * turns
    assert is_sound(store)


def test_more_threads_than_readers_wait_for_their_turn(path: Path) -> None:
    with closing(open_store(path, readers=1)) as store:
        memory = store.memories.remember({"content": "one of many"})

        def work(_: int) -> None:
            for _ in range(100):
                assert store.memories.select(Selection(), limit=1).memories == (memory,)

        in_threads(8, work)


def test_a_failed_transaction_of_one_thread_leaves_the_others_theirs(store: SqliteStore) -> None:
    def work(me: int) -> None:
        for turn in range(20):
            with suppress(ZeroDivisionError), store.transaction():
                store.memories.remember({"content": f"{me} {turn}", "source": f"even {me % 2}"})
                if me % 2:
                    1 / 0  # noqa: B018

    in_threads(4, work)
    assert store.memories.count(Selection.of({"source": "even 0"})) == 40
    assert store.memories.count(Selection()) == 40


def test_a_scan_sees_one_state_while_others_read_and_write(path: Path) -> None:
    with closing(open_store(path)) as store:
        store.memories.remember_many({"content": f"memory {n}"} for n in range(100))
        scan = store.tables.scan("memories", batch_rows=10)
        rows = scan.read_next_batch().num_rows
        store.memories.remember({"content": "written while the scan is open"})
        assert store.memories.count(Selection()) == 101
        rows += sum(batch.num_rows for batch in scan)
        assert rows == 100


def test_rows_left_unread_do_not_hold_a_reader_in_the_past(path: Path) -> None:
    with closing(open_store(path, readers=1)) as store:
        store.memories.remember_many({"content": f"memory {n}"} for n in range(100))
        with store.tables.snapshot() as scan:
            batches = scan("memories", Selection(), batch_rows=10)
            next(batches)
        new = store.memories.remember({"content": "written after"})
        assert store.memories.get(new.id) == new

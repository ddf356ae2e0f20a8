"""A backup holds one state of a store in use; a restore swaps it in, or changes nothing."""

from __future__ import annotations

import hashlib
import threading
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from engram_lab.core.checksums import file_sha256
from engram_lab.core.errors import BackupError, StoreError
from engram_lab.core.selection import EVERYTHING
from engram_lab.core.sqlite import SqliteStore
from engram_lab.core.sqlite.backups import verify_file
from engram_lab.core.sqlite.migrations import migrations

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from engram_lab.core.reports import BackupReport

    Make = Callable[[SqliteStore, Path], BackupReport]

PAGE = 4096


def open_store(path: Path, *, read_only: bool = False) -> SqliteStore:
    return SqliteStore.open(str(path), read_only=read_only)


def by_copy(store: SqliteStore, target: Path) -> BackupReport:
    return store.backups.backup(str(target))


def by_vacuum(store: SqliteStore, target: Path) -> BackupReport:
    return store.backups.vacuum_into(str(target))


@pytest.fixture(params=[by_copy, by_vacuum])
def make(request: pytest.FixtureRequest) -> Make:
    found: Make = request.param
    return found


def fill(path: Path, word: str, number: int = 300) -> None:
    with closing(open_store(path)) as store:
        report = store.memories.remember_many(
            {"content": f"{word} {n}", "tags": [word]} for n in range(number)
        )
        store.memories.update(report.ids[0], {"content": f"{word} changed"})
        store.links.put(*report.ids[:2])


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    fill(path, "old")
    with closing(open_store(path)) as store:
        yield store


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "backup.db"


def tables_of(store: SqliteStore) -> dict[str, Any]:
    names = ("memories", "versions", "links", "workspaces")
    return {name: store.tables.scan(name, EVERYTHING).read_all() for name in names}


def test_a_backup_holds_all_and_says_so(store: SqliteStore, target: Path, make: Make) -> None:
    report = make(store, target)

    assert report.path == str(target)
    assert report.size_bytes == target.stat().st_size
    assert report.sha256 == hashlib.sha256(target.read_bytes()).hexdigest() == file_sha256(target)
    assert report.schema == len(migrations())
    assert report.last_change == store.changes.last()
    assert report.counts["memories"] == 300
    assert report.counts["versions"] == report.counts["links"] == 1
    assert verify_file(target) == report
    assert sorted(each.name for each in target.parent.glob("backup*")) == ["backup.db"]
    before = tables_of(store)
    with closing(open_store(target)) as copy:
        assert tables_of(copy) == before


def test_a_store_in_memory_is_backed_up_to_a_file(target: Path, make: Make) -> None:
    with closing(SqliteStore.open(":memory:")) as store:
        memory = store.memories.remember({"content": "kept"})
        make(store, target)
    with closing(open_store(target)) as copy:
        assert copy.memories.get(memory.id) == memory


def test_a_backup_is_of_one_state_while_a_thread_writes(store: SqliteStore, target: Path) -> None:
    stop, under_way = threading.Event(), threading.Event()

    def write() -> None:
        turn = 0
        while not stop.is_set():
            turn += 1
            with store.transaction():
                store.memories.remember_many([{"content": f"{turn} " + "x" * 3000}] * 2)
            under_way.set()

    thread = threading.Thread(target=write)
    thread.start()
    under_way.wait(10)
    for number in range(5):
        copy = target.with_name(f"backup-{number}.db")
        before = store.changes.last()
        report = store.backups.backup(str(copy))
        assert before <= report.last_change <= store.changes.last()
        assert report.counts["memories"] % 2 == 0
        with closing(open_store(copy)) as opened:
            assert all(check.ok for check in opened.doctor.examine())
    stop.set()
    thread.join()
    assert store.changes.last() > report.last_change  # the writer never had to wait for the end


def test_progress_is_told_and_may_stop_it(store: SqliteStore, target: Path) -> None:
    with store.transaction():
        store.memories.remember_many({"content": f"{n} " + "x" * 9000} for n in range(1000))
    told: list[tuple[int, int]] = []
    store.backups.backup(str(target), progress=lambda done, of: told.append((done, of)))
    assert len(told) > 1
    assert told == sorted(told)
    assert told[-1][0] == told[-1][1] == target.stat().st_size // PAGE

    def stop(done: int, of: int) -> None:
        raise KeyboardInterrupt

    other = target.with_name("other.db")
    with pytest.raises(KeyboardInterrupt):
        store.backups.backup(str(other), progress=stop)
    assert list(target.parent.glob("other*")) == []


def test_an_existing_file_is_never_written_over(
    store: SqliteStore, target: Path, make: Make
) -> None:
    target.write_text("precious")
    with pytest.raises(BackupError, match="exists: give the path of a new file"):
        make(store, target)
    assert target.read_text() == "precious"


def test_a_backup_into_no_folder_is_refused(store: SqliteStore, tmp_path: Path, make: Make) -> None:
    with pytest.raises(BackupError, match="does not exist: create it first"):
        make(store, tmp_path / "missing" / "backup.db")


def test_a_backup_inside_a_transaction_is_refused(
    store: SqliteStore, target: Path, make: Make
) -> None:
    with store.transaction():
        store.memories.remember({"content": "not committed yet"})
        with pytest.raises(StoreError, match="inside a transaction: end it first"):
            make(store, target)
    assert not target.exists()
    assert make(store, target).counts["memories"] == 301

"""A backup holds one state of a store in use; a restore swaps it in, or changes nothing."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import apsw
import pytest

from engram_lab.core.errors import BackupError, StoreBusyError, StoreError
from engram_lab.core.selection import EVERYTHING
from engram_lab.core.sqlite import SqliteStore
from engram_lab.core.sqlite.backups import file_sha256, restore_file, verify_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from engram_lab.core.reports import BackupReport

PAGE = 4096

Make = "Callable[[SqliteStore, Path], BackupReport]"


def open_store(path: Path, *, read_only: bool = False) -> SqliteStore:
    return SqliteStore.open(str(path), read_only=read_only)


def by_copy(store: SqliteStore, target: Path) -> BackupReport:
    return store.backups.backup(str(target))


def by_vacuum(store: SqliteStore, target: Path) -> BackupReport:
    return store.backups.vacuum_into(str(target))


@pytest.fixture(params=[by_copy, by_vacuum])
def make(request: pytest.FixtureRequest) -> Callable[[SqliteStore, Path], BackupReport]:
    found: Callable[[SqliteStore, Path], BackupReport] = request.param
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


def words_of(path: Path) -> set[str]:
    with closing(open_store(path)) as store:
        assert all(check.ok for check in store.doctor.examine())
        return {memory.content.split()[0] for memory in store.memories.select(EVERYTHING)}


def files_of(folder: Path) -> dict[str, bytes]:
    return {each.name: each.read_bytes() for each in folder.iterdir() if each.is_file()}


def test_a_backup_holds_all_and_says_so(
    store: SqliteStore, target: Path, make: Callable[[SqliteStore, Path], BackupReport]
) -> None:
    report = make(store, target)

    assert report.path == str(target)
    assert report.size_bytes == target.stat().st_size
    assert report.sha256 == hashlib.sha256(target.read_bytes()).hexdigest() == file_sha256(target)
    assert report.schema == 1
    assert report.last_change == store.changes.last()
    assert report.counts["memories"] == 300
    assert report.counts["versions"] == report.counts["links"] == 1
    assert verify_file(target) == report
    assert sorted(each.name for each in target.parent.glob("backup*")) == ["backup.db"]
    before = tables_of(store)
    with closing(open_store(target)) as copy:
        assert tables_of(copy) == before


def test_a_store_in_memory_is_backed_up_to_a_file(
    target: Path, make: Callable[[SqliteStore, Path], BackupReport]
) -> None:
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
    store: SqliteStore, target: Path, make: Callable[[SqliteStore, Path], BackupReport]
) -> None:
    target.write_text("precious")
    with pytest.raises(BackupError, match="exists: give the path of a new file"):
        make(store, target)
    assert target.read_text() == "precious"


def test_a_backup_into_no_folder_is_refused(
    store: SqliteStore, tmp_path: Path, make: Callable[[SqliteStore, Path], BackupReport]
) -> None:
    with pytest.raises(BackupError, match="does not exist: create it first"):
        make(store, tmp_path / "missing" / "backup.db")


def test_a_backup_inside_a_transaction_is_refused(
    store: SqliteStore, target: Path, make: Callable[[SqliteStore, Path], BackupReport]
) -> None:
    with store.transaction():
        store.memories.remember({"content": "not committed yet"})
        with pytest.raises(StoreError, match="inside a transaction: end it first"):
            make(store, target)
    assert not target.exists()
    assert make(store, target).counts["memories"] == 301


@pytest.mark.parametrize(
    ("damage", "match"),
    [
        (lambda file: file.write_bytes(b""), "does not verify"),
        (lambda file: file.write_text("Dear diary"), "does not verify"),
        (lambda file: file.unlink(), "does not exist"),
        (lambda file: os.truncate(file, file.stat().st_size // 2), "does not verify"),
        (lambda file: overwrite(file, file.stat().st_size // PAGE // 2), "does not verify"),
        (lambda file: set_pragma(file, "application_id = 7"), "another program"),
        (lambda file: set_pragma(file, "user_version = 99"), "this version knows up to"),
    ],
    ids=["empty", "text", "missing", "truncated", "noise", "another's", "newer"],
)
def test_a_damaged_backup_is_refused_and_the_store_stays(
    store: SqliteStore, path: Path, target: Path, damage: Callable[[Path], object], match: str
) -> None:
    store.backups.backup(str(target))
    store.close()
    damage(target)
    before = files_of(path.parent)
    with pytest.raises(BackupError, match=match):
        verify_file(target)
    with pytest.raises(BackupError, match=match):
        restore_file(target, path)
    assert files_of(path.parent) == before


def overwrite(file: Path, page: int) -> None:
    with file.open("rb+") as stream:
        stream.seek(page * PAGE)
        stream.write(b"\xa5" * PAGE)


def set_pragma(file: Path, pragma: str) -> None:
    with closing(apsw.Connection(str(file))) as connection:
        connection.execute(f"PRAGMA {pragma}")


def test_a_store_in_use_is_no_backup(store: SqliteStore, path: Path, tmp_path: Path) -> None:
    store.memories.remember({"content": "still in the log"})
    with pytest.raises(BackupError, match=r"is a store, not a backup: .* memory\.db-wal"):
        restore_file(path, tmp_path / "other.db")
    assert not (tmp_path / "other.db").exists()


def test_a_restore_swaps_the_file_and_keeps_the_old_one(
    store: SqliteStore, path: Path, target: Path
) -> None:
    made = store.backups.backup(str(target))
    store.close()
    path.unlink()
    fill(path, "new")

    first = restore_file(target, path)

    assert first.path == str(path)
    assert first.backup == made
    assert file_sha256(path) == made.sha256
    assert first.kept == f"{path}.before-restore-1"
    assert words_of(Path(first.kept)) == {"new"}
    assert words_of(path) == {"old"}
    assert restore_file(Path(first.kept), path).kept == f"{path}.before-restore-2"
    assert words_of(path) == {"new"}


def test_a_restore_to_a_new_place_keeps_nothing(
    store: SqliteStore, target: Path, tmp_path: Path
) -> None:
    store.backups.backup(str(target))
    assert restore_file(target, tmp_path / "elsewhere.db").kept is None
    assert words_of(tmp_path / "elsewhere.db") == {"old"}


def test_a_restore_keeps_what_a_crash_left_in_the_log(
    store: SqliteStore, path: Path, target: Path, tmp_path: Path
) -> None:
    store.backups.backup(str(target))
    store.memories.remember({"content": "late but acknowledged"})
    crashed = tmp_path / "crashed.db"
    for suffix in ("", "-wal"):
        shutil.copy(f"{path}{suffix}", f"{crashed}{suffix}")
    kept = restore_file(target, crashed).kept
    assert words_of(crashed) == {"old"}
    assert kept is not None
    assert words_of(Path(kept)) == {"old", "late"}


def test_a_log_without_its_file_is_not_replayed_into_the_restored_one(
    store: SqliteStore, path: Path, target: Path, tmp_path: Path
) -> None:
    store.backups.backup(str(target))
    store.memories.remember({"content": "late"})
    lost = tmp_path / "lost.db"
    shutil.copy(f"{path}-wal", f"{lost}-wal")
    log = Path(f"{lost}-wal").read_bytes()
    restore_file(target, lost)
    assert words_of(lost) == {"old"}
    assert Path(f"{lost}.before-restore-1-wal").read_bytes() == log


@pytest.mark.parametrize(
    "damage",
    [
        lambda file: file.write_text("Dear diary"),
        lambda file: os.truncate(file, 3 * PAGE),
        lambda file: overwrite(file, 0),
        lambda file: overwrite(file, 1),
        lambda file: overwrite(file, 7),
    ],
    ids=["text", "truncated", "header", "schema", "noise"],
)
def test_a_damaged_store_is_replaced_and_kept(
    store: SqliteStore, path: Path, target: Path, damage: Callable[[Path], object]
) -> None:
    made = store.backups.backup(str(target))
    store.close()
    damage(path)
    kept = restore_file(target, path).kept
    assert kept is not None
    assert Path(kept).stat().st_size
    assert file_sha256(path) == made.sha256
    assert words_of(path) == {"old"}


HOLDER = r"""
import sys
from engram_lab.core.selection import Selection
from engram_lab.core.sqlite import SqliteStore
store = SqliteStore.open(sys.argv[1], read_only=sys.argv[2] == "reader")
print(store.memories.count(Selection()), flush=True)
sys.stdin.readline()
print(store.memories.count(Selection()))
"""


@pytest.mark.parametrize("holder", ["reader", "writer"])
def test_a_store_open_in_another_process_is_not_replaced(
    store: SqliteStore, path: Path, target: Path, holder: str
) -> None:
    store.backups.backup(str(target))
    store.close()
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path), holder],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "300\n"
        before = files_of(path.parent)
        with pytest.raises(StoreBusyError, match="open in another program: close that first"):
            restore_file(target, path)
        assert files_of(path.parent) == before
        process.stdin.write("go on\n")
        process.stdin.close()
        assert process.stdout.readline() == "300\n"
    restore_file(target, path)


def test_a_store_open_in_this_process_is_not_replaced(
    store: SqliteStore, path: Path, target: Path
) -> None:
    store.backups.backup(str(target))
    before = files_of(path.parent)
    with pytest.raises(StoreBusyError, match="close that first"):
        restore_file(target, path)
    assert files_of(path.parent) == before
    store.memories.remember({"content": "the store goes on"})


def test_a_restore_that_cannot_be_written_leaves_no_trace(
    store: SqliteStore, path: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.backups.backup(str(target))
    store.close()
    before = files_of(path.parent)

    def full(source: Path, copy: Path) -> None:
        copy.write_bytes(source.read_bytes()[:100])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "copyfile", full)
    with pytest.raises(BackupError, match="is what it was before: .*No space left"):
        restore_file(target, path)
    assert files_of(path.parent) == before


@pytest.mark.parametrize("place", [".", "missing/memory.db"])
def test_a_restore_to_no_place_for_a_file_is_refused(
    store: SqliteStore, target: Path, tmp_path: Path, place: str
) -> None:
    store.backups.backup(str(target))
    with pytest.raises(BackupError, match="give the path of one in a folder"):
        restore_file(target, tmp_path / place)

"""A restore swaps a verified backup in and keeps the old file, or changes nothing."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
import warnings
from contextlib import closing
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import apsw
import pytest

from engram_lab.core.checksums import file_sha256
from engram_lab.core.errors import BackupError, StoreBusyError
from engram_lab.core.selection import EVERYTHING
from engram_lab.core.sqlite import SqliteStore
from engram_lab.core.sqlite.backups import restore_file, verify_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PAGE = 4096


def open_store(path: Path, *, read_only: bool = False) -> SqliteStore:
    return SqliteStore.open(str(path), read_only=read_only)


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


def words_of(path: Path) -> set[str]:
    with closing(open_store(path)) as store:
        assert all(check.ok for check in store.doctor.examine())
        return {
            memory.content.split()[0] for memory in store.memories.select(EVERYTHING, limit=1000)
        }


def files_of(folder: Path) -> dict[str, bytes]:
    return {each.name: each.read_bytes() for each in folder.iterdir() if each.is_file()}


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
    with pytest.raises(BackupError, match=r"is what it was before: .*No space left"):
        restore_file(target, path)
    assert files_of(path.parent) == before


@pytest.mark.parametrize("place", [".", "missing/memory.db"])
def test_a_restore_to_no_place_for_a_file_is_refused(
    store: SqliteStore, target: Path, tmp_path: Path, place: str
) -> None:
    store.backups.backup(str(target))
    with pytest.raises(BackupError, match="give the path of one in a folder"):
        restore_file(target, tmp_path / place)


def restore_in_child(backup: Path, target: Path) -> int:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the test runner has threads
        child = os.fork()
    if child == 0:
        restore_file(backup, target)
        os._exit(0)
    return child


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_restore_killed_at_any_moment_leaves_the_old_or_the_new(
    store: SqliteStore, path: Path, target: Path, tmp_path: Path
) -> None:
    store.backups.backup(str(target))
    store.close()
    other = tmp_path / "other.db"
    fill(other, "new")
    chance = Random(1)  # noqa: S311 - it picks moments, not secrets
    begun = time.perf_counter()
    os.waitpid(restore_in_child(target, path), 0)
    duration = time.perf_counter() - begun
    seen = set()
    for turn in range(40):
        child = restore_in_child((other, target)[turn % 2], path)
        time.sleep(chance.random() * duration * 1.5)
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        assert status in {0, signal.SIGKILL}
        (word,) = words_of(path)
        seen.add(word)
    assert seen == {"old", "new"}

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

import pytest

from engram_lab import Engine
from engram_lab.core.errors import (
    BackupError,
    ConflictError,
    InvalidInputError,
    NotFoundError,
    StoreBusyError,
)
from engram_lab.core.selection import Selection
from engram_lab.serve.backups.shelf import Shelf
from engram_lab.serve.backups.storehouse import Entry, Storehouse, StorehouseError
from engram_lab.serve.backups.tenant_backups import TenantBackups
from engram_lab.serve.backups.watch import BackupStoppedError, Watch

if TYPE_CHECKING:
    from engram_lab.config import BackupSettings
    from engram_lab.core.clock import ManualClock

ONE = "01890000-0000-7000-8000-000000000001"
TWO = "01890000-0000-7000-8000-000000000002"


def files(tmp_path: Path, tenant: str = ONE) -> list[Path]:
    return sorted((tmp_path / "kept" / "tenants" / tenant / "db").iterdir())


def rooms(tmp_path: Path) -> list[Path]:
    return list((tmp_path / "scratch").glob("backup-*"))


def sealed(tmp_path: Path, name: str, tenant: str = ONE) -> Path:
    return tmp_path / "kept" / "tenants" / tenant / "db" / f"{name}.sealed"


def test_a_backup_comes_back_with_all_that_was_remembered(
    backups: TenantBackups, engine: Engine, tmp_path: Path
) -> None:
    made = backups.make(ONE, engine).backup
    target = tmp_path / "back.db"

    restored = backups.restore(ONE, made.name, target)

    assert (restored.path, restored.kept) == (str(target), None)
    with Engine.open(target) as back:
        assert [each.content for each in back.store.memories.select(Selection())] == [
            each.content for each in engine.store.memories.select(Selection())
        ]
    assert rooms(tmp_path) == []


def test_what_is_kept_has_the_documented_names_and_shows_no_memory(
    backups: TenantBackups, engine: Engine, tmp_path: Path
) -> None:
    made = backups.make(ONE, engine).backup

    assert [each.name for each in files(tmp_path)] == [f"{made.name}.json", f"{made.name}.sealed"]
    assert made.name.startswith("20260501T120000000000Z_v")
    assert not any(b"of the sea" in each.read_bytes() for each in files(tmp_path))
    assert backups.all(ONE) == (made,)
    label = made.label
    assert label is not None
    assert (label.tenant_id, label.counts["memories"]) == (ONE, 20)
    assert label.key_id == backups.key_file.read().newest.id


def test_s3_keeps_backups_as_a_folder_does(
    s3: BackupSettings, settings: BackupSettings, engine: Engine, clock: ManualClock, tmp_path: Path
) -> None:
    backups = TenantBackups(
        replace(s3, key_file=settings.key_file, keep=1), clock=clock, scratch=tmp_path / "scratch"
    )
    first, second = (backups.make(ONE, engine).backup for _ in range(2))

    assert [each.name for each in backups.all(ONE)] == [second.name, first.name]
    assert backups.verify(ONE, first.name).label == first.label
    assert backups.restore(ONE, second.name, tmp_path / "back.db").label == second.label
    assert backups.drill(ONE, Engine.open).ok
    assert backups.prune(ONE) == (first.name,)
    assert backups.erase(ONE) == 1
    assert backups.all(ONE) == ()


def test_writes_go_on_while_a_backup_is_made_and_never_begin_it_anew(
    backups: TenantBackups, engine: Engine, tmp_path: Path
) -> None:
    engine.remember_many([{"content": f"{'salt ' * 200}{number}"} for number in range(2_000)])
    held, going = engine.store.memories.count(Selection()), Event()
    written: list[str] = []
    copied: list[int] = []

    def write() -> None:
        while not going.is_set() and len(written) < 400:  # an end, where it begins anew each time
            written.append(engine.remember(f"written meanwhile {len(written)}").id)

    def slowly(step: str, done: int, total: int) -> None:
        if step == "copy":
            copied.append(done)
            time.sleep(0.02)

    writer = Thread(target=write)
    writer.start()
    try:
        made = backups.make(ONE, engine, watch=Watch(progress=slowly)).backup
    finally:
        going.set()
        writer.join()

    assert len(copied) > 1
    assert copied == sorted(set(copied))
    backups.restore(ONE, made.name, tmp_path / "back.db")
    with Engine.open(tmp_path / "back.db") as back:
        kept = {each.id for each in back.store.memories.select(Selection(), limit=10_000)}
    early = [id_ for id_ in written if id_ in kept]
    assert early == written[: len(early)]  # of one moment: what was written until then
    assert len(kept) == held + len(early)
    assert len(written) > len(early)


def test_two_backups_at_the_same_moment_both_stay(backups: TenantBackups, engine: Engine) -> None:
    made: list[str] = []
    threads = [
        Thread(target=lambda: made.append(backups.make(ONE, engine).backup.name)) for _ in range(4)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert len(set(made)) == 4
    assert {each.name for each in backups.all(ONE)} == set(made)


def test_a_clock_that_runs_back_leaves_the_newest_the_newest(
    backups: TenantBackups, engine: Engine, clock: ManualClock
) -> None:
    first = backups.make(ONE, engine).backup
    clock.advance(days=-30)
    second = backups.make(ONE, engine).backup

    assert [each.name for each in backups.all(ONE)] == [second.name, first.name]


def test_another_tenants_backup_is_refused(
    backups: TenantBackups, engine: Engine, tmp_path: Path
) -> None:
    made = backups.make(ONE, engine).backup
    place = sealed(tmp_path, made.name, TWO)
    place.parent.mkdir(parents=True)
    place.write_bytes(sealed(tmp_path, made.name).read_bytes())

    for deed in (
        lambda: backups.verify(TWO, made.name),
        lambda: backups.restore(TWO, made.name, tmp_path / "back.db"),
    ):
        with pytest.raises(BackupError, match="another backup than its name and place say") as said:
            deed()
        assert ONE not in str(said.value)
    assert not (tmp_path / "back.db").exists()
    assert not backups.drill(TWO, Engine.open).ok


def test_an_old_backup_under_a_new_name_is_refused(
    backups: TenantBackups, engine: Engine, tmp_path: Path
) -> None:
    old = backups.make(ONE, engine).backup
    engine.remember("something that the old one knows nothing of")
    new = backups.make(ONE, engine).backup
    sealed(tmp_path, new.name).write_bytes(sealed(tmp_path, old.name).read_bytes())

    with pytest.raises(BackupError, match="another backup than its name"):
        backups.verify(ONE, new.name)


def test_a_forged_record_changes_nothing_that_is_believed(
    backups: TenantBackups, engine: Engine, tmp_path: Path
) -> None:
    made = backups.make(ONE, engine).backup
    record = tmp_path / "kept" / "tenants" / ONE / "db" / f"{made.name}.json"
    for forged in (b'{"tenant_id": 7}', b"rubbish", b"", b"[]"):
        record.write_bytes(forged)
        assert backups.all(ONE)[0].label is None
        assert backups.verify(ONE, made.name).label == made.label
    record.unlink()
    assert [each.name for each in backups.all(ONE)] == [made.name]


def test_a_changed_backup_is_found_and_leaves_the_target_alone(
    backups: TenantBackups, engine: Engine, tmp_path: Path
) -> None:
    made = backups.make(ONE, engine).backup
    text = bytearray(sealed(tmp_path, made.name).read_bytes())
    text[len(text) // 2] ^= 1
    sealed(tmp_path, made.name).write_bytes(text)

    with pytest.raises(BackupError, match="damaged or was changed"):
        backups.restore(ONE, made.name, tmp_path / "back.db")
    assert not (tmp_path / "back.db").exists()
    assert backups.all(ONE)[0].verified_at is None
    report = backups.drill(ONE, Engine.open)
    assert report.problems == (
        "the backup is damaged or was changed: it does not open with its key",
    )


def test_after_a_rotation_old_backups_open_and_new_ones_have_the_new_key(
    backups: TenantBackups, engine: Engine, clock: ManualClock
) -> None:
    old = backups.make(ONE, engine).backup
    key = backups.key_file.rotate(clock.now())
    new = backups.make(ONE, engine).backup

    assert backups.verify(ONE, old.name).label.key_id != key.id
    assert backups.verify(ONE, new.name).label.key_id == key.id


def test_a_lost_key_is_one_sentence_and_no_new_one_takes_its_place(
    backups: TenantBackups, engine: Engine
) -> None:
    made = backups.make(ONE, engine).backup
    backups.key_file.path.unlink()

    for deed in (
        lambda: backups.make(ONE, engine),
        lambda: backups.verify(ONE, made.name),
        lambda: backups.make(TWO, engine),
    ):
        with pytest.raises(BackupError, match="the key of the backups is missing"):
            deed()
    assert not backups.key_file.exists()


def test_a_database_that_is_there_is_replaced_only_when_that_is_said(
    backups: TenantBackups, engine: Engine, tmp_path: Path
) -> None:
    made = backups.make(ONE, engine).backup
    target = tmp_path / "another.db"
    with Engine.open(target) as other:
        other.remember("what stood there before")

    with pytest.raises(ConflictError, match="say that it is to be replaced"):
        backups.restore(ONE, made.name, target)
    with Engine.open(target) as other:
        assert len(other.store.memories.select(Selection())) == 1
        with pytest.raises(StoreBusyError):
            backups.restore(ONE, made.name, target, replace=True)

    restored = backups.restore(ONE, made.name, target, replace=True)
    with Engine.open(target) as back:
        assert len(back.store.memories.select(Selection())) == 20
        assert len(back.recall("memory of the sea", 30)) == 20  # its indexes are its own
    assert restored.kept is not None
    with Engine.open(restored.kept) as before:
        assert [each.content for each in before.store.memories.select(Selection())] == [
            "what stood there before"
        ]


def test_names_that_are_none_and_names_that_are_absent_are_told_apart(
    backups: TenantBackups, engine: Engine, tmp_path: Path
) -> None:
    backups.make(ONE, engine)
    with pytest.raises(InvalidInputError, match="no name of a backup"):
        backups.verify(ONE, "../../../etc/passwd")
    with pytest.raises(InvalidInputError, match="no id of a tenant"):
        backups.all("../..")
    with pytest.raises(NotFoundError, match="no such backup"):
        backups.verify(ONE, "20200101T000000000000Z_v1.sqlite")
    with pytest.raises(NotFoundError, match="make one"):
        backups.drill(TWO, Engine.open)


def test_the_newest_stay_and_the_newest_that_was_read_back(
    backups: TenantBackups, engine: Engine, clock: ManualClock, tmp_path: Path
) -> None:
    names = []
    for _ in range(6):
        names.append(backups.make(ONE, engine).backup.name)
        clock.advance(days=1)
    backups.verify(ONE, names[0])
    backups.verify(ONE, names[1])

    assert backups.prune(ONE) == (names[2], names[0])
    assert [each.name for each in backups.all(ONE)] == [names[5], names[4], names[3], names[1]]
    assert {each.name.split(".")[0] for each in files(tmp_path)} == {
        name.split(".")[0] for name in [*names[3:], names[1]]
    }
    backups.verify(ONE, names[5])
    assert backups.prune(ONE) == (names[1],)


def test_pruning_one_tenant_leaves_another_alone(backups: TenantBackups, engine: Engine) -> None:
    other = [backups.make(TWO, engine).backup.name for _ in range(5)]
    for _ in range(5):
        backups.make(ONE, engine)
    backups.prune(ONE)
    assert backups.erase(ONE) == 3
    assert [each.name for each in backups.all(TWO)] == other[::-1]


def test_a_name_that_was_claimed_and_never_used_is_given_up_after_a_day(
    backups: TenantBackups, engine: Engine, clock: ManualClock, tmp_path: Path
) -> None:
    made = backups.make(ONE, engine).backup
    sealed(tmp_path, made.name).unlink()
    assert backups.all(ONE) == ()

    backups.prune(ONE)
    assert len(files(tmp_path)) == 1  # it may be on its way
    clock.advance(days=2)
    backups.prune(ONE)
    assert files(tmp_path) == []


@pytest.mark.parametrize("where", ["copy", "store"])
def test_a_stopped_backup_leaves_nothing(
    backups: TenantBackups, engine: Engine, tmp_path: Path, where: str
) -> None:
    stop = Event()

    def progress(step: str, done: int, total: int) -> None:
        if step == where:
            stop.set()

    with pytest.raises(BackupStoppedError):
        backups.make(ONE, engine, watch=Watch(progress=progress, stop=stop))
    assert rooms(tmp_path) == []
    assert list((tmp_path / "kept").rglob("*.*")) == []
    assert backups.make(ONE, engine).backup.name  # the database is as usable as before


def test_the_first_key_is_made_also_where_other_things_are_kept(
    backups: TenantBackups, engine: Engine, tmp_path: Path
) -> None:
    (tmp_path / "kept" / "of-somebody-else").write_text("x")
    assert backups.make(ONE, engine).backup.label is not None
    assert backups.key_file.exists()


def test_a_scratch_folder_that_cannot_be_is_said(
    settings: BackupSettings, engine: Engine, clock: ManualClock, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("x")
    backups = TenantBackups(settings, clock=clock, scratch=tmp_path / "file" / "scratch")
    with pytest.raises(BackupError, match="cannot be written"):
        backups.make(ONE, engine)


def test_a_stopped_restore_leaves_the_target_alone(
    backups: TenantBackups, engine: Engine, tmp_path: Path
) -> None:
    made = backups.make(ONE, engine).backup
    stop = Event()
    stop.set()
    for deed in (
        lambda: backups.restore(ONE, made.name, tmp_path / "b.db", watch=Watch(stop=stop)),
        lambda: backups.drill(ONE, Engine.open, watch=Watch(stop=stop)),
    ):
        with pytest.raises(BackupStoppedError):
            deed()
    assert not (tmp_path / "b.db").exists()
    assert rooms(tmp_path) == []


def test_progress_is_told_of_every_step(backups: TenantBackups, engine: Engine) -> None:
    told: list[tuple[str, int, int]] = []
    watch = Watch(progress=lambda *step: told.append(step))
    made = backups.make(ONE, engine, watch=watch).backup
    backups.verify(ONE, made.name, watch=watch)

    ends = {step: (done, total) for step, done, total in told}
    assert list(ends) == ["copy", "store", "fetch"]
    assert all(done == total for done, total in ends.values())
    assert ends["store"] == (made.size_bytes, made.size_bytes)


def test_a_dead_place_leaves_nothing_half(
    s3: BackupSettings, settings: BackupSettings, engine: Engine, clock: ManualClock, tmp_path: Path
) -> None:
    alive = replace(s3, key_file=settings.key_file)
    TenantBackups(alive, clock=clock, scratch=tmp_path / "scratch").make(ONE, engine)
    dead = replace(alive, s3_endpoint="http://127.0.0.1:9")
    backups = TenantBackups(dead, clock=clock, scratch=tmp_path / "scratch")

    with pytest.raises(StorehouseError, match="does not answer"):
        backups.make(ONE, engine)
    assert rooms(tmp_path) == []
    assert engine.remember("and the database is still in use").id


def test_a_drill_measures_and_counts(
    backups: TenantBackups, engine: Engine, clock: ManualClock, tmp_path: Path
) -> None:
    forgotten = engine.remember("to be forgotten <private>and never told</private>")
    engine.forget(forgotten.id)
    backups.make(ONE, engine)
    clock.advance(hours=3)

    report = backups.drill(ONE, lambda file: Engine.open(file, clock=clock))

    assert report.problems == ()
    assert (report.counts["memories"], report.checked) == (21, 21)
    assert report.age_s == timedelta(hours=3).total_seconds()
    assert report.seconds == pytest.approx(report.fetch_s + report.open_s + report.recall_s)
    assert 0 < report.fetch_s < 60
    assert backups.all(ONE)[0].verified_at is not None
    assert rooms(tmp_path) == []


def test_a_drill_on_an_engine_that_forgot_something_says_so(
    backups: TenantBackups, engine: Engine
) -> None:
    backups.make(ONE, engine)

    def lossy(file: Path) -> Engine:
        opened = Engine.open(file)
        page = opened.store.memories.select(Selection(), limit=2)
        opened.purge([each.id for each in page])
        return opened

    report = backups.drill(ONE, lossy)
    assert not report.ok
    assert "18 memories were restored, of 20" in report.problems


class Mute(Engine):
    """Finds nothing, whatever it is asked."""

    def recall(self, query: str, k: int | None = None, **chosen: Any) -> Any:
        return super().recall("zzzzzz", k, strategy="keyword")


def test_a_drill_on_an_engine_that_answers_nothing_says_so(
    backups: TenantBackups, engine: Engine
) -> None:
    backups.make(ONE, engine)
    report = backups.drill(ONE, Mute.open)
    assert report.problems == ("none of 20 questions was answered",)


def test_a_drill_finds_what_was_ill_when_it_was_copied(
    backups: TenantBackups, engine: Engine, tmp_path: Path
) -> None:
    with closing(sqlite3.connect(tmp_path / "live" / "engram.db")) as other, other:
        other.execute("UPDATE memories SET content_hash = 'x' WHERE rowid = 3")
    backups.make(ONE, engine)
    report = backups.drill(ONE, Engine.open)
    assert not report.ok
    assert report.checked == 19
    assert "1 memories say something else than their hashes" in report.problems


class Blind(Storehouse):
    """Lists nothing, as somebody sees it who looked just before another put something."""

    def list(self, folder: str) -> list[Entry]:
        return []


def test_of_two_who_claim_a_name_at_once_the_second_takes_the_next(
    settings: BackupSettings, engine: Engine, clock: ManualClock, tmp_path: Path
) -> None:
    shelf = Shelf(Blind.at(settings), clock)
    report = engine.backup(tmp_path / "copy.db")

    names = [shelf.claim(ONE, report, "0" * 16).name for _ in range(3)]

    assert names == sorted(set(names))
    assert [each.name for each in files(tmp_path)] == [f"{name}.json" for name in names]


KILLED = r"""
import os, sys
from pathlib import Path
from engram_lab import Engine
from engram_lab.config import BackupSettings, EngineConfig
from engram_lab.core.clock import SystemClock
from engram_lab.serve.backups.tenant_backups import TenantBackups
from engram_lab.serve.backups.watch import Watch

place, key, scratch, tenant, where = sys.argv[1:]
def progress(step, done, total):
    if step == where and (done or where == "copy"):
        print("here", flush=True)
        sys.stdin.read()
settings = BackupSettings(place=place, key_file=key)
config = EngineConfig.from_dict({"embedding": {"model": "none"}})
engine = Engine.open(Path(scratch).parent / "killed.db", config=config)
engine.remember_many([{"content": f"{'salt ' * 500}{n}"} for n in range(60)])
backups = TenantBackups(settings, clock=SystemClock(), scratch=Path(scratch))
backups.make(tenant, engine, watch=Watch(progress=progress))
"""


@pytest.mark.parametrize("where", ["copy", "store"])
def test_a_kill_in_the_middle_leaves_the_place_in_order_and_scratch_is_emptied_at_the_next_start(
    open_backups: Callable[[], TenantBackups],
    settings: BackupSettings,
    engine: Engine,
    clock: ManualClock,
    tmp_path: Path,
    where: str,
) -> None:
    before = open_backups().make(ONE, engine).backup
    assert settings.place is not None
    arguments = [settings.place, settings.key_file, str(tmp_path / "scratch"), ONE, where]
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ,
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"here\n"
        open_backups()  # another process starts: what is in use there stays
        assert len(rooms(tmp_path)) == 1
        child.send_signal(signal.SIGKILL)

    assert len(rooms(tmp_path)) == 1
    backups = open_backups()
    assert rooms(tmp_path) == []
    assert [each.name for each in backups.all(ONE)] == [before.name]
    after = backups.make(ONE, engine).backup
    assert backups.all(ONE)[0].name == after.name > before.name
    assert backups.drill(ONE, Engine.open).ok
    clock.advance(days=40_000)  # the killed one had the machine's clock
    backups.prune(ONE)
    assert {each.name.split(".")[0] for each in files(tmp_path)} == {
        each.name.split(".")[0] for each in (before, after)
    }

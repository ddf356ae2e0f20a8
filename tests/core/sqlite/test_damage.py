"""Damaged files, and files of others: refused or found, never a crash, and left as they are."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing, suppress
from random import Random
from typing import TYPE_CHECKING

import pytest

from engram_lab.core.clock import ManualClock
from engram_lab.core.errors import (
    NotAnEngramFileError,
    NotFoundError,
    SchemaTooNewError,
    StoreCorruptError,
    StoreError,
)
from engram_lab.core.selection import EVERYTHING, Selection
from engram_lab.core.settings import StoreSettings
from engram_lab.core.sqlite import SqliteStore

if TYPE_CHECKING:
    from pathlib import Path

PAGE = 4096


def open_store(path: Path, *, read_only: bool = False) -> SqliteStore:
    return SqliteStore.open(str(path), read_only=read_only)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of a store, the same in every run."""
    path = tmp_path_factory.mktemp("sound") / "memory.db"
    opened = SqliteStore.open(str(path), settings=StoreSettings(seed=1), clock=ManualClock())
    with closing(opened) as store:
        report = store.memories.remember_many(
            {
                "content": f"memory {n} " + "word " * (n % 40),
                "tags": [f"t{n % 7}"],
                "metadata": {"n": n},
            }
            for n in range(200)
        )
        for id_, other in zip(report.ids[::3], report.ids[1::3], strict=False):
            store.memories.update(id_, {"content": "changed", "metadata": {"changed": [1, 2]}})
            store.links.put(id_, other)
        assert faults_of(store) == []
    return path.read_bytes()


def read_all(store: SqliteStore) -> None:
    for name in ("memories", "versions", "links"):
        store.tables.scan(name, EVERYTHING).read_all()
    store.memories.match_text(["word", "changed"], Selection(), 10)
    store.memories.aggregate(Selection(), "tag")
    for memory in store.memories.select(EVERYTHING, limit=1000):
        store.memories.get(memory.id)
        store.memories.history(memory.id)


def faults_of(store: SqliteStore) -> list[str]:
    return [check.name for check in store.doctor.examine() if not check.ok]


def met(path: Path) -> str:
    """Open a damaged file, read it and have it examined; only what we raise on purpose may come."""
    try:
        with closing(open_store(path)) as store:
            with suppress(StoreError, NotFoundError):
                read_all(store)
            return f"doctor: {', '.join(faults_of(store))}"
    except StoreError as error:
        return type(error).__name__


@pytest.mark.parametrize("seed", range(12))
def test_a_page_of_noise_is_found(sound: bytes, path: Path, seed: int) -> None:
    chance = Random(seed)  # noqa: S311
    start = chance.randrange(1, len(sound) // PAGE) * PAGE
    path.write_bytes(sound[:start] + chance.randbytes(PAGE) + sound[start + PAGE :])
    assert met(path) == "StoreCorruptError" or met(path).startswith("doctor: file")


@pytest.mark.parametrize("seed", range(40))
def test_flipped_bytes_never_crash_the_reader(sound: bytes, path: Path, seed: int) -> None:
    chance = Random(seed)  # noqa: S311
    damaged = bytearray(sound)
    for _ in range(chance.choice([1, 8, 64])):
        damaged[chance.randrange(PAGE, len(damaged))] ^= 1 << chance.randrange(8)
    path.write_bytes(damaged)
    assert met(path)


def test_an_altered_text_is_found_though_every_page_is_sound(sound: bytes, path: Path) -> None:
    assert sound.count(b"memory 124 ") == 1
    path.write_bytes(sound.replace(b"memory 124 ", b"memory 421 "))
    assert met(path) == "doctor: contents, text index"


def test_an_altered_text_of_the_past_is_found(sound: bytes, path: Path) -> None:
    assert sound.count(b"memory 123 ") == 1  # 123 was updated, 124 was not
    path.write_bytes(sound.replace(b"memory 123 ", b"memory 321 "))
    assert met(path) == "doctor: contents"


@pytest.mark.parametrize(
    ("before", "after"),
    [(b"memory 124 ", b"memory \xff\xfe4 "), (b'{"n":124}', b'{"n":12"}')],
    ids=["no text", "no JSON"],
)
def test_what_cannot_be_read_is_called_damaged(
    sound: bytes, path: Path, before: bytes, after: bytes
) -> None:
    path.write_bytes(sound.replace(before, after))
    with closing(open_store(path)) as store:
        with pytest.raises(StoreCorruptError, match="engram backup restore"):
            store.memories.select(Selection(), limit=1000)
        with pytest.raises(StoreCorruptError):
            store.doctor.repair()
        assert "contents" in faults_of(store)


@pytest.mark.parametrize("length", [PAGE // 2, PAGE, 5 * PAGE + 17, -PAGE])
def test_a_truncated_file_is_refused_and_left_alone(sound: bytes, path: Path, length: int) -> None:
    path.write_bytes(sound[:length])
    for read_only in (False, True):
        with pytest.raises(StoreError) as raised:
            open_store(path, read_only=read_only)
        assert isinstance(raised.value, StoreCorruptError | NotAnEngramFileError)
    assert path.read_bytes() == sound[:length]


def test_a_file_truncated_within_its_last_page_is_found(sound: bytes, path: Path) -> None:
    path.write_bytes(sound[: -PAGE // 2])
    assert met(path) == "StoreCorruptError" or met(path).startswith("doctor: file")


def contents(folder: Path) -> dict[str, bytes]:
    """Return the files of a folder, without what SQLite needs to read: an empty log, its index."""
    files = {each.name: each.read_bytes() for each in folder.iterdir() if each.suffix != ".db-shm"}
    return {name: content for name, content in files.items() if content or name.endswith(".db")}


def is_refused(path: Path, error: type[Exception], match: str) -> None:
    before = contents(path.parent)
    for read_only in (False, True):
        with pytest.raises(error, match=match):
            open_store(path, read_only=read_only)
    assert contents(path.parent) == before


def make_foreign(path: Path) -> sqlite3.Connection:
    foreign = sqlite3.connect(path, isolation_level=None)
    foreign.executescript("CREATE TABLE songs (title); INSERT INTO songs VALUES ('Ada')")
    return foreign


def test_the_database_of_another_program_is_refused_and_left_alone(path: Path) -> None:
    make_foreign(path).close()
    is_refused(path, NotAnEngramFileError, "a database of another program")


def test_a_marked_database_of_another_program_is_refused(path: Path) -> None:
    with closing(sqlite3.connect(path)) as foreign:
        foreign.execute("PRAGMA application_id = 7")
    is_refused(path, NotAnEngramFileError, "a database of another program")


def test_the_log_that_another_program_left_is_left_to_it(tmp_path: Path, path: Path) -> None:
    origin = tmp_path / "crashed" / "other.db"
    origin.parent.mkdir()
    with closing(make_foreign(origin)) as foreign:
        foreign.execute("PRAGMA journal_mode = wal")
        foreign.execute("INSERT INTO songs VALUES ('Grace')")
        path = tmp_path / "found" / "other.db"
        path.parent.mkdir()
        for name in ("other.db", "other.db-wal"):
            shutil.copy(origin.with_name(name), path.with_name(name))
    assert (path.parent / "other.db-wal").stat().st_size

    is_refused(path, NotAnEngramFileError, "a database of another program")

    with closing(sqlite3.connect(path)) as foreign:
        assert foreign.execute("SELECT count(*) FROM songs").fetchall() == [(2,)]


@pytest.mark.parametrize(
    "content", [b"xy", b"Dear diary\n" * 1000, b"SQLite format 3\0", bytes(PAGE)]
)
def test_a_file_that_is_no_database_is_refused_and_left_alone(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    is_refused(path, NotAnEngramFileError, "no SQLite database")


def test_the_file_of_a_newer_version_is_refused_and_left_alone(path: Path) -> None:
    open_store(path).close()
    with closing(sqlite3.connect(path)) as newer:
        newer.execute("PRAGMA user_version = 99")
    is_refused(path, SchemaTooNewError, "schema 99 .*upgrade engram-lab")


def test_an_empty_file_becomes_a_store(path: Path) -> None:
    path.touch()
    with closing(open_store(path)) as store:
        store.memories.remember({"content": "the first"})


def test_an_empty_file_cannot_be_read(path: Path) -> None:
    path.touch()
    with pytest.raises(StoreError, match="open it once without read_only=True"):
        open_store(path, read_only=True)
    assert path.read_bytes() == b""


@pytest.mark.parametrize(
    ("place", "error", "match"),
    [
        (".", StoreError, "is a folder"),
        ("missing/memory.db", StoreError, "missing does not exist: create it first"),
    ],
)
def test_a_place_for_no_file_is_named(
    tmp_path: Path, place: str, error: type[Exception], match: str
) -> None:
    with pytest.raises(error, match=match):
        open_store(tmp_path / place)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_file_is_not_made_for_reading_alone(path: Path) -> None:
    with pytest.raises(NotFoundError, match="does not exist"):
        open_store(path, read_only=True)
    assert not path.exists()

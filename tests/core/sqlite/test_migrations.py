from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import apsw
import pytest

from engram_lab.core.clock import ManualClock, to_us
from engram_lab.core.errors import (
    NotAnEngramFileError,
    NotFoundError,
    SchemaTooNewError,
    StoreError,
    StoreReadOnlyError,
)
from engram_lab.core.selection import Selection
from engram_lab.core.sqlite import SqliteStore
from engram_lab.core.sqlite.migrations import APPLICATION_ID, migrations

if TYPE_CHECKING:
    from pathlib import Path

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def made(path: Path) -> None:
    SqliteStore.open(str(path), clock=ManualClock(NOON)).close()


def files_beside(path: Path) -> dict[str, bytes]:
    """Return what lies there, but for an empty log and its index, which say nothing."""
    beside = {each.name: each.read_bytes() for each in path.parent.iterdir()}
    return {name: held for name, held in beside.items() if held and not name.endswith("-shm")}


def test_every_step_has_a_number_and_a_name() -> None:
    names = [step.name for step in migrations()]
    assert names == sorted(names)
    for number, name in enumerate(names, 1):
        assert re.fullmatch(rf"{number:04d}_[a-z0-9_]+", name)


def test_what_was_applied_is_recorded_in_the_file(path: Path) -> None:
    made(path)
    with closing(sqlite3.connect(path)) as connection:
        recorded = connection.execute("SELECT number, name, applied_at FROM migrations").fetchall()
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        mark = connection.execute("PRAGMA application_id").fetchone()[0]
    expected = [(n, step.name, to_us(NOON)) for n, step in enumerate(migrations(), 1)]
    assert expected == recorded
    assert len(migrations()) == version
    assert mark == APPLICATION_ID == int.from_bytes(b"Engr", "big")


def test_a_file_is_known_by_its_mark_to_other_programs(path: Path) -> None:
    made(path)
    assert path.read_bytes()[68:72] == b"Engr"


def test_opening_again_applies_nothing(path: Path) -> None:
    made(path)
    before = files_beside(path)
    made(path)
    assert before == files_beside(path)


def test_an_empty_file_becomes_a_store(path: Path) -> None:
    path.touch()
    made(path)
    with closing(SqliteStore.open(str(path), read_only=True)) as store:
        assert store.memories.count(Selection()) == 0


def test_a_step_that_fails_leaves_the_file_as_it_was(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(path)
    before = schema_of(path)
    broken = (*migrations(), type(migrations()[0])("0099_broken", "CREATE TABLE x (a); CREATE y"))
    monkeypatch.setattr("engram_lab.core.sqlite.migrations.migrations", lambda: broken)
    with pytest.raises(StoreError):
        made(path)
    assert before == schema_of(path)
    monkeypatch.undo()
    made(path)


def test_the_next_step_runs_once(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made(path)
    number = len(migrations()) + 1
    name = f"{number:04d}_more"
    step = type(migrations()[0])(name, "CREATE TABLE more (a); INSERT INTO more VALUES (7)")
    steps = (*migrations(), step)
    monkeypatch.setattr("engram_lab.core.sqlite.migrations.migrations", lambda: steps)
    for _ in range(2):
        made(path)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT a FROM more").fetchall() == [(7,)]
        assert connection.execute("SELECT name FROM migrations").fetchall()[-1] == (name,)
        assert connection.execute("PRAGMA user_version").fetchone() == (number,)


def schema_of(path: Path) -> list[tuple[str, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        tables = connection.execute("SELECT sql FROM sqlite_schema ORDER BY name").fetchall()
        return [*tables, connection.execute("PRAGMA user_version").fetchone()]


@pytest.mark.parametrize("read_only", [False, True])
def test_a_newer_file_is_refused_with_advice_and_left_alone(path: Path, *, read_only: bool) -> None:
    made(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    before = files_beside(path)
    with pytest.raises(SchemaTooNewError, match=r"schema 99 .* upgrade engram-lab"):
        SqliteStore.open(str(path), read_only=read_only)
    assert before == files_beside(path)


@pytest.mark.parametrize("journal", ["delete", "wal"])
@pytest.mark.parametrize("read_only", [False, True])
def test_another_programs_database_is_refused_and_left_alone(
    path: Path, journal: str, *, read_only: bool
) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA journal_mode = {journal}")
        connection.execute("CREATE TABLE memories (pk INTEGER PRIMARY KEY, content TEXT)")
        connection.execute("INSERT INTO memories VALUES (1, 'not ours')")
        connection.commit()
    before = files_beside(path)
    with pytest.raises(NotAnEngramFileError, match="a database of another program; nothing in it"):
        SqliteStore.open(str(path), read_only=read_only)
    assert before == files_beside(path)


def test_a_database_in_use_by_another_program_is_left_alone(path: Path) -> None:
    with closing(apsw.Connection(str(path))) as theirs:
        theirs.pragma("journal_mode", "wal")
        theirs.execute("CREATE TABLE notes (a); INSERT INTO notes VALUES ('not ours')")
        before = files_beside(path)
        with pytest.raises(NotAnEngramFileError):
            SqliteStore.open(str(path))
        assert f"{path.name}-wal" in before
        assert before == files_beside(path)
        assert theirs.execute("SELECT a FROM notes").get == "not ours"


def test_another_programs_mark_is_respected_even_on_an_empty_database(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA application_id = 7")
    with pytest.raises(NotAnEngramFileError):
        SqliteStore.open(str(path))


@pytest.mark.parametrize(
    "content",
    [
        b"hello, world\n",
        b"# notes\n" * 1000,
        b"\x00" * 4096,
        b"SQLite format 3",
        b"PK\x03\x04",
    ],
    ids=["short", "long", "zeros", "half a header", "zip"],
)
@pytest.mark.parametrize("read_only", [False, True])
def test_a_file_that_is_no_database_is_refused_and_left_alone(
    path: Path, content: bytes, *, read_only: bool
) -> None:
    path.write_bytes(content)
    with pytest.raises(NotAnEngramFileError, match="no SQLite database"):
        SqliteStore.open(str(path), read_only=read_only)
    assert files_beside(path) == {path.name: content}


def test_a_file_to_read_must_be_there(path: Path) -> None:
    with pytest.raises(NotFoundError, match="does not exist"):
        SqliteStore.open(str(path), read_only=True)
    assert not path.exists()


def test_a_store_opened_to_read_is_not_written(path: Path) -> None:
    made(path)
    with closing(SqliteStore.open(str(path), read_only=True)) as store:
        for deed in (
            lambda: store.memories.remember({"content": "x"}),
            store.memories.clean_up,
            lambda: store.workspaces.put("x"),
        ):
            with pytest.raises(StoreReadOnlyError, match="read_only=True"):
                deed()


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="is a folder: give the path of a file in it"):
        SqliteStore.open(str(tmp_path))
    with pytest.raises(StoreError, match="does not exist: create it first"):
        SqliteStore.open(str(tmp_path / "nowhere" / "memory.db"))

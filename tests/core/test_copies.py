from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from engram_lab.core.copies import make_backup, restore_backup, verify_backup
from engram_lab.core.errors import AccessDeniedError, BackupError
from engram_lab.core.selection import Selection
from engram_lab.core.sqlite import SqliteStore

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engram_lab.core.progress import Told
    from engram_lab.core.protocols import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    with closing(SqliteStore.open(str(tmp_path / "store.db"))) as store:
        store.memories.remember({"content": "tea"})
        yield store


def contents(file: Path) -> list[str]:
    with closing(SqliteStore.open(str(file), read_only=True)) as store:
        return [each.content for each in store.memories.select(Selection())]


@pytest.mark.parametrize("compact", [True, False])
def test_a_backup_is_a_store_that_verifies(
    store: SqliteStore, tmp_path: Path, *, compact: bool
) -> None:
    report = make_backup(store, tmp_path / "copy.db", compact=compact)
    assert contents(tmp_path / "copy.db") == ["tea"]
    assert (report.path, report.counts["memories"]) == (str(tmp_path / "copy.db"), 1)
    assert report == verify_backup(tmp_path / "copy.db")


def test_a_backup_tells_how_far_it_is(store: SqliteStore, tmp_path: Path) -> None:
    told: list[Told] = []
    make_backup(store, tmp_path / "copy.db", progress=told.append)
    assert 0 < told[-1].done == told[-1].total
    assert (told[-1].task, told[-1].unit, told[-1].standing) == ("copying", "pages", "done")


def test_a_backup_takes_the_place_of_a_store_that_is_kept(
    store: SqliteStore, tmp_path: Path
) -> None:
    make_backup(store, tmp_path / "copy.db")
    store.memories.remember({"content": "coffee"})
    store.close()
    report = restore_backup(tmp_path / "copy.db", tmp_path / "store.db")
    assert contents(tmp_path / "store.db") == ["tea"]
    assert report.kept is not None
    assert contents(Path(report.kept)) == ["tea", "coffee"]


def test_home_is_found(store: SqliteStore) -> None:
    make_backup(store, "~/copy.db")
    assert verify_backup("~/copy.db").counts["memories"] == 1
    assert restore_backup("~/copy.db", "~/new.db").kept is None
    assert contents(Path("~/new.db").expanduser()) == ["tea"]


def test_a_store_that_is_in_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="a object is not kept in a file: use export"):
        make_backup(cast("Store", object()), tmp_path / "copy.db")
    assert list(tmp_path.iterdir()) == []


def test_an_agent_makes_no_backup(store: SqliteStore, tmp_path: Path) -> None:
    with pytest.raises(AccessDeniedError):
        make_backup(store.as_agent("coder", "global"), tmp_path / "copy.db")
    assert not (tmp_path / "copy.db").exists()

"""A store whose clock stands still and whose ids repeat, found sound by its doctor at the end."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from engram_lab.core.clock import ManualClock
from engram_lab.core.settings import StoreSettings
from engram_lab.core.sqlite import SqliteStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 1, 1, 12, tzinfo=UTC))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "memory.db"


def opened(path: str, clock: ManualClock) -> Iterator[SqliteStore]:
    with closing(SqliteStore.open(path, settings=StoreSettings(seed=1), clock=clock)) as store:
        yield store
        assert [each for each in store.doctor.examine() if not each.ok] == []


@pytest.fixture
def store(clock: ManualClock) -> Iterator[SqliteStore]:
    yield from opened(":memory:", clock)


@pytest.fixture
def file_store(path: Path, clock: ManualClock) -> Iterator[SqliteStore]:
    yield from opened(str(path), clock)

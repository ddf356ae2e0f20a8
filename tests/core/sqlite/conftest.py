"""A store whose clock stands still and whose ids repeat, found sound by its doctor at the end."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from engram_lab.core.clock import ManualClock
from engram_lab.core.dreams import DreamRun
from engram_lab.core.settings import StoreSettings
from engram_lab.core.sqlite import SqliteStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from engram_lab.core.dreams import Change


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


@pytest.fixture
def dream(store: SqliteStore) -> Callable[..., DreamRun]:
    """Let the store dream of these changes under a lock, and return the run."""
    return partial(dreamt, store)


@pytest.fixture
def file_dream(file_store: SqliteStore) -> Callable[..., DreamRun]:
    """Let the store in a file dream of these changes under a lock, and return the run."""
    return partial(dreamt, file_store)


def dreamt(
    store: SqliteStore,
    changes: Sequence[Change],
    *,
    id_: str | None = None,
    workspace: str = "default",
    author: str = "dream",
    **more: Any,
) -> DreamRun:
    now = store.dreams.take_lock(workspace, owner="me", ttl_s=60).taken_at
    run = DreamRun(
        id=id_ or store.new_id(),
        workspace=workspace,
        author=author,
        config_hash="c",
        started_at=now,
        ended_at=now,
        **more,
    )
    done = store.dreams.apply(run, changes, owner="me")
    store.dreams.release_lock(workspace, owner="me")
    return done

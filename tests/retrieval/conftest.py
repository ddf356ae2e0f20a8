from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from engram_lab.core.clock import ManualClock
from engram_lab.core.settings import StoreSettings
from engram_lab.core.sqlite import SqliteStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON)


@pytest.fixture
def store(clock: ManualClock) -> Iterator[SqliteStore]:
    with closing(
        SqliteStore.open(":memory:", settings=StoreSettings(seed=1), clock=clock)
    ) as store:
        yield store


@pytest.fixture(scope="session")
def make_store() -> Callable[[], AbstractContextManager[SqliteStore]]:
    """Make an empty store, which is closed at the end of a `with` block."""
    return lambda: closing(
        SqliteStore.open(":memory:", settings=StoreSettings(seed=1), clock=ManualClock(NOON))
    )

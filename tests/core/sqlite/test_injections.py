"""Texts that wait for an agent come out once, in order, while they last."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from engram_lab.core.clock import ManualClock
from engram_lab.core.errors import InvalidInputError
from engram_lab.core.settings import StoreSettings
from engram_lab.core.sqlite import SqliteStore

if TYPE_CHECKING:
    from pathlib import Path

    from engram_lab.core.dreams import Injection

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def test_first_in_first_out_by_workspace(store: SqliteStore) -> None:
    put = [store.injections.put(each) for each in ("one", "two", "three")]
    far = store.injections.put("far", workspace="yard", source="hook")

    assert store.injections.waiting() == put
    assert store.injections.take(limit=2) == put[:2]
    assert store.injections.take() == put[2:]
    assert store.injections.take() == []
    assert store.injections.take(workspace="yard") == [far]
    assert (far.source, far.created_at, far.expires_at) == ("hook", NOON, None)


def test_what_has_expired_is_not_told_and_is_removed(
    store: SqliteStore, clock: ManualClock
) -> None:
    short = store.injections.put("short", ttl_s=1)
    long = store.injections.put("long", ttl_s=10)
    assert short.expires_at == NOON + timedelta(seconds=1)
    clock.advance(seconds=1)
    assert store.injections.waiting() == [long]
    assert store.injections.take(limit=1) == [long]
    clock.advance(seconds=-1)
    assert store.injections.waiting() == []


def test_what_is_put_later_comes_later_though_the_queue_was_emptied(store: SqliteStore) -> None:
    store.injections.put("one")
    store.injections.take()
    put = [store.injections.put(each) for each in ("two", "three")]
    assert store.injections.take() == put


def test_two_that_take_at_once_get_different_ones(file_store: SqliteStore) -> None:
    for number in range(60):
        file_store.injections.put(f"{number}")
    taken: list[list[Injection]] = []

    def take() -> None:
        taken.extend(file_store.injections.take(limit=2) for _ in range(10))

    threads = [Thread(target=take) for _ in range(3)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(int(each.content) for part in taken for each in part) == list(range(60))


@pytest.mark.parametrize("content", ["", "  \n", "\x00", "x" * 2_000_001])
def test_a_text_is_one(store: SqliteStore, content: str) -> None:
    with pytest.raises(InvalidInputError, match="content"):
        store.injections.put(content)
    with pytest.raises(InvalidInputError, match="ttl_s"):
        store.injections.put("x", ttl_s=0)
    with pytest.raises(InvalidInputError, match="workspace"):
        store.injections.put("x", workspace="No such")
    assert store.injections.waiting() == []


def test_ids_differ_though_the_store_was_opened_anew(path: Path) -> None:
    ids = set()
    for _ in range(3):
        with closing(
            SqliteStore.open(str(path), settings=StoreSettings(seed=1), clock=ManualClock(NOON))
        ) as store:
            ids.add(store.injections.put("x").id)
    assert len(ids) == 3

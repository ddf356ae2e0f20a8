"""Of a workspace one dreams at a time, whoever and wherever they are."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread
from typing import TYPE_CHECKING

import pytest

from engram_lab.core.errors import DreamLockedError, InvalidInputError

if TYPE_CHECKING:
    from pathlib import Path

    from engram_lab.core.clock import ManualClock
    from engram_lab.core.sqlite import SqliteStore

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)

ANOTHER = """
import sys
from datetime import UTC, datetime
from engram_lab.core.clock import ManualClock
from engram_lab.core.errors import DreamLockedError
from engram_lab.core.sqlite import SqliteStore
store = SqliteStore.open(sys.argv[1], clock=ManualClock(datetime(2026, 1, 1, 12, 1, tzinfo=UTC)))
for owner in sys.argv[2:]:
    try:
        print(store.dreams.take_lock("default", owner=owner, ttl_s=60).owner)
    except DreamLockedError as error:
        print("not", owner, "but", error.owner)
"""


def test_a_lock_keeps_others_off_until_it_is_let_go_or_runs_out(
    store: SqliteStore, clock: ManualClock
) -> None:
    lock = store.dreams.take_lock("default", owner="me", ttl_s=60)
    assert (lock.taken_at, lock.expires_at) == (NOON, NOON + timedelta(seconds=60))
    assert store.dreams.locks() == [lock]
    with pytest.raises(DreamLockedError, match="me dreams of workspace 'default' until 2026") as no:
        store.dreams.take_lock("default", owner="you", ttl_s=60)
    assert (no.value.owner, no.value.expires_at) == ("me", lock.expires_at)
    assert store.dreams.take_lock("yard", owner="you", ttl_s=60).owner == "you"

    store.dreams.release_lock("default", owner="you")
    assert [each.workspace for each in store.dreams.locks()] == ["default", "yard"]
    store.dreams.release_lock("default", owner="me")
    assert [each.workspace for each in store.dreams.locks()] == ["yard"]
    store.dreams.take_lock("default", owner="me", ttl_s=0.5)
    clock.advance(seconds=0.5)
    assert [each.workspace for each in store.dreams.locks()] == ["yard"]
    assert store.dreams.take_lock("default", owner="you", ttl_s=1).owner == "you"


def test_ones_own_lock_is_lengthened_never_shortened(
    store: SqliteStore, clock: ManualClock
) -> None:
    store.dreams.take_lock("default", owner="me", ttl_s=60)
    clock.advance(seconds=30)
    longer = store.dreams.take_lock("default", owner="me", ttl_s=60)
    assert (longer.taken_at, longer.expires_at) == (NOON, NOON + timedelta(seconds=90))
    assert store.dreams.take_lock("default", owner="me", ttl_s=1) == longer


@pytest.mark.parametrize("ttl", [0, -1, float("nan"), float("inf"), True, "60"])
def test_a_lock_lasts_for_a_while(store: SqliteStore, ttl: float) -> None:
    with pytest.raises(InvalidInputError, match="give a number of seconds above 0"):
        store.dreams.take_lock("default", owner="me", ttl_s=ttl)
    with pytest.raises(InvalidInputError):
        store.dreams.take_lock("No such", owner="me", ttl_s=1)


def test_another_process_is_kept_off_too(
    file_store: SqliteStore, path: Path, clock: ManualClock
) -> None:
    def other(*owners: str) -> list[str]:
        command = [sys.executable, "-c", ANOTHER, str(path), *owners]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return done.stdout.splitlines()

    file_store.dreams.take_lock("default", owner="me", ttl_s=90)
    assert other("you", "me") == ["not you but me", "me"]
    file_store.dreams.release_lock("default", owner="me")
    assert other("you") == ["you"]
    with pytest.raises(DreamLockedError):
        file_store.dreams.take_lock("default", owner="me", ttl_s=60)
    clock.advance(seconds=120)
    assert file_store.dreams.take_lock("default", owner="me", ttl_s=60).owner == "me"


def test_of_many_at_once_one_gets_it(file_store: SqliteStore) -> None:
    start, got = Barrier(8), []

    def take(owner: str) -> None:
        start.wait()
        try:
            got.append(file_store.dreams.take_lock("default", owner=owner, ttl_s=60).owner)
        except DreamLockedError as error:
            got.append(f"not {error.owner}")

    threads = [Thread(target=take, args=(f"owner {n}",)) for n in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    (winner,) = (each for each in got if not each.startswith("not"))
    assert got.count(f"not {winner}") == 7

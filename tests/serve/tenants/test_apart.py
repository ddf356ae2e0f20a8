from __future__ import annotations

import os
import pickle
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import TYPE_CHECKING

import pytest

from engram_lab.config import EngineConfig
from engram_lab.core.errors import (
    ConfigError,
    DreamLockedError,
    DreamRefusedError,
    EngramError,
    InvalidInputError,
    StoreError,
)
from engram_lab.engine import Engine
from engram_lab.serve.tenants.apart import Apart, _Fault
from engram_lab.serve.tenants.dreaming import Dreamt, dream_all, dream_one
from engram_lab.serve.tenants.moving import export_file, import_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def config() -> EngineConfig:
    return EngineConfig.from_dict({"embedding": {"model": "hashing", "dim": 32}})


@pytest.fixture(scope="module")
def apart() -> Iterator[Apart]:
    apart = Apart()
    yield apart
    apart.close()


@pytest.fixture
def place(tmp_path: Path, config: EngineConfig) -> Path:
    """A database with the same thing said twice, in each of two workspaces."""
    file = tmp_path / "engram.db"
    with Engine.open(file, config=config) as engine:
        for workspace in ("default", "other"):
            for _ in range(2):
                engine.remember("the key is under the mat", workspace=workspace)
    return file


def test_every_workspace_dreams_and_an_open_engine_sees_it(
    apart: Apart, place: Path, config: EngineConfig
) -> None:
    with Engine.open(place, config=config) as engine:
        assert len(engine.recall("key", workspace="default")) == 2
        found = apart.run(
            dream_all, str(place), config.to_dict(), {"author": "schedule", "yes": True}
        )
        assert {each.workspace for each in found} == {"default", "other"}
        assert all(each.fault is None and each.changes for each in found)
        assert len(engine.recall("key", workspace="default")) == 1
        assert {run.author for run in engine.dreams()} == {"schedule"}
        engine.undo(engine.dreams(workspace="default")[0].id)
        assert len(engine.recall("key", workspace="default")) == 2


def test_of_one_dream_so_much_comes_back_as_is_told(
    apart: Apart, place: Path, config: EngineConfig
) -> None:
    options = {"workspace": "other", "dry_run": True}
    whole = apart.run(dream_one, str(place), config.to_dict(), options, 1_000)
    assert (whole.run.workspace, whole.dry_run, whole.more) == ("other", True, 0)
    some = apart.run(dream_one, str(place), config.to_dict(), options, 1)
    assert some.changes == whole.changes[:1]
    assert some.more == len(whole.changes) - 1
    with Engine.open(place, config=config) as engine:
        assert engine.dreams() == []


def test_errors_come_back_as_what_they_are(
    apart: Apart, place: Path, config: EngineConfig, tmp_path: Path
) -> None:
    with pytest.raises(InvalidInputError, match="nap"):
        apart.run(dream_one, str(place), config.to_dict(), {"steps": ["nap"]}, 1)
    with pytest.raises(ConfigError):
        apart.run(dream_one, str(place), config.to_dict(), {"max_seconds": -1.0}, 1)
    with pytest.raises(StoreError, match="not there"):
        apart.run(dream_all, str(tmp_path / "absent.db"), config.to_dict(), {})
    assert not (tmp_path / "absent.db").exists()
    with Engine.open(place, config=config) as engine:
        engine.store.dreams.take_lock("default", owner="somebody", ttl_s=60)
        with pytest.raises(DreamLockedError) as locked:
            apart.run(dream_one, str(place), config.to_dict(), {}, 1)
        assert locked.value.owner == "somebody"
        told = apart.run(dream_all, str(place), config.to_dict(), {})
    assert Dreamt(workspace="default", fault="somebody else dreams of it") in told
    assert [each.fault for each in told if each.workspace == "other"] == [None]


def sent(error: Exception) -> EngramError:
    """Send an error as it goes from process to process."""
    fault: _Fault = pickle.loads(pickle.dumps(_Fault.of(error)))  # noqa: S301 - our own
    return fault.again()


def test_an_error_with_parts_survives_the_way() -> None:
    error = DreamRefusedError(removed=3, total=4, most=0.1)
    again = sent(error)
    assert isinstance(again, DreamRefusedError)
    assert (str(again), again.removed, again.total) == (str(error), 3, 4)
    strange = sent(ValueError("x"))
    assert (type(strange), str(strange)) == (StoreError, "ValueError: x")


def test_a_process_serves_many_dreams_and_goes_when_it_rests(
    place: Path, config: EngineConfig
) -> None:
    apart = Apart()
    apart.run(dream_all, str(place), config.to_dict(), {})
    first = apart._resting[0].pid
    apart.run(dream_all, str(place), config.to_dict(), {})
    assert [each.pid for each in apart._resting] == [first]
    assert apart.rest() == 1
    assert apart.rest() == 0
    assert first is not None
    with pytest.raises(ProcessLookupError):
        os.kill(first, 0)
    apart.close()
    with pytest.raises(StoreError, match="going down"):
        apart.run(dream_all, str(place), config.to_dict(), {})


def test_a_process_that_is_killed_is_followed_by_another(place: Path, config: EngineConfig) -> None:
    apart = Apart()
    with ThreadPoolExecutor(1) as threads:
        dream = threads.submit(apart.run, dream_all, str(place), config.to_dict(), {})
        while not apart._at_work:
            time.sleep(0.001)
        (at_work,) = apart._at_work
        assert at_work.pid is not None
        os.kill(at_work.pid, signal.SIGKILL)
        with pytest.raises(StoreError, match="try again later"):
            dream.result(20)
    assert len(apart.run(dream_all, str(place), config.to_dict(), {})) == 2
    apart.close()


def test_closing_ends_a_dream_that_goes_on(place: Path, config: EngineConfig) -> None:
    apart = Apart()
    with ThreadPoolExecutor(1) as threads:
        dream = threads.submit(apart.run, dream_all, str(place), config.to_dict(), {})
        while not apart._at_work:
            time.sleep(0.001)
        apart.close()
        with pytest.raises(StoreError):
            dream.result(20)
    with Engine.open(place, config=config) as engine:
        assert engine.count() >= 2


def test_what_leaves_and_what_comes_in_does_so_apart(
    apart: Apart, place: Path, config: EngineConfig, tmp_path: Path
) -> None:
    out, new = tmp_path / "out.jsonl", tmp_path / "new.db"
    counts = apart.run(export_file, str(place), config.to_dict(), str(out))
    assert counts["memories"] == 4
    with Engine.open(new, config=config) as engine:
        report = apart.run(import_file, str(new), config.to_dict(), str(out), {"workspace": None})
        assert report.imported["memories"] == 4
        engine.took_in()
        assert len(engine.recall("key", strategy="semantic", workspace="other")) == 2
    with pytest.raises(InvalidInputError):
        apart.run(export_file, str(place), config.to_dict(), str(out))
    with pytest.raises(StoreError, match="not there"):
        apart.run(export_file, str(tmp_path / "absent.db"), config.to_dict(), str(out))


def test_what_cannot_be_sent_breaks_nothing(apart: Apart) -> None:
    with pytest.raises(StoreError, match="cannot be told"):
        apart.run(Lock)
    assert apart.run(abs, -3) == 3

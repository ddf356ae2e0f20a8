from __future__ import annotations

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from engram_lab.config import EngineConfig
from engram_lab.core.errors import (
    DreamLockedError,
    DreamRefusedError,
    InvalidInputError,
    StoreError,
)
from engram_lab.engine import Engine
from engram_lab.serve.tenants.dreaming import Dreamers, Dreamt

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def config() -> EngineConfig:
    return EngineConfig.from_dict({"embedding": {"model": "hashing", "dim": 32}})


@pytest.fixture(scope="module")
def dreamers() -> Iterator[Dreamers]:
    dreamers = Dreamers()
    yield dreamers
    dreamers.close()


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
    dreamers: Dreamers, place: Path, config: EngineConfig
) -> None:
    with Engine.open(place, config=config) as engine:
        assert len(engine.recall("key", workspace="default")) == 2
        found = dreamers.dream_all(str(place), config, author="schedule", yes=True)
        assert {each.workspace for each in found} == {"default", "other"}
        assert all(each.fault is None and each.changes for each in found)
        assert len(engine.recall("key", workspace="default")) == 1
        assert {run.author for run in engine.dreams()} == {"schedule"}
        engine.undo(engine.dreams(workspace="default")[0].id)
        assert len(engine.recall("key", workspace="default")) == 2


def test_one_dream_comes_back_as_the_report_that_it_is(
    dreamers: Dreamers, place: Path, config: EngineConfig
) -> None:
    report = dreamers.dream(str(place), config, workspace="other", dry_run=True)
    assert (report.run.workspace, len(report) > 0) == ("other", True)
    assert [each.action for each in report] == [each.action for each in report.changes]
    with Engine.open(place, config=config) as engine:
        assert engine.dreams() == []


def test_errors_come_back_as_what_they_are(
    dreamers: Dreamers, place: Path, config: EngineConfig, tmp_path: Path
) -> None:
    with pytest.raises(InvalidInputError, match="nap"):
        dreamers.dream(str(place), config, steps=["nap"])
    strict = replace(config, dream=replace(config.dream, most_removed=0.0))
    with pytest.raises(DreamRefusedError) as refused:
        dreamers.dream(str(place), strict)
    assert (refused.value.removed, refused.value.total) == (1, 2)
    with pytest.raises(StoreError, match="not there"):
        dreamers.dream_all(str(tmp_path / "absent.db"), config)
    assert not (tmp_path / "absent.db").exists()
    with Engine.open(place, config=config) as engine:
        engine.store.dreams.take_lock("default", owner="somebody", ttl_s=60)
        with pytest.raises(DreamLockedError) as locked:
            dreamers.dream(str(place), config)
        assert locked.value.owner == "somebody"
        told = dreamers.dream_all(str(place), config)
    assert Dreamt(workspace="default", fault="somebody else dreams of it") in told
    assert [each.fault for each in told if each.workspace == "other"] == [None]


def test_a_process_serves_many_dreams_and_goes_when_it_rests(
    place: Path, config: EngineConfig
) -> None:
    dreamers = Dreamers()
    dreamers.dream_all(str(place), config)
    first = dreamers._resting[0]._process.pid
    dreamers.dream_all(str(place), config)
    assert [each._process.pid for each in dreamers._resting] == [first]
    assert dreamers.rest() == 1
    assert dreamers.rest() == 0
    assert first is not None
    with pytest.raises(ProcessLookupError):
        os.kill(first, 0)
    dreamers.close()
    with pytest.raises(StoreError, match="going down"):
        dreamers.dream_all(str(place), config)


def test_a_process_that_is_killed_is_followed_by_another(place: Path, config: EngineConfig) -> None:
    dreamers = Dreamers()
    with ThreadPoolExecutor(1) as threads:
        dream = threads.submit(dreamers.dream_all, str(place), config)
        while not dreamers._at_work:
            time.sleep(0.001)
        (at_work,) = dreamers._at_work
        assert at_work._process.pid is not None
        os.kill(at_work._process.pid, signal.SIGKILL)
        with pytest.raises(StoreError, match="dreams again later"):
            dream.result(20)
    assert len(dreamers.dream_all(str(place), config)) == 2
    dreamers.close()


def test_closing_ends_a_dream_that_goes_on(place: Path, config: EngineConfig) -> None:
    dreamers = Dreamers()
    with ThreadPoolExecutor(1) as threads:
        dream = threads.submit(dreamers.dream_all, str(place), config)
        while not dreamers._at_work:
            time.sleep(0.001)
        dreamers.close()
        with pytest.raises(StoreError):
            dream.result(20)
    with Engine.open(place, config=config) as engine:
        assert engine.count() >= 2

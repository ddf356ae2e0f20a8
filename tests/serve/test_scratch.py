"""What is on its way in or out lies beside the data, and does not outlive its run for long."""

from __future__ import annotations

import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from signal import SIGKILL

import pytest

from engram_lab.core.errors import StoreError
from engram_lab.serve.scratch import scratch_of_run
from tests.serve.live import live, settings

RUN = """
import sys, time
from pathlib import Path
from engram_lab.serve.scratch import scratch_of_run

with scratch_of_run(Path(sys.argv[1])) as own:
    (own / "half").mkdir()
    (own / "half" / "export.jsonl").write_text("somebody's memories")
    print(own, flush=True)
    time.sleep(600)
"""


def left(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


def test_a_run_has_a_folder_of_its_own_and_leaves_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "scratch"
    with scratch_of_run(folder) as one, scratch_of_run(folder) as other:
        assert one != other
        assert one.stat().st_mode & 0o777 == other.stat().st_mode & 0o777 == 0o700
        assert list(one.iterdir()) == list(other.iterdir()) == []
        (one / "file").write_text("x", encoding="utf-8")
    assert left(folder) == []


def test_what_a_killed_run_left_goes_at_the_next_start_and_not_before(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", RUN, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        theirs = tmp_path / process.stdout.readline().strip()
        try:
            with scratch_of_run(tmp_path):  # it lives
                assert (theirs / "half" / "export.jsonl").is_file()
        finally:
            process.send_signal(SIGKILL)
    assert theirs.is_dir()
    with scratch_of_run(tmp_path) as own:
        assert left(tmp_path) == [own.name, f"{own.name}.lock"]
    assert left(tmp_path) == []


def test_what_is_not_of_a_run_stays(tmp_path: Path) -> None:
    names = ["backups", "run-", "run-of-somebody", "run-of-somebody.lock"]
    for name in names:
        (tmp_path / name).mkdir()
    with scratch_of_run(tmp_path):
        pass
    assert left(tmp_path) == names


def test_a_folder_whose_lock_is_gone_is_of_the_dead_too(tmp_path: Path) -> None:
    (tmp_path / f"run-{'0' * 24}").mkdir()
    (tmp_path / f"run-{'1' * 24}.lock").touch()
    with scratch_of_run(tmp_path) as own:
        assert left(tmp_path) == [own.name, f"{own.name}.lock"]


def test_runs_that_begin_and_end_together_never_take_each_others(tmp_path: Path) -> None:
    for _ in range(20):
        with ExitStack() as stack:
            runs = [stack.enter_context(scratch_of_run(tmp_path)) for _ in range(5)]
            assert all(each.is_dir() for each in runs)
    assert left(tmp_path) == []


def test_no_lock_is_left_open(tmp_path: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(3):
        with scratch_of_run(tmp_path), scratch_of_run(tmp_path):
            pass
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_folder_that_cannot_be_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="cannot be written"), scratch_of_run(tmp_path / "file"):
        pass


def test_a_server_keeps_it_beside_its_data(tmp_path: Path) -> None:
    with live(settings(tmp_path)) as served:
        assert served.running.services.scratch.parent == tmp_path / "scratch"
    assert list((tmp_path / "scratch").glob("run-*")) == []

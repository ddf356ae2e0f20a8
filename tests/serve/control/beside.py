"""What another process does to a control plane meanwhile."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pytest

from engram_lab.config.serving import ControlSettings
from engram_lab.core.clock import ManualClock
from engram_lab.serve.control import open_control_plane
from tests.serve.control.made import NOON, entry, usage

if TYPE_CHECKING:
    from tests.serve.control.conftest import Making

ROOT = Path(__file__).resolve().parents[3]
EVENTS = 300
ENTRIES = 60


def write(dsn: str | None, folder: Path, number: int) -> int:
    """Tell all usage in an order of its own, and entries of its own; return what was new."""
    random = Random(number)  # noqa: S311 - an order, no secret
    plane = open_control_plane(ControlSettings(dsn=dsn), folder, clock=ManualClock(NOON))
    events = [usage(n, of, workspace=f"w{n % 3}") for n in range(EVENTS) for of in ("acme", "beta")]
    random.shuffle(events)
    entries = [entry(f"{number}-{n}", of) for n in range(ENTRIES) for of in ("acme", None, "beta")]
    new = 0
    while events or entries:
        size = random.randint(1, 40)
        new += plane.record_usage(events[:size])
        plane.record_audit(entries[: size // 2])
        plane.used_keys({f"key-k-{of}": NOON for of in random.sample(("acme", "beta"), 2)})
        del events[:size], entries[: size // 2]
    plane.close()
    return new


def in_processes(making: Making, count: int) -> list[int]:
    """Let so many processes write at once; return how many events were new to each."""
    with (
        pytest.MonkeyPatch.context() as environment,
        ProcessPoolExecutor(count, mp_context=get_context("spawn")) as pool,
    ):
        environment.syspath_prepend(str(ROOT))  # where they find this module
        dsn, folder = making.settings.dsn, making.folder
        running = [pool.submit(write, dsn, folder, number) for number in range(count)]
        return [each.result(timeout=100) for each in running]

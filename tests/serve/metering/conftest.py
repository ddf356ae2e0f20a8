from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from engram_lab.config.serving import ControlSettings, UsageSettings
from engram_lab.core.clock import ManualClock
from engram_lab.serve.control import open_control_plane
from engram_lab.serve.control.records import Tenant
from engram_lab.serve.metering import Meter, Spool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from engram_lab.serve.control import ControlPlane

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
def plane(tmp_path: Path, clock: ManualClock) -> Iterator[ControlPlane]:
    opened = open_control_plane(ControlSettings(), tmp_path / "data", clock=clock)
    for slug in ("acme", "globex"):
        tenant = Tenant(id=slug, slug=slug, name=slug, created_at=NOW)
        opened.as_operator().add_tenant(tenant)
    yield opened
    opened.close()


@pytest.fixture
def new_meter(
    tmp_path: Path, clock: ManualClock, plane: ControlPlane
) -> Iterator[Callable[..., Meter]]:
    made: list[Meter] = []

    def make(of: ControlPlane = plane, **settings: float) -> Meter:
        spool = Spool(tmp_path / "spool", "usage")
        made.append(Meter(of, spool, UsageSettings(**settings), clock))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for meter in made:
        meter.close()

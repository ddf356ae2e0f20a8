from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from engram_lab.config.serving import ControlSettings
from engram_lab.core.clock import ManualClock
from engram_lab.serve.control import open_control_plane
from tests.serve.control.made import NOON

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from engram_lab.serve.control import ControlPlane


@dataclass(kw_only=True)
class Making:
    """Opens planes over one and the same database, as servers beside each other would."""

    settings: ControlSettings
    folder: Path
    clock: ManualClock = field(default_factory=lambda: ManualClock(NOON))
    opened: list[ControlPlane] = field(default_factory=list)

    def __call__(self) -> ControlPlane:
        plane = open_control_plane(self.settings, self.folder, clock=self.clock)
        self.opened.append(plane)
        return plane


@pytest.fixture(params=["sqlite", "postgres"])
def making(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Making]:
    settings = (
        ControlSettings()
        if request.param == "sqlite"
        else request.getfixturevalue("postgres_control")
    )
    made = Making(settings=settings, folder=tmp_path)
    yield made
    for plane in made.opened:
        plane.close()


@pytest.fixture
def plane(making: Making) -> ControlPlane:
    return making()

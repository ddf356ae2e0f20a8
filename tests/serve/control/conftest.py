from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from engram_lab.config.serving import ControlSettings
from engram_lab.core.clock import ManualClock
from engram_lab.serve.control import open_control_plane
from engram_lab.serve.control.records import ApiKey, AuditEntry, Tenant, UsageEvent

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from engram_lab.serve.control import ControlPlane

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


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


def tenant(name: str, **about: object) -> Tenant:
    given = {"id": f"id-of-{name}", "slug": name, "name": name.title(), "created_at": NOON}
    return Tenant(**(given | about))  # type: ignore[arg-type]


def api_key(name: str, of: str = "acme", **about: object) -> ApiKey:
    given = {
        "id": f"key-{name}",
        "tenant_id": f"id-of-{of}",
        "name": name,
        "prefix": f"ek_live_{name}"[:12],
        "hash": f"$argon2id$of-{name}",
        "environment": "live",
        "scopes": ("memories:read", "search"),
        "created_at": NOON,
        "created_by": "user:ann",
    }
    return ApiKey(**(given | about))  # type: ignore[arg-type]


def usage(number: int, of: str = "acme", **about: object) -> UsageEvent:
    given = {
        "request_id": f"request-{number}",
        "tenant_id": f"id-of-{of}",
        "at": NOON + timedelta(seconds=number),
        "route": "POST /v1/search",
        "status": 200,
        "searches": 1,
    }
    return UsageEvent(**(given | about))  # type: ignore[arg-type]


def entry(number: int | str, of: str | None = "acme", **about: object) -> AuditEntry:
    given = {
        "id": f"entry-{number}",
        "tenant_id": of and f"id-of-{of}",
        "at": NOON,
        "kind": "memory.create",
        "actor": "user:ann",
    }
    return AuditEntry(**(given | about))  # type: ignore[arg-type]

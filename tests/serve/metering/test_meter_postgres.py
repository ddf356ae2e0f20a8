from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from engram_lab.config.serving import UsageSettings
from engram_lab.serve.control import open_control_plane
from engram_lab.serve.control.records import Tenant, UsageEvent
from engram_lab.serve.metering import Meter, Spool, Totals

if TYPE_CHECKING:
    from pathlib import Path

    from engram_lab.config.serving import ControlSettings
    from engram_lab.core.clock import ManualClock

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize("operates", [True, False])
def test_usage_is_told_to_postgres_whether_or_not_this_server_may_act_as_the_operator(
    postgres_control: ControlSettings, tmp_path: Path, clock: ManualClock, *, operates: bool
) -> None:
    owner = open_control_plane(postgres_control, tmp_path, clock=clock)
    owner.as_operator().add_tenant(Tenant(id="acme", slug="acme", name="Acme", created_at=NOW))
    settings = postgres_control if operates else replace(postgres_control, admin_dsn=None)
    plane = open_control_plane(settings, tmp_path, clock=clock)
    failures: list[None] = []
    meter = Meter(
        plane,
        Spool(tmp_path / "spool", "usage"),
        UsageSettings(batch=3),
        clock,
        failed=lambda: failures.append(None),
    )
    for number in (*range(10), 5):
        meter.record(
            UsageEvent(
                request_id=f"r{number}",
                tenant_id="acme",
                at=NOW,
                route="POST /v1/search",
                status=200,
                searches=1,
            )
        )
    meter.measured("acme", 7, 8)
    assert meter.flush() == 10
    assert meter.month("acme") == Totals(api_calls=10, searches=10)
    assert failures == []
    meter.close()
    (row,) = plane.within("acme").usage(NOW.date(), NOW.date())
    assert (row.api_calls, row.searches) == (10, 10)
    assert (row.memories_stored, row.storage_bytes) == ((7, 8) if operates else (0, 0))
    plane.close()
    owner.close()

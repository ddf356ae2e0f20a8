from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import psycopg
import pytest

from engram_lab.config.serving import UsageSettings
from engram_lab.serve.control import open_control_plane
from engram_lab.serve.control.records import Tenant, UsageEvent
from engram_lab.serve.metering import Meter, Spool, Totals

if TYPE_CHECKING:
    from datetime import date
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


def test_events_go_when_they_are_no_longer_read_and_what_was_used_stays(
    postgres_control: ControlSettings, tmp_path: Path, clock: ManualClock
) -> None:
    plane = open_control_plane(postgres_control, tmp_path, clock=clock)
    plane.as_operator().add_tenant(Tenant(id="acme", slug="acme", name="Acme", created_at=NOW))
    kept_since, told = (NOW - timedelta(days=62)).date(), []
    for back in (65, 64, 63, 62, 31, 0):
        at = NOW - timedelta(days=back)
        event = UsageEvent(request_id=f"{back}", tenant_id="acme", at=at, route="x", status=200)
        told.append(event)
    plane.record_usage(told)
    spool, failures = Spool(tmp_path / "spool", "usage"), list[None]()
    meter = Meter(
        plane, spool, UsageSettings(keep_days=62), clock, failed=lambda: failures.append(None)
    )
    before = plane.within("acme").usage(NOW.date() - timedelta(days=99), NOW.date())
    assert postgres_control.admin_dsn is not None
    with psycopg.connect(postgres_control.admin_dsn, autocommit=True) as owner:

        def days() -> list[date]:
            asked = owner.execute("SELECT day FROM engram.usage_events ORDER BY day")
            return [day for (day,) in asked]

        left = []
        for _ in range(5):
            meter.flush()
            left.append(len(days()))
        assert left == [5, 4, 3, 3, 3]
        assert days()[0] == kept_since
        clock.advance(days=1)
        meter.flush()
        assert len(days()) == 2
    assert failures == []
    assert plane.within("acme").usage(NOW.date() - timedelta(days=99), NOW.date()) == before
    assert meter.month("acme").api_calls == 1
    meter.close()
    plane.close()

"""Events of usage go after a while; what they summed up to stays, in either database."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import date, timedelta
from itertools import count
from typing import TYPE_CHECKING

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engram_lab.config.serving import ControlSettings
from engram_lab.serve.control import migrations
from engram_lab.serve.control.migrations import steps
from engram_lab.serve.control.setting_up import set_up
from engram_lab.serve.control.sqlite import FILE
from tests.serve.conftest import PASSWORD
from tests.serve.control.conftest import Making
from tests.serve.control.made import NOON, TODAY, furnished, tenant, usage

if TYPE_CHECKING:
    from pathlib import Path

    from engram_lab.serve.control import ControlPlane
    from engram_lab.serve.control.migrations import Dialect
    from engram_lab.serve.control.records import UsageDay
    from tests.serve.conftest import PostgresServer

FOREVER = (date(2000, 1, 1), date(2300, 1, 1))
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def two_tenants(plane: ControlPlane) -> None:
    for name in ("acme", "beta"):
        plane.as_operator().add_tenant(tenant(name))


def days(plane: ControlPlane) -> list[UsageDay]:
    return [
        day for name in ("acme", "beta") for day in plane.within(f"id-of-{name}").usage(*FOREVER)
    ]


def dropped(plane: ControlPlane, before: date) -> list[int]:
    """Drop all events before a day; return how many of each day."""
    found: list[int] = []
    while number := plane.as_operator().drop_usage(before):
        found.append(number)
    return found


def statement(making: Making, text: str) -> list[tuple[object, ...]]:
    """Run a statement past the server, as the owner of the database."""
    if making.settings.admin_dsn is None:
        with closing(sqlite3.connect(making.folder / FILE)) as file, file:
            return file.execute(text.replace("engram.", "")).fetchall()
    with psycopg.connect(making.settings.admin_dsn) as connection:
        cursor = connection.execute(text.encode())
        return cursor.fetchall() if cursor.description else []


def events(making: Making) -> int:
    ((number,),) = statement(making, "SELECT count(*) FROM engram.usage_events")
    assert isinstance(number, int)
    return number


EXAMPLES = count()
EVENTS = st.lists(
    st.tuples(
        st.integers(0, 9),
        st.sampled_from(["acme", "beta"]),
        st.sampled_from(["default", "work"]),
        st.integers(0, 3),
    ),
    max_size=30,
)


@given(told=EVENTS, late=EVENTS, bound=st.integers(0, 10))
@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_dropping_events_changes_no_sum(
    plane: ControlPlane,
    told: list[tuple[int, str, str, int]],
    late: list[tuple[int, str, str, int]],
    bound: int,
) -> None:
    example = next(EXAMPLES)
    first, operator = TODAY + 100 * example * DAY, plane.as_operator()

    def record(rows: list[tuple[int, str, str, int]], word: str) -> int:
        return plane.record_usage(
            [
                usage(
                    0,
                    name,
                    request_id=f"{example} {word} {number}",
                    at=NOON + (100 * example + day) * DAY,
                    workspace=workspace,
                    searches=searches,
                )
                for number, (day, name, workspace, searches) in enumerate(rows)
            ]
        )

    record(told, "told")
    operator.measured("id-of-acme", first, memories_stored=5, storage_bytes=900)
    dropped(plane, first)  # of former examples
    before = days(plane)
    found = dropped(plane, first + bound * DAY)
    assert sum(found) == sum(day < bound for day, *_ in told)
    assert days(plane) == before
    assert sum(each.api_calls for each in days(plane) if each.day >= first) == len(told)
    for day in range(10):
        operator.roll_up(first + day * DAY)
    assert days(plane) == before
    assert record([each for each in told if each[0] >= bound], "other") == sum(
        each[0] >= bound for each in told
    )
    record(late, "late")
    after = days(plane)
    assert sum(each.api_calls for each in after if each.day >= first) == (
        len(told) + sum(day >= bound for day, *_ in told) + len(late)
    )
    dropped(plane, first + bound * DAY)
    for day in range(10):
        operator.roll_up(first + day * DAY)
    assert days(plane) == after


def test_they_go_a_day_at_a_time_the_oldest_first(plane: ControlPlane) -> None:
    plane.record_usage(
        [usage(10 * day + n, at=NOON + day * DAY) for day in range(4) for n in range(day + 1)]
    )
    assert dropped(plane, TODAY) == []
    assert dropped(plane, TODAY + 3 * DAY) == [1, 2, 3]
    assert dropped(plane, TODAY + 3 * DAY) == []


def test_what_is_kept_is_known_when_it_is_told_again(plane: ControlPlane) -> None:
    told = [usage(day, at=NOON + day * DAY) for day in range(4)]
    plane.record_usage(told)
    dropped(plane, TODAY + 2 * DAY)
    assert plane.record_usage(told[2:]) == 0


def test_only_what_is_in_the_sums_for_good_can_be_taken_away(
    making: Making, plane: ControlPlane
) -> None:
    plane.record_usage([usage(day, at=NOON + day * DAY) for day in range(4)])
    dropped(plane, TODAY + 2 * DAY)
    assert events(making) == 2
    for text in (
        "DELETE FROM engram.usage_events",
        "UPDATE engram.usage_bounds SET since = '2020-01-01'",
        "DELETE FROM engram.usage_bounds",
    ):
        with pytest.raises((sqlite3.Error, psycopg.Error), match="append-only"):
            statement(making, text)
    assert events(making) == 2


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_a_control_plane_of_before_is_brought_up_to_date(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: Dialect
) -> None:
    made = Making(settings=ControlSettings(), folder=tmp_path / "before")
    with monkeypatch.context() as patched:
        patched.setattr(migrations, "steps", {kind: steps(kind)[:1]}.__getitem__)
        if kind == "postgres":
            server: PostgresServer = request.getfixturevalue("postgres")
            name = server.new_database()
            set_up(server.dsn("owner", name), role="server", password=PASSWORD)
            made.settings = ControlSettings(
                dsn=server.dsn("server", name), admin_dsn=server.dsn("owner", name)
            )
        furnished(made())
        made.opened[0].close()
    plane = made()
    before = plane.within("id-of-acme").usage(*FOREVER)
    assert (before[0].api_calls, dropped(plane, TODAY + DAY)) == (3, [3])
    assert plane.within("id-of-acme").usage(*FOREVER) == before
    plane.close()


def test_a_purge_takes_the_events_of_its_tenant_alone(making: Making, plane: ControlPlane) -> None:
    plane.record_usage([usage(1, "acme"), usage(2, "beta")])
    operator = plane.as_operator()
    operator.update_tenant("id-of-acme", state="deleted")
    operator.purge_tenant("id-of-acme")
    assert events(making) == 1

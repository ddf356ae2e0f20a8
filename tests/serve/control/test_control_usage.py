"""Usage: each request once, each day's sum with it, in either database."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from engram_lab.core.errors import InvalidInputError, NotFoundError
from engram_lab.serve.control.records import UsageDay
from tests.serve.control.made import NOON, TODAY, furnished, tenant, usage

if TYPE_CHECKING:
    from engram_lab.serve.control import ControlPlane

FOREVER = (date(2000, 1, 1), date(2100, 1, 1))


@pytest.fixture(autouse=True)
def two_tenants(plane: ControlPlane) -> None:
    for name in ("acme", "beta"):
        plane.as_operator().add_tenant(tenant(name))


def days(plane: ControlPlane, name: str = "acme") -> list[UsageDay]:
    return plane.within(f"id-of-{name}").usage(*FOREVER)


def test_a_request_counts_once_however_often_it_is_told(plane: ControlPlane) -> None:
    told = [usage(1), usage(2, searches=0, memories_created=7), usage(1)]
    assert plane.record_usage(told) == 2
    assert plane.record_usage(told) == 0
    assert plane.record_usage([*told, usage(3)]) == 1
    assert plane.record_usage([]) == 0
    assert days(plane) == [
        UsageDay(
            tenant_id="id-of-acme",
            workspace="default",
            day=TODAY,
            api_calls=3,
            searches=2,
            memories_created=7,
        )
    ]


def test_the_first_telling_of_a_request_stands(plane: ControlPlane) -> None:
    plane.record_usage([usage(1)])
    assert plane.record_usage([usage(1, searches=1_000, workspace="other")]) == 0
    assert [each.searches for each in days(plane)] == [1]


def test_requests_of_two_tenants_may_have_one_id(plane: ControlPlane) -> None:
    assert plane.record_usage([usage(1, "acme"), usage(1, "beta")]) == 2
    assert days(plane, "acme")[0].api_calls == days(plane, "beta")[0].api_calls == 1


def test_a_day_is_one_in_utc(plane: ControlPlane) -> None:
    east = datetime(2026, 5, 2, 0, 30, tzinfo=timezone(timedelta(hours=2)))
    last = datetime(2026, 5, 1, 23, 59, 59, 999_999, tzinfo=UTC)
    plane.record_usage(
        [usage(1, at=east), usage(2, at=last), usage(3, at=last + timedelta(microseconds=1))]
    )
    assert [(each.day, each.api_calls) for each in days(plane)] == [
        (TODAY, 2),
        (TODAY + timedelta(days=1), 1),
    ]


def test_usage_comes_by_day_and_workspace_within_what_is_asked(plane: ControlPlane) -> None:
    plane.record_usage(
        [
            usage(day * 10 + place, workspace=name, at=NOON + timedelta(days=day))
            for day in range(4)
            for place, name in enumerate(("b", "a-b", "ab"))
        ]
    )
    found = plane.within("id-of-acme").usage(TODAY + timedelta(days=1), TODAY + timedelta(days=2))
    assert [(each.day.day, each.workspace) for each in found] == [
        (day, name) for day in (2, 3) for name in ("a-b", "ab", "b")
    ]


def test_usage_of_nobody_does_not_stop_that_of_others(plane: ControlPlane) -> None:
    assert plane.record_usage([usage(1, "nobody"), usage(1, "beta")]) == 1
    assert days(plane, "nobody") == []


def test_what_is_refused_leaves_no_part_of_a_batch(plane: ControlPlane) -> None:
    with pytest.raises(InvalidInputError):
        plane.record_usage([usage(1), usage(2, "beta", api_calls=-1)])
    assert days(plane, "acme") == days(plane, "beta") == []


def test_a_roll_up_makes_the_same_sums(plane: ControlPlane) -> None:
    plane.record_usage([usage(n, name, searches=n) for n in range(50) for name in ("acme", "beta")])
    plane.record_usage([usage(n, workspace="w", memories_created=n) for n in range(50, 60)])
    operator = plane.as_operator()
    operator.measured("id-of-acme", TODAY, memories_stored=5, storage_bytes=900)
    operator.measured("id-of-beta", TODAY + timedelta(days=1), memories_stored=1, storage_bytes=2)
    before = days(plane, "acme") + days(plane, "beta")
    assert operator.roll_up(TODAY) == 3
    assert operator.roll_up(TODAY + timedelta(days=1)) == 0
    assert days(plane, "acme") + days(plane, "beta") == before


def test_what_a_tenant_holds_is_as_last_measured_that_day(plane: ControlPlane) -> None:
    operator = plane.as_operator()
    operator.measured("id-of-acme", TODAY, memories_stored=9, storage_bytes=90)
    plane.record_usage([usage(1)])
    operator.measured("id-of-acme", TODAY, memories_stored=4, storage_bytes=40)
    (day,) = days(plane)
    assert (day.api_calls, day.memories_stored, day.storage_bytes) == (1, 4, 40)
    with pytest.raises(NotFoundError):
        operator.measured("nobody", TODAY, memories_stored=1, storage_bytes=1)
    with pytest.raises(InvalidInputError):
        operator.measured("id-of-acme", TODAY, memories_stored=-1, storage_bytes=1)


def test_names_that_no_database_can_hold_are_counted_all_the_same(plane: ControlPlane) -> None:
    odd = replace(usage(1), route="GET /\0", request_id="\ud800", workspace="a\0b")
    assert plane.record_usage([odd]) == 1
    assert plane.record_usage([odd]) == 0
    assert days(plane)[0].workspace == "a?b"


def test_a_member_sees_the_usage_of_its_own_tenant(plane: ControlPlane) -> None:
    furnished(plane, "gamma")
    view = plane.within("id-of-gamma", user_id="owner-of-gamma")
    assert [each.api_calls for each in view.usage(*FOREVER)] == [3]

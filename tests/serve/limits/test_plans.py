from __future__ import annotations

from typing import Any

import pytest

from engram_lab.serve.control import records
from engram_lab.serve.limits import PLANS, limits_of
from engram_lab.serve.limits.bucket import Rate


@pytest.mark.parametrize(
    ("plan", "amounts"),
    [
        ("free", (1_000, 10_000, 50_000, 100 * 10**6, 1)),
        ("pro", (50_000, 100_000, 500_000, 5 * 10**9, 1)),
        ("team", (500_000, None, None, 50 * 10**9, 10)),
        ("dedicated", (None, None, None, None, None)),
    ],
)
def test_the_amounts_are_those_of_the_price_table(
    plan: records.Plan, amounts: tuple[int | None, ...]
) -> None:
    limits = limits_of(plan)
    assert limits.plan == plan
    assert amounts == (
        limits.memories,
        limits.searches,
        limits.api_calls,
        limits.storage_bytes,
        limits.members,
    )


def test_every_plan_of_a_tenant_is_in_the_table() -> None:
    assert set(PLANS) == set(records.PLANS)


def test_every_rate_of_the_table_is_one_that_can_be_kept() -> None:
    for limits in PLANS.values():
        assert (limits.per_minute is None) == (limits.burst is None)
        if limits.per_minute is not None and limits.burst is not None:
            Rate(per_minute=limits.per_minute, burst=limits.burst)


def test_a_dearer_plan_allows_no_less_of_anything() -> None:
    def amount(plan: records.Plan, name: str) -> Any:
        given = getattr(limits_of(plan), name)
        return float("inf") if given is None else given

    names = ("memories", "searches", "api_calls", "storage_bytes", "members")
    for name in (*names, "workspaces", "per_minute", "burst"):
        amounts = [amount(plan, name) for plan in ("free", "pro", "team", "dedicated")]
        assert amounts == sorted(amounts)

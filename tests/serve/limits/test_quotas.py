from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from engram_lab.config.serving import ControlSettings, LimitSettings, UsageSettings
from engram_lab.core.clock import ManualClock
from engram_lab.serve.call import Call, Needs
from engram_lab.serve.control import open_control_plane
from engram_lab.serve.control.records import UsageEvent
from engram_lab.serve.errors import QuotaExceededError
from engram_lab.serve.limits import Quotas
from engram_lab.serve.limits.quotas import check_workspaces
from engram_lab.serve.metering import Meter, Spool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from engram_lab.serve.control import ControlPlane
    from engram_lab.serve.control.records import Plan, Tenant

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
READ = Needs(route="GET /v1/memories", scope="memories:read")
SEARCH = Needs(route="POST /v1/search", scope="search", meter="searches")
ADD = Needs(route="POST /v1/memories", scope="memories:write", adds_memories=True)

pytestmark = pytest.mark.anyio


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
def plane(
    tmp_path: Path, clock: ManualClock, tenant_of: Callable[..., Tenant]
) -> Iterator[ControlPlane]:
    opened = open_control_plane(ControlSettings(), tmp_path, clock=clock)
    opened.as_operator().add_tenant(tenant_of())
    yield opened
    opened.close()


@pytest.fixture
def meter(plane: ControlPlane, tmp_path: Path, clock: ManualClock) -> Iterator[Meter]:
    made = Meter(plane, Spool(tmp_path / "spool", "usage"), UsageSettings(), clock)
    yield made
    made.close()


async def in_thread(work: Callable[[], None]) -> None:
    await asyncio.to_thread(work)


@pytest.fixture
def quotas(meter: Meter) -> Quotas:
    return Quotas(meter, LimitSettings(), run=in_thread)


class Requests:
    """Makes requests of one tenant and records how they ended."""

    def __init__(self, meter: Meter, tenant_of: Callable[..., Tenant]) -> None:
        self.meter = meter
        self.tenant_of = tenant_of
        self.number = 0

    def new(self, needs: Needs | None = READ, *, plan: Plan = "free") -> Call:
        self.number += 1
        return Call(
            request_id=f"r{self.number}",
            method="POST",
            path="/",
            headers={},
            client="127.0.0.1",
            secure=False,
            at=NOW,
            began=0.0,
            needs=needs,
            tenant=self.tenant_of(plan),
        )

    def ended(self, call: Call, *, status: int = 200, **used: Any) -> None:
        assert call.needs is not None
        self.meter.record(
            UsageEvent(
                request_id=call.request_id,
                tenant_id=call.within.id,
                at=NOW,
                route=call.needs.route,
                status=status,
                **used,
            )
        )

    def used(self, **used: Any) -> None:
        self.ended(self.new(), **used)


@pytest.fixture
def requests(meter: Meter, tenant_of: Callable[..., Tenant]) -> Requests:
    return Requests(meter, tenant_of)


async def refusal(quotas: Quotas, call: Call) -> QuotaExceededError:
    with pytest.raises(QuotaExceededError) as refused:
        await quotas.check(call)
    return refused.value


async def test_the_last_call_of_a_month_passes_and_the_next_does_not(
    quotas: Quotas, requests: Requests, clock: ManualClock
) -> None:
    requests.used(api_calls=49_999)
    last = requests.new()
    await quotas.check(last)
    requests.ended(last)
    refused = await refusal(quotas, requests.new())
    assert refused.details == {
        "metric": "api_calls",
        "current": 50_000,
        "limit": 50_000,
        "plan": "free",
    }
    assert str(refused) == (
        "the plan 'free' allows 50,000 API calls a month, and 50,000 are made: "
        "wait for the next month, or change the plan"
    )
    await quotas.check(requests.new(plan="pro"))
    clock.advance(days=10)
    await quotas.check(requests.new())


async def test_searches_count_apart_from_other_calls(quotas: Quotas, requests: Requests) -> None:
    requests.used(searches=10_000)
    refused = await refusal(quotas, requests.new(SEARCH))
    assert refused.details["metric"] == "searches"
    await quotas.check(requests.new(READ))
    await quotas.check(requests.new(SEARCH, plan="team"))


async def test_many_at_once_pass_no_limit(quotas: Quotas, requests: Requests) -> None:
    requests.used(searches=9_990)
    calls = [requests.new(SEARCH) for _ in range(100)]
    answers = await asyncio.gather(*map(quotas.check, calls), return_exceptions=True)
    passed = [call for call, answer in zip(calls, answers, strict=True) if answer is None]
    assert len(passed) == 10
    requests.ended(passed[0], status=500)  # it searched nothing, so another may
    await quotas.check(requests.new(SEARCH))
    await refusal(quotas, requests.new(SEARCH))


async def test_what_former_processes_told_counts(
    plane: ControlPlane, quotas: Quotas, requests: Requests, meter: Meter
) -> None:
    plane.record_usage(
        [
            UsageEvent(
                request_id="old",
                tenant_id="acme",
                at=NOW,
                route="POST /v1/search",
                status=200,
                searches=10_000,
            )
        ]
    )
    assert not meter.knows("acme")
    await refusal(quotas, requests.new(SEARCH))


async def test_no_batch_passes_the_limit(quotas: Quotas, requests: Requests, meter: Meter) -> None:
    meter.measured("acme", 900, 0)
    call = requests.new(ADD)
    await quotas.check(call)
    await quotas.room_for(call, 100)
    other = requests.new(ADD)
    assert (await refusal(quotas, other)).details["current"] == 1_000
    with pytest.raises(QuotaExceededError) as refused:
        await quotas.room_for(call, 101)
    assert refused.value.details == {
        "metric": "memories_stored",
        "current": 900,
        "limit": 1_000,
        "plan": "free",
    }
    assert str(refused.value) == (
        "the plan 'free' allows 1,000 memories, and 900 are stored, so 101 more do not fit: "
        "delete some, or change the plan"
    )
    requests.ended(call, memories_created=60)  # the others were there already
    await quotas.check(other)
    await quotas.room_for(other, 40)
    await refusal(quotas, requests.new(ADD))


async def test_batches_at_once_share_the_room_that_is_left(
    quotas: Quotas, requests: Requests, meter: Meter
) -> None:
    meter.measured("acme", 500, 0)

    async def batch(size: int) -> int:
        call = requests.new(ADD)
        try:
            await quotas.check(call)
            await asyncio.sleep(0)
            await quotas.room_for(call, size)
            await asyncio.sleep(0.01)
        except QuotaExceededError:
            requests.ended(call, status=402)
            return 0
        requests.ended(call, status=201, memories_created=size)
        return size

    for _ in range(3):
        await asyncio.gather(*(batch(70) for _ in range(10)))
    stored = meter.stored("acme")
    assert stored.memories + stored.created_since == 500 + 7 * 70


async def test_several_searches_of_one_request_are_counted(
    quotas: Quotas, requests: Requests
) -> None:
    requests.used(searches=9_995)
    call = requests.new(READ)
    await quotas.check(call)
    await quotas.room_for(call, searches=5)
    with pytest.raises(QuotaExceededError):
        await quotas.room_for(call, searches=6)


async def test_storage_that_is_full_takes_no_memory_and_gives_them_out(
    quotas: Quotas, requests: Requests, meter: Meter
) -> None:
    meter.measured("acme", 10, 100_000_000)
    refused = await refusal(quotas, requests.new(ADD))
    assert refused.details["metric"] == "storage_bytes"
    await quotas.check(requests.new(SEARCH))
    await quotas.check(requests.new(ADD, plan="pro"))


async def test_a_tenant_is_measured_before_it_is_refused(meter: Meter, requests: Requests) -> None:
    holds = {"memories": 1_000, "asked": 0}

    async def measure(tenant: Tenant) -> tuple[int, int]:
        assert tenant.id == "acme"
        holds["asked"] += 1
        return holds["memories"], 5_000

    quotas = Quotas(meter, LimitSettings(), run=in_thread, measure=measure)
    await quotas.check(requests.new(SEARCH))
    assert holds["asked"] == 0
    await refusal(quotas, requests.new(ADD))
    assert holds["asked"] == 1
    holds["memories"] = 998  # some were deleted
    await quotas.check(requests.new(ADD))
    assert holds["asked"] == 2
    await quotas.check(requests.new(ADD))
    assert holds["asked"] == 2
    await refusal(quotas, requests.new(ADD))


async def test_memories_that_are_made_while_it_is_measured_are_not_forgotten(
    meter: Meter, requests: Requests
) -> None:
    adding = requests.new(ADD)

    async def measure(tenant: Tenant) -> tuple[int, int]:
        assert tenant.id == "acme"
        requests.ended(adding, memories_created=1)  # made after the count
        return 999, 0

    quotas = Quotas(meter, LimitSettings(), run=in_thread, measure=measure)
    assert (await refusal(quotas, requests.new(ADD))).details["current"] == 1_000


@pytest.mark.parametrize(
    ("metric", "plan", "limit"),
    [("members", "free", 1), ("members", "team", 10), ("workspaces", "free", 3)],
)
async def test_members_and_workspaces_have_their_limits(
    quotas: Quotas,
    tenant_of: Callable[..., Tenant],
    metric: str,
    plan: Plan,
    limit: int,
) -> None:
    check: Any = quotas.check_members if metric == "members" else check_workspaces
    check(tenant_of(plan), limit - 1)
    with pytest.raises(QuotaExceededError) as refused:
        check(tenant_of(plan), limit)
    assert refused.value.details == {
        "metric": metric,
        "current": limit,
        "limit": limit,
        "plan": plan,
    }
    check(tenant_of("dedicated"), 10**9)


async def test_a_dedicated_tenant_has_no_limits(quotas: Quotas, requests: Requests) -> None:
    requests.used(api_calls=10**9, searches=10**9, memories_created=10**9)
    for needs in (READ, SEARCH, ADD):
        await quotas.check(requests.new(needs, plan="dedicated"))


async def test_quotas_that_are_switched_off_refuse_nothing(
    meter: Meter, requests: Requests, tenant_of: Callable[..., Tenant]
) -> None:
    quotas = Quotas(meter, LimitSettings(enabled=False), run=in_thread)
    requests.used(api_calls=10**9, searches=10**9, memories_created=10**9)
    for needs in (READ, SEARCH, ADD):
        await quotas.check(requests.new(needs))
    await quotas.room_for(requests.new(ADD), 10**9)
    quotas.check_members(tenant_of(), 10**9)


async def test_a_request_without_a_tenant_has_no_quota(quotas: Quotas, requests: Requests) -> None:
    call = requests.new()
    call.tenant = None
    await quotas.check(call)
    call = requests.new(None)
    await quotas.check(call)


async def test_what_ended_makes_room_however_it_ended(
    quotas: Quotas, requests: Requests, meter: Meter
) -> None:
    calls = [requests.new(SEARCH) for _ in range(5)]
    for call in calls:
        await quotas.check(call)
        await quotas.check(call)  # twice is once
    assert meter.books.admitted("acme").searches == 5
    for call in calls:
        requests.ended(call, status=500)
        requests.ended(call, status=500)
    assert meter.books.admitted("acme").searches == 0

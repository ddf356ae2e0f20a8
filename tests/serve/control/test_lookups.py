from __future__ import annotations

import asyncio
import threading
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import anyio
import anyio.lowlevel
import pytest
from anyio.to_thread import run_sync

from engram_lab.core.errors import StoreError
from engram_lab.serve.control import Lookups
from tests.serve.control.made import NOON, api_key, furnished, tenant, usage

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from engram_lab.serve.control import ControlPlane
    from tests.serve.control.conftest import Making

pytestmark = pytest.mark.anyio
T = TypeVar("T")
PREFIX = api_key("k-acme").prefix
IN_A_FILE = pytest.mark.parametrize("making", ["sqlite"], indirect=True)  # which has a revision


class Threads:
    """Runs calls in threads, counts them, and holds them back where told to."""

    def __init__(self) -> None:
        self.calls = 0
        self.most_at_once = 0
        self._now = 0
        self.open = threading.Event()
        self.open.set()
        self.read = threading.Event()

    def __call__(self, work: Callable[[], T], /) -> Awaitable[T]:
        return run_sync(self._held, work)

    def _held(self, work: Callable[[], T]) -> T:
        self.calls += 1
        self._now += 1
        self.most_at_once = max(self.most_at_once, self._now)
        try:
            answer = work()
            self.read.set()  # the answer is there, and may be held back
            assert self.open.wait(10)
            return answer
        finally:
            self._now -= 1


@pytest.fixture
def threads() -> Threads:
    return Threads()


@pytest.fixture
def lookups(plane: ControlPlane, threads: Threads) -> Lookups:
    furnished(plane, "acme")
    return Lookups(plane, threads)


async def test_answers_are_those_of_the_plane(lookups: Lookups, plane: ControlPlane) -> None:
    for _ in range(2):
        assert await lookups.tenant_by_slug("acme") == tenant("acme")
        assert await lookups.tenant("id-of-acme") == tenant("acme")
        assert await lookups.keys_by_prefix(PREFIX) == [api_key("k-acme")]
        assert await lookups.member("id-of-acme", "owner-of-acme") == plane.member(
            "id-of-acme", "owner-of-acme"
        )
        assert await lookups.tenant_by_slug("id-of-acme") is None
        assert await lookups.tenant("acme") is None
        assert await lookups.keys_by_prefix("none") == []
        assert await lookups.member("id-of-acme", "nobody") is None


@IN_A_FILE
async def test_what_is_known_is_not_asked_again(lookups: Lookups, threads: Threads) -> None:
    for _ in range(20):
        await lookups.tenant_by_slug("acme")
        await lookups.tenant_by_slug("nobody")
        (await lookups.keys_by_prefix(PREFIX)).clear()  # a list that is one's own
    assert threads.calls == 3
    assert await lookups.keys_by_prefix(PREFIX) == [api_key("k-acme")]


@IN_A_FILE
async def test_usage_audit_and_last_use_leave_what_is_known(
    lookups: Lookups, threads: Threads, plane: ControlPlane
) -> None:
    await lookups.tenant_by_slug("acme")
    plane.used_keys({"key-k-acme": NOON})
    plane.record_usage([usage(99)])
    await lookups.tenant_by_slug("acme")
    assert threads.calls == 1


@pytest.mark.parametrize("other_server", [False, True])
async def test_the_very_next_question_sees_a_revocation(
    lookups: Lookups, plane: ControlPlane, making: Making, *, other_server: bool
) -> None:
    view = (making() if other_server else plane).within("id-of-acme")
    for number in range(20):
        assert (await lookups.keys_by_prefix(PREFIX))[0].revoked_at is None
        assert await lookups.keys_by_prefix(f"ek_live_n{number}"[:12]) == []
        view.add_key(api_key(f"n{number}"))
        assert len(await lookups.keys_by_prefix(f"ek_live_n{number}"[:12])) == 1
    view.revoke_key("key-k-acme", at=NOON)
    assert (await lookups.keys_by_prefix(PREFIX))[0].revoked_at == NOON
    view.put_member("bob", "viewer", at=NOON)
    assert await lookups.member("id-of-acme", "bob") is not None
    view.remove_member("bob")
    assert await lookups.member("id-of-acme", "bob") is None
    plane.as_operator().update_tenant("id-of-acme", state="suspended")
    found = await lookups.tenant_by_slug("acme")
    assert found is not None
    assert found.state == "suspended"


async def test_many_that_ask_at_once_are_one_question(lookups: Lookups, threads: Threads) -> None:
    async with asyncio.TaskGroup() as group:
        asked = [group.create_task(lookups.tenant_by_slug("acme")) for _ in range(100)]
    assert {each.result() for each in asked} == {tenant("acme")}
    assert threads.calls == 1


async def test_who_asks_after_a_revocation_gets_no_answer_from_before(
    lookups: Lookups, threads: Threads, plane: ControlPlane
) -> None:
    threads.open.clear()
    async with asyncio.TaskGroup() as group:
        before = group.create_task(lookups.keys_by_prefix(PREFIX))
        assert await run_sync(threads.read.wait, 10)
        await run_sync(lambda: plane.within("id-of-acme").revoke_key("key-k-acme", at=NOON))
        after = [group.create_task(lookups.keys_by_prefix(PREFIX)) for _ in range(10)]
        await anyio.sleep(0.02)
        threads.open.set()
    assert before.result()[0].revoked_at is None
    assert [each.result()[0].revoked_at for each in after] == [NOON] * 10
    assert (threads.calls, threads.most_at_once) == (2, 1)
    assert (await lookups.keys_by_prefix(PREFIX))[0].revoked_at == NOON


@IN_A_FILE
async def test_who_asks_while_an_answer_comes_waits_for_it(
    lookups: Lookups, threads: Threads
) -> None:
    threads.open.clear()
    async with asyncio.TaskGroup() as group:
        group.create_task(lookups.tenant_by_slug("acme"))
        assert await run_sync(threads.read.wait, 10)
        group.create_task(lookups.tenant_by_slug("acme"))
        await anyio.sleep(0.01)
        threads.open.set()
    assert threads.calls == 1


async def test_who_goes_away_takes_nothing_from_the_others(
    lookups: Lookups, threads: Threads
) -> None:
    threads.open.clear()
    gone = asyncio.create_task(lookups.tenant_by_slug("acme"))
    stays = asyncio.create_task(lookups.tenant_by_slug("acme"))
    assert await run_sync(threads.read.wait, 10)
    gone.cancel()
    await asyncio.wait({gone})
    threads.open.set()
    assert await stays == tenant("acme")
    assert gone.cancelled()
    assert threads.calls == 1


async def test_a_failure_is_told_to_all_and_kept_by_nobody(
    plane: ControlPlane, making: Making
) -> None:
    furnished(plane, "acme")
    broken = [True]

    async def run(work: Callable[[], Any], /) -> Any:
        await anyio.lowlevel.checkpoint()
        if broken:
            raise StoreError("away")
        return work()

    lookups = Lookups(making(), run)
    found = await asyncio.gather(
        *(lookups.tenant_by_slug("acme") for _ in range(3)), return_exceptions=True
    )
    assert [type(each) for each in found] == [StoreError] * 3
    broken.clear()
    assert await lookups.tenant_by_slug("acme") == tenant("acme")


@IN_A_FILE
async def test_only_so_many_answers_are_kept(plane: ControlPlane) -> None:
    asked: Counter[int] = Counter()
    number = 0

    async def run(work: Callable[[], Any], /) -> Any:
        await anyio.lowlevel.checkpoint()
        asked[number] += 1
        return work()

    lookups = Lookups(plane, run, most=3)
    for number in (1, 2, 3, 1, 4, 1, 3, 2):
        await lookups.tenant_by_slug(f"slug-{number}")
    assert asked == {1: 1, 2: 2, 3: 1, 4: 1}


async def test_a_member_of_one_tenant_is_none_of_another(
    lookups: Lookups, plane: ControlPlane
) -> None:
    plane.as_operator().add_tenant(tenant("beta", created_at=NOON + timedelta(1)))
    assert await lookups.member("id-of-acme", "owner-of-acme") is not None
    assert await lookups.member("id-of-beta", "owner-of-acme") is None

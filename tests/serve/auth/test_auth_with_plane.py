"""With the real control plane in SQLite, the real look-ups, and the real threads."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from engram_lab.config.serving import AuthSettings, ControlSettings
from engram_lab.core.clock import ManualClock
from engram_lab.serve.auth import Authenticator, check_entry, new_key, rotate_key
from engram_lab.serve.control import Lookups, open_control_plane
from engram_lab.serve.control.records import ApiKey, Tenant
from engram_lab.serve.errors import (
    ForbiddenError,
    TenantNotFoundError,
    TenantSuspendedError,
    UnauthorizedError,
)
from engram_lab.serve.workers import Workers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from engram_lab.serve.call import Actor, Call
    from engram_lab.serve.control import ControlPlane
    from engram_lab.serve.control.records import Scope

    Asks = Callable[..., Call]

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
ACME, OTHER = "01890a5d-ac96-774b-bcce-b302099a8057", "01890a5d-ac96-774b-bcce-b302099a8058"
pytestmark = pytest.mark.anyio

REVOKE = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from engram_lab.config.serving import ControlSettings
from engram_lab.core.clock import SystemClock
from engram_lab.serve.control import open_control_plane
folder, tenant, key = sys.argv[1:]
plane = open_control_plane(ControlSettings(), Path(folder), clock=SystemClock())
plane.within(tenant).revoke_key(key, at=datetime.now(UTC))
plane.close()
"""


class Server:
    """Everything between a request and who asks."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = ManualClock(NOW)
        self.plane: ControlPlane = open_control_plane(ControlSettings(), folder, clock=self.clock)
        self.workers = Workers(2, waiting=100, name="auth")
        self.lookups = Lookups(self.plane, self.workers.run)
        self.used: dict[str, datetime] = {}
        self.authenticator = Authenticator(
            AuthSettings(enabled=True),
            self.lookups,
            self.clock,
            self.workers.run,
            self.used.__setitem__,
        )
        for tenant_id, slug in ((ACME, "acme"), (OTHER, "other")):
            self.plane.as_operator().add_tenant(
                Tenant(id=tenant_id, slug=slug, name=slug, created_at=NOW)
            )

    def add(
        self, *, key_id: str = "k1", tenant_id: str = ACME, scopes: tuple[Scope, ...] = ("search",)
    ) -> tuple[str, ApiKey]:
        made = new_key("live")
        key = ApiKey(
            id=key_id,
            tenant_id=tenant_id,
            name=key_id,
            prefix=made.prefix,
            hash=made.hash,
            environment="live",
            scopes=scopes,
            created_at=NOW,
            created_by="operator",
        )
        self.plane.within(tenant_id).add_key(key)
        return made.secret, key

    async def enter(self, call: Call, slug: str = "acme") -> Actor:
        call.tenant = await self.lookups.tenant_by_slug(slug)
        call.actor = await self.authenticator.authenticate(call)
        return check_entry(call, None)

    def close(self) -> None:
        self.workers.close()
        self.plane.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path)
    yield server
    server.close()


async def test_a_key_opens_its_own_tenant_and_no_other(server: Server, asks: Asks) -> None:
    secret, _ = server.add()
    assert (await server.enter(asks(bearer=secret))).tenant_id == ACME
    answers = set()
    for slug in ("other", "nobody"):
        with pytest.raises(TenantNotFoundError) as refused:
            await server.enter(asks(bearer=secret), slug)
        answers.add(str(refused.value))
    assert len(answers) == 1


async def test_a_key_that_another_process_revokes_is_refused_at_once(
    server: Server, asks: Asks
) -> None:
    secret, key = server.add()
    for _ in range(3):
        await server.enter(asks(bearer=secret))
    program = [sys.executable, "-c", REVOKE, str(server.folder), ACME, key.id]
    await asyncio.to_thread(subprocess.run, program, check=True)
    with pytest.raises(UnauthorizedError):
        await server.enter(asks(bearer=secret))


async def test_no_request_that_begins_after_a_revocation_gets_in(
    server: Server, asks: Asks
) -> None:
    secret, key = server.add()
    revoked = False
    let_in_after = 0

    async def keep_asking() -> None:
        nonlocal let_in_after
        while True:
            was_revoked = revoked
            try:
                await server.enter(asks(bearer=secret))
            except UnauthorizedError:
                return
            let_in_after += was_revoked
            await asyncio.sleep(0)

    asking = asyncio.gather(*(keep_asking() for _ in range(8)))
    await asyncio.sleep(0.05)
    await asyncio.to_thread(server.plane.within(ACME).revoke_key, key.id, at=NOW)
    revoked = True
    await asyncio.wait_for(asking, 5)
    assert let_in_after == 0


async def test_a_tenant_is_suspended_and_purged_at_once(server: Server, asks: Asks) -> None:
    secret, _ = server.add()
    await server.enter(asks(bearer=secret))
    operator = server.plane.as_operator()
    operator.update_tenant(ACME, state="suspended")
    with pytest.raises(TenantSuspendedError):
        await server.enter(asks(bearer=secret))
    operator.update_tenant(ACME, state="active")
    await server.enter(asks(bearer=secret))
    operator.update_tenant(ACME, state="deleted", deleted_at=NOW)
    with pytest.raises(TenantNotFoundError):
        await server.enter(asks(bearer=secret))
    operator.purge_tenant(ACME)
    with pytest.raises(UnauthorizedError):
        await server.enter(asks(bearer=secret))


async def test_a_rotation_lets_both_in_and_then_the_new_one_alone(
    server: Server, asks: Asks
) -> None:
    old_secret, old = server.add()
    await server.enter(asks(bearer=old_secret))
    rotated = rotate_key(old, new_id="k2", at=NOW, overlap=timedelta(hours=1), by="user:olga")
    view = server.plane.within(ACME)
    view.add_key(rotated.key)
    view.expire_key(old.id, at=rotated.old_ends_at)
    for secret, key_id in ((old_secret, "k1"), (rotated.secret, "k2")):
        assert (await server.enter(asks(bearer=secret))).id == key_id
    server.clock.advance(hours=1)
    with pytest.raises(UnauthorizedError):
        await server.enter(asks(bearer=old_secret))
    assert (await server.enter(asks(bearer=rotated.secret))).id == "k2"


async def test_the_last_use_is_noted_and_makes_nothing_be_looked_up_anew(
    server: Server, asks: Asks
) -> None:
    secret, key = server.add()
    await server.enter(asks(bearer=secret))
    server.clock.advance(minutes=5)
    await server.enter(asks(bearer=secret))
    assert server.used == {key.id: NOW + timedelta(minutes=5)}
    before = server.plane.revision()
    server.plane.used_keys(server.used)
    assert server.plane.revision() == before
    (kept,) = server.plane.within(ACME).keys()
    assert kept.last_used_at == NOW + timedelta(minutes=5)


async def test_a_scope_that_a_key_lacks_is_named(server: Server, asks: Asks) -> None:
    secret, _ = server.add(scopes=("memories:read",))
    with pytest.raises(ForbiddenError, match="the scope search"):
        await server.enter(asks(bearer=secret))

"""How tenants come, rest, and go: each step can be taken again after it was cut short.

To come: the folder, the database in it, then the row that makes them a tenant, then the owner. A
row without a database never is, so that a database that is missing is a loss, and no beginning.
To go: the row is marked, so that nobody gets in; after a while files, then rows are removed.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from threading import Lock
from typing import TYPE_CHECKING, Final

from engram_lab.core.errors import ConflictError, InvalidInputError, NotFoundError, shown
from engram_lab.core.ids import IdSource
from engram_lab.serve.control.records import PLANS, Tenant
from engram_lab.serve.errors import UnavailableError
from engram_lab.serve.tenants.places import born
from engram_lab.serve.tenants.slugs import check_slug

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from engram_lab.core.clock import Clock
    from engram_lab.serve.control.protocol import ControlPlane
    from engram_lab.serve.control.records import Member, Plan
    from engram_lab.serve.tenants.configurations import Configurations
    from engram_lab.serve.tenants.places import Places
    from engram_lab.serve.tenants.pool import EnginePool

__all__ = ["GRACE", "Estate", "Provisioned"]

_log = logging.getLogger(__name__)

GRACE: Final = timedelta(days=30)
"""For so long a deleted tenant can be brought back."""

_LONGEST_NAME: Final = 200
_UNCLAIMED_FOR: Final = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Provisioned:
    """A tenant that is ready.

    Attributes:
        owner: Who may do everything in it; None where nobody was named.
        made: False where an earlier attempt, cut short, was brought to its end.
    """

    tenant: Tenant
    owner: Member | None
    made: bool


class Estate:
    """The tenants of a server, with all that belongs to one. Threads share it.

    Args:
        plane: Where they are recorded.
        places: Where their databases lie.
        configurations: What opens those.
        clock: Tells the time.
        pool: Has them open, where a server runs in this process.
        ids: Makes ids.
        grace: How long a deleted tenant is kept.
        purged: Called with the id of a tenant that is removed for good, before its rows are: for
            what else there is of it, such as backups. Called again if it fails.
    """

    def __init__(
        self,
        *,
        plane: ControlPlane,
        places: Places,
        configurations: Configurations,
        clock: Clock,
        pool: EnginePool | None = None,
        ids: IdSource | None = None,
        grace: timedelta = GRACE,
        purged: Callable[[str], object] = lambda _tenant_id: None,
    ) -> None:
        self.plane = plane
        self.places = places
        self.configurations = configurations
        self.pool = pool
        self._clock = clock
        self._ids = ids or IdSource()
        self._drawing = Lock()
        self._grace = grace
        self._purged = purged

    def provision(
        self,
        slug: str,
        *,
        name: str | None = None,
        plan: Plan = "free",
        bundle: str | None = None,
        owner: str | None = None,
        email: str | None = None,
    ) -> Provisioned:
        """Make a tenant with an empty database.

        Args:
            slug: Its name in hosts and headers.
            name: For people; else the slug.
            plan: Which limits hold.
            bundle: Which of the served configurations answers it.
            owner: The `sub` of who may do everything in it.
            email: Of the owner.

        Raises:
            InvalidInputError: A bad slug, name or plan.
            ConflictError: The slug is taken.
            UnavailableError: The bundle is not served here.
        """
        check_slug(slug)
        told = slug if name is None else name.strip()
        if not 1 <= len(told) <= _LONGEST_NAME or not told.isprintable():
            raise InvalidInputError(f"a name has 1 to {_LONGEST_NAME} characters on one line")
        if plan not in PLANS:
            raise InvalidInputError(f"plan is {shown(plan)}: allowed are {', '.join(PLANS)}")
        former = self.plane.tenant_by_slug(slug)
        if former is not None:
            return self._finished(former, owner, email)
        now = self._clock.now()
        tenant = Tenant(
            id=self._new_id(now), slug=slug, name=told, plan=plan, bundle=bundle, created_at=now
        )
        try:
            self.places.make(tenant.id)
            self.configurations.make(tenant)
        except BaseException:
            self.places.remove(tenant.id)
            raise
        try:
            self.plane.as_operator().add_tenant(tenant)
        except ConflictError:
            self.places.remove(tenant.id)
            raise  # after any other error the row may be there all the same: `sweep` will see
        return Provisioned(tenant=tenant, owner=self._owned(tenant, owner, email), made=True)

    def suspend(self, tenant_id: str) -> Tenant:
        """Let nobody into a tenant; everything stays.

        Raises:
            NotFoundError: There is no such tenant.
            ConflictError: It was deleted.
        """
        if self._known(tenant_id).state == "deleted":
            raise ConflictError("this tenant was deleted: resume it first, or let it go")
        tenant = self.plane.as_operator().update_tenant(tenant_id, state="suspended")
        self._close(tenant_id)
        return tenant

    def resume(self, tenant_id: str) -> Tenant:
        """Let people into a tenant again that was suspended, or deleted and not purged yet.

        Raises:
            NotFoundError: There is no such tenant, or its database is gone.
        """
        self._known(tenant_id)
        if not self.places.exists(tenant_id):
            raise NotFoundError("the database of this tenant is not there: restore a backup first")
        return self.plane.as_operator().update_tenant(tenant_id, state="active")

    def delete(self, tenant_id: str) -> Tenant:
        """Mark a tenant as deleted: nobody gets in any more, and after a while it is purged.

        Raises:
            NotFoundError: There is no such tenant.
        """
        tenant = self._known(tenant_id)
        if tenant.state != "deleted":
            now = self._clock.now()
            operator = self.plane.as_operator()
            tenant = operator.update_tenant(tenant_id, state="deleted", deleted_at=now)
        self._close(tenant_id)
        return tenant

    def due_for_purge(self) -> list[Tenant]:
        """Return the deleted tenants whose time is over."""
        before = self._clock.now() - self._grace
        deleted = self.plane.as_operator().tenants(state="deleted")
        return [each for each in deleted if each.deleted_at and each.deleted_at <= before]

    def purge(self, tenant_id: str, *, at_once: bool = False) -> None:
        """Remove a deleted tenant for good: files, backups, rows. Its audit stays.

        Args:
            tenant_id: Which.
            at_once: Do not wait until its time is over.

        Raises:
            NotFoundError: There is no such tenant, or it was purged before.
            ConflictError: It was not deleted, or its time is not over.
            UnavailableError: Somebody still uses it; try again.
        """
        tenant = self._known(tenant_id)
        if tenant.state != "deleted":
            raise ConflictError("this tenant was not deleted: delete it first, then purge it")
        if not at_once and tenant not in self.due_for_purge():
            raise ConflictError(
                f"a deleted tenant is kept for {self._grace.days} days: say that it is to go now"
            )
        if self.pool is None:
            self._remove(tenant_id)
            return
        with self.pool.closed(tenant_id):
            self._remove(tenant_id)
        self.pool.forget(tenant_id)

    def sweep(self) -> list[str]:
        """Remove what attempts that were cut short left; return the ids that never were tenants.

        A folder that no row knows is left alone for an hour, as its row may be about to come. One
        that holds memories is left alone for ever: perhaps it is the rows that were lost.
        """
        self.places.sweep()
        before = self._clock.now() - _UNCLAIMED_FOR
        gone = []
        for each in self.places.all():
            if self.plane.tenant(each) is not None or born(each) > before:
                continue
            if self.configurations.is_unused(each):
                self.places.remove(each)
                gone.append(each)
            else:
                _log.warning("the folder %s belongs to no tenant, and holds something", each)
        return gone

    def _remove(self, tenant_id: str) -> None:
        self.places.remove(tenant_id)
        self._purged(tenant_id)
        self.plane.as_operator().purge_tenant(tenant_id)

    def _finished(self, tenant: Tenant, owner: str | None, email: str | None) -> Provisioned:
        """Bring to its end what was cut short after the row: a tenant without any member."""
        unowned = owner is not None and not self.plane.within(tenant.id).members()
        if tenant.state != "active" or not unowned:
            raise ConflictError(f"there already is a tenant {tenant.slug!r}: give another name")
        return Provisioned(tenant=tenant, owner=self._owned(tenant, owner, email), made=False)

    def _owned(self, tenant: Tenant, owner: str | None, email: str | None) -> Member | None:
        if owner is None:
            return None
        within = self.plane.within(tenant.id)
        return within.put_member(owner, "owner", email=email, at=tenant.created_at)

    def _known(self, tenant_id: str) -> Tenant:
        tenant = self.plane.tenant(tenant_id)
        if tenant is None:
            raise NotFoundError(f"there is no tenant {shown(tenant_id)}")
        return tenant

    def _close(self, tenant_id: str) -> None:
        if self.pool is not None:
            with suppress(UnavailableError):  # it is closed once it is idle, and nobody gets in
                self.pool.close_tenant(tenant_id)

    def _new_id(self, at: datetime) -> str:
        with self._drawing:
            return self._ids.new(at)

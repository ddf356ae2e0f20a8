"""The open engines: opened at first use, lent to requests, closed when others need the room.

A tenant has one engine. Only while a newer configuration takes over are there two: the former one
finishes the requests that have it, and takes no more. What is slow, opening and closing, happens
outside of the lock, so that no tenant waits for another's.
"""

from __future__ import annotations

import logging
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from engram_lab.serve.errors import UnavailableError
from engram_lab.serve.tenants.faults import Faults
from engram_lab.serve.tenants.opening import OUT_OF_REACH, opened, told_of
from engram_lab.serve.tenants.places import identity_of
from engram_lab.serve.tenants.shelf import TRY_AGAIN, Shelf
from engram_lab.serve.tenants.slots import Slot, State

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator

    from engram_lab.engine import Engine
    from engram_lab.serve.control.records import Tenant
    from engram_lab.serve.tenants.places import Places

__all__ = ["EnginePool"]

_log = logging.getLogger(__name__)


class EnginePool:
    """Lends open engines. Threads share it.

    Args:
        open_engine: Opens the engine of a tenant whose database exists.
        places: Where databases lie. One that is not there is never made: that is provisioning's.
        max_open: Most engines open at once.
        idle_close_s: `close_idle` closes what nobody used for so long.
        timer: Tells seconds.
        version: Tells with which configuration a tenant's engine is to be opened now; once the
            answer is another than when it was opened, it is opened anew.
        wait_s: How long to wait for room, or for an engine that is in use.
        fault_s: For so long a database that could not be opened is not tried again, unless its
            file changes.
        told: Called with `opened`, `evicted`, `idle`, `closed`, `swapped`, `failed` or `lost`
            and with how many engines are open then.
    """

    def __init__(
        self,
        open_engine: Callable[[Tenant], Engine],
        *,
        places: Places,
        max_open: int,
        idle_close_s: float,
        timer: Callable[[], float] = time.perf_counter,
        version: Callable[[Tenant], Hashable] = lambda tenant: tenant.bundle,
        wait_s: float = 10.0,
        fault_s: float = 5.0,
        told: Callable[[str, int], None] = lambda _event, _open: None,
    ) -> None:
        self._open_engine = open_engine
        self._places = places
        self._idle_close_s = idle_close_s
        self._timer = timer
        self._version = version
        self._wait_s = wait_s
        self._shelf = Shelf(max_open=max_open, timer=timer, told=told)
        self._changed = self._shelf.changed
        self._slots = self._shelf.slots
        self._faults = Faults(places, timer=timer, lasting_s=fault_s)
        self._barred: dict[str, int] = {}
        self._asked: dict[str, float] = {}
        self._closed = False

    @property
    def open_count(self) -> int:
        """How many engines are open, or are being opened or closed."""
        return self._shelf.taken

    @property
    def in_use(self) -> int:
        """How many leases there are."""
        with self._changed:
            return sum(slot.leases for slot in (*self._slots.values(), *self._shelf.retired))

    def is_open(self, tenant_id: str) -> bool:
        """Tell whether a tenant's engine is open."""
        slot = self._slots.get(tenant_id)
        return slot is not None and slot.state is State.OPEN

    def asked_at(self, tenant_id: str) -> float | None:
        """Return when a tenant was last asked for, by the timer; quiet leases do not count."""
        return self._asked.get(tenant_id)

    @contextmanager
    def lease(
        self, tenant: Tenant, *, quiet: bool = False, brief: bool = False
    ) -> Iterator[Engine]:
        """Lend the engine of a tenant for the block. Blocks: for threads, not for event loops.

        Args:
            tenant: Whose.
            quiet: It is the server's own work, not somebody's asking.
            brief: It is for a read of a few milliseconds, which the event loop may wait for.

        Raises:
            UnavailableError: The database is gone or cannot be opened; all engines are in use;
                the server is going down. Also if the file went away during the block, which then
                counts for nothing: what it wrote is in no file.
        """
        slot, engine = self._take(tenant, quiet=quiet, brief=brief)
        try:
            yield engine
            if identity_of(slot.path) != slot.identity:
                self._shelf.lose(slot)
                raise UnavailableError(OUT_OF_REACH, headers=TRY_AGAIN)
        finally:
            self._shelf.give_back(slot, brief=brief)

    @contextmanager
    def at_once(self, tenant: Tenant) -> Iterator[Engine | None]:
        """Lend the engine of a tenant where it is open and only brief leases have it.

        For event loops, and for reads of a few milliseconds: it never blocks. Whoever asks for a
        longer lease waits until this one is given back, so that nobody can take for long what the
        read needs.

        Args:
            tenant: Whose.

        Yields:
            The engine; None where `lease` is to be asked.
        """
        slot = self._lent_at_once(tenant.id, self._version(tenant))
        if slot is None:
            yield None
            return
        try:
            yield slot.engine if identity_of(slot.path) == slot.identity else None
        finally:
            self._shelf.give_back(slot, at_once=True)

    def close_tenant(self, tenant_id: str, *, wait_s: float | None = None) -> None:
        """Close a tenant's engine, after the requests that have it.

        Raises:
            UnavailableError: It is still in use after the wait.
        """
        with self.closed(tenant_id, wait_s=wait_s):
            pass

    @contextmanager
    def closed(self, tenant_id: str, *, wait_s: float | None = None) -> Iterator[None]:
        """Keep a tenant's engine closed for the block, as for putting another file in its place.

        Leases are refused meanwhile.

        Raises:
            UnavailableError: It is still in use after the wait; the block is not entered.
        """
        with self._changed:
            self._barred[tenant_id] = self._barred.get(tenant_id, 0) + 1
        try:
            self._shelf.drain(tenant_id, wait_s=self._wait_s if wait_s is None else wait_s)
            yield
        finally:
            with self._changed:
                self._barred[tenant_id] -= 1
                if not self._barred[tenant_id]:
                    del self._barred[tenant_id]
                self._faults.forget(tenant_id)
                self._changed.notify_all()

    def forget(self, tenant_id: str) -> None:
        """Forget what is known of a tenant that was purged."""
        with self._changed:
            self._asked.pop(tenant_id, None)
            self._faults.forget(tenant_id)

    def close_idle(self) -> int:
        """Close the engines that nobody used for long; return how many."""
        since = self._timer() - self._idle_close_s
        done = 0
        while True:
            with self._changed:
                slot = self._shelf.unused_held(since)
                if slot is None:
                    return done
                slot.state = State.CLOSING
            self._shelf.shut(slot, "idle")
            done += 1

    def close(self, *, wait_s: float | None = None) -> int:
        """Lend nothing more, and close every engine after the requests that have it.

        Returns:
            How many are still in use after the wait; each is closed once it is given back.
        """
        deadline = self._timer() + (self._wait_s if wait_s is None else wait_s)
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            tenants = [*self._slots, *(slot.tenant_id for slot in self._shelf.retired)]
        for tenant_id in tenants:
            try:
                self._shelf.drain(tenant_id, wait_s=deadline - self._timer())
            except UnavailableError:
                self._retire(tenant_id)
        return self.open_count

    def _retire(self, tenant_id: str) -> None:
        """Let the engine of a tenant be closed by whoever gives it back last."""
        with self._changed:
            slot = self._slots.get(tenant_id)
            if slot is None or slot.state is not State.OPEN:
                return
            idle = slot.is_idle
            if idle:
                slot.state = State.CLOSING
            else:
                self._shelf.retire_held(slot)
        if idle:
            self._shelf.shut(slot, "closed")

    def _take(self, tenant: Tenant, *, quiet: bool, brief: bool) -> tuple[Slot, Engine]:
        """Return a slot with one lease more, open and of the file that is there now."""
        version = self._version(tenant)
        slot = self._lent(tenant.id, version, quiet=quiet, brief=brief)
        for _ in range(2):  # where another file took the place of the first, that one is opened
            if slot is None:
                slot = self._opened(tenant, version, quiet=quiet, brief=brief)
            engine = slot.engine
            if engine is not None and identity_of(slot.path) == slot.identity:
                return slot, engine
            self._shelf.lose(slot)
            self._shelf.give_back(slot, brief=brief)
            slot = None
        raise UnavailableError(OUT_OF_REACH, headers=TRY_AGAIN)

    def _lent(self, tenant_id: str, version: Hashable, *, quiet: bool, brief: bool) -> Slot | None:
        """Return the slot of an open engine with one lease more; None where there is none."""
        with self._changed:
            slot = self._open_held(tenant_id, version)
            if slot is None or (slot.at_once and not brief):
                return None
            self._lend_held(slot, quiet=quiet, brief=brief)
            return slot

    def _lent_at_once(self, tenant_id: str, version: Hashable) -> Slot | None:
        """Return the slot of an open engine with one lease more; None where `lease` is asked."""
        if not self._changed.acquire(blocking=False):
            return None
        try:
            slot = self._open_held(tenant_id, version)
            if slot is None or slot.leases > slot.brief:
                return None
            self._lend_held(slot, quiet=False)
            slot.at_once = True
            return slot
        finally:
            self._changed.release()

    def _open_held(self, tenant_id: str, version: Hashable) -> Slot | None:
        """Return the slot of an open engine that may be lent."""
        slot = self._slots.get(tenant_id)
        if (
            slot is None
            or slot.state is not State.OPEN
            or slot.version != version
            or self._closed
            or tenant_id in self._barred
        ):
            return None
        return slot

    def _lend_held(self, slot: Slot, *, quiet: bool, brief: bool = False) -> None:
        self._shelf.lend_held(slot, quiet=quiet)
        slot.brief += brief
        if not quiet:
            self._asked[slot.tenant_id] = slot.used_at

    def _opened(self, tenant: Tenant, version: Hashable, *, quiet: bool, brief: bool) -> Slot:
        """Return the slot of a tenant with one lease more, opened by whoever comes first."""
        deadline = self._timer() + self._wait_s
        while True:
            with self._changed:
                self._check_lending_held(tenant.id)
                slot = self._slots.get(tenant.id)
                former: Slot | None = None
                if slot is None:
                    self._faults.check(tenant.id, version)
                    if mine := self._shelf.add_held(tenant.id, version):
                        break
                    former, event = self._shelf.victim_held(), "evicted"
                elif slot.at_once and not brief:
                    pass
                elif slot.state is State.OPEN and slot.version == version:
                    self._lend_held(slot, quiet=quiet, brief=brief)
                    return slot
                elif slot.is_idle:
                    former, event = slot, "swapped"
                elif slot.state is State.OPEN:
                    self._shelf.retire_held(slot)
                    continue
                if former is None:
                    self._shelf.wait_held(deadline)
                    continue
                former.state = State.CLOSING
            self._shelf.shut(former, event)
        self._open(mine, tenant, quiet=quiet, brief=brief)
        return mine

    def _check_lending_held(self, tenant_id: str) -> None:
        if self._closed:
            raise UnavailableError("the server is going down: try again in a moment")
        if tenant_id in self._barred:
            raise UnavailableError(OUT_OF_REACH, headers=TRY_AGAIN)

    def _open(self, slot: Slot, tenant: Tenant, *, quiet: bool, brief: bool) -> None:
        """Open the engine of a slot; where that fails, remember it and leave no slot behind."""
        try:
            path, identity, engine = opened(tenant, self._places, self._open_engine)
        except BaseException as error:
            told = told_of(error)
            with self._changed:
                if isinstance(error, Exception):
                    self._faults.keep(tenant.id, slot.version, told)
                self._shelf.drop_held(slot)
            _log.error("the database of tenant %s cannot be opened: %s", tenant.id, error)
            self._shelf.tell("failed")
            if told is error or not isinstance(error, Exception):
                raise
            raise told from error
        with self._changed:
            slot.path, slot.identity, slot.engine = path, identity, engine
            slot.state = State.OPEN
            self._lend_held(slot, quiet=quiet, brief=brief)
            self._changed.notify_all()
        self._shelf.tell("opened")

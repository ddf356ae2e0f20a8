"""Where open engines stand: which there are, which may go, and how they are closed."""

from __future__ import annotations

import logging
from collections import OrderedDict
from contextlib import suppress
from threading import Condition, Thread
from typing import TYPE_CHECKING, Final

from engram_lab.core.errors import StoreError
from engram_lab.engine.index_files import folder_beside, remove_index_files
from engram_lab.serve.errors import UnavailableError
from engram_lab.serve.tenants.places import identity_of
from engram_lab.serve.tenants.slots import Slot, State

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

__all__ = ["TRY_AGAIN", "Shelf"]

_log = logging.getLogger(__name__)

TRY_AGAIN: Final = {"Retry-After": "1"}


class Shelf:
    """The slots of all engines, under one lock that is never held while one opens or closes.

    Methods whose names end in `_held` are called with `changed` held.

    Args:
        max_open: Most slots at a time.
        timer: Tells seconds.
        told: Called with what happened and how many slots there are then.
    """

    def __init__(
        self,
        *,
        max_open: int,
        timer: Callable[[], float],
        told: Callable[[str, int], None],
    ) -> None:
        self.changed = Condition()
        self.slots: OrderedDict[str, Slot] = OrderedDict()  # what may go first stands first
        self.retired: set[Slot] = set()
        self.taken = 0  # by each slot, from before its engine is opened until it is closed
        self._max_open = max_open
        self._timer = timer
        self._told = told
        self._waiting = 0

    def tell(self, event: str) -> None:
        """Tell whoever counts what happened."""
        self._told(event, self.taken)

    def add_held(self, tenant_id: str, version: Hashable) -> Slot | None:
        """Return a new slot, None where there is no room for one."""
        if self.taken >= self._max_open:
            return None
        self.taken += 1
        slot = self.slots[tenant_id] = Slot(tenant_id=tenant_id, version=version)
        return slot

    def drop_held(self, slot: Slot) -> None:
        """Take a slot out, whose engine is closed or was never opened."""
        if self.slots.get(slot.tenant_id) is slot:
            del self.slots[slot.tenant_id]
        self.retired.discard(slot)
        self.taken -= 1
        self.changed.notify_all()

    def lend_held(self, slot: Slot, *, quiet: bool) -> None:
        """Count one lease more of an open engine."""
        slot.leases += 1
        slot.used_at = self._timer()
        if not quiet:
            slot.asked = True
            self.slots.move_to_end(slot.tenant_id)

    def retire_held(self, slot: Slot) -> None:
        """Lend an engine that is in use no more; whoever gives it back last lets it be closed."""
        slot.state = State.RETIRED
        del self.slots[slot.tenant_id]
        self.retired.add(slot)
        self.changed.notify_all()

    def victim_held(self) -> Slot | None:
        """Return the engine to close for another: the longest unused of those that are idle."""
        return next((slot for slot in self.slots.values() if slot.is_idle), None)

    def unused_held(self, since: float) -> Slot | None:
        """Return an engine that nobody used since a moment."""
        idle = (slot for slot in self.slots.values() if slot.is_idle and slot.used_at <= since)
        return next(idle, None)

    def wait_held(self, deadline: float) -> None:
        """Wait until something changes.

        Raises:
            UnavailableError: Nothing did until the deadline, by the timer.
        """
        left = deadline - self._timer()
        self._waiting += 1
        try:
            if left <= 0 or not self.changed.wait(left):
                raise UnavailableError("too much is asked for at once", headers=TRY_AGAIN)
        finally:
            self._waiting -= 1

    def give_back(self, slot: Slot, *, brief: bool = False, at_once: bool = False) -> None:
        """Count one lease less; a retired engine is closed after its last."""
        with self.changed:
            slot.leases -= 1
            slot.brief -= brief
            if at_once:
                slot.at_once = False
            closing = slot.leases == 0 and slot.state is State.RETIRED
            if closing:
                slot.state = State.CLOSING
            elif slot.is_idle and not slot.asked:
                self.slots.move_to_end(slot.tenant_id, last=False)  # opened by nobody's wish
            if self._waiting:
                self.changed.notify_all()
        if closing:  # apart, so that the request that had it last does not wait
            Thread(target=self.shut, args=(slot, "closed"), name="engram-closing").start()

    def shut(self, slot: Slot, event: str) -> None:
        """Close the engine of a slot that is marked as closing, and make its room free."""
        try:
            if slot.engine is not None:
                slot.engine.close()
        except Exception:  # noqa: BLE001 - whatever it is, no other tenant suffers for it
            _log.exception("the engine of tenant %s did not close well", slot.tenant_id)
        finally:
            slot.engine = None
            _tidy(slot)
            with self.changed:
                self.drop_held(slot)
        self.tell(event)

    def lose(self, slot: Slot) -> None:
        """Lend an engine no more whose file is gone: what it would write is nowhere."""
        with self.changed:
            if slot.state is not State.OPEN:
                return
            self.retire_held(slot)
        _log.error("the database of tenant %s is gone, or another is in its place", slot.tenant_id)
        self.tell("lost")

    def drain(self, tenant_id: str, *, wait_s: float) -> None:
        """Close all engines of a tenant that nobody may lease now.

        Raises:
            UnavailableError: One is in use for longer than the wait.
        """
        deadline = self._timer() + wait_s
        while True:
            with self.changed:
                slot = self.slots.get(tenant_id)
                if slot is None and not any(each.tenant_id == tenant_id for each in self.retired):
                    return
                if slot is None or not slot.is_idle:
                    self.wait_held(deadline)
                    continue
                slot.state = State.CLOSING
            self.shut(slot, "closed")


def _tidy(slot: Slot) -> None:
    """Remove what an engine wrote beside a database that another process took away, as a purge.

    Its index files hold words of what was remembered.
    """
    if not slot.path or identity_of(slot.path) == slot.identity:
        return
    folder = folder_beside(slot.path)
    if folder is None:
        return
    try:
        remove_index_files(folder)
    except StoreError:
        _log.exception("index files of tenant %s are left over", slot.tenant_id)
    for each in (folder, folder.parent):
        with suppress(OSError):  # something else is in it
            each.rmdir()

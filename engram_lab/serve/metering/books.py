"""The sums of all tenants, in memory and safe to share between threads."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Final

from engram_lab.serve.metering.admitted import Admitted
from engram_lab.serve.metering.totals import Account, Stored, Totals

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import date

    from engram_lab.serve.control.records import UsageDay, UsageEvent

__all__ = ["Books"]

_REREAD_S: Final = 30.0
_MEASURE_S: Final = 60.0
_LONGEST_REQUEST_S: Final = 4_000.0  # `serve.timeout_s` allows an hour


class Books:
    """What was used, what is held, and what was let in and is still under way.

    Args:
        timer: Seconds that never run back.
        most: How many accounts to keep; beyond that, those go that nobody asked for longest.
    """

    def __init__(self, timer: Callable[[], float], *, most: int = 10_000) -> None:
        self._timer = timer
        self._most = most
        self._accounts: dict[str, Account] = {}
        self._admitted = Admitted()
        self._lock = Lock()  # held for microseconds: the event loop waits for it

    def record(self, event: UsageEvent) -> None:
        """Count what the control plane does not know yet; its request is not under way any more."""
        with self._lock:
            self._account(event.tenant_id).recorded(event)
            self._admitted.settle(event.request_id)

    def note_told(self, events: Iterable[UsageEvent], *, ours: bool) -> None:
        """Note that the control plane has events now; `ours` were recorded here before."""
        for event in events:
            with self._lock:
                account = self._accounts.get(event.tenant_id)
                if account is not None:
                    account.told(event, ours=ours)

    def read(self, tenant_id: str, days: Iterable[UsageDay], today: date) -> None:
        """Take over what the control plane has of a tenant."""
        with self._lock:
            self._account(tenant_id).read(days, today, at=self._timer())

    def knows(self, tenant_id: str) -> bool:
        """Whether what the control plane has of a tenant was read."""
        account = self._accounts.get(tenant_id)
        return account is not None and account.known

    def sums(self, tenant_id: str, key: int) -> Totals:
        """Return the sums of a tenant in a month or on a day."""
        with self._lock:
            account = self._account(tenant_id)
            account.asked_at = self._timer()
            return account.sums(key)

    def stored(self, tenant_id: str) -> Stored:
        """Return what a tenant holds."""
        with self._lock:
            return self._account(tenant_id).stored

    def created(self, tenant_id: str) -> int:
        """Return how many memories were recorded here as made: ask before you measure."""
        account = self._accounts.get(tenant_id)
        return 0 if account is None else account.created

    def measured(
        self, tenant_id: str, memories: int, storage_bytes: int, *, created: int | None = None
    ) -> None:
        """Note what a tenant holds; see `Meter.measured`."""
        with self._lock:
            account = self._account(tenant_id)
            created = account.created if created is None else created
            account.measured(memories, storage_bytes, created=created, at=self._timer())

    def measuring_is_due(self, tenant_id: str) -> bool:
        """Whether nobody measured a tenant here for a minute."""
        at = self.stored(tenant_id).measured_at
        return at is None or self._timer() - at > _MEASURE_S

    def admit(
        self, request_id: str, tenant_id: str, *, searches: int = 0, memories: int = 0
    ) -> None:
        """Note a request that was let in: it counts in `admitted` until it is recorded.

        Of a request that was noted before, the new figures count.
        """
        totals = Totals(api_calls=1, searches=searches, memories_created=memories)
        with self._lock:
            self._admitted.add(request_id, tenant_id, totals, at=self._timer())

    def admitted(self, tenant_id: str, *, but: str | None = None) -> Totals:
        """Return what requests may use that were let in and not recorded yet, all `but` one."""
        with self._lock:
            return self._admitted.of(tenant_id, but=but)

    def to_reread(self, month: int) -> list[str]:
        """Return whose sums somebody asked for, and which others may have added to since read."""
        now = self._timer()
        with self._lock:
            return [
                tenant_id
                for tenant_id, account in self._accounts.items()
                if account.known
                and account.asked_at > account.read_at
                and (now - account.read_at > _REREAD_S or account.month != month)
            ]

    def tidy(self) -> None:
        """Forget the accounts that are too many, and requests that nobody told the end of."""
        with self._lock:
            self._admitted.drop_before(self._timer() - _LONGEST_REQUEST_S)
            surplus = len(self._accounts) - self._most
            if surplus > 0:
                idle = sorted(
                    (account.asked_at, tenant_id)
                    for tenant_id, account in self._accounts.items()
                    if not account.waiting
                )
                for _, tenant_id in idle[:surplus]:
                    del self._accounts[tenant_id]

    def _account(self, tenant_id: str) -> Account:
        account = self._accounts.get(tenant_id)
        if account is None:
            account = self._accounts[tenant_id] = Account(self._timer())
        return account

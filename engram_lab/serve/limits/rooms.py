"""How many workspaces a plan allows, whichever way they are made: by name, or by remembering."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, TypeVar
from weakref import WeakKeyDictionary

from engram_lab.serve.limits.plans import limits_of
from engram_lab.serve.limits.quotas import check_workspaces

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from engram_lab.config.serving import LimitSettings
    from engram_lab.engine import Engine
    from engram_lab.serve.control.records import Tenant

__all__ = ["Rooms", "all_or_none"]

T = TypeVar("T")


@dataclass(slots=True)
class _Known:
    """What is known of the workspaces of a database: those that were there when it was asked."""

    names: frozenset[str] = frozenset()
    making: Lock = field(default_factory=Lock)


class Rooms:
    """Keeps tenants to the workspaces that their plans allow. Threads share it.

    Args:
        settings: Whether limits are kept at all.
    """

    def __init__(self, settings: LimitSettings) -> None:
        self._enabled = settings.enabled
        self._known: WeakKeyDictionary[Engine, _Known] = WeakKeyDictionary()
        self._meeting = Lock()

    def bounds(self, tenant: Tenant) -> bool:
        """Whether a tenant may not have as many as it likes."""
        return self._enabled and limits_of(tenant.plan).workspaces is not None

    def within(
        self, tenant: Tenant, engine: Engine, names: Collection[str], work: Callable[[Engine], T]
    ) -> T:
        """Return what work returns that makes the workspaces of these names where they are missing.

        Where all are known, nothing is asked; else one thread at a time may make some, so that
        many at once pass no limit.

        Raises:
            QuotaExceededError: There is no room for all of them; the work was not begun.
        """
        if not names or not self.bounds(tenant):
            return work(engine)
        known = self._of(engine)
        if known.names.issuperset(names):
            return work(engine)
        with known.making:
            known.names = _names(engine)
            check_workspaces(tenant, len(known.names), more=len(set(names) - known.names))
            return work(engine)

    @contextmanager
    def removing(self, engine: Engine, name: str) -> Iterator[None]:
        """Take a workspace for missing from here on, while a block removes it."""
        known = self._of(engine)
        with known.making:
            known.names -= {name}
            yield

    def _of(self, engine: Engine) -> _Known:
        with self._meeting:
            return self._known.setdefault(engine, _Known())


@contextmanager
def all_or_none(engine: Engine, tenant: Tenant | None) -> Iterator[None]:
    """Undo all that a block wrote where it made more workspaces than the tenant's plan allows.

    Args:
        engine: Writes it.
        tenant: Whose it is; None for one that may have as many as it likes.

    Raises:
        QuotaExceededError: It made too many.
    """
    if tenant is None:
        yield
        return
    with engine.store.transaction():
        before = len(_names(engine))
        yield
        check_workspaces(tenant, before, more=len(_names(engine)) - before)


def _names(engine: Engine) -> frozenset[str]:
    return frozenset(each.name for each in engine.store.workspaces.all())

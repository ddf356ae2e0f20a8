"""What the pool knows of one tenant's engine."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable

    from engram_lab.engine import Engine
    from engram_lab.serve.tenants.places import Identity

__all__ = ["Slot", "State"]


class State(Enum):
    """What an engine is at.

    A retired one answers the requests that have it, and no more; it is closed after the last.
    """

    OPENING = "opening"
    OPEN = "open"
    RETIRED = "retired"
    CLOSING = "closing"


@dataclass(kw_only=True, slots=True, eq=False)
class Slot:
    """One engine, from before it is opened until after it is closed.

    Attributes:
        version: Of the configuration that it was opened with.
        path: Of its database; `identity` says which file lay there when it was opened.
        leases: How many use it now.
        used_at: When it was last lent, by the timer.
        asked: Whether anybody but the server itself used it.
        brief: How many of the leases are for reads of a few milliseconds.
        at_once: Whether the event loop itself uses it.
    """

    tenant_id: str
    version: Hashable
    state: State = State.OPENING
    path: str = ""
    identity: Identity | None = None
    engine: Engine | None = None
    leases: int = 0
    used_at: float = 0.0
    asked: bool = False
    brief: int = 0
    at_once: bool = False

    @property
    def is_idle(self) -> bool:
        """Whether it is open and nobody uses it."""
        return self.state is State.OPEN and self.leases == 0

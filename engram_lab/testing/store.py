"""Whether a store is one: the laws of `core.protocols`, each tried on new stores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from engram_lab.testing import (
    laws_of_dreams,
    laws_of_indexes,
    laws_of_memories,
    laws_of_reach,
    laws_of_records,
    laws_of_tables,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from engram_lab.core.protocols import Store
    from engram_lab.testing.trial import Law

__all__ = ["STORE_LAWS", "check_store"]

STORE_LAWS: Final[tuple[Law, ...]] = (
    *laws_of_memories.LAWS,
    *laws_of_records.LAWS,
    *laws_of_tables.LAWS,
    *laws_of_reach.LAWS,
    *laws_of_indexes.LAWS,
    *laws_of_dreams.LAWS,
)
"""Every law of a store, in the order in which they are tried."""


def check_store(open_store: Callable[[], Store]) -> None:
    """Check that a store keeps the contracts of `engram_lab.core.protocols`.

    The same memories and filters are tried at every run. A store passes whatever its clock shows,
    be it one that stands still, from 1991 to 9999.

    Args:
        open_store: Opens a new, empty store at each call, as its owner; it is closed by the check.

    Raises:
        ConformanceError: A law is broken; says which, and what was seen instead.
    """
    for each in STORE_LAWS:
        each.check(open_store)

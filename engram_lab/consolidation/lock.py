"""The lock under which a workspace dreams, or is put back to what it was before a dream."""

from __future__ import annotations

import os
from contextlib import contextmanager
from threading import get_ident
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from engram_lab.core.protocols import Dreams

__all__ = ["locked"]


@contextmanager
def locked(
    dreams: Dreams, workspace: str, *, ttl_s: float
) -> Iterator[tuple[str, Callable[[], None]]]:
    """Hold the lock of a workspace for the block.

    Args:
        dreams: Of the store.
        workspace: Which.
        ttl_s: After so many seconds others may take it, unless it is lengthened.

    Yields:
        Who holds it, this thread of this process, and what lengthens it.

    Raises:
        DreamLockedError: Somebody else holds it.
    """
    owner = f"process {os.getpid()}, thread {get_ident()}"

    def keep() -> None:
        dreams.take_lock(workspace, owner=owner, ttl_s=ttl_s)

    keep()
    try:
        yield owner, keep
    finally:
        dreams.release_lock(workspace, owner=owner)

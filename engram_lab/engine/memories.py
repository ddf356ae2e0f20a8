"""The verbs of an engine that the store's memories answer by themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack

from engram_lab.core.ids import check_ids
from engram_lab.core.interchange import Frames
from engram_lab.core.selection import Selection

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from engram_lab.core.keywords import Chosen
    from engram_lab.core.reports import AggregateRow, Page
    from engram_lab.core.selection import Order
    from engram_lab.core.types import Memory, Version

__all__ = ["MemoryVerbs"]


class MemoryVerbs(Frames):
    """Look at memories one by one, in pages, in groups, and through time."""

    def get(self, id: str, *, as_of: datetime | None = None, private: bool = False) -> Memory:  # noqa: A002
        """Return a memory, as it is or as it was at a moment.

        Raises:
            NotFoundError: There is none that may be seen.
        """
        return self.store.memories.get(id, as_of=as_of, private=private)

    def get_many(self, ids: Sequence[str]) -> list[Memory | None]:
        """Return memories in the order of `ids`; None where there is none to be seen.

        Raises:
            InvalidInputError: `ids` is no list of ids.
        """
        return self.store.memories.get_many(check_ids(ids))

    def select(
        self,
        *,
        order: Order = "id",
        descending: bool = False,
        limit: int = 100,
        cursor: str | None = None,
        **chosen: Unpack[Chosen],
    ) -> Page:
        """Return one page of the chosen memories; pass its `next_cursor` to get the next one.

        Raises:
            InvalidInputError: A bad order, limit, cursor, filter or scope.
        """
        return self.store.memories.select(
            Selection.of(**chosen), order=order, descending=descending, limit=limit, cursor=cursor
        )

    def stats(self) -> dict[str, Any]:
        """Return how many memories there are, by type and by workspace, and the last change.

        Returns:
            `memories`, `by_type`, `by_workspace`, `workspaces` (also those that are empty), and
            `change`: equal numbers, equal memories.
        """
        types = {row.key or "": row.count for row in self.aggregate("type")}
        spaces = {row.key or "": row.count for row in self.aggregate("workspace")}
        return {
            "memories": sum(types.values()),
            "by_type": types,
            "by_workspace": spaces,
            "workspaces": [each.name for each in self.store.workspaces.all()],
            "change": self.store.changes.last(),
        }

    def count(self, **chosen: Unpack[Chosen]) -> int:
        """Return how many memories are chosen."""
        return self.store.memories.count(Selection.of(**chosen))

    def aggregate(self, by: str, **chosen: Unpack[Chosen]) -> list[AggregateRow]:
        """Return counts and means of the chosen memories for each value of `by`.

        Raises:
            InvalidInputError: An unknown `by`; says which are known.
        """
        return self.store.memories.aggregate(Selection.of(**chosen), by)

    def forget(self, id: str, *, author: str | None = None, reason: str | None = None) -> None:  # noqa: A002
        """Hide a memory from every read; `restore` brings it back."""
        self.store.memories.forget(id, author=author, reason=reason)

    def history(self, id: str) -> list[Version]:  # noqa: A002
        """Return every version of a memory with its author and reason, oldest first."""
        return self.store.memories.history(id)

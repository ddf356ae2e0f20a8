"""Which changes of a plan belong together: one without the others would open a hole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from engram_lab.core.dreams import Change
    from engram_lab.core.protocols import Store

__all__ = ["Groups", "touched_since", "without"]

_OF_LINKS: Final = frozenset({"link", "unlink"})
_READ_AT_ONCE: Final = 10_000


class Groups:
    """Tells of the changes of a step, in their order, where what comes next stands by itself.

    A change that names the memory that was changed last, as what it rests on or as the end of a
    link, belongs to that; so does whatever names a memory that the same step makes.
    """

    def __init__(self) -> None:
        self._last = ""
        self._made: set[str] = set()

    def begins(self, change: Change) -> bool:
        """Take note of the next change, and tell whether a plan may end before it."""
        named = _named(change)
        begins = self._last not in named - {change.id} and not self._made & named
        if change.action not in _OF_LINKS:
            self._last = change.id
            if change.action == "remember":
                self._made.add(change.id)
        return begins


def touched_since(store: Store, number: int) -> set[str]:
    """Return the ids of all memories that were written after a change of the log, whoever did so.

    Args:
        store: Whose log.
        number: Of the last change that a plan has seen.
    """
    found: set[str] = set()
    while part := store.changes.since(number, limit=_READ_AT_ONCE):
        number = part[-1].number
        found.update(each.id for each in part if each.target == "memory")
    return found


def without(
    changes: Iterable[Change], touched: Collection[str], *, learned: Collection[str] = ()
) -> list[Change]:
    """Leave out what was planned for memories that are no longer as they were.

    With the change of a memory goes what rests on it: nothing is archived behind a memory that was
    forgotten meanwhile, and no gist is made of words that somebody changed.

    Args:
        changes: In order.
        touched: Ids of memories that were written since.
        learned: Steps that learn from recalls: what they know of a pair stays true, so each of
            their links stands by itself.
    """
    planned: Sequence[Change] = tuple(changes)
    gone = set(touched)
    of_memories = [each for each in planned if each.action not in _OF_LINKS]
    while gone and (more := {each.id for each in of_memories if gone & _named(each)} - gone):
        gone |= more
    return [
        each
        for each in planned
        if (each.step in learned and each.action in _OF_LINKS) or not gone & _named(each)
    ]


def _named(change: Change) -> set[str]:
    """Return the ids of the memories that a change concerns or rests on."""
    if change.action not in _OF_LINKS:
        return {change.id, *change.sources}
    ends = (change.fields.get(name) for name in ("from_id", "to_id"))
    return {*change.sources, *(each for each in ends if each is not None)}

"""Ask a played world, and tell which facts an answer carries, whatever a dream made of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from engram_lab.evaluation.consolidation.filling import Play
    from engram_lab.retrieval import Hits

__all__ = ["DERIVED", "MERGED", "WORKSPACE", "Carried", "Standing", "recall", "standing"]

MERGED: Final = "merged_into"
"""The type of the links from what was merged to what stands for it."""

DERIVED: Final = "derived_from"
"""The type of the links from a gist to what it was made of."""

WORKSPACE: Final = "default"
"""Where a world is."""


class Carried(NamedTuple):
    """An answer as it is judged: the memory, and the facts that it carries."""

    id: str
    facts: frozenset[str]


class Standing:
    """Which facts a memory carries: its own, and those of what it stands for, where it says them.

    Args:
        play: After a dream.
        up: For each memory that was merged, what into.
        gists: For each gist, what it was made of.
    """

    def __init__(self, play: Play, up: dict[str, str], gists: dict[str, list[str]]) -> None:
        self._facts = play.world.facts
        self._own = {play.ids[told.key]: told.fact for told in play.world.told}
        self._up = up
        self._for: dict[str, set[str]] = {}
        for id_, fact in self._own.items():
            self._for.setdefault(self.survivor(id_), set()).add(fact)
        for gist, sources in gists.items():
            carried = {
                fact
                for source in sources
                for each in {source, self.survivor(source)}
                for fact in self._for.get(each, {self._own[each]} if each in self._own else ())
            }
            self._for.setdefault(self.survivor(gist), set()).update(carried)

    def survivor(self, id_: str) -> str:
        """Return what stands for a memory in the end: itself where it was not merged."""
        seen = {id_}
        while (following := self._up.get(id_)) is not None and following not in seen:
            seen.add(following)
            id_ = following
        return id_

    def carries(self, id_: str, text: str) -> frozenset[str]:
        """Return the facts that a memory of this text carries.

        A fact is carried by what tells it, and by what stands for that if it has the value in it.
        """
        own = self._own.get(id_)
        carried = {own} if own is not None else set()
        for key in self._for.get(id_, ()):
            value = self._facts[key].value
            if value is not None and value.stands_in(text):
                carried.add(key)
        return frozenset(carried)

    def groups(self, ids: Sequence[str]) -> dict[str, str]:
        """Return what stands for each of these memories."""
        return {id_: self.survivor(id_) for id_ in ids}


def standing(play: Play) -> Standing:
    """Return what stands for what now, by the links in the store."""
    dreams = play.engine.store.dreams
    columns = dreams.columns(WORKSPACE)
    ids = dict(zip(columns.keys.tolist(), columns.ids, strict=True))
    links = dreams.links(WORKSPACE, types=(MERGED, DERIVED))
    up: dict[str, str] = {}
    gists: dict[str, list[str]] = {}
    for start, end, kind in zip(
        links.from_keys.tolist(), links.to_keys.tolist(), links.types, strict=True
    ):
        if kind == MERGED:
            up[ids[start]] = ids[end]
        else:
            gists.setdefault(ids[start], []).append(ids[end])
    return Standing(play, up, gists)


def recall(
    play: Play,
    text: str,
    k: int,
    stands: Standing,
    *,
    valid_at: datetime | None = None,
    as_of: datetime | None = None,
) -> list[Carried]:
    """Return what an engine answers, best first, with the facts that each answer carries."""
    chosen: dict[str, datetime] = {}
    if valid_at is not None:
        chosen["valid_at"] = valid_at
    if as_of is not None:
        chosen["as_of"] = as_of
    hits: Hits = play.engine.recall(text, k, **chosen)  # type: ignore[arg-type]
    return [Carried(hit.id, stands.carries(hit.id, hit.memory.content)) for hit in hits]

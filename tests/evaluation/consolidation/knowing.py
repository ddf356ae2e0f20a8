"""Steps that know the truth of a world, and one that gets it all wrong, which tasks tell apart."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from engram_lab.core.dreams import Change
from engram_lab.core.text import content_hash

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from engram_lab.consolidation import Scene, View
    from engram_lab.evaluation.consolidation.world.told import Fact, World

__all__ = ["KnowingMerge", "KnowingSupersede", "WrongMerge"]


def facts_of(worlds: Sequence[World], view: View) -> dict[int, Fact]:
    """Return the fact of each row of a view, whichever of some worlds it is of."""
    known = {
        content_hash(told.text): world.facts[told.fact] for world in worlds for told in world.told
    }
    hashes = view.columns.content_hashes
    return {row: known[each] for row, each in enumerate(hashes) if each in known}


def link(scene: Scene, step: str, from_id: str, to_id: str, type_: str) -> Change:
    return Change(
        step=step,
        action="link",
        id=scene.new_id(step, from_id, to_id, type_),
        fields={"from_id": from_id, "to_id": to_id, "type": type_, "weight": 1.0},
        reason="it is known",
    )


def set_(view: View, step: str, row: int, **fields: Any) -> Change:
    columns = view.columns
    return Change(
        step=step,
        action="update",
        id=columns.ids[row],
        fields=fields,
        reason="it is known",
        seen=int(columns.version[row]),
    )


def joined(
    view: View, scene: Scene, step: str, groups: Mapping[str, list[int]]
) -> Iterator[Change]:
    """Archive all but one of each group, and link them to that one."""
    ids = view.columns.ids
    for rows in groups.values():
        first = next((row for row in rows if view.protected[row]), rows[0])
        for row in rows:
            if row != first and not view.protected[row]:  # what is protected stays as it is
                yield set_(view, step, row, lifecycle="archived")
                yield link(scene, step, ids[row], ids[first], "merged_into")


@dataclass(frozen=True)
class KnowingMerge:
    """Merges what tells one fact."""

    worlds: tuple[World, ...]
    name: str = "knowing-merge"
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def plan(self, view: View, scene: Scene) -> Iterator[Change]:
        groups: dict[str, list[int]] = {}
        for row, fact in facts_of(self.worlds, view).items():
            if view.findable[row]:
                groups.setdefault(fact.key, []).append(row)
        yield from joined(view, scene, self.name, groups)


@dataclass(frozen=True)
class WrongMerge:
    """Merges all that is told of one entity."""

    worlds: tuple[World, ...]
    name: str = "wrong-merge"
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def plan(self, view: View, scene: Scene) -> Iterator[Change]:
        groups: dict[str, list[int]] = {}
        for row, fact in facts_of(self.worlds, view).items():
            if view.findable[row]:
                groups.setdefault(fact.entity, []).append(row)
        yield from joined(view, scene, self.name, groups)


@dataclass(frozen=True)
class KnowingSupersede:
    """Closes what ceased to hold, and says since when that holds which replaced it."""

    worlds: tuple[World, ...]
    name: str = "knowing-supersede"
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def plan(self, view: View, scene: Scene) -> Iterator[Change]:
        versions = {
            row: fact
            for row, fact in facts_of(self.worlds, view).items()
            if fact.sort == "version" and view.findable[row]
        }
        current: dict[str, int] = {}
        for row, fact in versions.items():
            if fact.holds:
                current.setdefault(fact.slot, row)
        yield from self._links(view, scene, versions, current)
        for row, fact in versions.items():
            if not view.protected[row] and np.isnan(view.columns.valid_to[row]):
                yield from self._validity(view, row, fact)

    def _links(
        self, view: View, scene: Scene, versions: dict[int, Fact], current: dict[str, int]
    ) -> Iterator[Change]:
        held = view.links(types=("supersedes",))
        known = set(zip(held.from_keys.tolist(), held.to_keys.tolist(), strict=True))
        ids, keys = view.columns.ids, view.columns.keys.tolist()
        for row, fact in versions.items():
            newer = current.get(fact.slot)
            if newer is None or fact.holds or (keys[newer], keys[row]) in known:
                continue
            yield link(scene, self.name, ids[newer], ids[row], "supersedes")

    def _validity(self, view: View, row: int, fact: Fact) -> Iterator[Change]:
        if fact.ends is not None:
            yield set_(view, self.name, row, valid_from=fact.begins, valid_to=fact.ends)
        elif view.columns.valid_from[row] != fact.begins.timestamp():
            yield set_(view, self.name, row, valid_from=fact.begins)

"""Conflicts among links: what cannot all be so."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from engram_lab.consolidation.links.temporal import times_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from engram_lab.consolidation.view import View
    from engram_lab.core.protocols import LinkColumns

__all__ = ["ACYCLIC", "OPPOSITES", "Conflict", "ConflictKind", "Severity", "conflicts_of"]

ConflictKind = Literal["relations", "cycle", "time", "orphan"]
Severity = Literal["critical", "high", "medium"]

OPPOSITES: Final = (
    ("agrees_with", "disagrees_with"),
    ("approves", "rejects"),
    ("causes", "prevents"),
    ("confirms", "refutes"),
    ("enables", "blocks"),
    ("enables", "prevents"),
    ("supports", "contradicts"),
)
"""Types of links that cannot both hold between two memories at a time."""

ACYCLIC: Final = ("blocks", "depends_on", "derived_from", "merged_into", "supersedes")
"""Types of links that must not lead back to where they began."""

_BACKWARD: Final = frozenset({"derived_from", "follows_up", "supersedes"})
"""Types of links that run from what is later to what is earlier."""

_SEVERITIES: Final[Mapping[ConflictKind, Severity]] = MappingProxyType(
    {"orphan": "critical", "relations": "high", "cycle": "high", "time": "medium"}
)
_RANKS: Final = ("critical", "high", "medium")


@dataclass(frozen=True, kw_only=True, slots=True)
class Conflict:
    """Links that cannot all be so.

    Attributes:
        kind: `relations`: opposite types between two memories. `cycle`: types that order lead back
            to where they began. `time`: a validity that ends before it begins, or a link from
            earlier to later whose type says later to earlier. `orphan`: an end that is not there.
        severity: `critical`, `high` or `medium`.
        memories: Ids; in a cycle in its order, beginning with the least key.
        links: Ids.
        reason: As a clause, which quotes no memory.
    """

    kind: ConflictKind
    severity: Severity
    memories: tuple[str, ...]
    links: tuple[str, ...]
    reason: str


def conflicts_of(view: View) -> tuple[Conflict, ...]:
    """Return the conflicts among the open links of a workspace, the most severe first.

    Of cycles the shortest through the least key of each knot is told of; there may be more in it.
    """
    links = view.links()
    found = [*_orphans(view, links), *_opposed(view, links), *_timed(view, links)]
    for link_type in ACYCLIC:
        found += _cycles(view, links, link_type)
    return tuple(
        sorted(found, key=lambda each: (_RANKS.index(each.severity), each.kind, each.links))
    )


def _conflict(
    view: View, links: LinkColumns, kind: ConflictKind, places: Iterable[int], reason: str
) -> Conflict:
    places = list(places)
    keys = dict.fromkeys(
        int(key) for each in places for key in (links.from_keys[each], links.to_keys[each])
    )
    rows = view.rows(np.array(list(keys), np.int64)).tolist()
    return Conflict(
        kind=kind,
        severity=_SEVERITIES[kind],
        memories=tuple(view.columns.ids[row] for row in rows if row >= 0),
        links=tuple(links.ids[each] for each in places),
        reason=reason,
    )


def _orphans(view: View, links: LinkColumns) -> Iterator[Conflict]:
    missing = (view.rows(links.from_keys) < 0) | (view.rows(links.to_keys) < 0)
    for place in np.flatnonzero(missing).tolist():
        reason = f"an end of {links.types[place]} is not there"
        yield _conflict(view, links, "orphan", [place], reason)


def _opposed(view: View, links: LinkColumns) -> Iterator[Conflict]:
    concerned = {name for pair in OPPOSITES for name in pair}
    between: dict[tuple[int, int], list[int]] = {}
    for place, name in enumerate(links.types):
        if name in concerned:
            one, two = int(links.from_keys[place]), int(links.to_keys[place])
            between.setdefault((min(one, two), max(one, two)), []).append(place)
    for _, places in sorted(between.items()):
        for pair in OPPOSITES:
            some, others = ([p for p in places if links.types[p] == name] for name in pair)
            for one in some:
                for two in others:
                    if _overlap(links, one, two):
                        reason = f"{pair[0]} and {pair[1]} at the same time"
                        yield _conflict(view, links, "relations", [one, two], reason)


def _overlap(links: LinkColumns, one: int, two: int) -> bool:
    starts = np.nan_to_num(links.valid_from[[one, two]], nan=-np.inf)
    ends = np.nan_to_num(links.valid_to[[one, two]], nan=np.inf)
    return bool(starts.max() < ends.min())


def _timed(view: View, links: LinkColumns) -> Iterator[Conflict]:
    times = times_of(view)
    starts, ends = view.rows(links.from_keys), view.rows(links.to_keys)
    for place in np.flatnonzero(links.valid_to < links.valid_from).tolist():
        reason = f"{links.types[place]} ends before it begins"
        yield _conflict(view, links, "time", [place], reason)
    for place, name in enumerate(links.types):
        known = starts[place] >= 0 and ends[place] >= 0
        if name in _BACKWARD and known and times[starts[place]] < times[ends[place]]:
            reason = f"{name} runs from the earlier to the later"
            yield _conflict(view, links, "time", [place], reason)


def _cycles(view: View, links: LinkColumns, link_type: str) -> Iterator[Conflict]:
    graph: dict[int, dict[int, int]] = {}
    for place, name in enumerate(links.types):
        if name == link_type:
            start, end = int(links.from_keys[place]), int(links.to_keys[place])
            graph.setdefault(start, {}).setdefault(end, place)
            graph.setdefault(end, {})
    graph = _peeled(graph)
    done: set[int] = set()
    for start in sorted(graph):
        if start in done or not (path := _way_back(graph, start, done)):
            continue
        done.update(path)
        places = [graph[one][two] for one, two in pairwise([*path, start])]
        yield _conflict(view, links, "cycle", places, f"{link_type} leads back to its beginning")


def _peeled(graph: dict[int, dict[int, int]]) -> dict[int, dict[int, int]]:
    """Leave out what lies on no cycle: nodes without a way in or a way out, again and again.

    Source: Kahn, "Topological sorting of large networks" (1962).
    """
    out = {node: set(following) for node, following in graph.items()}
    into: dict[int, set[int]] = {node: set() for node in graph}
    for node, following in graph.items():
        for other in following:
            into[other].add(node)
    bare = [node for node in graph if not out[node] or not into[node]]
    while bare:
        node = bare.pop()
        for there, back in ((out, into), (into, out)):
            for other in there.pop(node, ()):
                back[other].discard(node)
                if not back[other]:
                    bare.append(other)
    return {
        node: {other: place for other, place in following.items() if other in out}
        for node, following in graph.items()
        if node in out
    }


def _way_back(graph: dict[int, dict[int, int]], start: int, done: set[int]) -> list[int]:
    """Return the shortest way from a node to itself past those done, or nothing."""
    before: dict[int, int] = {}
    front = [start]
    while front:
        following: list[int] = []
        for node in front:
            for other in sorted(graph[node]):
                if other == start:
                    return _walked(before, start, node)
                if other not in before and other not in done:
                    before[other] = node
                    following.append(other)
        front = following
    return []


def _walked(before: Mapping[int, int], start: int, last: int) -> list[int]:
    path = [last]
    while path[-1] != start:
        path.append(before[path[-1]])
    return path[::-1]

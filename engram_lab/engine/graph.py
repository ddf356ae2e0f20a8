"""The verbs of an engine that follow links: neighbours, paths, parts of the graph, its changes."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from engram_lab.core.brief import brief, quoted
from engram_lab.core.checks import check_limit, check_number
from engram_lab.core.clock import parse_time
from engram_lab.core.errors import InvalidInputError, NotFoundError, shown
from engram_lab.core.ids import check_ids
from engram_lab.engine.graph_frames import graph_of
from engram_lab.engine.memories import MemoryVerbs
from engram_lab.engine.paths import LinkPath, heaviest_paths
from engram_lab.engine.steps import against, between, noted, reach

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from engram_lab.core.clock import Clock
    from engram_lab.core.types import Direction, Link, Memory
    from engram_lab.engine.graph_frames import Graph
    from engram_lab.engine.steps import Around

__all__ = ["GraphVerbs", "Neighbour"]

_DEEPEST: Final = 10
_MOST_PATHS: Final = 1_000
_MOST_NODES: Final = 100_000


class Neighbour(NamedTuple):
    """A memory that links lead to.

    Attributes:
        memory: The memory.
        link: The last link on the way to it.
        depth: How many links the way has; there is none with fewer.
        weight: The product of their weights, 0 to 1.
    """

    memory: Memory
    link: Link
    depth: int
    weight: float

    def __repr__(self) -> str:
        way = f"depth={self.depth}, weight={self.weight:.4g}, {quoted(self.link.type, most=20)}"
        return brief(self, way, repr(self.memory.id), quoted(self.memory.content, most=25))


class GraphVerbs(MemoryVerbs):
    """Link memories, and follow the links. All see what whoever asks may see, and no more.

    A link holds from `valid_from` on, up to and without `valid_to`; each verb looks at the links
    that hold now, or at `valid_at`. Links of archived memories count, those of forgotten ones do
    not.
    """

    _clock: Clock

    def link(self, from_id: str, to_id: str, *, exclusive: bool = False, **fields: Any) -> Link:
        """Link two memories; see `store.links.put` for `type`, `weight`, `valid_from`.

        Args:
            from_id: Where it starts.
            to_id: Where it leads.
            exclusive: Of its type only one link of `from_id` holds at a time, as of a place of
                work: others end where this one begins (`valid_from`, now unless told), and this
                one ends where a later one begins. None ends before it begins.
            **fields: Of the link.
        """
        if not exclusive:
            return self.store.links.put(from_id, to_id, **fields)
        begins = self._moment(fields.pop("valid_from", None), field="valid_from")
        ends = fields.pop("valid_to", None)
        ends = None if ends is None else parse_time(ends, field="valid_to")
        type_ = fields.get("type", "related_to")
        with self.store.transaction():
            for other in self.store.links.of(from_id, direction="out", types=[type_], closed=True):
                if other.valid_from is not None and other.valid_from > begins:
                    ends = min(filter(None, (ends, other.valid_from)))
                elif other.valid_to is not None and other.valid_to <= begins:
                    continue
                elif other.to_id == to_id and other.valid_to is None:
                    begins = other.valid_from or begins  # the same goes on
                else:
                    self.store.links.close(other.id, at=begins)
            return self.store.links.put(from_id, to_id, valid_from=begins, valid_to=ends, **fields)

    def unlink(self, link_id: str, *, at: datetime | str | None = None) -> Link:
        """End a link, now or at a moment, and return it as it is then.

        It stays as history: `graph_at` of an earlier moment shows it, and so does
        `links(..., closed=True)`. The change log tells of it. No `undo` brings it back, as that is
        of dreams: link the two again.

        Args:
            link_id: The id of the link, as `link`, `links` and `neighbours` tell it.
            at: The end of its validity; now unless given.

        Raises:
            NotFoundError: There is no such link that may be seen.
            InvalidInputError: It would end before it begins.
            AccessDeniedError: The memory it starts from may not be written.
        """
        return self.store.links.close(link_id, at=None if at is None else self._moment(at))

    def links(
        self,
        id: str,  # noqa: A002
        *,
        direction: Direction = "both",
        types: Sequence[str] | None = None,
        valid_at: datetime | str | None = None,
        closed: bool = False,
    ) -> list[Link]:
        """Return the links of a memory, the heaviest first.

        Args:
            id: Of the memory.
            direction: `out` for those that start there, `in` for those that lead there, or `both`.
            types: Only links of these types.
            valid_at: Those that held then; now unless given.
            closed: Also those that ended.

        Raises:
            NotFoundError: There is no such memory that may be seen.
            InvalidInputError: An unknown direction.
        """
        at = self._moment(valid_at)
        return self.store.links.of(id, direction=direction, types=types, valid_at=at, closed=closed)

    def neighbours(
        self,
        id: str,  # noqa: A002
        *,
        depth: int = 1,
        limit: int | None = None,
        min_weight: float = 0.0,
        direction: Direction = "both",
        types: Sequence[str] | None = None,
        valid_at: datetime | str | None = None,
    ) -> list[Neighbour]:
        """Return the memories that links lead to, the nearest first, then the heaviest.

        One that several links join directly comes with each of them; one farther away comes once,
        over the heaviest of the shortest ways.

        Args:
            id: From where.
            depth: Over at most so many links, 1 to 10.
            limit: At most so many neighbours.
            min_weight: Only over links of this weight and more.
            direction: `out` along the links, `in` against them, or `both`.
            types: Only over links of these types.
            valid_at: Over links that held then.

        Raises:
            NotFoundError: There is no such memory that may be seen.
            InvalidInputError: An unknown direction, or a number out of bounds.
        """
        check_limit(depth, field="depth", most=_DEEPEST)
        most = None if limit is None else check_limit(limit)
        around = self._links_around(direction, types, self._moment(valid_at), min_weight)
        self.store.memories.get(id)
        found: list[tuple[str, Link, int, float]] = [
            (link.to_id if link.from_id == id else link.from_id, link, 1, link.weight)
            for link in around([id])
        ]
        if depth > 1 and (most is None or len(found) < most):
            reached = reach(
                [id],
                around,
                depth=depth,
                direction=direction,
                most=None if most is None else most + 1,
            )
            found += [
                (each, way.link, way.depth, way.weight)
                for each, way in reached.items()
                if way.depth > 1 and way.link is not None
            ]
        memories = self.get_many([each for each, *_ in found])
        there = (
            Neighbour(memory, link, far, weight)
            for memory, (_, link, far, weight) in zip(memories, found, strict=True)
            if memory is not None
        )
        return list(islice(there, most))

    def paths(
        self,
        from_id: str,
        to_id: str,
        *,
        max_depth: int = 4,
        limit: int = 10,
        min_weight: float = 0.0,
        direction: Direction = "both",
        types: Sequence[str] | None = None,
        valid_at: datetime | str | None = None,
    ) -> list[LinkPath]:
        """Return paths from one memory to another that pass no memory twice, the heaviest first.

        The weight of a path is the product of those of its links; ties go to the shorter path,
        then to the smaller ids. A link of weight 0 is on no path.

        Args:
            from_id: Where they begin.
            to_id: Where they end.
            max_depth: Over at most so many links, 1 to 10.
            limit: At most so many paths, to 1000.
            min_weight: See `neighbours`.
            direction: See `neighbours`.
            types: See `neighbours`.
            valid_at: See `neighbours`.

        Raises:
            NotFoundError: One of the memories is not to be seen.
            InvalidInputError: Twice the same memory, an unknown direction, or a number out of
                bounds.
        """
        check_limit(max_depth, field="max_depth", most=_DEEPEST)
        check_limit(limit, most=_MOST_PATHS)
        if from_id == to_id:
            raise InvalidInputError("a path leads from one memory to another: give two ids")
        at = self._moment(valid_at)
        links: dict[str, Link] = {}
        # Each link of a path lies within half its length of one of the ends.
        halves = (
            (from_id, (max_depth + 1) // 2, direction),
            (to_id, max_depth // 2, against(direction)),
        )
        for id_, depth, way in halves:
            self.store.memories.get(id_)
            around = self._links_around(way, types, at, min_weight)
            reach([id_], noted(around, links), depth=depth, direction=way)
        ways = heaviest_paths(
            links.values(), from_id, to_id, max_depth=max_depth, direction=direction
        )
        found = []
        for ids, joined, weight in islice(ways, limit):
            memories = [each for each in self.get_many(ids) if each is not None]
            if len(memories) == len(ids):
                found.append(LinkPath(memories=tuple(memories), links=joined, weight=weight))
        return found

    def subgraph(
        self,
        ids: Sequence[str],
        *,
        depth: int = 1,
        limit: int = 500,
        min_weight: float = 0.0,
        direction: Direction = "both",
        types: Sequence[str] | None = None,
        valid_at: datetime | str | None = None,
    ) -> Graph:
        """Return memories, those around them and all links between these, as frames.

        Args:
            ids: From where.
            depth: Over at most so many links, 1 to 10.
            limit: At most so many memories: the nearest, then the heaviest.
            min_weight: See `neighbours`.
            direction: See `neighbours`.
            types: See `neighbours`.
            valid_at: See `neighbours`.

        Raises:
            NotFoundError: One of the memories is not to be seen.
            InvalidInputError: No ids or no list of them, an unknown direction, or a number out of
                bounds.
        """
        check_limit(depth, field="depth", most=_DEEPEST)
        check_limit(limit, most=_MOST_NODES)
        ids = check_ids(ids)
        if not ids:
            raise InvalidInputError("ids is empty: give a list of ids")
        for id_, memory in zip(ids, self.get_many(ids), strict=True):
            if memory is None:
                raise NotFoundError(f"there is no memory {id_!r} that you may see")
        at = self._moment(valid_at)
        around = self._links_around(direction, types, at, min_weight)
        reached = reach(ids, around, depth=depth, direction=direction, most=limit)
        chosen = self.get_many(list(islice(reached, limit)))
        memories = [each for each in chosen if each is not None]
        links = self._links_around("both", types, at, min_weight)([each.id for each in memories])
        return graph_of(memories, between(links, memories), reached)

    def _moment(self, value: datetime | str | None, *, field: str = "valid_at") -> datetime:
        return self._clock.now() if value is None else parse_time(value, field=field)

    def _links_around(
        self,
        direction: Direction,
        types: Sequence[str] | None,
        valid_at: datetime,
        min_weight: float,
    ) -> Around:
        least = check_number(min_weight, field="min_weight")
        if types is not None and (
            isinstance(types, str) or not all(isinstance(each, str) for each in types)
        ):
            raise InvalidInputError(f"types is {shown(types)}: give a list of texts")

        def around(ids: Sequence[str], /) -> list[Link]:
            found = self.store.links.around(
                ids, direction=direction, types=types, valid_at=valid_at
            )
            return [link for link in found if link.weight >= least]

        return around

"""The verbs of an engine that look at the whole graph: at a moment, between two, in SQL."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Unpack

import numpy as np

from engram_lab.consolidation.clusters import clusters_of_links
from engram_lab.consolidation.conflicts import conflicts_of
from engram_lab.consolidation.view import View
from engram_lab.core.brief import brief
from engram_lab.core.checks import check_workspace
from engram_lab.core.errors import InvalidInputError
from engram_lab.core.interchange import LiveDuckDB
from engram_lab.core.selection import Selection
from engram_lab.engine.graph import GraphVerbs
from engram_lab.engine.graph_frames import changes_of, graph_of
from engram_lab.engine.steps import between

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    import polars as pl

    from engram_lab.consolidation.conflicts import Conflict
    from engram_lab.core.keywords import Chosen
    from engram_lab.core.types import Link, Memory
    from engram_lab.engine.graph_frames import Graph

__all__ = ["MemoryClusters", "WholeGraphVerbs"]


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class MemoryClusters:
    """Which memories hang together by their links.

    Attributes:
        members: The ids of each cluster, in order; the greatest cluster first.
        modularity: Newman's Q of the partition, from -0.5 to 1.
        null: The same of graphs whose links were shuffled, keeping how many each memory has.
    """

    members: tuple[tuple[str, ...], ...]
    modularity: float
    null: tuple[float, ...] = ()

    @property
    def excess(self) -> float:
        """By how much the modularity is above the mean of the null; nan without a null."""
        return self.modularity - sum(self.null) / len(self.null) if self.null else math.nan

    def __repr__(self) -> str:
        sizes = ", ".join(str(len(each)) for each in self.members) or "none"
        return brief(self, f"modularity={self.modularity:.3f}", f"sizes: {sizes}")


class WholeGraphVerbs(GraphVerbs):
    """Look at all links at once, through the time for which they hold, and in SQL."""

    def graph_at(
        self,
        moment: datetime | str | None = None,
        *,
        types: Sequence[str] | None = None,
        min_weight: float = 0.0,
        **chosen: Unpack[Chosen],
    ) -> Graph:
        """Return the memories that hold at a moment, and the links that do, as frames.

        Args:
            moment: Of validity in the world; now unless given.
            types: Only links of these types.
            min_weight: Only links of this weight and more.
            **chosen: See `Selection`, of the present; archived memories are left out unless told.

        Raises:
            InvalidInputError: A malformed moment, filter or scope, or `as_of`.
        """
        at = self._moment(moment, field="moment")
        return graph_of(*self._held(at, chosen, types=types, min_weight=min_weight))

    def graph_changes(
        self,
        since: datetime | str,
        until: datetime | str | None = None,
        **chosen: Unpack[Chosen],
    ) -> pl.DataFrame:
        """Return what differs between the links of `graph_at(since)` and of `graph_at(until)`.

        Args:
            since: The moment to compare with.
            until: The moment that is compared; now unless given.
            **chosen: See `graph_at`.

        Returns:
            A row for each pair and type of link: `change` is `added`, `removed` or `changed` (in
            weight or confidence), with both values and both links.

        Raises:
            InvalidInputError: `until` is before `since`; else as of `graph_at`.
        """
        begins = self._moment(since, field="since")
        ends = self._moment(until, field="until")
        if ends < begins:
            raise InvalidInputError(f"until ({ends}) is before since ({begins}): swap them")
        (_, before), (_, after) = self._held(begins, chosen), self._held(ends, chosen)
        return changes_of(before, after)

    def clusters(
        self,
        moment: datetime | str | None = None,
        *,
        types: Sequence[str] | None = None,
        least: int = 2,
        resolution: float = 1.0,
        seed: int = 0,
        nulls: int = 0,
        **chosen: Unpack[Chosen],
    ) -> MemoryClusters:
        """Return which memories of `graph_at(moment)` hang together, by the Louvain method.

        Args:
            moment: See `graph_at`.
            types: See `graph_at`.
            least: The least size of a cluster that is told of.
            resolution: Above 1 for more and smaller clusters.
            seed: The same seed gives the same clusters.
            nulls: How many shuffled graphs are clustered to compare with.
            **chosen: See `graph_at`.

        Raises:
            InvalidInputError: As of `graph_at`; or a size or resolution out of bounds.
            MissingDependencyError: The package that finds clusters is absent.
        """
        at = self._moment(moment, field="moment")
        memories, links = self._held(at, chosen, types=types)
        place = {memory.id: row for row, memory in enumerate(memories)}
        found = clusters_of_links(
            np.array([place[link.from_id] for link in links], np.int64),
            np.array([place[link.to_id] for link in links], np.int64),
            np.array([link.weight for link in links], np.float64),
            least=least,
            resolution=resolution,
            seed=seed,
            nulls=nulls,
        )
        return MemoryClusters(
            members=tuple(tuple(memories[row].id for row in each) for each in found.members),
            modularity=found.modularity,
            null=found.null,
        )

    def conflicts(self, workspace: str = "default") -> tuple[Conflict, ...]:
        """Return which links of a workspace cannot all be so, the gravest first.

        Such as two memories that support and contradict each other at one time, what depends on
        itself, and a validity that ends before it begins.

        Raises:
            AccessDeniedError: An agent asks.
            InvalidInputError: A malformed name.
        """
        return conflicts_of(View(self.store.dreams, check_workspace(workspace)))

    def duckdb(self, **chosen: Unpack[Chosen]) -> LiveDuckDB:
        """Return a DuckDB connection in which the tables can be queried, always up to date.

        Beside the tables it knows `links_at(moment)`, `reachable(start)`, `paths(start, target)`,
        `degrees()` and `components()`, which follow links in SQL: see `LiveDuckDB`.

        Raises:
            InvalidInputError: A selection that the tables cannot follow.
        """
        return LiveDuckDB(self.store, Selection.of(**chosen), now=self._clock.now)

    def _held(
        self,
        moment: datetime,
        chosen: Chosen,
        *,
        types: Sequence[str] | None = None,
        min_weight: float = 0.0,
    ) -> tuple[list[Memory], list[Link]]:
        selection = Selection.of(**chosen).also(valid_at=moment, forgotten=False)
        keys = self.store.corpus.keys(selection)
        found = self.store.corpus.fetch(keys, selection)
        memories = [each for each in found if each is not None]
        around = self._links_around("both", types, moment, min_weight)
        return memories, between(around([each.id for each in memories]), memories)

"""What a query should have found and what it found, with the texts where they are at hand."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import polars as pl

if TYPE_CHECKING:
    from engram_lab.evaluation.runs.results import RunFolder
    from engram_lab.evaluation.statistics.contrast import Comparison

__all__ = ["Evidence", "Found", "evidence_of"]

_SHOWN: Final = 3
"""Hits that are shown of what came back."""

_LONGEST: Final = 200
"""Characters of a memory."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """A memory of a query: relevant, or found, or both.

    Attributes:
        memory_id: Which.
        text: Its content, cut; the empty text where it is not at hand.
        wanted: Whether it is relevant.
        now: Its rank, or None.
        before: Its rank with the other system, or None.
        known_before: Whether what the other system found is known.
        depth: How many hits there are.
    """

    memory_id: str
    text: str
    wanted: bool
    now: int | None
    before: int | None = None
    known_before: bool = False
    depth: int = 0


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Queries, what answers them, and what one or two systems found.

    Attributes:
        texts: Of queries, by id.
        contents: Of memories, by id; what is not at hand is not in it.
        relevant: Ids of memories, by query.
        ranks: Ranks of memories with the system that is judged, by query, best first.
        before: Likewise with the one that stands; None where that is not known.
    """

    texts: Mapping[str, str]
    contents: Mapping[str, str]
    relevant: Mapping[str, list[str]]
    ranks: Mapping[str, Mapping[str, int]]
    before: Mapping[str, Mapping[str, int]] | None = None

    def text(self, query: str) -> str:
        """Return what was asked, or the empty text."""
        return self.texts.get(query, "")

    def wanted(self, query: str) -> Iterator[Found]:
        """Yield what answers a query, wherever it was found."""
        for memory in self.relevant.get(query, []):
            yield self._found(query, memory)

    def found(self, query: str) -> list[Found]:
        """Return the first hits of a query."""
        return [self._found(query, each) for each in list(self.ranks.get(query, {}))[:_SHOWN]]

    def _found(self, query: str, memory: str) -> Found:
        ranks = self.ranks.get(query, {})
        return Found(
            memory_id=memory,
            text=_cut(self.contents.get(memory, "")),
            wanted=memory in self.relevant.get(query, []),
            now=ranks.get(memory),
            before=None if self.before is None else self.before.get(query, {}).get(memory),
            known_before=self.before is not None,
            depth=len(ranks),
        )


def evidence_of(folder: RunFolder, comparison: Comparison) -> Evidence:
    """Return the evidence of the queries that moved.

    What A found is known where the run holds A too, with the values that were compared.
    """
    queries = [each.query_id for each in comparison.moved]
    chosen = pl.col("query_id").is_in(queries)
    relevant: dict[str, list[str]] = defaultdict(list)
    for query, memory in (
        folder.qrels.filter(chosen, pl.col("relevance") > 0)
        .select("query_id", "memory_id")
        .iter_rows()
    ):
        relevant[query].append(memory)
    ranks = _ranks(folder, _held(folder, comparison, comparison.b), chosen) or {}
    before = None
    if comparison.a != comparison.b:
        before = _ranks(folder, _held(folder, comparison, comparison.a), chosen)
    needed = {memory for found in relevant.values() for memory in found}
    for found in ranks.values():
        needed.update(list(found)[:_SHOWN])
    return Evidence(
        texts=dict(folder.queries.filter(chosen).select("query_id", "text").iter_rows()),
        contents=_contents(folder, needed),
        relevant=dict(relevant),
        ranks=ranks,
        before=before,
    )


def _held(folder: RunFolder, comparison: Comparison, name: str) -> str | None:
    """Return the system of the run that is compared under a name, or None.

    The name is its own, or `FOLDER:SYSTEM`. A folder elsewhere may be called the same: the values
    must be those that were compared.
    """
    place, _, system = name.rpartition(":")
    if name in folder.systems:
        system = name
    elif place != folder.path.name or system not in folder.systems:
        return None
    if not comparison.moved:
        return system
    measure = comparison.moved[0].measure
    compared = {
        each.query_id: each.before if name == comparison.a else each.after
        for each in comparison.moved
    }
    rows = folder.of(system).filter(pl.col("query_id").is_in(list(compared)))
    values = dict(rows.select("query_id", measure).iter_rows()) if measure in rows.columns else {}
    same = all(
        (value := values.get(query)) is not None and math.isclose(value, said, abs_tol=1e-5)
        for query, said in compared.items()
    )
    return system if same else None


def _ranks(
    folder: RunFolder, system: str | None, chosen: pl.Expr
) -> dict[str, dict[str, int]] | None:
    if system is None or "benchmark" in folder.results:  # which ranks nothing
        return None
    ranks: dict[str, dict[str, int]] = defaultdict(dict)
    hits = folder.run(system).hits.filter(chosen).sort("query_id", "rank")
    for query, memory, rank in hits.select("query_id", "memory_id", "rank").iter_rows():
        ranks[query][memory] = rank
    return dict(ranks)


def _contents(folder: RunFolder, needed: set[str]) -> dict[str, str]:
    """Return the contents of memories, where the run keeps them."""
    if folder.memories is None:
        return {}
    chosen = folder.memories.filter(pl.col("memory_id").is_in(sorted(needed)))
    return dict(chosen.select("memory_id", "content").iter_rows())


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST].rstrip()} …"

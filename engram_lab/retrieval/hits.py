"""The answer of a recall: ranked memories, each with the reason for its place."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, overload

import pyarrow as pa

from engram_lab.core.schemas import MEMORIES
from engram_lab.core.types import RecalledMemory

if TYPE_CHECKING:
    import polars as pl

    from engram_lab.core.types import Memory

__all__ = ["Arm", "Explanation", "Hit", "Hits"]

_SCORED: Final = pa.schema(
    [
        pa.field("rank", pa.int64(), nullable=False),
        pa.field("score", pa.float64(), nullable=False),
        *MEMORIES,
    ]
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Arm:
    """What one way of searching said of a memory; rank 1 is its first."""

    name: str
    rank: int
    score: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Explanation:
    """Why a hit stands where it does: what each arm said, and the score that orders the hits."""

    arms: tuple[Arm, ...]
    score: float

    def __str__(self) -> str:
        said = ", ".join(f"{arm.name} #{arm.rank} ({arm.score:.4g})" for arm in self.arms)
        return f"{self.score:.4g} = {said}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Hit:
    """One memory of an answer; `rank` starts at 1, a higher score is nearer."""

    rank: int
    score: float
    memory: Memory
    explanation: Explanation

    @property
    def id(self) -> str:
        """The id of the memory."""
        return self.memory.id


class Hits(Sequence[Hit]):
    """The hits of a recall, best first."""

    def __init__(self, hits: Sequence[Hit], *, query: str, strategy: str) -> None:
        self._hits = tuple(hits)
        self.query = query
        self.strategy = strategy

    @overload
    def __getitem__(self, index: int) -> Hit: ...
    @overload
    def __getitem__(self, index: slice) -> Hits: ...
    def __getitem__(self, index: int | slice) -> Hit | Hits:
        if isinstance(index, slice):
            return Hits(self._hits[index], query=self.query, strategy=self.strategy)
        return self._hits[index]

    def __len__(self) -> int:
        return len(self._hits)

    def recalled(self) -> tuple[RecalledMemory, ...]:
        """Return the hits as a recall event keeps them."""
        return tuple(
            RecalledMemory(memory_id=hit.id, rank=hit.rank, score=hit.score) for hit in self._hits
        )

    def to_arrow(self) -> pa.Table:
        """Return rank, score and all fields of each memory, metadata as JSON text."""
        import orjson

        rows: list[dict[str, Any]] = []
        for hit in self._hits:
            record = hit.memory.to_dict()
            record["metadata"] = orjson.dumps(record["metadata"]).decode()
            rows.append({"rank": hit.rank, "score": hit.score, **record})
        return pa.Table.from_pylist(rows, schema=_SCORED)

    def to_polars(self) -> pl.DataFrame:
        """Return the table of `to_arrow` as a Polars frame."""
        import polars as pl

        frame = pl.from_arrow(self.to_arrow())
        return frame if isinstance(frame, pl.DataFrame) else frame.to_frame()

    def __repr__(self) -> str:
        lines = [f"Hits({len(self)} for {self.query!r}, {self.strategy})"]
        lines += [f"  {hit.rank}. {hit.score:.4g}  {hit.memory.content}" for hit in self._hits]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{hit.rank}</td><td>{hit.score:.4g}</td>"
            f"<td style='text-align:left'>{html.escape(hit.memory.content)}</td>"
            f"<td>{html.escape(', '.join(hit.memory.tags))}</td>"
            f"<td>{html.escape(str(hit.explanation))}</td></tr>"
            for hit in self._hits
        )
        return (
            f"<table><caption>{len(self)} hits for <b>{html.escape(self.query)}</b> "
            f"({html.escape(self.strategy)})</caption><thead><tr><th>#</th><th>score</th>"
            f"<th>content</th><th>tags</th><th>why</th></tr></thead><tbody>{rows}</tbody></table>"
        )

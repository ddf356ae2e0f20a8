"""The answer of a recall: ranked memories, each with the reason for its place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, overload

import pyarrow as pa

from engram_lab.core.brief import brief, quoted
from engram_lab.core.errors import StoreClosedError
from engram_lab.core.schemas import MEMORIES
from engram_lab.core.types import RecalledMemory
from engram_lab.retrieval.showing import page_of

if TYPE_CHECKING:
    from datetime import datetime

    import polars as pl

    from engram_lab.core.types import Memory
    from engram_lab.retrieval.rerank.protocol import Factor
    from engram_lab.retrieval.suggest import Suggestion

__all__ = ["Arm", "Compact", "Explanation", "Hit", "Hits", "Step"]

_TITLE_CHARS: Final = 80
_SCORED: Final = pa.schema(
    [
        pa.field("rank", pa.int64(), nullable=False),
        pa.field("score", pa.float64(), nullable=False),
        *MEMORIES,
    ]
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Arm:
    """What one way of searching said of a memory.

    Attributes:
        name: `keyword`, `semantic`, or whatever else took part.
        rank: Its place there, 1 is the first; None where the arm had it not.
        score: What it scored there, in the arm's own measure.
        contribution: What that adds to the relevance.
    """

    name: str
    rank: int | None
    score: float | None
    contribution: float

    def __str__(self) -> str:
        where = "not found" if self.rank is None else f"#{self.rank}: {self.score:.4g}"
        return f"{self.contribution:.4g} {self.name} ({where})"


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """What a reranker made of the score before it: a sum or a product of named parts, in order."""

    name: str
    how: Literal["sum", "product"]
    parts: tuple[Factor, ...]

    @property
    def score(self) -> float:
        """What the parts come to."""
        first, *others = (part.value for part in self.parts)
        for value in others:
            first = first + value if self.how == "sum" else first * value
        return first

    def __str__(self) -> str:
        sign = " + " if self.how == "sum" else " \N{MULTIPLICATION SIGN} "
        # 0.0 is added so that none reads -0.
        return sign.join(f"{part.value + 0.0:.4g} {part.name}" for part in self.parts)


@dataclass(frozen=True, kw_only=True, slots=True)
class Explanation:
    """Why a hit stands where it does.

    The score that gives the order is exactly that of the last step or, where nothing was reranked,
    the sum of what the arms contribute, added from left to right.

    Attributes:
        arms: Those that found the memory.
        steps: What each reranker made of it.
        words: The text with `**` around the words of the question, if asked for.
    """

    arms: tuple[Arm, ...]
    steps: tuple[Step, ...] = ()
    words: str | None = None

    @property
    def score(self) -> float:
        """The score that orders the hits."""
        if self.steps:
            return self.steps[-1].score
        return sum((arm.contribution for arm in self.arms), 0.0)

    def __str__(self) -> str:
        said = " + ".join(map(str, self.arms))
        return "; then ".join(
            [f"{self.score:.4g} = {said}", *(f"{each.name}: {each}" for each in self.steps)]
        )


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
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

    def __repr__(self) -> str:
        scored = f"#{self.rank}: {self.score:.4g}"
        return brief(self, scored, repr(self.id), quoted(self.memory.content))


@dataclass(frozen=True, kw_only=True, slots=True)
class Compact:
    """A hit in short: enough to choose by, before `Engine.expand` gives the whole."""

    id: str
    title: str
    created_at: datetime
    tags: tuple[str, ...]
    score: float


class Hits(Sequence[Hit]):
    """The hits of a recall, best first.

    Args:
        hits: In order.
        query: What was asked.
        strategy: Which arms searched: `keyword`, `semantic` or `hybrid`.
        reason: Why those, and why that profile.
        profile: What made the order; see `retrieval.profile`.
        suggestions: See the property; a function is called when it is first asked for.
        embedder: Fingerprint of what made the vectors, where vectors were compared.
        left_out: How many hits a token budget had no room for.
    """

    def __init__(
        self,
        hits: Sequence[Hit],
        *,
        query: str,
        strategy: str,
        reason: str = "",
        profile: str = "neutral",
        suggestions: Sequence[Suggestion] | Callable[[], Sequence[Suggestion]] = (),
        embedder: str | None = None,
        left_out: int = 0,
    ) -> None:
        self._hits = tuple(hits)
        self.query = query
        self.strategy = strategy
        self.reason = reason
        self.profile = profile
        self._suggestions = suggestions
        self.embedder = embedder
        self.left_out = left_out

    @overload
    def __getitem__(self, index: int) -> Hit: ...
    @overload
    def __getitem__(self, index: slice) -> Hits: ...
    def __getitem__(self, index: int | slice) -> Hit | Hits:
        return self._with(self._hits[index]) if isinstance(index, slice) else self._hits[index]

    def _with(self, hits: Sequence[Hit]) -> Hits:
        return Hits(
            hits,
            query=self.query,
            strategy=self.strategy,
            reason=self.reason,
            profile=self.profile,
            suggestions=self._suggestions,
            embedder=self.embedder,
            left_out=self.left_out,
        )

    @property
    def suggestions(self) -> tuple[Suggestion, ...]:
        """What might have been meant by words that no memory holds; never applied.

        Looked for when first asked for; none where the engine has been closed before that.
        """
        if callable(self._suggestions):
            try:
                self._suggestions = tuple(self._suggestions())
            except StoreClosedError:
                self._suggestions = ()
        return tuple(self._suggestions)

    def __len__(self) -> int:
        return len(self._hits)

    def compact(self) -> list[Compact]:
        """Return each hit in short: the first line of its text, when, and its tags."""
        return [
            Compact(
                id=hit.id,
                title=_title(hit.memory.content),
                created_at=hit.memory.created_at,
                tags=hit.memory.tags,
                score=hit.score,
            )
            for hit in self._hits
        ]

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
        lines += [f"  {each}?" for each in self.suggestions]
        lines += [f"  {hit.rank}. {hit.score:.4g}  {hit.memory.content}" for hit in self._hits]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return page_of(self)


def _title(content: str) -> str:
    line = content.split("\n", 1)[0].strip()
    return line if len(line) <= _TITLE_CHARS else f"{line[: _TITLE_CHARS - 1].rstrip()}…"

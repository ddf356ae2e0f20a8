"""A data set: memories, queries, and what answers them, as three frames."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Self

import orjson
import polars as pl

from engram_lab.core.brief import brief, counted, quoted
from engram_lab.core.errors import InvalidInputError, shown

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "FORBIDDEN",
    "MEMORIES",
    "PARTS",
    "QRELS",
    "QUERIES",
    "STALE",
    "UNWRITABLE",
    "DataFile",
    "Dataset",
]

_TIME: Final[pl.DataType] = pl.Datetime("us", "UTC")

MEMORIES: Final = pl.Schema(
    {
        "id": pl.String(),
        "corpus": pl.String(),
        "content": pl.String(),
        "session": pl.String(),
        "position": pl.Int32(),
        "speaker": pl.String(),
        "event_at": _TIME,
        "fields": pl.String(),
        "source_id": pl.String(),
    }
)
"""What is remembered. `corpus` is the haystack it lies in: each is a store of its own. `session`,
`position` and `speaker` tell a turn's place in its conversation and are null elsewhere. `fields`
is a JSON object of further fields of a memory, or null. `source_id` is the id in the published
data."""

QUERIES: Final = pl.Schema(
    {
        "id": pl.String(),
        "corpus": pl.String(),
        "text": pl.String(),
        "category": pl.String(),
        "cluster": pl.String(),
        "asked_at": _TIME,
        "source_id": pl.String(),
    }
)
"""What is asked of a corpus. Queries of one `cluster` (a conversation, a user) are not independent;
null where each stands for itself."""

QRELS: Final = pl.Schema(
    {"query_id": pl.String(), "memory_id": pl.String(), "relevance": pl.Int32()}
)
"""What answers a query: 1 and more is relevant, 0 was judged and is not, `STALE` and `FORBIDDEN`
must not be found."""

PARTS: Final = pl.Schema(
    {
        "memory_id": pl.String(),
        "position": pl.Int32(),
        "speaker": pl.String(),
        "event_at": _TIME,
        "start": pl.Int32(),
        "end": pl.Int32(),
    }
)
"""The turns that a memory is made of, such as a session: who said when which of its characters,
from `start` up to `end`. `position` is the turn's place in the published session."""

STALE: Final = -1
"""The relevance of what once answered, and was superseded."""

FORBIDDEN: Final = -2
"""The relevance of what must never be shown to whoever asks."""

_FILLED: Final = {
    "memories": ("id", "corpus", "content"),
    "queries": ("id", "corpus", "text"),
    "qrels": ("query_id", "memory_id", "relevance"),
    "parts": ("memory_id", "start", "end"),
}
"""The columns that hold something in every row."""

UNWRITABLE: Final = r"[\s\x00\x1c-\x1f\ufeff]"
"""What no id may hold: it parts the fields of a TREC file."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DataFile:
    """A file that was read.

    Attributes:
        name: Its path inside the folder of the data set.
        sha256: 64 hexadecimal digits.
        size: In bytes.
    """

    name: str
    sha256: str
    size: int


@dataclass(frozen=True, kw_only=True, repr=False)
class Dataset:
    """Memories, queries and judgements, in one order that is always the same.

    Attributes:
        id: The id of its manifest, or a name given by whoever brought it.
        variant: How it was read: unit, key, split, such as `{"unit": "turn", "key": "official"}`.
        memories: See `MEMORIES`; ids are unique over all corpora.
        queries: See `QUERIES`; ids are unique.
        qrels: See `QRELS`; unique pairs of a query and a memory of its corpus.
        parts: See `PARTS`; memory by memory, in the order of their turns. They are no part of
            `hash`: every word of theirs is one of a memory.
        files: What was read.
        left_out: What was dropped on the way, counted by reason.

    Raises:
        InvalidInputError: A frame has other columns, an id is not unique or holds white space, a
            text is empty, a relevance is below -2, or a judgement names what is not there.
    """

    id: str
    memories: pl.DataFrame
    queries: pl.DataFrame
    qrels: pl.DataFrame
    parts: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=PARTS))
    variant: Mapping[str, str] = field(default_factory=dict)
    files: tuple[DataFile, ...] = ()
    left_out: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        frames = {"memories": MEMORIES, "queries": QUERIES, "qrels": QRELS, "parts": PARTS}
        for name, schema in frames.items():
            found = getattr(self, name).schema
            if found != schema:
                raise InvalidInputError(
                    f"{name} of the data set {self.id!r} have the columns {dict(found)}: "
                    f"they must be {dict(schema)}"
                )
            self._check_filled(name)
        self._check_unique(self.memories, ["id"], "memories")
        self._check_unique(self.queries, ["id"], "queries")
        self._check_unique(self.qrels, ["query_id", "memory_id"], "qrels")
        self._check_known()

    def __repr__(self) -> str:
        sizes = (
            counted(self.memories.height, "memory", "memories"),
            counted(self.queries.height, "query", "queries"),
            counted(self.qrels.height, "judgement"),
        )
        return brief(self, quoted(self.id), *sizes)

    @classmethod
    def from_frames(
        cls,
        *,
        memories: Any,
        queries: Any,
        qrels: Any,
        id: str,  # noqa: A002
    ) -> Self:
        """Return a data set of one's own.

        Args:
            memories: A frame of Polars, Arrow or pandas, or a list of mappings, with `id` and
                `content`; the other columns of `MEMORIES` may be there.
            queries: Likewise, with `id` and `text`, and what else `QUERIES` has.
            qrels: Likewise, with `query_id`, `memory_id` and `relevance`.
            id: A name for it.

        Raises:
            InvalidInputError: A column is missing or unknown, or a value is not of its type; the
                message names the row, counted from 0, and the column.
        """
        from engram_lab.evaluation.datasets.frames import framed

        frames = framed(memories=memories, queries=queries, qrels=qrels)
        return cls(id=id, memories=frames[0], queries=frames[1], qrels=frames[2])

    @cached_property
    def hash(self) -> str:
        """The SHA-256 of everything that is judged: the three frames, in order."""
        digest = hashlib.sha256()
        for name in ("memories", "queries", "qrels"):
            for column in getattr(self, name):
                plain = column.dt.epoch("us") if column.dtype == _TIME else column
                digest.update(orjson.dumps([name, column.name, plain.to_list()]))
        return digest.hexdigest()

    def _check_filled(self, name: str) -> None:
        frame: pl.DataFrame = getattr(self, name)
        for column in _FILLED[name]:
            values = frame[column]
            empty = values.is_null()
            if values.dtype == pl.String:
                empty |= values.str.strip_chars() == ""
            if empty.any():
                raise InvalidInputError(
                    f"{name} of the data set {self.id!r} have no {column} in row "
                    f"{empty.arg_true()[0]}: each row must have one"
                )
            if column not in {"id", "corpus"}:
                continue
            bad = values.filter(values.str.contains(UNWRITABLE))
            if bad.len():
                raise InvalidInputError(
                    f"{name} of the data set {self.id!r} have the {column} {shown(bad[0])}: "
                    "it may hold no white space, which parts the fields of a TREC file"
                )

    def _check_unique(self, frame: pl.DataFrame, key: list[str], name: str) -> None:
        if repeated := frame.filter(pl.struct(key).is_duplicated()).select(key).rows():
            raise InvalidInputError(
                f"{name} of the data set {self.id!r} hold {repeated[0]} more than once: "
                "each must be there once"
            )

    def _check_known(self) -> None:
        if below := self.qrels.filter(pl.col("relevance") < FORBIDDEN)["relevance"].to_list():
            raise InvalidInputError(
                f"qrels of the data set {self.id!r} hold the relevance {below[0]}: below 0 there "
                f"are {STALE} for what was superseded and {FORBIDDEN} for what must not be shown"
            )
        placed = self.qrels.join(
            self.queries.select(query_id="id", asked="corpus"), on="query_id", how="left"
        ).join(self.memories.select(memory_id="id", lies="corpus"), on="memory_id", how="left")
        for column, noun in (("asked", "query_id"), ("lies", "memory_id")):
            if lost := placed.filter(pl.col(column).is_null())[noun].to_list():
                raise InvalidInputError(
                    f"qrels of the data set {self.id!r} name the unknown {noun} {lost[0]!r} "
                    f"({len(lost)} such rows): leave out what is not there"
                )
        if apart := placed.filter(pl.col("asked") != pl.col("lies")).rows():
            raise InvalidInputError(
                f"qrels of the data set {self.id!r} pair {apart[0][0]!r} with {apart[0][1]!r}, "
                "which lie in different corpora"
            )

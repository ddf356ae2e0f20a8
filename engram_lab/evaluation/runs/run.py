"""A run: what one system found for each query, in order."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from engram_lab.core.brief import brief, counted, quoted
from engram_lab.core.errors import InvalidRunError, shown

__all__ = ["RUN", "Run"]

RUN: Final = pl.Schema(
    {"query_id": pl.String, "memory_id": pl.String, "rank": pl.Int32, "score": pl.Float32}
)
"""Hits of every query. Scores fall strictly within a query, in single precision: trec_eval reads
the score alone, as such a number, and would break ties its own way."""

_NAMES: Final = {
    "query_id": ("query_id", "qid", "query-id", "q_id", "query"),
    "memory_id": ("memory_id", "doc_id", "docid", "docno", "corpus-id", "document_id"),
    "score": ("score",),
}
_SIGN: Final = np.int64(0x7FFFFFFF)
_LOWEST: Final = -np.int64(np.float32(np.finfo(np.float32).max).view(np.int32))

_Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, repr=False)
class Run:
    """Ranked hits of each query.

    A query without hits is not there: it cannot be told from one that was never asked, and each
    measure declares what such a query is worth.

    Attributes:
        system: Whose run it is.
        hits: See `RUN`; ordered by query, then rank from 1 without gaps.
        ties: Hits whose score, as it was read, equals that of the hit before: their order is what
            trec_eval makes it, and says nothing about the system.

    Raises:
        InvalidRunError: The hits have other columns.
    """

    system: str
    hits: pl.DataFrame
    ties: int = 0

    def __post_init__(self) -> None:
        if self.hits.schema != RUN:
            raise InvalidRunError(
                f"hits of the run {self.system!r} have the columns {dict(self.hits.schema)}: "
                f"they must be {dict(RUN)}"
            )

    def __repr__(self) -> str:
        queries = counted(self.hits["query_id"].n_unique(), "query", "queries")
        return brief(self, quoted(self.system), queries, counted(self.hits.height, "hit"))

    @classmethod
    def of(cls, system: str, rankings: Iterable[tuple[str, Iterable[tuple[str, float]]]]) -> Run:
        """Return the run of rankings, each a query id and its memories with scores, best first.

        The order given is kept: a score that does not fall is lowered to the next single-precision
        number.

        Raises:
            InvalidRunError: An id is empty, a query is given twice or a memory twice for a query,
                or a score is not finite in single precision.
        """
        queries: list[str] = []
        lengths: list[int] = []
        memories: list[str] = []
        scores: list[float] = []
        for query, ranking in rankings:
            before = len(memories)
            for memory, score in ranking:
                memories.append(memory)
                scores.append(score)
            queries.append(query)
            lengths.append(len(memories) - before)
        if len(set(queries)) < len(queries):
            twice = next(each for at, each in enumerate(queries) if each in queries[:at])
            raise InvalidRunError(f"the run {system!r} ranks the query {shown(twice)} twice")
        frame = pl.DataFrame(
            {
                "query_id": pl.Series(queries, dtype=pl.String).gather(
                    np.repeat(np.arange(len(queries)), lengths)
                ),
                "memory_id": pl.Series(memories, dtype=pl.String),
                "score": pl.Series(np.asarray(scores, dtype=np.float64)),
            }
        )
        found = _checked(frame, _At(system=system))
        starts = _starts(found)
        return cls(system=system, hits=_ranked(found, starts))

    @classmethod
    def from_frame(
        cls,
        system: str,
        frame: pl.DataFrame,
        *,
        file: str | None = None,
        line_of: Callable[[int], int] | None = None,
    ) -> Run:
        """Return the run of hits that are known by their scores alone, in any order.

        They are ordered as trec_eval orders them: by score in single precision, falling, and then
        by the id of the memory, falling, byte by byte. A column of ranks is not looked at, for
        trec_eval does not either. Queries keep the order in which they first appear.

        Args:
            system: Whose run it is.
            frame: Columns `query_id` (or `qid`, `query-id`), `memory_id` (or `doc_id`, `docid`,
                `docno`, `corpus-id`) and `score`; others are left out.
            file: What an error names.
            line_of: From a row of the frame, counted from 0, to the line of the file.

        Raises:
            InvalidRunError: A column is absent, an id is empty, a memory is given twice for a
                query, or a score is not finite in single precision.
        """
        at = _At(system=system, file=file, line_of=line_of)
        found = _checked(_named(frame, at), at)
        starts = _starts(found)
        if _in_order(found, starts):
            return cls(system=system, hits=_ranked(found, starts))
        found = _sorted(found)
        starts = _starts(found)
        score = found["score"].to_numpy()
        level = score[1:] == score[:-1]
        level[starts[1:] - 1] = False
        return cls(system=system, hits=_ranked(found, starts), ties=int(level.sum()))

    @property
    def queries(self) -> tuple[str, ...]:
        """The ids of the queries that have hits, in order."""
        return tuple(self.hits["query_id"].rle().struct.field("value"))


@dataclass(frozen=True, kw_only=True)
class _At:
    """Where a row came from, as an error says it."""

    system: str
    file: str | None = None
    line_of: Callable[[int], int] | None = None

    def error(self, message: str, row: int | None = None) -> InvalidRunError:
        if row is None or self.line_of is None:
            place = f"the run {self.system!r}" + ("" if row is None else f", row {row}")
            return InvalidRunError(f"{place}: {message}", file=self.file)
        return InvalidRunError(message, file=self.file, line=self.line_of(row))


def _named(frame: pl.DataFrame, at: _At) -> pl.DataFrame:
    """Return the three columns that count, under our names."""
    chosen = {}
    for name, known in _NAMES.items():
        present = [each for each in known if each in frame.columns]
        if not present:
            raise at.error(
                f"there is no column {name!r} among {frame.columns}: name it {' or '.join(known)}"
            )
        chosen[name] = present[0]
        kind = frame.schema[present[0]]
        if kind.is_nested() or kind in {pl.Boolean, pl.Binary, pl.Object}:
            raise at.error(f"the column {present[0]!r} holds {kind}: it must hold text or numbers")
    try:
        return frame.select(
            pl.col(chosen["query_id"]).cast(pl.String).alias("query_id"),
            pl.col(chosen["memory_id"]).cast(pl.String).alias("memory_id"),
            pl.col(chosen["score"]).cast(pl.Float64).alias("score"),
        )
    except pl.exceptions.PolarsError as error:
        raise at.error(f"a column is of another type: {str(error).splitlines()[0]}") from error


def _checked(frame: pl.DataFrame, at: _At) -> pl.DataFrame:
    """Return the rows with scores in single precision, or refuse the first that is wrong."""
    for name in ("query_id", "memory_id"):
        empty = (frame[name].is_null() | (frame[name] == "")).fill_null(value=True)
        if (row := empty.arg_max()) is not None and empty[row]:
            raise at.error(f"the {name} is empty: every hit must name its query and memory", row)
    with np.errstate(over="ignore"):
        # Adding 0 turns -0 into 0, which is equal and has another bit pattern.
        score = frame["score"].fill_null(float("nan")).to_numpy().astype(np.float32) + np.float32(0)
    wrong = ~np.isfinite(score)
    if wrong.any():
        row = int(wrong.argmax())
        raise at.error(
            f"the score of {shown(frame['memory_id'][row])} for the query "
            f"{shown(frame['query_id'][row])} is {frame['score'][row]}: "
            "it must be a number that is finite in single precision",
            row,
        )
    found = frame.select("query_id", "memory_id", score=pl.Series(score, dtype=pl.Float32))
    _check_unique(found, at)
    return found


def _check_unique(found: pl.DataFrame, at: _At) -> None:
    # Equal rows have equal hashes; only where two hashes are equal are the rows compared.
    query, memory = found["query_id"].hash(1), found["memory_id"].hash(2)
    hashed = query.to_numpy() * np.uint64(0x9E3779B97F4A7C15) + memory.to_numpy()
    hashed.sort()
    if not (hashed[1:] == hashed[:-1]).any():
        return
    repeated = ~found.select(pl.struct("query_id", "memory_id").is_first_distinct()).to_series()
    if (row := repeated.arg_max()) is not None and repeated[row]:
        raise at.error(
            f"the memory {shown(found['memory_id'][row])} is found twice for the query "
            f"{shown(found['query_id'][row])}: it can have one place in a ranking",
            row,
        )


def _starts(found: pl.DataFrame) -> _Ints:
    """Return the row where each run of equal queries begins."""
    lengths = found["query_id"].rle().struct.field("len").to_numpy().astype(np.int64)
    starts: _Ints = np.cumsum(lengths) - lengths
    return starts


def _in_order(found: pl.DataFrame, starts: _Ints) -> bool:
    """Return whether each query stands together, with scores that fall strictly."""
    score = found["score"].to_numpy()
    falls = score[1:] < score[:-1]
    falls[starts[1:] - 1] = True
    return bool(falls.all()) and found["query_id"].n_unique() == len(starts)


def _sorted(found: pl.DataFrame) -> pl.DataFrame:
    order = found.select(pl.col("query_id").unique(maintain_order=True)).with_row_index("place")
    return (
        found.join(order, on="query_id", how="left", maintain_order="left")
        .sort(["place", "score", "memory_id"], descending=[False, True, True])
        .drop("place")
    )


def _ranked(found: pl.DataFrame, starts: _Ints) -> pl.DataFrame:
    """Return rows that are in order, with ranks and with scores that fall strictly."""
    lengths = np.diff(np.append(starts, found.height))
    rank = np.arange(1, found.height + 1) - np.repeat(starts, lengths)
    score = found["score"].to_numpy()
    if not _in_order(found, starts):
        score = _falling(score, rank, starts, lengths)
    return found.select(
        "query_id",
        "memory_id",
        rank=pl.Series(rank, dtype=pl.Int32),
        score=pl.Series(score, dtype=pl.Float32),
    )


def _falling(
    score: npt.NDArray[np.float32], rank: _Ints, starts: _Ints, lengths: _Ints
) -> npt.NDArray[np.float32]:
    """Return the largest scores that fall strictly in each query and exceed none of those given.

    Single-precision numbers in order are numbered by whole numbers without gaps, so that the next
    lower is one less: s'(i) = min(s(i), s'(i-1) - 1), whence s'(i) + i is the running minimum of
    s(i) + i.
    """
    bits = score.view(np.int32).astype(np.int64)
    number = np.where(bits >= 0, bits, -(bits & _SIGN))
    # All numbers of a query lie above those of the next, so one running minimum serves all.
    base = np.repeat(np.arange(len(starts), dtype=np.int64), lengths) << np.int64(34)
    number = np.minimum.accumulate(number + rank - base) + base - rank
    if (number < _LOWEST).any():
        raise InvalidRunError("scores end at the lowest number of single precision: raise them all")
    bits = np.where(number >= 0, number, -number | ~_SIGN).astype(np.int64)
    fallen: npt.NDArray[np.float32] = bits.astype(np.int32).view(np.float32)
    return fallen

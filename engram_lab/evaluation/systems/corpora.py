"""The corpora of a data set: each a haystack of its own, with what is asked of it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import orjson
import polars as pl

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from engram_lab.evaluation.datasets.dataset import Dataset

__all__ = ["Corpus", "Question", "corpora_of"]

_NO_TIME: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""The moment of a corpus that tells no time."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """What is asked, without what answers it."""

    id: str
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Corpus:
    """What a system is shown.

    Attributes:
        name: Unique in its data set.
        memories: Rows of `datasets.dataset.MEMORIES` as dicts, without `corpus` and `source_id`;
            `fields` is the object that it stands for.
        moment: The time at which the questions are asked: that of the last thing that happened.
        parts: The turns that a memory is made of, by its id and in their order: dicts of `content`,
            `speaker`, `position` and `event_at`. Empty where memories are no sessions.
    """

    name: str
    memories: Sequence[dict[str, Any]]
    moment: datetime
    parts: Mapping[str, Sequence[dict[str, Any]]] = field(default_factory=dict)


def corpora_of(dataset: Dataset) -> Iterator[tuple[Corpus, list[Question]]]:
    """Yield each corpus with its questions, in the order of the data."""
    asked = dataset.queries.partition_by("corpus", maintain_order=True, as_dict=True)
    placed = dataset.parts.join(
        dataset.memories.select("corpus", memory_id="id"), on="memory_id", maintain_order="left"
    )
    parts = placed.partition_by("corpus", maintain_order=True, as_dict=True, include_key=False)
    for key, memories in dataset.memories.partition_by(
        "corpus", maintain_order=True, as_dict=True
    ).items():
        queries = asked.get(key)
        if queries is None:
            continue
        times = pl.concat([memories["event_at"], queries["asked_at"]]).drop_nulls()
        moment = times.max()
        corpus = Corpus(
            name=str(key[0]),
            memories=[_told(row) for row in memories.iter_rows(named=True)],
            moment=moment if isinstance(moment, datetime) else _NO_TIME,
            parts=_parts(memories, parts.get(key)),
        )
        columns = queries.select("id", "text").iter_rows()
        yield corpus, [Question(id=id_, text=text) for id_, text in columns]


def _parts(memories: pl.DataFrame, parts: pl.DataFrame | None) -> dict[str, list[dict[str, Any]]]:
    """Return the turns of each memory of a corpus."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    if parts is not None:
        texts = dict(memories.select("id", "content").iter_rows())
        for row in parts.iter_rows(named=True):
            id_ = row.pop("memory_id")
            found[id_].append({"content": texts[id_][row.pop("start") : row.pop("end")], **row})
    return dict(found)


def _told(row: dict[str, Any]) -> dict[str, Any]:
    fields = row.pop("fields")
    del row["corpus"], row["source_id"]
    return {**row, "fields": {} if fields is None else orjson.loads(fields)}

"""What an index holds: segments and a tail in one row of slots, and the numbers BM25 asks for.

Texts are added at the end and never changed: a new text of a memory leaves its old slot dead. The
tail becomes a segment when it is full, and segments at the end are merged into one when they have
become nearly as large as the one before them, so that there are few, and each text is copied a few
times in all, however many are written. What is merged on the way of a search is bounded; larger
segments stay as they are until `compact`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from engram_lab.retrieval.lexical.growing import Growing
from engram_lab.retrieval.lexical.maxscore import Chunk
from engram_lab.retrieval.lexical.segment import Rows, Segment
from engram_lab.retrieval.lexical.tail import Tail

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["Holdings"]

_MERGE_RATIO: Final = 3  # the one before must be so many times as large to be left alone
_MAX_MERGED: Final = 1 << 20  # postings merged while a search waits: some 0.2 s
_MAX_AT_ONCE: Final = 256  # texts that the tail takes; more become a segment by themselves
_MAX_CACHED: Final = 10_000  # terms


class Holdings:
    """The texts of an index; see the module.

    Args:
        segment: What it holds from the start, all of it alive.

    Attributes:
        count: How many texts are alive.
        total: How many terms they have together.
        generation: Another number after every change.
    """

    def __init__(self, segment: Segment | None = None) -> None:
        self._segments: list[Segment] = []
        self._tail = Tail()
        self._tail_slots: dict[int, int] = {}
        self._keys = Growing(np.int64)
        self._dead = Growing(np.bool_)
        self._df = Growing(np.int64)
        self._buried: NDArray[np.int64] | None = None
        self._chunks: dict[int, tuple[Chunk, ...]] = {}
        self.count = 0
        self.total = 0
        self.generation = 0
        if segment is not None and len(segment):
            self._count_in(segment)
            self._append(segment)

    @property
    def keys(self) -> NDArray[np.int64]:
        """The key of each slot."""
        return self._keys.values

    @property
    def dead(self) -> NDArray[np.bool_]:
        """Whether each slot is of the past."""
        return self._dead.values

    @property
    def buried(self) -> NDArray[np.int64]:
        """The slots that are of the past."""
        if self._buried is None:
            self._buried = np.flatnonzero(self._dead.values)
        return self._buried

    @property
    def live_keys(self) -> NDArray[np.int64]:
        """The keys of all texts, rising."""
        return np.sort(self.keys[~self.dead])

    def df(self, term: int) -> int:
        """Return in how many texts a term stands."""
        return int(self._df.values.item(term)) if 0 <= term < len(self._df) else 0

    def frequencies(self) -> NDArray[np.int64]:
        """Return in how many texts each term stands, by its number; terms beyond stand in none."""
        return self._df.values

    def chunks(self, term: int) -> tuple[Chunk, ...]:
        """Return where a term stands, by rising slot; among dead ones too."""
        chunks = self._chunks.get(term)
        if chunks is None:
            if len(self._chunks) >= _MAX_CACHED:
                self._chunks.clear()
            found = ((at, part, part.postings(term)) for at, part in self._placed())
            chunks = tuple(Chunk(at, at + len(part), *each) for at, part, each in found if each)
            self._chunks[term] = chunks
        if len(self._tail) and (postings := self._tail.postings(term)):
            start = len(self._keys) - len(self._tail)
            return (*chunks, Chunk(start, len(self._keys), *postings))
        return chunks

    def slots_of(self, keys: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the live slot of each key, rising ones: int64 [n], -1 where there is none."""
        slots = np.full(len(keys), -1)
        if not len(keys):
            return slots
        for start, segment in self._placed():
            if len(segment) and keys[0] <= segment.keys[-1]:  # most that is written is new
                local = segment.slots_of(keys)
                here = (local >= 0).nonzero()[0]
                here = here[~self.dead[local[here] + start]]
                slots[here] = local[here] + start
        if self._tail_slots:
            for place, key in enumerate(keys.tolist()):
                slots[place] = self._tail_slots.get(key, slots[place])
        return slots

    def allowed_slots(self, keys: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the live slots, rising, of those of some rising keys that are here."""
        found = [np.empty(0, np.int64)]
        for start, part in self._parts() if len(keys) else ():
            if isinstance(part, Segment) and len(keys) < len(part):
                local = part.slots_of(keys)
                local = local[local >= 0]
            else:
                places = keys.searchsorted(part.keys)
                local = (keys.take(places, mode="clip") == part.keys).nonzero()[0]
            found.append(local[~self.dead[local + start]] + start)
        return np.concatenate(found)

    def marks_of(self, slots: NDArray[np.int64]) -> NDArray[np.uint64]:
        """Return the mark of the text in each slot: uint64 [n], 0 where the slot is -1."""
        marks = np.zeros(len(slots), np.uint64)
        for start, part in self._parts():
            here = ((slots >= start) & (slots < start + len(part))).nonzero()[0]
            marks[here] = part.marks[slots[here] - start]
        return marks

    def put(self, rows: Rows, *, old: NDArray[np.int64]) -> None:
        """Take in texts, by rising key.

        Args:
            rows: The texts.
            old: What `slots_of` says of their keys: these take the places of those.
        """
        self.bury(old[old >= 0])
        self._count_in(rows)
        if len(rows) > _MAX_AT_ONCE:
            self._flush()
            self._append(Segment.of(rows))
            self._merge()
            return
        start = len(self._keys)
        self._tail.add(rows)
        self._keys.extend(rows.keys)
        self._dead.resize(len(self._keys))
        self._tail_slots.update(zip(rows.keys.tolist(), range(start, len(self._keys)), strict=True))
        if self._tail.is_full:
            self._flush()
            self._merge()

    def bury(self, slots: NDArray[np.int64]) -> None:
        """Take out the texts in some live slots."""
        if not len(slots):
            return
        self.generation += 1
        for start, part in self._parts():
            local = slots[(slots >= start) & (slots < start + len(part))] - start
            if len(local):
                taken = part.take(local)
                np.subtract.at(self._df.values, taken.row_terms, 1)
                self.total -= int(taken.lengths.sum())
        self.count -= len(slots)
        self.dead[slots] = True
        self._buried = None
        for key in self.keys[slots].tolist():
            self._tail_slots.pop(key, None)

    def snapshot(self) -> list[Rows]:
        """Return all texts, in parts that no later change touches."""
        self._flush()
        return [self._alive(start, segment) for start, segment in self._placed()]

    def _count_in(self, rows: Rows) -> None:
        self.generation += 1
        self.count += len(rows)
        self.total += int(rows.lengths.sum())
        if len(rows.row_terms):
            if (size := int(rows.row_terms.max()) + 1) > len(self._df):
                self._df.resize(size)
            if len(rows.row_terms) < size:
                np.add.at(self._df.values, rows.row_terms, 1)
            else:
                self._df.values[:size] += np.bincount(rows.row_terms)

    def _placed(self) -> Iterator[tuple[int, Segment]]:
        start = 0
        for segment in self._segments:
            yield start, segment
            start += len(segment)

    def _parts(self) -> Iterator[tuple[int, Rows]]:
        yield from self._placed()
        if len(self._tail):
            yield len(self._keys) - len(self._tail), self._tail.rows()

    def _alive(self, start: int, part: Rows) -> Rows:
        dead = self.dead[start : start + len(part)]
        return part.take(np.flatnonzero(~dead)) if dead.any() else part

    def _append(self, segment: Segment) -> None:
        self._buried = None
        self._chunks.clear()
        if len(segment):
            self._segments.append(segment)
            self._keys.extend(segment.keys)
            self._dead.resize(len(self._keys))

    def _cut(self, start: int) -> None:
        self._keys.resize(start)
        self._dead.resize(start)

    def _flush(self) -> None:
        if not len(self._tail):
            return
        start = len(self._keys) - len(self._tail)
        segment = Segment.of(self._alive(start, self._tail.rows()))
        self._tail = Tail()
        self._tail_slots.clear()
        self._cut(start)
        self._append(segment)

    def _merge(self) -> None:
        """Merge the segments at the end that are not well smaller than those before them."""
        first = len(self._segments) - 1
        texts = postings = 0
        for place in range(first, -1, -1):
            segment = self._segments[place]
            postings += len(segment.row_terms)
            if texts and (len(segment) >= _MERGE_RATIO * texts or postings > _MAX_MERGED):
                break
            texts += len(segment)
            first = place
        if first >= len(self._segments) - 1:
            return
        placed = list(self._placed())[first:]
        merged = Segment.of(Rows.joined([self._alive(*each) for each in placed]))
        del self._segments[first:]
        self._cut(placed[0][0])
        self._append(merged)

"""Whether a vector index is one: the laws of its protocol, each tried on the same vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from engram_lab.retrieval.dense.protocol import VectorIndexOptions
from engram_lab.testing.trial import Seen, holding

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from engram_lab.retrieval.dense.protocol import VectorIndex

__all__ = ["check_vector_index"]

_DIM: Final = 24
_FIRST: Final = 400
_LATER: Final = 100
_QUERIES: Final = 12
_K: Final = 10

_ALIKE: Final = 0.9
"""The correlation from which bytes tell of a row: its own 8-bit codes reach 0.96, others 0.85."""


def check_vector_index(
    factory: Callable[[VectorIndexOptions], VectorIndex], *, recall: float = 0.9
) -> None:
    """Check that what a factory makes keeps the contract of `VectorIndex`.

    Args:
        factory: Makes an empty index of given options, as `VECTOR_INDEXES` holds them.
        recall: Which share of the ten nearest it must find of 500 rows, unless it is exact.

    Raises:
        ConformanceError: A law is broken; says which, and what was seen instead.
    """
    draw = np.random.default_rng(3)
    rows = _unit(draw.standard_normal((_FIRST + _LATER, _DIM)))
    queries = _unit(rows[:_QUERIES] + 0.1 * draw.standard_normal((_QUERIES, _DIM)))
    index = _built(factory, rows)
    with holding("an index holds the rows that it was built of, and those added"):
        _demand(index.size == len(rows), f"of {len(rows)} rows it says that it holds {index.size}")
    with holding("an index answers"):
        answers = [index.search(query, _K) for query in queries]
    with holding("a search gives slots of rows, each once, and no more than were wanted"):
        for found in answers:
            _check_slots(found, _K, len(rows))
    with holding("what is nearest is found"):
        share = _share(answers, rows, queries)
        least = 1.0 if index.exact else recall
        _demand(share >= least, f"{share:.3f} of the nearest were found, fewer than {least}")
    with holding("only what is allowed is found"):
        _check_allowed(index, rows, queries)
    with holding("more rows may be wanted than there are"):
        _check_slots(index.search(queries[0], 10 * len(rows)), 10 * len(rows), len(rows))
    with holding("the same rows in the same calls give the same answers"):
        _same(_built(factory, rows), queries, answers)
    with holding("what was dumped is restored, and can grow"):
        other = factory(VectorIndexOptions(dim=_DIM))
        other.restore(index.dump())
        _same(other, queries, answers)
        other.add(rows[:1])
        _demand(other.size == len(rows) + 1, f"it holds {other.size} rows after one was added")
    restored = factory(VectorIndexOptions(dim=_DIM))
    restored.restore(index.dump())
    for each in (index, restored):
        _check_blotted(each, rows, queries, recall=recall)


def _built(
    factory: Callable[[VectorIndexOptions], VectorIndex], rows: NDArray[np.float32]
) -> VectorIndex:
    with holding("an index is built of rows, and takes more"):
        index = factory(VectorIndexOptions(dim=_DIM))
        index.build(rows[:_FIRST])
        index.add(rows[_FIRST:])
        return index


def _check_slots(found: NDArray[np.int64], most: int, size: int) -> None:
    slots = np.asarray(found).tolist()
    _demand(len(slots) <= most, f"{len(slots)} slots were given where {most} were wanted")
    _demand(len(set(slots)) == len(slots), "a slot was given twice")
    _demand(all(0 <= slot < size for slot in slots), f"a slot is none of 0 to {size - 1}: {slots}")


def _check_allowed(
    index: VectorIndex, rows: NDArray[np.float32], queries: NDArray[np.float32]
) -> None:
    for step in (2, 50):
        allowed = np.arange(len(rows)) % step == 0
        for query in queries:
            found = index.search(query, _K, allowed=allowed)
            _check_slots(found, _K, len(rows))
            _demand(bool(allowed[found].all()), "a slot was given that was not allowed")
    nothing = index.search(queries[0], _K, allowed=np.zeros(len(rows), np.bool_))
    _demand(len(nothing) == 0, f"{len(nothing)} slots were given where none was allowed")


def _check_blotted(
    index: VectorIndex,
    rows: NDArray[np.float32],
    queries: NDArray[np.float32],
    *,
    recall: float,
) -> None:
    """Blot rows, and then more, which may have been copied into the places of the first."""
    size = index.size
    allowed = np.ones(len(rows), np.bool_)
    order = np.random.default_rng(4).permutation(len(rows))
    for count in (1, len(rows) // 10, len(rows) // 4):
        slots = order[:count]
        with holding("what was blotted is in no dump"):
            index.blot(slots)
            _demand(index.size == size, f"it holds {index.size} rows and held {size}")
            traces = _traces(index.dump(), rows[slots])
            _demand(not traces, f"{traces} of {count} rows can still be read")
        with holding("what was not blotted is found as before"):
            allowed[slots] = False
            answers = [index.search(query, _K, allowed=allowed) for query in queries]
            share = _share(answers, rows, queries, allowed=allowed)
            least = 1.0 if index.exact else recall
            _demand(share >= least, f"{share:.3f} of the nearest were found, fewer than {least}")


def _traces(dump: NDArray[np.uint8], rows: NDArray[np.float32]) -> int:
    """Return how many rows can be read in a dump: as they are, or as a byte for each number."""
    data = dump.tobytes()
    windows = np.lib.stride_tricks.sliding_window_view(dump, _DIM).astype(np.float32)
    windows -= windows.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(windows, axis=1)
    centred = rows - rows.mean(axis=1, keepdims=True)
    centred /= np.linalg.norm(centred, axis=1, keepdims=True)
    best = (windows @ centred.T / np.maximum(lengths, 1)[:, np.newaxis]).max(axis=0)
    return sum(
        bool(close > _ALIKE) or row.tobytes() in data for row, close in zip(rows, best, strict=True)
    )


def _share(
    answers: list[NDArray[np.int64]],
    rows: NDArray[np.float32],
    queries: NDArray[np.float32],
    *,
    allowed: NDArray[np.bool_] | None = None,
) -> float:
    """Return which share of the true nearest was found, equals of the last among them."""
    found = 0
    for query, answer in zip(queries, answers, strict=True):
        scores = np.vecdot(rows, query)
        if allowed is not None:
            scores[~allowed] = -np.inf
        least = np.sort(scores)[-_K] - 1e-6
        found += int((scores[answer] >= least).sum())
    return found / (_K * len(queries))


def _same(
    index: VectorIndex, queries: NDArray[np.float32], answers: list[NDArray[np.int64]]
) -> None:
    for query, before in zip(queries, answers, strict=True):
        again = index.search(query, _K)
        _demand(
            sorted(again.tolist()) == sorted(before.tolist()),
            f"it found {sorted(again.tolist())} and before {sorted(before.tolist())}",
        )


def _unit(rows: NDArray[np.float64]) -> NDArray[np.float32]:
    unit: NDArray[np.float32] = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype("<f4")
    return unit


def _demand(holds: bool, otherwise: str) -> None:  # noqa: FBT001 - read as a sentence
    if not holds:
        raise Seen(otherwise)

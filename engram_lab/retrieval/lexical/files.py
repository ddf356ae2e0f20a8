"""An index in a file: one segment with its vocabulary, of one state of one store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from engram_lab.retrieval.arrays import BadIndexFileError, read_arrays, write_arrays
from engram_lab.retrieval.lexical.pairs import Pairs
from engram_lab.retrieval.lexical.segment import Rows, Segment
from engram_lab.retrieval.lexical.vocabulary import Vocabulary

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from engram_lab.retrieval.lexical.analyser import Analyser

__all__ = ["Stored", "file_of", "load", "store"]

_KIND: Final = "lexical-1"


@dataclass(frozen=True, kw_only=True)
class Stored:
    """What a file holds.

    Attributes:
        number: All changes up to this one are taken into account.
        stamp: What `Corpus.stamp` said of that number.
        segment: The texts.
        vocabulary: Their terms.
        pairs: What the codes of the segment mean.
    """

    number: int
    stamp: str
    segment: Segment
    vocabulary: Vocabulary
    pairs: Pairs


def file_of(folder: Path, analyser: Analyser) -> Path:
    """Return where the index of an analyser lies."""
    return folder / f"lexical-{analyser.name}.index"


def load(path: Path, *, analyser: Analyser, k1: float, b: float) -> Stored | None:
    """Return what a file holds, mapped into memory; None where it is of no use and not there."""
    try:
        header, arrays = read_arrays(path)
    except (FileNotFoundError, BadIndexFileError):
        return None
    if header.get("kind") != _KIND or header.get("analyser") != analyser.fingerprint:
        return None
    return Stored(
        number=header["number"],
        stamp=header["stamp"],
        segment=Segment.from_arrays(arrays),
        vocabulary=Vocabulary(arrays),
        pairs=Pairs(
            k1=k1,
            b=b,
            frequencies=arrays["pair_frequencies"],
            lengths=arrays["pair_lengths"],
        ),
    )


def store(
    path: Path,
    parts: Sequence[Rows],
    *,
    number: int,
    stamp: str,
    analyser: Analyser,
    vocabulary: Vocabulary,
    pairs: tuple[NDArray[np.int32], NDArray[np.int32]],
) -> None:
    """Write an index to a file: nothing of it that no text holds any more.

    Args:
        path: Its folder is made where it is missing.
        parts: The texts.
        number: See `Stored`.
        stamp: See `Stored`.
        analyser: What made the terms.
        vocabulary: What the numbers of the terms mean.
        pairs: What `Pairs.arrays` said.

    Raises:
        OSError: It cannot be written.
    """
    whole = parts[0] if len(parts) == 1 else Rows.joined(parts)
    segment = whole if isinstance(whole, Segment) else Segment.of(whole)
    kept = segment.all_terms()
    numbers = np.zeros(len(vocabulary), np.int32)
    numbers[kept] = np.arange(len(kept), dtype=np.int32)
    segment = segment.with_terms(numbers)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_arrays(
        path,
        {
            "kind": _KIND,
            "analyser": analyser.fingerprint,
            "number": number,
            "stamp": stamp,
        },
        {
            **segment.arrays(),
            **vocabulary.arrays(kept),
            "pair_frequencies": pairs[0],
            "pair_lengths": pairs[1],
        },
    )

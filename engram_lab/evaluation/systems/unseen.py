"""Which learned weights may be judged on a conversation: those that never saw it.

A record of learned weights says what they saw: a sketch of each corpus. It is made of the words
alone, so that a conversation is known again whatever its ids, its order and its unit are: the same
lines as turns, as sessions, with and without names, half of it, or with a month more to it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import heapq
import math
import re
import unicodedata
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, TypeVar

import orjson

from engram_lab.core.errors import EvaluationError, InvalidInputError, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from engram_lab.evaluation.systems.corpora import Corpus

__all__ = [
    "Record",
    "SeenError",
    "choose_unseen",
    "corpus_hash",
    "has_seen",
    "has_seen_hash",
    "read_folds",
]

Record = Mapping[str, Any]
"""A learned model as JSON has it. `saw` is an object whose `corpora` holds the `corpus_hash` of
each corpus by its name; a record without `saw` was set by hand."""

_SHINGLE: Final = 5
"""Words. Of LoCoMo's conversations, two share 2 % of their rows of 5 words, and at most 3 %; the
turns and the sessions of one share more than 99 %."""

_KEPT: Final = 64
_BYTES: Final = 6

_SHARED: Final = 0.25
"""The share of what one of two corpora holds that makes them one conversation."""

_SURE: Final = 3
"""So many hashes must be shared where a sketch is a sample: two may be by chance."""

_WORD: Final = re.compile(r"\w+")

_R = TypeVar("_R", bound=Record)


class SeenError(EvaluationError):
    """Weights that saw what they were to be judged on."""


def corpus_hash(corpus: Corpus) -> str:
    """Return a sketch of what a corpus says, by which `has_seen` knows it again.

    It is the 64 lowest of the hashes of all rows of 5 words that lie in one memory; case, marks and
    line ends do not count. Ids, names of corpora, sessions and times are no part of it.

    Source: Broder, "On the resemblance and containment of documents" (SEQUENCES 1997), sections 2
    and 3: shingles, and the sketch of the smallest values of one permutation. The share that is
    looked at is his containment, so that a part is known in the whole; a part below a tenth of it
    may pass, as a sketch holds too little of that.

    Returns:
        512 characters or fewer, of base64: hashes of 6 bytes each, rising.
    """
    lowest = heapq.nsmallest(_KEPT, set(_hashes(row["content"] for row in corpus.memories)))
    return base64.b64encode(b"".join(lowest)).decode()


def _hashes(texts: Iterable[str]) -> Iterator[bytes]:
    for text in texts:
        words = _WORD.findall(unicodedata.normalize("NFKC", text).casefold())
        for start in range(max(1, len(words) - _SHINGLE + 1)):
            said = " ".join(words[start : start + _SHINGLE])
            yield hashlib.blake2b(said.encode(), digest_size=_BYTES).digest()


def _lowest(sketch: str, *, where: str) -> list[bytes]:
    """Return the hashes of a sketch."""
    try:
        found = base64.b64decode(sketch, validate=True)
    except (binascii.Error, TypeError, ValueError):
        found = b"?"
    if len(found) % _BYTES:
        raise InvalidInputError(
            f"{where} is {shown(str(sketch))}: it must be what corpus_hash returns"
        )
    return [found[start : start + _BYTES] for start in range(0, len(found), _BYTES)]


def _overlap(ours: list[bytes], theirs: list[bytes]) -> bool:
    """Return whether two corpora share so much that one of them knows the other.

    Below the least of both ends all hashes of both are known, so that there the share of common
    ones is that of the whole texts: |A and B| / min(|A|, |B|), which is 1 where one is a part of
    the other.
    """
    if not ours or not theirs:
        return False
    whole = [len(each) < _KEPT for each in (ours, theirs)]
    ends = [each[-1] for each, all_ in zip((ours, theirs), whole, strict=True) if not all_]
    end = min(ends, default=b"\xff" * _BYTES)
    below = [{each for each in side if each <= end} for side in (ours, theirs)]
    counts = [len(each) for each in below]
    smaller = min(counts)
    known_whole = whole[counts.index(smaller)]
    needed = max(1 if known_whole else _SURE, math.ceil(_SHARED * smaller))
    return len(below[0] & below[1]) >= needed


def has_seen(record: Record, corpus: Corpus) -> str | None:
    """Return the name of the corpus in which a record saw this one; None where it saw none.

    Raises:
        InvalidInputError: The record does not say what it saw in the way it must.
    """
    return has_seen_hash(record, corpus_hash(corpus))


def has_seen_hash(record: Record, sketch: str) -> str | None:
    """Return what `has_seen` does, of a corpus whose `corpus_hash` is at hand.

    Raises:
        InvalidInputError: The record does not say what it saw in the way it must, or the sketch is
            none.
    """
    return _seen(record, _lowest(sketch, where="the corpus"))


def _seen(record: Record, ours: list[bytes]) -> str | None:
    saw = record.get("saw")
    if saw is None:
        return None
    corpora = saw.get("corpora") if isinstance(saw, Mapping) else None
    if not isinstance(corpora, Mapping):
        raise InvalidInputError(
            "a record of learned weights does not say what it saw: its `saw` must be an object "
            "with `corpora`, the hash of each corpus by its name"
        )
    for name, sketch in corpora.items():
        if _overlap(ours, _lowest(sketch, where=f"the hash of {shown(str(name))}")):
            return str(name)
    return None


def choose_unseen(records: Sequence[_R], corpus: Corpus) -> _R:
    """Return the first record that did not see a corpus.

    Args:
        records: The best first: what was learned on everything, then what was learned without each
            part of it.
        corpus: What shall be judged.

    Raises:
        SeenError: All of them saw it.
        InvalidInputError: There are none, or one does not say what it saw in the way it must.
    """
    if not records:
        raise InvalidInputError("there are no learned weights to choose from: give one record")
    ours = _lowest(corpus_hash(corpus), where="the corpus")
    names = []
    for record in records:
        seen = _seen(record, ours)
        if seen is None:
            return record
        names.append(seen)
    also = f" (as {shown(names[0])})" if names[0] != corpus.name else ""
    raise SeenError(
        f"these weights were learned on this conversation: {shown(corpus.name)}{also} is known to "
        f"{'the record' if len(records) == 1 else f'all {len(records)} records'}: give folds, one "
        "of which was learned without it"
    )


def read_folds(path: Path) -> tuple[Record, ...]:
    """Return the records of a file: what was learned on everything, then each fold.

    Raises:
        InvalidInputError: It is not there, or holds no list of objects.
    """
    try:
        found = orjson.loads(path.read_bytes())
    except FileNotFoundError:
        raise InvalidInputError(f"there is no file {path}: `folds` names one beside it") from None
    except orjson.JSONDecodeError as error:
        raise InvalidInputError(f"{path} is no JSON ({error}): correct it") from None
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise InvalidInputError(
            f"{path} must hold a list of records of learned weights, each an object"
        )
    if not found:
        raise InvalidInputError(f"{path} holds no record of learned weights: give one or more")
    return tuple(found)

"""Which reads show a memory: all of them, or none, is what most laws of a store come to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from engram_lab.core.errors import NotFoundError
from engram_lab.core.filters import parse_filter
from engram_lab.core.selection import Selection

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from engram_lab.core.protocols import Store
    from engram_lab.core.types import Memory

    Read = Callable[[Store, Memory], bool]

__all__ = ["ALL_READS", "WORD", "is_got", "shown_by"]

WORD: Final = "heron"
"""A word that every memory looked for holds, so that it can be searched for."""

_ALL: Final = Selection(archived=True)
_MANY: Final = 10_000


def _only(memory: Memory) -> Selection:
    return _ALL.also(filter=parse_filter({"id": memory.id}))


def is_got(store: Store, memory: Memory) -> bool:
    """Tell whether `get` shows a memory."""
    try:
        return store.memories.get(memory.id).id == memory.id
    except NotFoundError:
        return False


def _is_got_among_many(store: Store, memory: Memory) -> bool:
    return store.memories.get_many([memory.id]) != [None]


def _is_selected(store: Store, memory: Memory) -> bool:
    return memory.id in {each.id for each in store.memories.select(_ALL, limit=_MANY)}


def _is_counted(store: Store, memory: Memory) -> bool:
    return store.memories.count(_only(memory)) > 0


def _is_in_a_group(store: Store, memory: Memory) -> bool:
    return bool(store.memories.aggregate(_only(memory), "type"))


def _is_found_by_its_words(store: Store, memory: Memory) -> bool:
    return memory.id in {each.memory.id for each in store.memories.match_text([WORD], _ALL, _MANY)}


def _is_in_the_table(store: Store, memory: Memory) -> bool:
    return memory.id in store.tables.scan("memories", _ALL).read_all()["id"].to_pylist()


def _is_in_the_snapshot(store: Store, memory: Memory) -> bool:
    with store.tables.snapshot() as scan:
        batches = list(scan("memories", _ALL, batch_rows=_MANY))
    return any(memory.id in batch["id"].to_pylist() for batch in batches)


def _waits_for_a_vector(store: Store, memory: Memory) -> bool:
    return memory.id in store.vectors.missing("an embedder that has embedded nothing", limit=_MANY)


def _has_a_key(store: Store, memory: Memory) -> bool:
    held = store.corpus.fetch(store.corpus.keys(_ALL), _ALL)
    return memory.id in {each.id for each in held if each is not None}


def _is_visible_by_key(store: Store, memory: Memory) -> bool:
    return bool(store.corpus.visible(store.corpus.find([memory.id]), _ALL).any())


def _is_fetched_by_key(store: Store, memory: Memory) -> bool:
    return store.corpus.fetch(store.corpus.find([memory.id]), _only(memory)) != [None]


_READS: Final[Mapping[str, Read]] = {
    "memories.get": is_got,
    "memories.get_many": _is_got_among_many,
    "memories.select": _is_selected,
    "memories.count": _is_counted,
    "memories.aggregate": _is_in_a_group,
    "memories.match_text": _is_found_by_its_words,
    "tables.scan": _is_in_the_table,
    "tables.snapshot": _is_in_the_snapshot,
    "vectors.missing": _waits_for_a_vector,
    "corpus.keys": _has_a_key,
    "corpus.visible": _is_visible_by_key,
    "corpus.fetch": _is_fetched_by_key,
}
ALL_READS: Final = frozenset(_READS)
"""The names of the reads that are looked at."""


def shown_by(store: Store, memory: Memory) -> frozenset[str]:
    """Return the names of the reads that show a memory, which holds `WORD`."""
    return frozenset(name for name, shows in _READS.items() if shows(store, memory))

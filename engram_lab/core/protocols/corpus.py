"""The memories as derived indexes see them: by number, in bulk, and what changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime

    import numpy as np
    from numpy.typing import NDArray

    from engram_lab.core.selection import Selection
    from engram_lab.core.types import Memory

__all__ = ["Corpus", "LinkRows", "SpokenTurns", "TextChanges", "TurnPlace", "VectorChanges"]


class TextChanges(NamedTuple):
    """The present text of memories that changed.

    Attributes:
        number: All changes up to this one are taken into account.
        keys: int64 [n], rising: memories that may be searched, each once.
        contents: Their n texts, without private sections.
        tags: Their n lists of tags.
        gone: int64 [m], rising: memories that changed and may not be searched now.
        purged: Whether memories were purged, whose keys nobody knows any more: compare with
            `Corpus.alive`.
    """

    number: int
    keys: NDArray[np.int64]
    contents: list[str]
    tags: list[tuple[str, ...]]
    gone: NDArray[np.int64]
    purged: bool


class VectorChanges(NamedTuple):
    """The present vectors of memories that changed, or whose vector did.

    Attributes:
        number: All changes up to this one are taken into account.
        keys: int64 [n], rising: memories that may be searched and have a vector, each once.
        values: float32 [n, dim].
        gone: int64 [m], rising: memories that changed and have no vector to be searched now.
        purged: See `TextChanges`.
    """

    number: int
    keys: NDArray[np.int64]
    values: NDArray[np.float32]
    gone: NDArray[np.int64]
    purged: bool


class LinkRows(NamedTuple):
    """Links between memories by key: int64 [n], int64 [n], float64 [n] from 0 to 1."""

    from_keys: NDArray[np.int64]
    to_keys: NDArray[np.int64]
    weights: NDArray[np.float64]


class TurnPlace(NamedTuple):
    """Where in a conversation a memory was said, and by whom."""

    session_id: str
    position: int
    speaker: str


class SpokenTurns(NamedTuple):
    """Turns of conversations in bulk, one row each.

    Attributes:
        keys: int64 [n], rising.
        session_ids: The conversation of each, [n].
        positions: Its place there, int64 [n].
        speakers: Who said it, [n].
        spoken_at: When, in seconds since 1970 in UTC: that of the turn, else `event_at` of its
            memory; float64 [n], nan where neither is known.
        media: Whether an image, a sound or a film goes with it: by `media_url`, by the type of the
            memory or by a field of its metadata that is named so; bool [n].
        contents: What was said, without private sections, [n].
    """

    keys: NDArray[np.int64]
    session_ids: list[str]
    positions: NDArray[np.int64]
    speakers: list[str]
    spoken_at: NDArray[np.float64]
    media: NDArray[np.bool_]
    contents: list[str]


class Corpus(Protocol):
    """The memories of a store, each by its key.

    A key is a 64-bit number above 0 that a memory keeps for life. Keys rise in the order of making
    and are never used again. They are for indexes alone: whatever leaves the engine has ids.

    What may be searched is what is not forgotten; whether it has expired, is archived or lies out
    of reach is asked of `visible` or `fetch` at the moment of reading.

    The log, texts and vectors are for the owner alone (`AccessDeniedError`), and so are `stamp`,
    `alive` and `spoken`; `last` answers whoever asks, and so do `keys`, `visible`, `fetch`, `find`,
    `links` and `turns`, as far as their reach goes.
    """

    def held(self) -> AbstractContextManager[None]:
        """Take first what reads may have to wait for, before any lock of one's own.

        A store with one connection for all threads is barred to others meanwhile. Else one who has
        a lock, and waits to read, and one within a transaction, who waits for that lock, would
        wait for each other.
        """
        ...

    def last(self) -> int:
        """Return the number of the newest change, 0 where there is none."""
        ...

    def head(self) -> tuple[int, str]:
        """Return the number of the newest change and its stamp: equal where nothing has changed."""
        ...

    def stamp(self, number: int) -> str | None:
        """Return what tells the history up to a change from that of any other store.

        An index that was made of changes up to `number` keeps the stamp; where it differs now, or
        is None (there is no such change), the index was made of another store or another past.
        That of 0 is empty.
        """
        ...

    def text_changes(self, after: int, *, limit: int = 10_000) -> TextChanges:
        """Return the texts of memories that changes after a number concern, all of one state.

        Takes at most `limit` changes into account; there are more while `number < last()`.
        """
        ...

    def all_texts(self, *, batch_rows: int = 16_384) -> Iterator[TextChanges]:
        """Yield all texts that may be searched, by rising key, all of one state.

        At least one batch, be it empty, so that its number is known.
        """
        ...

    def vector_changes(self, embedder: str, after: int, *, limit: int = 10_000) -> VectorChanges:
        """Return the vectors of memories that changes after a number concern, all of one state."""
        ...

    def all_vectors(self, embedder: str, *, batch_rows: int = 16_384) -> Iterator[VectorChanges]:
        """Yield all vectors of an embedder that may be searched, by rising key, of one state.

        At least one batch, as of texts; float32 [0, 0] of an embedder that is not known.
        """
        ...

    def alive(self) -> NDArray[np.int64]:
        """Return the keys of all memories that may be searched: int64 [n], rising."""
        ...

    def keys(self, selection: Selection) -> NDArray[np.int64]:
        """Return the keys of a selection of the present: int64 [n], rising.

        Raises:
            InvalidInputError: `as_of` in the selection; the past is not indexed.
            AccessDeniedError: An agent asks for private sections.
        """
        ...

    def hidden(self, selection: Selection, *, most: int = 1000) -> NDArray[np.int64] | None:
        """Return what a selection leaves out of all that may be searched, where that is little.

        Quicker than `visible`, and just as true of what may be searched.

        Returns:
            int64 [n], rising; None where it would be more than `most`, or takes long to tell, as
            for a selection with a filter. Then ask `visible`.
        """
        ...

    def visible(self, keys: NDArray[np.int64], selection: Selection) -> NDArray[np.bool_]:
        """Tell of each key whether the selection holds it: bool [n]. Raises what `keys` does."""
        ...

    def fetch(self, keys: NDArray[np.int64], selection: Selection) -> list[Memory | None]:
        """Return the memories in the order of keys, None where the selection holds none.

        All of one state. Raises what `keys` does.
        """
        ...

    def find(self, ids: Sequence[str]) -> NDArray[np.int64]:
        """Return the keys of memories by id, in order: int64 [n], 0 where none is in reach.

        Forgotten and expired memories have their keys still.
        """
        ...

    def links(
        self,
        keys: NDArray[np.int64],
        *,
        valid_at: datetime | None = None,
        types: Sequence[str] | None = None,
    ) -> LinkRows:
        """Return the links from or to any of the memories that hold at a moment (now unless told).

        In the order of `from_keys`, then `to_keys`; both ends may be read and are not forgotten.
        """
        ...

    def turns(self, keys: NDArray[np.int64]) -> list[TurnPlace | None]:
        """Return where each memory stands in its conversation; None for one that is no turn."""
        ...

    def turns_around(self, keys: NDArray[np.int64], distance: int) -> NDArray[np.int64]:
        """Return the turns near each memory's turn: int64 [n, 2 · distance + 1], 0 where none.

        Column `distance` is the turn itself, those before it stand left, those after it right; a
        position that holds no turn that may be seen is 0, and so is a whole row of no turn.
        """
        ...

    def spoken(self, keys: NDArray[np.int64] | None = None) -> SpokenTurns:
        """Return those of the memories that are turns and may be searched, by rising key.

        Args:
            keys: int64 [n]; all memories unless told.
        """
        ...

"""Who said what where: the turns of a store as arrays, which follow its change log."""

from __future__ import annotations

from dataclasses import dataclass, fields
from threading import RLock
from typing import TYPE_CHECKING, Final

import numpy as np

from engram_lab.core.checks import check_limit
from engram_lab.retrieval.conversation.columns import Columns

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

    from engram_lab.core.protocols import Corpus

__all__ = ["TurnIndex", "Turns"]

_NEW: Final = -1
_NOWHERE: Final = -1
_FARTHEST: Final = 1_000


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Turns:
    """All turns of a store that may be searched, as they are after one change; n of them.

    A row is the place of a turn in these arrays. Of one state there is one such value, however the
    index came to it. In memory it takes about 60 bytes a turn beside the texts themselves.

    It is the owner's: rows of turns that whoever asks may not see, and what lies around them, must
    be left out: see `sight`.

    Attributes:
        keys: int64 [n], rising.
        sessions: The number of the session of each, int32 [n]; its id is `session_ids[number]`.
        positions: As the store has them, int64 [n].
        speakers: The number of who said it, int32 [n]; the name is `speaker_names[number]`.
        session_ids: In the order of their first keys.
        speaker_names: Likewise.
        spoken_at: Seconds since 1970 in UTC, float64 [n]; nan where unknown.
        log_length: ln(1 + words), float32 [n].
        question: Whether it ends with a question mark, bool [n].
        image: Whether it shares an image, bool [n].
        texts: What was said, without `Speaker:` before it, object [n].
        contents: The memories as stored, object [n].
        order: The rows by session, then by position, int64 [n].
        ranks: The place of each row in `order`, int64 [n].
    """

    keys: NDArray[np.int64]
    sessions: NDArray[np.int32]
    positions: NDArray[np.int64]
    speakers: NDArray[np.int32]
    session_ids: tuple[str, ...]
    speaker_names: tuple[str, ...]
    spoken_at: NDArray[np.float64]
    log_length: NDArray[np.float32]
    question: NDArray[np.bool_]
    image: NDArray[np.bool_]
    texts: NDArray[np.object_]
    contents: NDArray[np.object_]
    order: NDArray[np.int64]
    ranks: NDArray[np.int64]

    @classmethod
    def of(cls, columns: Columns) -> Turns:
        """Return the turns of columns, which become unchangeable."""
        order = np.lexsort((columns.positions, columns.sessions))
        ranks = np.empty(len(order), np.int64)
        ranks[order] = np.arange(len(order))
        given = {each.name: getattr(columns, each.name) for each in fields(Columns)}
        turns = cls(**given, order=order, ranks=ranks)
        for each in fields(cls):
            if isinstance(values := getattr(turns, each.name), np.ndarray):
                values.flags.writeable = False
        return turns

    @classmethod
    def empty(cls) -> Turns:
        """Return none."""
        return cls.of(Columns.empty())

    def __len__(self) -> int:
        return len(self.keys)

    def rows(self, keys: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the rows of memories, int64 of the shape of `keys`; -1 for what is no turn."""
        if not len(self.keys):
            return np.full(keys.shape, _NOWHERE)
        found = self.keys.searchsorted(keys)
        found[found == len(self.keys)] = 0
        return np.where(self.keys[found] == keys, found, _NOWHERE)

    def around(self, rows: NDArray[np.int64], distance: int) -> NDArray[np.int64]:
        """Return the rows near each in its session: int64 [m, 2 · distance + 1], -1 where none.

        Column `distance` is the row itself, those before it stand left, those after it right. A
        turn that was forgotten leaves no gap. A row of -1 has nothing around it.

        Raises:
            InvalidInputError: A distance below 0 or above 1000.
        """
        if distance != 0:
            check_limit(distance, field="distance", most=_FARTHEST)
        steps = np.arange(-distance, distance + 1)
        if not len(self.keys):
            return np.full((len(rows), len(steps)), _NOWHERE)
        places = self.ranks[rows][:, None] + steps
        inside = (places >= 0) & (places < len(self.keys)) & (rows >= 0)[:, None]
        near = self.order[np.where(inside, places, 0)]
        inside &= self.sessions[near] == self.sessions[rows][:, None]
        return np.where(inside, near, _NOWHERE)

    def of_session(self, row: int) -> NDArray[np.int64]:
        """Return the rows of the session of a row, by position."""
        grouped = self.sessions[self.order]
        session = self.sessions[row]
        first, last = grouped.searchsorted([session, session + 1])
        return self.order[first:last]

    def text(self, row: int) -> str:
        """Return what was said, without the name of the speaker before it."""
        text: str = self.texts[row]
        return text

    def matches(
        self,
        rows: NDArray[np.int64],
        names: Collection[str],
        *,
        among: NDArray[np.int64] | None = None,
    ) -> NDArray[np.int8]:
        """Tell of each row whether one of some speakers said it: int8 of the shape of `rows`.

        1 where one did, -1 where another did in a session in which any of them takes part, else 0.

        Args:
            rows: Of any shape; -1 gives 0.
            names: Of speakers, as `speaker_names` has them.
            among: The rows that tell who takes part where, such as those that whoever asks may
                see; all unless told.
        """
        matches = np.zeros(rows.shape, np.int8)
        if not names or not len(self.keys):
            return matches
        named = np.array([name in names for name in self.speaker_names], np.bool_)
        told = slice(None) if among is None else among[among >= 0]
        theirs = np.zeros(len(self.session_ids), np.bool_)
        theirs[self.sessions[told][named[self.speakers[told]]]] = True
        matches[theirs[self.sessions[rows]]] = -1
        matches[named[self.speakers[rows]]] = 1
        matches[rows < 0] = 0
        return matches


class TurnIndex:
    """The turns of a store, in memory alone, following its change log.

    Guarantees: `turns` are those of the store at the change of the last `catch_up`, or later ones;
    nothing of what was purged before that is in them. The first `catch_up` reads all turns, later
    ones read what changed. Threads may share it.

    Args:
        corpus: The store, as its owner sees it.
    """

    def __init__(self, corpus: Corpus) -> None:
        self._corpus = corpus
        self._lock = RLock()
        self._forget()

    def _forget(self) -> None:
        self._number, self._stamp = _NEW, ""
        self._hold(Columns.empty())

    def _hold(self, columns: Columns) -> None:
        self._columns = columns
        self._turns = Turns.of(columns)

    @property
    def number(self) -> int:
        """The newest change that is taken into account; 0 before the first `catch_up`."""
        return max(self._number, 0)

    @property
    def stamp(self) -> str:
        """The stamp of that change; see `Corpus.stamp`."""
        return self._stamp

    @property
    def turns(self) -> Turns:
        """The turns as of the last `catch_up`. The same value as long as no turn changed."""
        return self._turns

    def catch_up(self) -> Turns:
        """Take in what changed, and return the turns.

        Where the store has another history than the index, it is built anew.

        Raises:
            AccessDeniedError: The corpus is not that of the owner.
        """
        with self._lock:
            last, stamp = self._corpus.head()
            if last == self._number and stamp == self._stamp:
                return self._turns
            if self._number == _NEW or self._corpus.stamp(self._number) != self._stamp:
                self._number, self._stamp = last, stamp
                self._hold(Columns.read(self._corpus.spoken()))
            while self._number < last:
                self._follow()
            return self._turns

    def _follow(self) -> None:
        changes = self._corpus.text_changes(self._number)
        stamp = self._corpus.stamp(changes.number) or ""
        turns = self._turns
        kept = np.ones(len(turns), np.bool_)
        if changes.purged:
            kept &= np.isin(turns.keys, self._corpus.alive(), assume_unique=True)
        spoken = self._corpus.spoken(changes.keys)
        kept[_known(turns.rows(changes.gone))] = False
        kept[_known(turns.rows(changes.keys))] = False
        if len(spoken.keys) or not kept.all():
            self._hold(self._columns.only(kept).joined(Columns.read(spoken)))
        self._number, self._stamp = changes.number, stamp

    def close(self) -> None:
        """Let go of everything; a second call does nothing. Used again, it begins anew."""
        with self._lock:
            self._forget()


def _known(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    return rows[rows >= 0]

"""What features look at: a question, what may answer it, and what lies beside that."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from engram_lab.retrieval.conversation.turns import Turns
    from engram_lab.retrieval.ranking import Ranking
    from engram_lab.retrieval.times import Asked, Interval, TurnTimes

__all__ = ["Scene"]

_BEFORE, _SELF, _AFTER = range(3)
_BEST_OF_SESSION: Final = 3


@dataclass(frozen=True, kw_only=True, eq=False)
class Scene:
    """A question, n candidates, and the m memories that are these and the turns beside them.

    The first n of the m are the candidates. Whoever asks may see all of them.

    Attributes:
        keys: The candidates: int64 [n], each once.
        rows: The row in `turns` of each of the m, int64 [m]; -1 for what is no turn.
        beside: The place among the m of the turn before, the candidate, and the turn after: int64
            [n, 3]; -1 where there is none that may be seen.
        turns: The turns of the store.
        speakers: Of each candidate, 1 if one whom the question names said it, -1 if another in a
            session in which one of those takes part, else 0: int8 [n].
        words: What BM25 gives for each word of the question, with parameters for short texts:
            float64 [m, words].
        names: Which words are names of speakers: bool [words].
        cosines: float64 [m] by the form of the question: `asked`, `first_person`; none
            where there are no vectors.
        near: The highest cosine that each token of the question has with one of the text: float64
            [m, tokens]; None without token vectors. Zeros for turns that come after a candidate
            and nothing else, of which most features have no need.
        near_all: Makes the same with those turns; None where `near` has them.
        weights: Of the tokens: float64 [tokens], adding up to 1.
        spread: Returns what activation reaches from seeds over the links that whoever asks may
            see: only who asks for it waits for the links to be read.
        mentions: The times that the question mentions, whoever asks it and when.
        relative: Those that depend on when it is asked, such as `last year`.
        asked: Whether it asks for a time.
        times: What the turns tell of time, by row.
    """

    keys: NDArray[np.int64]
    rows: NDArray[np.int64]
    beside: NDArray[np.int64]
    turns: Turns
    speakers: NDArray[np.int8]
    words: NDArray[np.float64]
    names: NDArray[np.bool_]
    cosines: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    near: NDArray[np.float64] | None = None
    near_all: Callable[[], NDArray[np.float64]] | None = None
    weights: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    spread: Callable[[Ranking], Ranking] | None = None
    mentions: tuple[Interval, ...] = ()
    relative: tuple[Interval, ...] = ()
    asked: Asked | None = None
    times: TurnTimes | None = None

    def __len__(self) -> int:
        return len(self.keys)

    @cached_property
    def own(self) -> NDArray[np.int64]:
        """The rows of the candidates in `turns`: int64 [n]."""
        return self.rows[: len(self.keys)]

    def of_turns(self, column: NDArray[np.generic]) -> NDArray[np.float64]:
        """Return a column of `turns` for the candidates: float64 [n], 0 for what is no turn."""
        if not len(column):
            return np.zeros(len(self.keys))
        return np.where(self.own >= 0, column[self.own], 0).astype(np.float64)

    def before(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the values, [m] or [m, k], of the turns before; 0 where there is none."""
        return self._beside(values, _BEFORE)

    def after(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the values of the turns after; 0 where there is none."""
        return self._beside(values, _AFTER)

    def _beside(self, values: NDArray[np.float64], column: int) -> NDArray[np.float64]:
        places = self.beside[:, column]
        found = values[places]
        found[places < 0] = 0.0
        return found

    def greatest(self, values: NDArray[np.float64], *, after: bool) -> NDArray[np.float64]:
        """Return the greatest of a candidate's values and those of the turn before: [n, k].

        Args:
            values: float64 [m, k].
            after: Of the turn after as well.
        """
        found = np.maximum(values[: len(self.keys)], self.before(values))
        return np.maximum(found, self.after(values)) if after else found

    @cached_property
    def _sessions(self) -> tuple[NDArray[np.int64], int]:
        """The session of each of the m, those that are no turns each for itself; how many."""
        there = self.rows >= 0
        sessions = np.arange(len(self.rows)) + len(self.turns.session_ids)
        sessions[there] = self.turns.sessions[self.rows[there]]
        known, numbers = np.unique(sessions, return_inverse=True)
        return numbers, len(known)

    def of_sessions(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the mean of the three highest values of each candidate's session: float64 [n].

        A session of which fewer are at hand has 0 for the rest.

        Args:
            values: float64 [m].
        """
        numbers, count = self._sessions
        order = np.lexsort((-values, numbers))
        sorted_numbers = numbers[order]
        place = np.arange(len(order)) - sorted_numbers.searchsorted(sorted_numbers)
        best = place < _BEST_OF_SESSION
        sums = np.bincount(sorted_numbers[best], values[order][best], count)
        means: NDArray[np.float64] = sums[numbers[: len(self.keys)]] / _BEST_OF_SESSION
        return means

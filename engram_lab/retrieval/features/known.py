"""What is known of the conversations of a store, following its change log."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from engram_lab.retrieval.conversation import PeopleIndex, TurnIndex
from engram_lab.retrieval.times.following import TimesIndex

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from engram_lab.core.protocols import Corpus
    from engram_lab.core.types import Identity
    from engram_lab.retrieval.conversation import People, Turns
    from engram_lab.retrieval.times import TurnTimes

__all__ = ["Conversations", "Known"]


class Known(NamedTuple):
    """The turns, the people and the times of a store, all after one change."""

    turns: Turns
    people: People
    times: TurnTimes


class Conversations:
    """The conversations of a store. Threads may share it.

    Args:
        corpus: The store, as its owner sees it.
        identities: Returns who is known under several names.
    """

    def __init__(self, corpus: Corpus, identities: Callable[[], Sequence[Identity]]) -> None:
        self._corpus = corpus
        self._identities = identities
        self._turns = TurnIndex(corpus)
        self._people = PeopleIndex()
        self._times = TimesIndex()

    def turns(self) -> Turns:
        """Return the turns, brought up to date."""
        with self._corpus.held():
            return self._turns.catch_up()

    def known(self) -> Known:
        """Return all that is known, brought up to date."""
        turns = self.turns()
        people = self._people.follow(turns, self._identities())
        return Known(turns, people, self._times.follow(turns))

    def erase(self) -> None:
        """Let go of what was purged, where anything is known at all.

        Raises:
            StoreError: The store cannot be read; nothing is known then.
        """
        if not self._turns.number:
            return
        try:
            self.known()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let go of everything; a second call does nothing. Used again, it begins anew."""
        self._turns.close()
        self._people.close()
        self._times.close()

"""The conversation around a memory: what its neighbours, its session and its speaker tell of it.

A turn such as "Yes, last Tuesday" answers a question that only the turn before it names. Its own
words say little; the scores of the turns around it, of its session as a whole, and whether the one
who said it is whom the question asks about, say more.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from engram_lab.core.checks import check_limit
from engram_lab.core.errors import InvalidInputError, shown
from engram_lab.core.text import normalise
from engram_lab.retrieval.fusion.min_max import MinMax
from engram_lab.retrieval.fusion.weights import is_finite
from engram_lab.retrieval.ranking import Ranking

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from engram_lab.core.protocols.corpus import TurnPlace
    from engram_lab.retrieval.fusion.protocol import Normaliser

__all__ = ["CONTEXT_FEATURES", "ContextFeatures", "Conversation", "TurnReader", "speakers_named"]

CONTEXT_FEATURES: Final = ("previous", "following", "window", "session", "speaker")
"""The names of the features, as `ContextFeatures` has them."""

_BEST_OF_SESSION: Final = 3


class TurnReader(Protocol):
    """The part of `Corpus` that is read here."""

    def turns(self, keys: NDArray[np.int64]) -> list[TurnPlace | None]:
        """Return where each memory stands in its conversation; see `Corpus.turns`."""
        ...

    def turns_around(self, keys: NDArray[np.int64], distance: int) -> NDArray[np.int64]:
        """Return the turns near each memory's turn; see `Corpus.turns_around`."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class ContextFeatures:
    """What the conversation tells of each of n memories; float64 [n] each.

    The scores are those of one arm on the scale of a normaliser, and what it did not find has the
    score that the normaliser gives to what is absent. A memory that is no turn counts as a
    conversation of its own.

    Attributes:
        keys: int64 [n].
        previous: The score of the turn before; that of what is absent if there is none.
        following: The score of the turn after, likewise.
        window: The mean score of the turns up to `distance` away, itself included.
        session: The mean of the three highest scores of its session.
        speaker: 1 if the question names who said it, -1 if it names only others of the session, and
            else 0.
    """

    keys: NDArray[np.int64]
    previous: NDArray[np.float64]
    following: NDArray[np.float64]
    window: NDArray[np.float64]
    session: NDArray[np.float64]
    speaker: NDArray[np.float64]

    def of(self, name: str) -> NDArray[np.float64]:
        """Return a feature by its name.

        Raises:
            InvalidInputError: There is none of this name.
        """
        if name not in CONTEXT_FEATURES:
            raise InvalidInputError(
                f"there is no context feature {shown(name)}: known are "
                f"{', '.join(CONTEXT_FEATURES)}"
            )
        values: NDArray[np.float64] = getattr(self, name)
        return values

    def arm(self, weights: Mapping[str, float]) -> Ranking:
        """Return the memories ranked by the weighted sum of features, as one more arm to fuse.

        Nothing at all where no weight differs from 0, so that a fusion is as it would be without.

        Args:
            weights: By the name of the feature; one that is not named counts for nothing.

        Raises:
            InvalidInputError: An unknown feature, or a weight that is no finite number.
        """
        total = np.zeros(len(self.keys))
        for name, weight in weights.items():
            values = self.of(name)
            if not is_finite(weight):
                raise InvalidInputError(
                    f"the weight of {name!r} is {shown(weight)}: give a finite number"
                )
            total += weight * values
        return Ranking.of(self.keys, total) if any(weights.values()) else Ranking.empty()

    def arms(self) -> dict[str, Ranking]:
        """Return each feature as an arm of its own, for a fusion that learns their weights."""
        return {name: Ranking.of(self.keys, self.of(name)) for name in CONTEXT_FEATURES}


@dataclass(frozen=True, kw_only=True)
class Conversation:
    """Reads the conversation around memories.

    Attributes:
        distance: How many turns before and after belong to the window, from 1 to 100.
        normaliser: What brings the arm's scores onto one scale.

    Raises:
        InvalidInputError: The distance is out of its bounds.
    """

    distance: int = 1
    normaliser: Normaliser = field(default_factory=MinMax)

    def __post_init__(self) -> None:
        check_limit(self.distance, field="distance", most=100)

    def features(
        self,
        corpus: TurnReader,
        query: str,
        arm: Ranking,
        *,
        keys: NDArray[np.int64] | None = None,
    ) -> ContextFeatures:
        """Return the features of memories.

        Args:
            corpus: Has the turns.
            query: The question, in which speakers may be named.
            arm: What was found, with the scores that neighbours and sessions are judged by.
            keys: Of which memories, int64 [n]; those of the arm unless told.
        """
        asked = arm.keys if keys is None else keys
        scores = _Scores.of(arm, self.normaliser)
        around = corpus.turns_around(asked, self.distance).copy()
        around[:, self.distance] = asked  # also of what is no turn
        everyone = np.unique(np.concatenate([arm.keys, around[around != 0]]))
        turns = dict(zip(everyone.tolist(), corpus.turns(everyone), strict=True))
        places = [turns.get(key) for key in asked.tolist()]

        near = scores.at(around)
        there = around != 0
        own = near[:, self.distance]
        return ContextFeatures(
            keys=asked,
            previous=near[:, self.distance - 1].copy(),
            following=near[:, self.distance + 1].copy(),
            window=(near * there).sum(axis=1) / there.sum(axis=1),
            session=_session_scores(places, own, arm, turns, scores),
            speaker=_speaker_matches(query, places, turns.values()),
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Scores:
    """The scores of an arm, to be looked up by key."""

    keys: NDArray[np.int64]
    values: NDArray[np.float64]
    absent: float

    @classmethod
    def of(cls, arm: Ranking, normaliser: Normaliser) -> _Scores:
        values, absent = normaliser.normalise(arm.scores, arm="conversation")
        order = np.argsort(arm.keys)
        return cls(arm.keys[order], values[order], absent)

    def at(self, keys: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the scores of keys of any shape."""
        if not self.keys.size:
            return np.full(keys.shape, self.absent)
        places = self.keys.searchsorted(keys).clip(max=len(self.keys) - 1)
        return np.where(self.keys[places] == keys, self.values[places], self.absent)


def _session_scores(
    places: Sequence[TurnPlace | None],
    own: NDArray[np.float64],
    arm: Ranking,
    turns: Mapping[int, TurnPlace | None],
    scores: _Scores,
) -> NDArray[np.float64]:
    best: dict[str, list[float]] = {}
    for key, value in zip(arm.keys.tolist(), scores.at(arm.keys).tolist(), strict=True):
        if (place := turns[key]) is not None:  # the arm is sorted, so the best come first
            found = best.setdefault(place.session_id, [])
            if len(found) < _BEST_OF_SESSION:
                found.append(value)
    means = [
        _mean_of_best([value] if place is None else best.get(place.session_id, []), scores.absent)
        for place, value in zip(places, own.tolist(), strict=True)
    ]
    return np.array(means, np.float64)


def _mean_of_best(found: Sequence[float], absent: float) -> float:
    return (sum(found) + (_BEST_OF_SESSION - len(found)) * absent) / _BEST_OF_SESSION


def _speaker_matches(
    query: str, places: Sequence[TurnPlace | None], turns: Iterable[TurnPlace | None]
) -> NDArray[np.float64]:
    present = {(place.session_id, place.speaker) for place in turns if place is not None}
    named = speakers_named(query, {speaker for _, speaker in present})
    sessions = {session for session, speaker in present if speaker in named}
    matches = np.zeros(len(places))
    for at, place in enumerate(places):
        if place is not None and place.session_id in sessions:
            matches[at] = 1.0 if place.speaker in named else -1.0
    return matches


def speakers_named(query: str, speakers: Iterable[str]) -> frozenset[str]:
    """Return those speakers whose whole name stands in a question as words of it, in any case."""
    text = normalise(query)
    named = set()
    for speaker in speakers:
        name = normalise(speaker)
        if name and re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text):
            named.add(speaker)
    return frozenset(named)
